"""A change at the desk that is shown before it is made."""

from __future__ import annotations

import hashlib

from flask import request

from portal.core.forms import BaseForm


def is_confirmed(form: BaseForm) -> bool:
    """Whether the change was shown, pressed to be made, and nothing else typed in between."""
    return "confirmed" in request.form and request.form.get("shown") == mark_of(form)


def mark_of(form: BaseForm) -> str:
    """What is the same for two forms that say the same."""
    said = sorted((name, repr(value)) for name, value in form.data.items() if name != "csrf_token")
    return hashlib.blake2b(repr(said).encode(), digest_size=12).hexdigest()
