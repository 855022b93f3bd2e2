"""What staff send about their own account."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import DataRequired, EqualTo, Length

from portal.accounts.services import LONGEST_PASSWORD, SHORTEST_PASSWORD


class PasswordForm(FlaskForm):  # no BaseForm, which cleans text: a password is taken as it is typed
    """A new password, twice."""

    password = PasswordField(
        "Password",
        description=f"At least {SHORTEST_PASSWORD} characters. Four words that do not belong together are a good one.",
        validators=[
            DataRequired("Enter a password."),
            Length(min=SHORTEST_PASSWORD, message=f"Use at least {SHORTEST_PASSWORD} characters."),
            Length(max=LONGEST_PASSWORD, message=f"Use at most {LONGEST_PASSWORD} characters."),
        ],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "The same password again",
        validators=[EqualTo("password", "Enter the same password in both fields.")],
        render_kw={"autocomplete": "new-password"},
    )
