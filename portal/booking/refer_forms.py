"""What a practice sends that refers patients."""

from __future__ import annotations

from wtforms import BooleanField, EmailField, Field, HiddenField, RadioField, StringField, TelField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.booking.referring import Referral
from portal.booking.requests import Asked
from portal.booking.wishes import Wishes
from portal.core.forms import BaseForm, check_email, check_phone

REASONS = {
    "neck": "Headache from the neck or the back of the head",
    "face": "Pain in the face",
    "migraine": "Migraine or another known headache",
    "unclear": "Headache that nobody has sorted yet",
    "procedure": "A nerve block or another procedure",
}
PRACTICE_CHECKS = [InputRequired("Enter the name of your practice."), Length(min=2, max=80)]
URGENCIES = {"routine": "In the next weeks", "soon": "Within two weeks"}


def one_line(text: str | None) -> str | None:
    """Text without line breaks."""
    return " ".join(text.split()) if text else text


class PracticeForm(BaseForm):
    """The name of a practice that wants a link for its patients."""

    practice = StringField(
        "Name of your practice",
        description="The link begins with it, so that your patients can tell whose it is.",
        validators=PRACTICE_CHECKS,
        filters=[one_line],
        render_kw={"autocomplete": "organization", "maxlength": 80},
    )
    key = HiddenField(validators=[InputRequired(), Length(max=64)])


class ReferralForm(PracticeForm):
    """One patient, referred with consent."""

    practice = StringField(
        "Name of your practice",
        validators=PRACTICE_CHECKS,
        filters=[one_line],
        render_kw={"autocomplete": "organization", "maxlength": 80},
    )
    practice_phone = TelField(
        "Phone of your practice (not required)",
        description="If we have a question",
        validators=[Optional(), check_phone],
        render_kw={"autocomplete": "work tel", "maxlength": 30},
    )
    name = StringField(
        "The patient’s name",
        validators=[InputRequired("Enter the patient’s name."), Length(min=2, max=120)],
        filters=[one_line],
        render_kw={"autocomplete": "off", "maxlength": 120},
    )
    phone = TelField(
        "The patient’s phone",
        validators=[InputRequired("Enter the phone number that we should call."), check_phone],
        render_kw={"autocomplete": "off", "maxlength": 30},
    )
    reason = RadioField(
        "What for?",
        choices=[SelectChoice(*pair) for pair in REASONS.items()],
        validators=[InputRequired("Choose what the referral is for.")],
    )
    urgency = RadioField(
        "How soon?",
        choices=[SelectChoice(*pair) for pair in URGENCIES.items()],
        validators=[InputRequired("Choose how soon.")],
    )
    consent = BooleanField(
        "The patient knows of this and agrees that you give us these facts and that we call.",
        validators=[InputRequired("Ask the patient first, then tick this.")],
    )
    may_tell = BooleanField(
        "The patient agrees that we tell you when a visit is booked. We tell you no more than that."
    )
    practice_email = EmailField(
        "E-mail of your practice",
        description="Only for that one message. Leave it empty if you need none.",
        validators=[Length(max=254)],
        render_kw={"autocomplete": "work email", "maxlength": 254, "spellcheck": "false"},
    )
    code = HiddenField()

    def validate_practice_email(self, field: Field) -> None:
        if field.data:
            check_email(self, field)
        elif self.may_tell.data:
            raise ValidationError("Enter where we should send the message, or untick the box above.")

    def patient(self) -> Asked:
        """Who is to be called, once the form is valid."""
        return Asked(self.name.data, self.phone.data, Wishes(), note="")

    def referral(self) -> Referral:
        """By whom and why, once the form is valid."""
        return Referral(
            practice=self.practice.data,
            phone=self.practice_phone.data or "",
            reason=self.reason.data,
            soon=self.urgency.data == "soon",
            email=self.practice_email.data if self.may_tell.data else None,
        )
