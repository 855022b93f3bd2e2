"""What all forms share: the CSRF token, and text cleaned the same way everywhere."""

from __future__ import annotations

import unicodedata
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from flask import Flask
from flask_wtf import CSRFProtect, FlaskForm
from markupsafe import Markup, escape
from phonenumbers import ValidationResult
from wtforms import DateField, Field, HiddenField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, StopValidation
from wtforms.widgets import Input
from wtforms.widgets.core import clean_key

from portal.core.dates import YEARS

csrf = CSRFProtect()
LONGEST: dict[type[Field], int] = {HiddenField: 20_000, TextAreaField: 2000}  # characters, where a form names no other
LONGEST_LINE = 254
LAST_BEFORE_FIRST = "The last day must not be before the first."
REGION = "US"  # of phone numbers written without a country code


def init_app(app: Flask) -> None:
    # A token lives as long as its session: a form left open over lunch still works.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    # The token is the check. A referrer cannot be asked for: pages whose address is a key send none.
    app.config["WTF_CSRF_SSL_STRICT"] = False
    csrf.init_app(app)
    Input.html_params = staticmethod(write_attributes)


def write_attributes(**attributes: Any) -> Markup:
    """The attributes of an input, in the very words of WTForms, which takes eight times as long over them."""
    written = (_write(clean_key(name), value) for name, value in sorted(attributes.items()) if value is not False)
    return Markup(" ".join(written))  # noqa: S704 - escaped below


def _write(name: str, value: Any) -> str:
    if value is True:
        return name
    # What was escaped before, as a template's words are, may have quotes that end the value.
    return f'{name}="' + str.replace(escape(value), '"', "&quot;") + '"'


def clean(value: Any) -> Any:
    """Text without white space around it and without control characters other than line breaks.

    What shows nothing at all, such as a space of no width, is no text.
    """
    if not isinstance(value, str):
        return value
    kept = [c for c in value.replace("\r\n", "\n") if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs"}]
    if all(unicodedata.category(c)[0] in "ZC" for c in kept):
        return ""
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def check_email(form: Any, field: Field) -> None:
    """A validator: an address that can be written to, in its one normal form."""
    try:
        # A domain with letters beyond ASCII in the form that every mail server takes; such a mailbox, none is sure to.
        checked = validate_email(field.data or "", check_deliverability=False, allow_smtputf8=False)
        field.data = checked.ascii_email
    except EmailNotValidError:
        raise ValidationError("Enter an e-mail address, like name@example.com.") from None


def check_phone(form: Any, field: Field) -> None:
    """A validator: a phone number that can be dialled, stored with its country code."""
    try:
        number = phonenumbers.parse(field.data or "", REGION)
    except phonenumbers.NumberParseException:
        number = None
    # Also "possible" is what can only be dialled within its area: a number without the area code.
    if number is None or phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise ValidationError("Enter a phone number with its area code, like 212 555 0142.")
    if number.extension:
        raise ValidationError("Enter a number that reaches you without an extension.")
    field.data = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class DayField(DateField):
    """A day that a clinic can mean. Where none can be read, that is said, and nothing else is asked of the field."""

    data: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, invalid_value_message="Write the day like 2026-11-23.", **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data and self.data.year not in YEARS:
            self.data = None
            raise ValueError("Check the year: write all four digits, like 2026.")

    def pre_validate(self, form: Any) -> None:
        if self.process_errors and self.raw_data != [""]:
            raise StopValidation


class NotBefore:
    """A validator: a last day, which is the first one, named here, or comes after it."""

    def __init__(self, first: str) -> None:
        self._first = first

    def __call__(self, form: Any, field: Field) -> None:
        first = form[self._first].data
        if first and field.data < first:
            raise ValidationError(LAST_BEFORE_FIRST)


class BaseForm(FlaskForm):
    """A form whose text fields arrive clean, none longer than it says, and none of blanks where words are asked for."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: Any) -> Field:
            filters = [clean, *unbound_field.kwargs.get("filters", ())]
            checked = {"validators": _checks_of_text(unbound_field)} if _is_text(unbound_field) else {}
            field: Field = unbound_field.bind(form=form, **{**options, "filters": filters, **checked})
            return field


class Longest(Length):
    """A limit of length, said beside the field; a number that a form begins with has none."""

    def __call__(self, form: Any, field: Field) -> None:
        if isinstance(field.data, str | list):
            super().__call__(form, field)


def _is_text(unbound_field: Any) -> bool:
    return issubclass(unbound_field.field_class, StringField)


def _checks_of_text(unbound_field: Any) -> list[Any]:
    """The validators of a text field: blanks are nothing to them, and where they name no length, its kind does."""
    named = unbound_field.kwargs.get("validators", ())
    validators = [DataRequired(one.message) if isinstance(one, InputRequired) else one for one in named]
    if any(isinstance(validator, Length) and validator.max > 0 for validator in validators):
        return validators
    kind = next((most for cls, most in LONGEST.items() if issubclass(unbound_field.field_class, cls)), LONGEST_LINE)
    most = (unbound_field.kwargs.get("render_kw") or {}).get("maxlength", kind)
    return [Longest(max=most, message=f"Write at most {most} characters."), *validators]
