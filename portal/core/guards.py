"""Forms that are open to everybody: what a program that fills in every form sends is told apart, asking nobody else.

No puzzle, no third party, no address kept: a field that no person sees, and a time that no person is faster than.
Whoever is stopped by mistake sends the form once more.
"""

from __future__ import annotations

from datetime import timedelta

from flask import current_app
from itsdangerous import BadSignature, Signer
from wtforms import HiddenField, StringField

from portal.core import clock
from portal.core.forms import BaseForm

FASTEST = timedelta(seconds=3)
ONCE_MORE = "We could not tell whether a person sent this. Nothing is lost: please send it once more."


class GuardedForm(BaseForm):
    """A form with both guards; `begin` it when it is shown first."""

    website = StringField("Leave this empty", render_kw={"tabindex": "-1", "autocomplete": "off"})
    begun = HiddenField()

    def begin(self) -> None:
        """Note when the form was shown."""
        self.begun.data = _signer().sign(str(int(clock.now().timestamp()))).decode()

    def looks_automatic(self) -> bool:
        """Whether a program has sent it; it is made ready to be sent again by a person."""
        trapped, self.website.data = bool(self.website.data), ""
        try:
            seconds = clock.now().timestamp() - int(_signer().unsign(self.begun.data or ""))
        except BadSignature:
            self.begin()
            return True
        return trapped or seconds < FASTEST.total_seconds()


def _signer() -> Signer:
    return Signer(str(current_app.secret_key), salt="form-begun")
