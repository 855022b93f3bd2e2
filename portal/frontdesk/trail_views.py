"""`/desk/audit`: who saw and did what, for managers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from flask import Blueprint, Response, request
from wtforms import Field, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional, ValidationError

from portal.accounts.queries import list_staff, name_actors
from portal.audit.queries import AuditFilter, list_actions, list_entries, list_screens
from portal.booking.person_export import find_person, list_subjects
from portal.core import clock
from portal.core.forms import BaseForm, DayField
from portal.core.htmx import render
from portal.core.numbers import read_number
from portal.frontdesk import services
from portal.scheduling.queries import get_zone

PAGE = 100

blueprint = Blueprint("trail", __name__, url_prefix="/desk")


class TrailForm(BaseForm):
    """Which entries to show; read from the address, which names nobody but by number."""

    class Meta(BaseForm.Meta):
        csrf = False

    who = SelectField("Who", default="")
    action = SelectField("What", default="")
    patient = StringField(
        "Patient", validators=[Optional(), Length(max=40)], description="A visit’s reference, like TPM-7K3F-94"
    )
    screen = SelectField("From which screen", default="")
    about = StringField("About", validators=[Optional(), Length(max=120)], description="Like appointment:… or staff:7")
    first = DayField("From", validators=[Optional()])
    last = DayField("Until", validators=[Optional()])

    def offer(self) -> None:
        """Fill in who has done things, and what."""
        people = [SelectChoice(f"staff:{user.id}", user.name) for user in list_staff()]
        others = [SelectChoice("patient", "Patients"), SelectChoice("system", "The portal itself")]
        self.who.choices = [SelectChoice("", "Anybody"), *people, *others]
        self.screen.choices = [SelectChoice("", "Any"), *(SelectChoice(name, name) for name in list_screens())]
        self.action.choices = [SelectChoice("", "Anything"), *(SelectChoice(name, name) for name in list_actions())]

    def validate_patient(self, field: Field) -> None:
        if find_person(field.data) is None:
            raise ValidationError("There is no visit with this reference, and no patient of this number.")

    def wanted(self) -> AuditFilter:
        """What was chosen, once the form is valid; days by the clinic's clocks."""
        return AuditFilter(
            actor=self.who.data or None,
            action=self.action.data or None,
            subject=self.about.data or None,
            subjects=self._subjects(),
            screen=self.screen.data or None,
            since=_midnight(self.first.data),
            until=_midnight(self.last.data + timedelta(days=1)) if self.last.data else None,
        )

    def _subjects(self) -> Sequence[str] | None:
        patient_id = find_person(self.patient.data) if self.patient.data else None
        return list_subjects(patient_id) if patient_id else None


@blueprint.get("/audit")
def show_trail() -> Response:
    form = TrailForm(request.args)
    form.offer()
    valid = form.validate()
    entries = list_entries(form.wanted(), read_number(request.args.get("before")), PAGE) if valid else []
    services.record_list_seen("audit")
    older = {name: value for name, value in request.args.items() if name != "before"}
    return render(
        "frontdesk/audit.html",
        status=200 if valid else 422,
        form=form,
        entries=entries,
        names=name_actors(entry.actor for entry in entries),
        older={**older, "before": entries[-1].id} if len(entries) == PAGE else None,
        zone=get_zone(),
    )


def _midnight(day: date | None) -> datetime | None:
    """The instant at which a day begins at the clinic."""
    return clock.instant(datetime.combine(day, time.min), get_zone()) if day else None
