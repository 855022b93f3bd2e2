"""What all forms share: the CSRF token, and text cleaned the same way everywhere."""

from __future__ import annotations

import unicodedata
from typing import Any

from flask import Flask
from flask_wtf import CSRFProtect, FlaskForm
from wtforms import Field

csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    # A token lives as long as its session: a form left open over lunch still works.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    csrf.init_app(app)


def clean(value: Any) -> Any:
    """Text without white space around it and without control characters other than line breaks."""
    if not isinstance(value, str):
        return value
    kept = (c for c in value.replace("\r\n", "\n") if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs"})
    return unicodedata.normalize("NFC", "".join(kept)).strip()


class BaseForm(FlaskForm):
    """A form whose text fields arrive clean."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: Any) -> Field:
            filters = [clean, *unbound_field.kwargs.get("filters", ())]
            field: Field = unbound_field.bind(form=form, **{**options, "filters": filters})
            return field
