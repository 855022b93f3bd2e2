"""Forms that are open to everybody: what a program that fills in every form sends is told apart, asking nobody else.

No puzzle, no third party: a field that no person sees, and a signed mark that says when the form was shown. Whoever
is stopped by mistake sends the form once more. `ui.guard()` puts both into a form. While a form is pressed,
`portal/limits.py` asks for a proof too.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, current_app, request
from itsdangerous import BadSignature, Signer

from portal.core import clock
from portal.core.crypto import new_token
from portal.core.proof import BITS, PARTS

FASTEST = timedelta(seconds=3)
TRAP, MARK = "website", "begun"  # the names of the two fields
ONCE_MORE = "We could not tell whether a person sent this. Nothing is lost: please send it once more."


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(mark_of_form=_mark_of_form, proof_sum=f"{PARTS}/{BITS}")


def new_mark() -> str:
    """A signed mark of this moment, each another one."""
    return _signer().sign(f"{int(clock.now().timestamp())}.{new_token()}").decode()


def age_of(mark: str) -> timedelta | None:
    """How long ago we made that mark; None when we did not."""
    try:
        seconds = int(_signer().unsign(mark).decode().partition(".")[0])
    except (BadSignature, ValueError):
        return None
    return timedelta(seconds=clock.now().timestamp() - seconds)


def is_trapped() -> bool:
    """Whether the form that was sent has something in the field that no person sees."""
    return bool(request.form.get(TRAP))


def is_fast() -> bool:
    """Whether the form was sent sooner after it was shown than a person could, or without our mark of when."""
    age = age_of(request.form.get(MARK, ""))
    return age is None or age < FASTEST


def _mark_of_form() -> str:
    """When the form that is shown was shown first."""
    mark = request.form.get(MARK, "")
    return new_mark() if age_of(mark) is None else mark


def _signer() -> Signer:
    return Signer(str(current_app.secret_key), salt="form-begun")
