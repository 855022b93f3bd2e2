"""The second step after the password: a code of an authenticator app, or a recovery code when the phone is away."""

from __future__ import annotations

import hashlib
import hmac
import io

import segno
from flask import Flask, current_app
from flask_security.totp import Totp
from sqlalchemy import or_, select, update

from portal import audit
from portal.accounts import news, sessions
from portal.accounts.models import Proof, StaffSession, User, WebAuthn
from portal.accounts.queries import get_member
from portal.accounts.throttle import Refused, code_try, confirmation_try
from portal.config import current_settings
from portal.core.crypto import new_code
from portal.core.db import db, transactional

TOLERANCE = 30  # seconds that a phone's clock may be off
RECOVERY_CODES, GROUPS, GROUP = 10, 3, 4


class LastSecondStep(ValueError):
    """It is the only one, and one is required here."""


class _Totp(Totp):
    """Flask-Security's codes, each of which counts once."""

    def match(self, code: str, secret: str, after: int | None) -> int | None:
        """The counter of a code that is right now and later than the last one taken."""
        try:
            return int(self._totp.verify(code, secret, window=TOLERANCE, last_counter=after).counter)
        except ValueError:  # wrong, used, no code at all, or a key from before the portal's secret was changed
            return None


def init_app(app: Flask, secret: str) -> None:
    app.extensions["portal.totp"] = _Totp({"1": secret}, "Clinic portal")


def has_any(user: User) -> bool:
    """Whether the password alone does not let that account in."""
    return bool(user.tf_totp_secret) or _has_passkey(user.id)


def has_passkey(user: User) -> bool:
    """Whether that account can sign in by passkey."""
    return _has_passkey(user.id)


# Checking one


def check_code(user: User, code: str) -> None:
    """Go on only with a code that the app shows now and that has not been used. Raises Refused and TooMany."""
    with code_try(user):
        _take_code(user, code)


def use_recovery_code(user: User, code: str) -> None:
    """Go on only with one of the account's recovery codes, which works no more. Raises Refused and TooMany."""
    with code_try(user):
        if not _spend_recovery_code(user.id, code):
            raise Refused


def confirm(row: StaffSession, code: str) -> None:
    """Go on only with a code of whoever is signed in. Raises Refused and TooMany."""
    with confirmation_try(row.id, row.user):
        _take_code(row.user, code)


def _take_code(user: User, code: str) -> None:
    digits = "".join(code.split())
    counter = user.tf_totp_secret and _totp().match(digits, user.tf_totp_secret, user.totp_counter)
    if not counter or not _note_counter(user.id, counter):
        raise Refused


@transactional
def _note_counter(user_id: int, counter: int) -> bool:
    """Whether nobody has used that code before, also not at this same moment."""
    unused = or_(User.totp_counter.is_(None), User.totp_counter < counter)
    statement = update(User).where(User.id == user_id, unused).values(totp_counter=counter).returning(User.id)
    return db.session.scalar(statement) is not None


@transactional
def _spend_recovery_code(user_id: int, code: str) -> bool:
    user = db.session.scalar(select(User).where(User.id == user_id).with_for_update())
    kept, typed = list(user.mf_recovery_codes or []) if user else [], _keyed(code)
    left = [each for each in kept if not hmac.compare_digest(each, typed)]
    if user is None or len(left) == len(kept):
        return False
    user.mf_recovery_codes = left
    audit.services.record("recovery-code-used", f"staff:{user_id}", left=len(left))
    return True


# Setting one up


@transactional
def begin_app(row: StaffSession) -> None:
    """Make the key that an app is to be set up with; it counts once a code of it has been typed."""
    secret = _totp().generate_totp_secret()
    db.session.execute(update(StaffSession).where(StaffSession.id == row.id).values(new_totp=secret))


def draw_key(row: StaffSession) -> tuple[str, str]:
    """The key of the app that is being set up: as the drawing of a QR code, and in letters to type."""
    assert row.new_totp
    address = _totp().get_totp_uri(f"{row.user.email} at {current_settings().host}", row.new_totp)
    file = io.BytesIO()
    code = segno.make_qr(address, error="m")
    code.save(file, kind="svg", xmldecl=False, svgns=False, border=4, dark="#000", light="#fff", omitsize=True)
    return file.getvalue().decode(), _totp().get_totp_pretty_key(row.new_totp)


def confirm_app(row: StaffSession, code: str) -> tuple[str, list[str]]:
    """Let the app be the second step from now on; other sessions end.

    Returns this session's new id, and recovery codes to show where there were none. Raises Refused and TooMany.
    """
    with confirmation_try(row.id, row.user):
        counter = row.new_totp and _totp().match("".join(code.split()), row.new_totp, None)
        if not counter:
            raise Refused
    return _store_app(row.id, row.user_id, row.new_totp or "", counter)


@transactional
def _store_app(row_id: int, user_id: int, secret: str, counter: int) -> tuple[str, list[str]]:
    user = get_member(user_id)
    assert user is not None
    user.tf_primary_method, user.tf_totp_secret, user.totp_counter = "authenticator", secret, counter
    audit.services.record("second-step-set", f"staff:{user.id}", by="app")
    return note_change(row_id, user, Proof.CODE, "second-step-changed")


@transactional
def remove_app(row: StaffSession) -> str:
    """Do without the app; other sessions end. Returns this session's new id. Raises LastSecondStep."""
    user = get_member(row.user_id)
    assert user is not None
    keep_one(user, others=_count_passkeys(user.id))
    user.tf_primary_method = user.tf_totp_secret = user.totp_counter = None
    audit.services.record("second-step-removed", f"staff:{user.id}", by="app")
    return note_change(row.id, user, None, "second-step-changed")[0]


@transactional
def renew_recovery_codes(user_id: int) -> list[str]:
    """Make recovery codes; those before work no more. They are stored as hashes, so this is when they can be read."""
    user = get_member(user_id)
    assert user is not None
    codes = ["-".join(new_code(GROUP) for _ in range(GROUPS)) for _ in range(RECOVERY_CODES)]
    user.mf_recovery_codes = [_keyed(code) for code in codes]
    audit.services.record("recovery-codes-made", f"staff:{user.id}")
    return codes


def keep_one(user: User, others: int) -> None:
    """Go on only if there are others besides the one that goes, or none is needed. Raises LastSecondStep."""
    if current_settings().mfa_required and not others:
        raise LastSecondStep(user.id)


def note_change(row_id: int, user: User, proof: Proof | None, told: news.News) -> tuple[str, list[str]]:
    """What each change of a second step comes with; returns the session's new id and recovery codes to show."""
    db.session.flush()
    codes: list[str] = []
    if not has_any(user):
        user.mf_recovery_codes, proof = None, Proof.PASSWORD
    elif not user.mf_recovery_codes:
        codes = renew_recovery_codes(user.id)
    sessions.end_all(user.id, "second step changed", but=row_id)
    news.tell(user, told)
    return sessions.renew(row_id, proof), codes


def _has_passkey(user_id: int) -> bool:
    return db.session.scalar(select(WebAuthn.id).where(WebAuthn.user_id == user_id).limit(1)) is not None


def _count_passkeys(user_id: int) -> int:
    return len(db.session.scalars(select(WebAuthn.id).where(WebAuthn.user_id == user_id)).all())


def _keyed(code: str) -> str:
    """What is kept of a recovery code; how its letters are written and grouped does not count."""
    letters = "".join(c for c in code.upper() if c.isalnum())
    return hmac.new(str(current_app.secret_key).encode(), f"recovery|{letters}".encode(), hashlib.sha256).hexdigest()


def _totp() -> _Totp:
    totp: _Totp = current_app.extensions["portal.totp"]
    return totp
