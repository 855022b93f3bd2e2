"""What staff send about referral links, and which part of the ledger they ask for."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp

from portal.core import clock
from portal.core.forms import BaseForm, DayField, NotBefore
from portal.core.pages import day_in_words
from portal.frontdesk.seen_form import SeenForm, dump
from portal.referrals.ledger import GROUPINGS
from portal.referrals.links import CODE, KINDS, LONGEST_CODE, LinkFacts, read_facts
from portal.referrals.models import ReferralLink
from portal.referrals.pages import OwnPage

ONE_DAY, WEEKS_AT_FIRST = timedelta(days=1), 13
EARLIEST = date(2020, 1, 1)


class RangeForm(BaseForm):
    """Which weeks of the ledger, and grouped by what; read from the address."""

    class Meta(BaseForm.Meta):
        csrf = False

    since = DayField("From", validators=[Optional()])
    until = DayField("Until", validators=[Optional(), NotBefore("since")])
    by = SelectField("By", choices=[SelectChoice(*pair) for pair in GROUPINGS.items()], default="link")

    def range(self, today: date) -> tuple[date, date]:
        """Whole weeks, Monday to Sunday, that hold what was chosen; the last quarter where nothing valid was."""
        valid = not self.errors
        until = (self.until.data if valid else None) or today
        since = (self.since.data if valid else None) or until - timedelta(weeks=WEEKS_AT_FIRST - 1)
        since, until = max(since, EARLIEST), min(max(until, EARLIEST), today)
        since = min(since, until)
        return since - timedelta(days=since.weekday()), until + timedelta(days=6 - until.weekday())

    def show(self, since: date, until: date) -> None:
        """Fill in what is shown, where nothing was chosen."""
        self.since.data, self.until.data = self.since.data or since, self.until.data or until

    def grouping(self) -> str:
        """What to group by; by link where nothing valid was chosen."""
        return self.by.data if self.by.data in GROUPINGS else "link"


class LinkForm(SeenForm):
    """Everything about a link but its code."""

    label = StringField(
        "What is it?",
        description="For staff, like: Leaflet in the waiting room",
        validators=[InputRequired("Say what this link is for."), Length(max=120)],
    )
    kind = SelectField("Kind", choices=[SelectChoice(*pair) for pair in KINDS.items()])
    destination = SelectField("Leads to")
    owner = StringField("Who looks after it", validators=[Length(max=120)])
    starts_at = DayField("First day", name="starts", validators=[Optional()], description="Leave empty to begin now")
    ends_at = DayField(
        "Last day",
        name="ends",
        validators=[Optional(), NotBefore("starts_at")],
        description="Leave empty when it has no end",
    )
    active = BooleanField("The link works", default=True)

    zone: ZoneInfo  # the clinic's clocks, by which its days are

    def offer(self, pages: list[OwnPage], zone: ZoneInfo) -> None:
        """Fill in the pages that a link may lead to, and by which clocks its days are."""
        self.destination.choices = [SelectChoice(page.path, page.label) for page in pages]
        self.zone = zone

    def fill(self, link: ReferralLink) -> None:
        """Show what the link is now."""
        facts = read_facts(link)
        for name, value in facts.items():
            self[name].data = self.as_typed(name, value)
        self.seen.data = dump(facts)

    def facts(self) -> LinkFacts:
        """What was said, once the form is valid."""
        return LinkFacts(
            self.label.data,
            self.kind.data,
            self.destination.data,
            self.owner.data or None,
            _begin(self.starts_at.data, self.zone),
            _begin(self.ends_at.data + ONE_DAY, self.zone) if self.ends_at.data else None,
            self.active.data,
        )

    def as_typed(self, name: str, value: Any) -> Any:
        if not value or not isinstance(self[name], DayField):
            return value
        day = datetime.fromisoformat(value).astimezone(self.zone).date()
        return day - ONE_DAY if name == "ends_at" else day

    def in_words(self, name: str, value: Any) -> str:
        day = self.as_typed(name, value)
        return f"{day_in_words(day)}, {day.year}" if isinstance(day, date) else super().in_words(name, value)


class NewLinkForm(LinkForm):
    """A link to be made."""

    code = StringField(
        "Code (not required)",
        description="Letters, digits and hyphens; made from the words above when left empty",
        filters=[lambda text: text.lower() if text else text],
        validators=[
            Optional(),
            Length(max=LONGEST_CODE),
            Regexp(
                rf"{CODE.pattern}\Z", message="Write small letters, digits and single hyphens only, like spring-fair."
            ),
        ],
        render_kw={"autocomplete": "off", "spellcheck": "false", "maxlength": LONGEST_CODE},
    )


def _begin(day: date | None, zone: ZoneInfo) -> datetime | None:
    return clock.instant(datetime.combine(day, time.min), zone) if day else None
