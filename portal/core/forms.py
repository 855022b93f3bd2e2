"""What all forms share: the CSRF token, and text cleaned the same way everywhere."""

from __future__ import annotations

import unicodedata
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from flask import Flask
from flask_wtf import CSRFProtect, FlaskForm
from wtforms import Field, ValidationError

csrf = CSRFProtect()
REGION = "US"  # of phone numbers written without a country code


def init_app(app: Flask) -> None:
    # A token lives as long as its session: a form left open over lunch still works.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    # The token is the check. A referrer cannot be asked for: pages whose address is a key send none.
    app.config["WTF_CSRF_SSL_STRICT"] = False
    csrf.init_app(app)


def clean(value: Any) -> Any:
    """Text without white space around it and without control characters other than line breaks."""
    if not isinstance(value, str):
        return value
    kept = (c for c in value.replace("\r\n", "\n") if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs"})
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
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValidationError("Enter a phone number with its area code, like 212 555 0142.")
    field.data = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class BaseForm(FlaskForm):
    """A form whose text fields arrive clean."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: Any) -> Field:
            filters = [clean, *unbound_field.kwargs.get("filters", ())]
            field: Field = unbound_field.bind(form=form, **{**options, "filters": filters})
            return field
