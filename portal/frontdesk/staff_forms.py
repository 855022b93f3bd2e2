"""What a manager sends about colleagues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from wtforms import EmailField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.accounts.services import StaffRole
from portal.core.edits import Values
from portal.core.forms import check_email
from portal.frontdesk.forms import name_of
from portal.frontdesk.seen_form import SeenForm, dump
from portal.scheduling.models import Provider

ROLES = (
    (StaffRole.FRONT_DESK, "Front desk: visits, callers, closures"),
    (StaffRole.CLINICIAN, "Clinician: visits, the own day first"),
    (StaffRole.MANAGER, "Manager: all of it, and the set-up"),
)


class MemberForm(SeenForm):
    """Somebody who works here."""

    name = StringField(
        "Name, as colleagues know it",
        validators=[InputRequired("Enter the name."), Length(max=120, message="Write at most 120 characters.")],
        render_kw={"maxlength": 120},
    )
    role = RadioField(
        "Role",
        choices=[SelectChoice(role.value, words) for role, words in ROLES],
        default=StaffRole.FRONT_DESK.value,
        validators=[InputRequired("Choose a role.")],
    )
    provider_id = SelectField(
        "Whose diary is it?",
        description="For a clinician: the own day comes first.",
        coerce=lambda value: int(value) if value not in ("", None) else None,
    )

    @classmethod
    def showing(cls, values: Values) -> Self:
        """The form filled in with an account."""
        return cls(data={**values, "seen": dump(values)})

    def offer(self, providers: Iterable[Provider]) -> None:
        """Fill in whose diary it can be."""
        nobody = SelectChoice("", "Nobody’s in particular")
        self.provider_id.choices = [nobody, *(SelectChoice(row.id, name_of(row)) for row in providers)]

    def values(self) -> Values:
        """What was chosen, once the form is valid."""
        return {"name": self.name.data, "role": self.role.data, "provider_id": self.provider_id.data}

    def in_words(self, name: str, value: Any) -> str:
        if name == "role":
            return str(dict(ROLES).get(value, value)).partition(":")[0]
        return super().in_words(name, value)


class InviteForm(MemberForm):
    """A new colleague."""

    email = EmailField(
        "E-mail",
        description="The invitation goes there; it is what the person signs in with.",
        validators=[InputRequired("Enter the e-mail address."), Length(max=255), check_email],
        render_kw={"autocomplete": "off", "maxlength": 254},
    )
