"""`/desk/referrals`: which words bring people who come, and the links that tell."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask_login import current_user
from werkzeug import Response as AnyResponse

from portal.core.csv_files import send_csv
from portal.core.edits import ChangedMeanwhile
from portal.core.htmx import render
from portal.education.shelf import get_library
from portal.frontdesk import charts, services
from portal.frontdesk.ledger_forms import LinkForm, NewLinkForm, RangeForm
from portal.frontdesk.queries import get_today
from portal.frontdesk.seen_form import Difference
from portal.frontdesk.words import week_in_words
from portal.referrals import funnel, ledger, links, pages, qr, queries, report
from portal.referrals.ledger import Ledger
from portal.referrals.links import KINDS, CodeTaken
from portal.referrals.models import ReferralLink
from portal.referrals.report import COLUMNS, Line
from portal.referrals.small_counts import show
from portal.scheduling.queries import get_zone

blueprint = Blueprint("ledger", __name__, url_prefix="/desk/referrals")
NONE = {"link": "No link", "kind": "No link", "last": "No link", "article": "No article", "source": "No booking site"}


class Named(NamedTuple):
    """A line of the ledger and what its group is called."""

    name: str
    line: Line


@blueprint.get("")
def show_ledger() -> Response:
    form = RangeForm(request.args)
    valid = form.validate()
    found = _read(form)
    form.show(found.since, found.until)
    named, rows = _name_lines(found), funnel.list_rows(found.total)
    return render(
        "frontdesk/referrals.html",
        status=200 if valid else 422,
        form=form,
        ledger=found,
        rows=rows,
        funnel_chart=charts.draw_funnel(rows),
        named=named,
        share_chart=charts.draw_shares([(name, line.booked) for name, line in named]),
        columns=COLUMNS,
        grouping=ledger.GROUPINGS[found.by],
        aside=[(words, show(count)) for words, count in _aside(found)],
        times=funnel.quartiles(ledger.count_minutes_to_book(found.since, found.until)),
    )


@blueprint.get("/ledger.csv")
def download_ledger() -> Response:
    form = RangeForm(request.args)
    form.validate()
    found = _read(form)
    heading = [found.by, "code", *COLUMNS.values(), "booked share", "from", "to"]
    body = []
    for name, line in _name_lines(found):
        counts = ["hidden" if count is None else count for count in line.counts.values()]
        share = [round(part, 4) for part in line.booked or ()]
        body.append([name, line.group, *counts, *share])
    return send_csv(f"referrals-{found.since}-to-{found.until}", heading, body)


@blueprint.get("/links")
def list_links() -> Response:
    return _render_links(_new_form())


@blueprint.post("/links")
def make_link() -> AnyResponse:
    form = _new_form()
    if not form.validate():
        return _render_links(form, status=422)
    try:
        code = links.make_link(form.facts(), form.code.data or None)
    except CodeTaken:
        form.code.errors = ["Another link has this code. Choose another one, or leave it empty."]
        return _render_links(form, status=422)
    return redirect(url_for(".show_link", code=code), 303)


@blueprint.get("/links/<code>")
def show_link(code: str) -> Response:
    link, form = _link_or_404(code), _change_form(formdata=None)
    form.fill(link)
    return _render_link(link, form)


@blueprint.post("/links/<code>")
def change_link(code: str) -> AnyResponse:
    link, form = _link_or_404(code), _change_form()
    if not form.validate():
        return _render_link(link, form, status=422)
    facts = form.facts()
    try:
        links.change_link(link.code, facts, form.read_seen() or {})
    except LookupError:  # a page's own link: it follows the page
        abort(404)
    except ChangedMeanwhile as error:
        return _render_link(link, form, 409, form.take_over(error.stored, links.read_facts(facts)))
    return redirect(url_for(".show_link", code=code), 303)


@blueprint.get("/links/<code>/qr.svg")
def show_qr(code: str) -> Response:
    return qr.send_svg(_link_or_404(code))


@blueprint.get("/links/<code>/sheet.pdf")
def print_sheet(code: str) -> AnyResponse:
    return qr.send_sheet(_link_or_404(code), otherwise=url_for(".show_qr", code=code))


def _read(form: RangeForm) -> Ledger:
    since, until = form.range(get_today())
    services.record_ledger_seen(since, until)
    return ledger.read_ledger(since, until, form.grouping())


def _name_lines(found: Ledger) -> list[Named]:
    labels = {link.code: link.label for link in (*queries.list_automatic_links(), *queries.list_links())}
    titles = {page.slug: page.about.title for page in get_library().pages}
    names = {"link": labels, "last": labels, "article": titles, "kind": KINDS}.get(found.by, {})
    return [Named(_name(found.by, line.group, names), line) for line in report.list_lines(found)]


def _name(by: str, group: str, names: dict[str, str]) -> str:
    if not group:
        return NONE[by]
    return week_in_words(group) if by == "week" else names.get(group, group)


def _aside(found: Ledger) -> list[tuple[str, int]]:
    """What was counted and is no person that can be told from a program."""
    ended = sum(found.aside[state] for state in ("off", "early", "over"))
    return [
        ("Opened a link and nothing more: mail scanners, and people who left at once", found.total.unfollowed_up),
        ("Asked by their browser not to be followed: counted at the door only", found.aside["unfollowed"]),
        ("Came by a link that is off, has ended or has not begun", ended),
        ("Came by a code that nobody has made", found.aside["unknown"]),
    ]


def _new_form() -> NewLinkForm:
    form = NewLinkForm()
    form.offer(pages.list_pages(), get_zone())
    if request.method == "GET":
        form.owner.data = current_user.name
    return form


def _change_form(**options: None) -> LinkForm:
    form = LinkForm(**options)
    form.offer(pages.list_pages(), get_zone())
    return form


def _render_links(form: NewLinkForm, status: int = 200) -> Response:
    stored = queries.list_links()
    own = {link.code for link in queries.list_automatic_links()}
    return render(
        "frontdesk/referral_links.html",
        status=status,
        form=form,
        made=[link for link in stored if link.code not in own],
        automatic=queries.list_automatic_links(),
        kinds=KINDS,
        outcome="invalid" if status == 422 else None,
    )


def _render_link(
    link: ReferralLink, form: LinkForm, status: int = 200, differences: list[Difference] | None = None
) -> Response:
    automatic = link.code in {own.code for own in queries.list_automatic_links()}
    return render(
        "frontdesk/referral_link.html",
        status=status,
        link=link,
        form=form,
        differences=differences,
        automatic=automatic,
        address=qr.address_of(link),
        outcome="invalid" if status == 422 else None,
    )


def _link_or_404(code: str) -> ReferralLink:
    return queries.find_link(code) or abort(404)
