"""What staff send to sign in and about their own account."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length, Optional

from portal.accounts.passkeys import LONGEST_NAME
from portal.accounts.passwords import find_fault
from portal.accounts.services import LONGEST_PASSWORD, SHORTEST_PASSWORD
from portal.core.forms import BaseForm

CODE = {"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": 11, "spellcheck": "false"}


class SignInForm(FlaskForm):  # no BaseForm, which cleans text: a password is taken as it is typed
    """Who somebody is, and the password."""

    email = EmailField("E-mail", render_kw={"autocomplete": "username", "spellcheck": "false", "maxlength": 254})
    password = PasswordField("Password", render_kw={"autocomplete": "current-password"})
    next = HiddenField()


class CodeForm(BaseForm):
    """The second step: a code of the app."""

    code = StringField("Six digits from your app", validators=[InputRequired("Enter the six digits.")], render_kw=CODE)


class RecoveryForm(BaseForm):
    """The second step without the phone."""

    code = StringField(
        "Recovery code",
        description="One of the ten that you were given when you set up your second step. Each works once.",
        validators=[InputRequired("Enter a recovery code."), Length(max=40, message="That is too long.")],
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters", "maxlength": 40},
    )


class ConfirmForm(FlaskForm):
    """The password once more, or a code of the app."""

    password = PasswordField("Password", validators=[Optional()], render_kw={"autocomplete": "current-password"})
    code = StringField("Six digits from your app", validators=[Optional()], render_kw=CODE)
    next = HiddenField()
    kept = HiddenField()


class PasswordForm(FlaskForm):
    """A new password, twice."""

    password = PasswordField(
        "New password",
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

    def fits(self, *names: Any) -> bool:
        """Whether it is valid and hard to guess for somebody who knows these names."""
        if not self.validate():
            return False
        fault = find_fault(self.password.data or "", *(str(name) for name in names if name))
        if fault:
            self.password.errors = [fault]
        return fault is None


class ChangePasswordForm(PasswordForm):
    """A new password, by whoever knows the old one."""

    current = PasswordField(
        "Your password now",
        validators=[DataRequired("Enter the password that you sign in with now.")],
        render_kw={"autocomplete": "current-password"},
    )


class PasskeyForm(BaseForm):
    """A passkey that the browser has made, and what to call it."""

    name = StringField(
        "What to call it",
        description="So that you know it again, like “Phone” or “Reception computer”.",
        validators=[InputRequired("Enter a name for it."), Length(max=LONGEST_NAME)],
        render_kw={"autocomplete": "off", "maxlength": LONGEST_NAME},
    )
    credential = HiddenField()
