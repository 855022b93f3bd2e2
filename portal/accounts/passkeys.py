"""Passkeys: a key that a phone, a computer or a stick keeps, and uses when its owner shows a finger, a face or a PIN.

A passkey is two steps in one, so it signs in by itself. Built-in ones and sticks are both welcome. A challenge counts
for five minutes and once.

Each function that needs the library imports it: 60 ms and 10 MB, which a web process spends on the first passkey.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import request, session
from sqlalchemy import select, update

from portal import audit
from portal.accounts import second_step
from portal.accounts.models import Proof, StaffSession, User, WebAuthn
from portal.accounts.queries import get_member
from portal.accounts.throttle import Refused
from portal.core import clock
from portal.core.db import db, transactional

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

CHALLENGE = "desk_challenge"
WITHIN = 300  # seconds
LONGEST_NAME = 60
MOST = 20  # of one account


class NameTaken(ValueError):
    """The account has a passkey of that name."""


def list_passkeys(user_id: int) -> Sequence[WebAuthn]:
    """The passkeys of an account, the oldest first."""
    return db.session.scalars(select(WebAuthn).where(WebAuthn.user_id == user_id).order_by(WebAuthn.id)).all()


def ask_to_make(user: User, clinic: str) -> str:
    """What the browser needs to make one for that account, as JSON."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_registration_options(
        rp_id=_host(),
        rp_name=clinic,
        user_id=_handle(user.id).encode(),
        user_name=user.email,
        user_display_name=user.name,
        challenge=_new_challenge(),
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(user),
    )
    return webauthn.options_to_json(options)


def ask_to_use(user: User | None = None) -> str:
    """What the browser needs to use one, of that account where it is known, as JSON."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=_host(),
        challenge=_new_challenge(),
        allow_credentials=_descriptors(user) if user else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def _descriptors(user: User) -> list[PublicKeyCredentialDescriptor]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=key.credential_id) for key in list_passkeys(user.id)]


def add(row: StaffSession, credential: str, name: str) -> tuple[str, list[str]]:
    """Keep the passkey that the browser has made; other sessions end.

    Returns this session's new id, and recovery codes to show where there were none. Raises Refused and NameTaken.
    """
    import webauthn

    challenge = _take_challenge()
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_host(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    except Exception:  # whatever a made-up answer breaks in the library is no passkey
        raise Refused from None
    key = WebAuthn(
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        backup_state=made.credential_backed_up,
        device_type=str(made.credential_device_type.value),
        create_datetime=_naive_now(),
        lastuse_datetime=_naive_now(),
        name=name,
        usage="first",
        user_id=row.user_id,
    )
    return _store(row.id, key)


@transactional
def _store(row_id: int, key: WebAuthn) -> tuple[str, list[str]]:
    user = get_member(key.user_id)
    assert user is not None
    keys = list_passkeys(user.id)
    if any(other.name.casefold() == key.name.casefold() for other in keys):
        raise NameTaken(key.name)
    taken = db.session.scalar(select(WebAuthn.id).where(WebAuthn.credential_id == key.credential_id))
    if taken is not None or len(keys) >= MOST:
        raise Refused
    db.session.add(key)
    audit.services.record("passkey-added", f"staff:{user.id}")
    return second_step.note_change(row_id, user, Proof.PASSKEY, "passkey-added")


@transactional
def remove(row: StaffSession, passkey_id: int) -> str:
    """Do without that passkey; other sessions end. Returns this session's new id.

    Raises LookupError and LastSecondStep.
    """
    user, keys = get_member(row.user_id), list_passkeys(row.user_id)
    key = next((key for key in keys if key.id == passkey_id), None)
    if user is None or key is None:
        raise LookupError(passkey_id)
    second_step.keep_one(user, others=len(keys) - 1 + bool(user.tf_totp_secret))
    db.session.delete(key)
    audit.services.record("passkey-removed", f"staff:{user.id}")
    return second_step.note_change(row.id, user, None, "second-step-changed")[0]


def check(credential: str, user_id: int | None = None) -> tuple[User, str]:
    """Whose passkey has answered the challenge, with what to call the challenge. Raises Refused.

    With an id, only that account's will do.
    """
    import webauthn

    challenge = _take_challenge()
    key = _find(credential)
    if key is None or not key.user.active or user_id not in (None, key.user_id):
        raise Refused
    try:
        answer = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_host(),
            expected_origin=_origin(),
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count or 0,
            require_user_verification=True,
        )
    except Exception:  # likewise
        raise Refused from None
    _note_use(key.id, answer.new_sign_count)
    return key.user, challenge.hex()


@transactional
def _note_use(key_id: int, sign_count: int) -> None:
    values = {"sign_count": sign_count, "lastuse_datetime": _naive_now()}
    db.session.execute(update(WebAuthn).where(WebAuthn.id == key_id).values(values))


@transactional
def _handle(user_id: int) -> str:
    """What passkeys know an account by: random, and never changed."""
    user = get_member(user_id)
    assert user is not None
    user.fs_webauthn_user_handle = user.fs_webauthn_user_handle or secrets.token_urlsafe(32)
    return user.fs_webauthn_user_handle


def _find(credential: str) -> WebAuthn | None:
    try:
        raw_id = base64.urlsafe_b64decode(f"{json.loads(credential)['id']}===")
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return db.session.scalar(select(WebAuthn).where(WebAuthn.credential_id == raw_id))


def _new_challenge() -> bytes:
    challenge = secrets.token_bytes(32)
    session[CHALLENGE] = [challenge.hex(), int(clock.now().timestamp())]
    return challenge


def _take_challenge() -> bytes:
    challenge, made_at = session.pop(CHALLENGE, None) or ("", 0)
    if clock.now().timestamp() - made_at > WITHIN:
        raise Refused
    return bytes.fromhex(challenge)


def _host() -> str:
    return request.host.partition(":")[0]


def _origin() -> str:
    return request.host_url.rstrip("/")


def _naive_now() -> datetime:
    return clock.now().astimezone(UTC).replace(tzinfo=None)  # as Flask-Security keeps it
