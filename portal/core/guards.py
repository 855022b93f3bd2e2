"""Forms that are open to everybody: what a program that fills in every form sends is told apart, asking nobody else.

No puzzle, no third party: a field that no person sees, and a signed mark that says when the form was shown. Whoever
is stopped by mistake sends the form once more. While a form is pressed, `portal/limits.py` asks for a proof too.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, current_app
from itsdangerous import BadSignature, Signer
from wtforms import HiddenField, StringField

from portal.core import clock
from portal.core.crypto import new_token
from portal.core.forms import BaseForm
from portal.core.proof import BITS, PARTS

FASTEST = timedelta(seconds=3)
TRAP, MARK = "website", "begun"  # the names of the two fields
ONCE_MORE = "We could not tell whether a person sent this. Nothing is lost: please send it once more."


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(new_mark=new_mark, proof_sum=lambda: f"{PARTS}/{BITS}")


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


class GuardedForm(BaseForm):
    """A form with both guards; `begin` it when it is shown first."""

    website = StringField("Leave this empty", render_kw={"tabindex": "-1", "autocomplete": "off", "maxlength": 200})
    begun = HiddenField()

    def begin(self) -> None:
        """Note when the form was shown."""
        self.begun.data = new_mark()

    def looks_automatic(self) -> bool:
        """Whether a program has sent it; it is made ready to be sent again by a person."""
        trapped, self.website.data = bool(self.website.data), ""
        age = age_of(self.begun.data or "")
        if age is None:
            self.begin()
            return True
        return trapped or age < FASTEST


def _signer() -> Signer:
    return Signer(str(current_app.secret_key), salt="form-begun")
