"""A mistyped address, corrected by the browser that has just booked: the confirmation goes to the right one.

Who types somebody else's details must gain nothing by it: no other visit's mail is turned elsewhere, nothing that the
desk has done is undone, and few mailboxes can be written to.
"""

from __future__ import annotations

from uuid import UUID

from portal import audit
from portal.booking.announce import announce_anew
from portal.booking.changes import TooLate
from portal.booking.links import is_live, make_link
from portal.booking.models import Appointment
from portal.booking.patients import change_address, separate
from portal.booking.queries import get_for_change
from portal.booking.services import send_link_again
from portal.core import allowed
from portal.core.db import seeing_others, transactional
from portal.core.limits import mailbox_key, spend


def correct_own_address(appointment_id: UUID, email: str) -> None:
    """Another e-mail address for the visit alone; it is confirmed there, and the link sent astray ends.

    Other visits on the record keep theirs. To the same address the link is sent once more. Raises TooLate when the
    visit does not stand or its link was ended, LookupError for a patient who was erased, and TooMany.
    """
    if (same := _correct(appointment_id, email)) is not None:
        send_link_again(same)


@seeing_others
@transactional
def _correct(appointment_id: UUID, email: str) -> Appointment | None:
    """Correct it; the visit, where its mail goes to that address already and nothing is changed."""
    appointment = get_for_change(appointment_id)
    if not (appointment.stands and is_live(appointment)):
        raise TooLate(appointment_id)
    if appointment.patient.email == email:
        return appointment
    separate(appointment)
    change_address(appointment.patient_id, email)
    make_link(appointment)
    announce_anew(appointment)
    audit.services.record("address-corrected", f"appointment:{appointment_id}")
    spend((allowed.ADDRESSES_OF_VISIT, appointment_id.hex), (allowed.MAILS_TO_MAILBOX, mailbox_key(email)))
    return None
