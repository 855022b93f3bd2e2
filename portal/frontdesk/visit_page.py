"""`/desk/visit/<id>`: one visit with all that the desk knows of it and can do with it."""

from __future__ import annotations

from flask import Response, request

from portal.accounts.queries import name_staff
from portal.booking import desk, links
from portal.booking.history import list_changes, list_notes
from portal.booking.models import Appointment
from portal.booking.queries import find_likely_same, get_entry
from portal.booking.wishes import Wishes
from portal.core import clock
from portal.core.forms import BaseForm
from portal.core.htmx import render
from portal.frontdesk import queries
from portal.frontdesk.acting import may_set, may_undo, sees_own_only
from portal.frontdesk.forms import AddressForm
from portal.frontdesk.visit_forms import NoteForm, StaffCancelForm, StatusForm, VisitForm

# What the visit's page says when something could not be done.
WRONG = {
    "state": "This could not be done: the visit is not at that point.",
    "not-today": "This could not be done: it is not today.",
    "kind": "It was not moved: the visit does not wait any more, or that time is for another kind of visit.",
    "changed": "Somebody has changed this visit in the meantime: nothing was done. Here is how it is now.",
    "heard": "This was not undone: the patient has been told by now. Move or cancel the visit instead.",
    "gone": "Somebody else has just taken that time: the visit stands as it was.",
    "taken": "Its time is taken by now: nothing was done.",
    "other": "This patient has another visit of this kind by now: nothing was done.",
    "late": "This mail has left already.",
    "erased": "This was not done: the person was erased, and nothing is written about the visit any more.",
    "not-yours": "This was not done: it is for the front desk.",
    "failed": "This was not done: the portal could not be reached, or is busy. Try again.",
}


def render_visit(
    appointment: Appointment,
    cancel_form: StaffCancelForm | None = None,
    note_form: NoteForm | None = None,
    address: AddressForm | None = None,
    status: int = 200,
) -> Response:
    """The visit's page, with what is wrong in a form that was sent."""
    changes, notes = list_changes(appointment.id), list_notes(appointment.id)
    entry = get_entry(appointment.id)
    return render(
        "frontdesk/visit.html",
        status=status,
        appointment=appointment,
        slot=appointment.slot,
        steps=[step for step in desk.list_steps(appointment) if may_set(step)],
        can_change=desk.can_change(appointment) and not sees_own_only(),
        can_mail=not sees_own_only(),
        last=next((last for last in reversed(changes) if desk.can_undo(appointment, last) and may_undo(last)), None),
        changes=changes,
        notes=notes,
        names=name_staff({change.staff_id for change in changes if change.staff_id} | {n.staff_id for n in notes}),
        brief=queries.brief_of(appointment),
        can_renew_link=links.can_renew(appointment),
        mails=queries.list_mail_of(appointment),
        likely_same=[] if sees_own_only() else find_likely_same(appointment.patient),
        entry=entry if entry and entry.closed_at is None else None,
        wishes=Wishes.from_json(entry.wishes) if entry else None,
        form=BaseForm(),
        cancel_form=cancel_form or StaffCancelForm(formdata=None),
        note_form=note_form or NoteForm(formdata=None),
        address=address or AddressForm(formdata=None, email=appointment.patient.email),
        wrong=WRONG.get(_which_wrong(appointment)),
        now=clock.now(),
    )


def can_still(form: VisitForm, appointment: Appointment) -> bool:
    """Whether what was sent can be done to the visit as it is now."""
    if isinstance(form, StatusForm):
        return form.status.data in desk.list_steps(appointment)
    return desk.can_change(appointment)


def _which_wrong(appointment: Appointment) -> str:
    """What went wrong, as the address has it; a visit to come has no other state that it could be wrong in."""
    wrong, slot = request.args.get("wrong", ""), appointment.slot
    to_come = desk.can_change(appointment) and slot.day > clock.today(slot.location.zone)
    return "not-today" if wrong == "state" and to_come else wrong
