"""A change that is shown before it is made: what is made is what was shown."""

from __future__ import annotations

import hashlib

from flask import request

from portal.core.forms import BaseForm


def is_confirmed(form: BaseForm) -> bool:
    """Whether it was pressed to make the change, and not another one than was shown."""
    return "confirmed" in request.form and request.form.get("shown", mark_of(form)) == mark_of(form)


def mark_of(form: BaseForm) -> str:
    """What is the same for two forms that say the same."""
    said = sorted((name, repr(value)) for name, value in form.data.items() if name != "csrf_token")
    return hashlib.blake2b(repr(said).encode(), digest_size=12).hexdigest()
