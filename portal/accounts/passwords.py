"""Passwords: which ones will do, checking one, changing one's own."""

from __future__ import annotations

import re
from functools import cache

from flask import current_app
from flask_security import hash_password
from flask_security.utils import verify_and_update_password, verify_password

from portal import audit
from portal.accounts import news, sessions
from portal.accounts.models import StaffSession, User
from portal.accounts.queries import get_member
from portal.accounts.services import find_account, normalize_password, renew_uniquifier
from portal.accounts.throttle import Refused, confirmation_try, password_try
from portal.core.db import db, transactional
from portal.core.forms import clean
from portal.core.text import search_key

HARD_TO_GUESS = 3  # of 4, as the estimator counts: more than a hundred million guesses by somebody who knows how
LOOKED_AT = 72  # characters; the estimator takes long over longer ones
ENOUGH_BESIDES = 8  # characters that are left without names
STOLEN = "This is on a list of stolen passwords, or close to one: whoever guesses tries it early. Choose another."
GUESSABLE = (
    "This is easy to guess. Use words that do not belong together, and no years, sequences or small changes "
    "of a common password."
)
PERSONAL = "Leave your own name and address and the clinic’s name out: those are tried first."


def find_fault(password: str, *names: str) -> str | None:
    """Why that will not do as a password, in a sentence, or None. `names` are words that others would try first."""
    normal = normalize_password(password).casefold()
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", normal)  # without the digits and signs that people put around a word
    if normal in _stolen() or (len(core) > 3 and core in _stolen()):
        return STOLEN
    rest = normal
    for word in _words(names):
        rest = rest.replace(word, "")
    if rest != normal and len(re.sub(r"[\W_]", "", rest)) < ENOUGH_BESIDES:
        return PERSONAL
    import zxcvbn  # its lists are large: only who chooses a password waits for them

    return GUESSABLE if zxcvbn.zxcvbn(rest[:LOOKED_AT])["score"] < HARD_TO_GUESS else None


def check(email: str, password: str) -> User:
    """The open account with that address and password.

    Raises Refused and TooMany, alike and after the same time whether there is such an account or not.
    """
    email = clean(email)[:254]
    user = find_account(email)
    with password_try(email.casefold(), user):
        if not _fits(password, user):
            raise Refused
    assert user is not None
    return user


def confirm(row: StaffSession, password: str) -> None:
    """Go on only with the password of whoever is signed in. Raises Refused and TooMany."""
    with confirmation_try(row.id, row.user):
        if not _fits(password, row.user):
            raise Refused


def change(row: StaffSession, password: str) -> str:
    """Give whoever is signed in a new password; every other session ends, this one goes on under the id returned."""
    return _store(row.id, row.user_id, hash_password(normalize_password(password)))


@transactional
def _store(row_id: int, user_id: int, hashed: str) -> str:
    user = get_member(user_id)
    assert user is not None
    user.password = hashed
    renew_uniquifier(user)
    sessions.end_all(user.id, "password changed", but=row_id)
    audit.services.record("password-changed", f"staff:{user.id}")
    news.tell(user, "password-changed")
    return sessions.renew(row_id)


def _fits(password: str, user: User | None) -> bool:
    """Hashing is most of the work, and is done for accounts that do not exist, too."""
    normal = normalize_password(password)
    if user is None or not user.password or not user.active:
        hash_password(normal)
        return False
    if not verify_password(normal, user.password):
        return False
    if current_app.extensions["security"].pwd_context.needs_update(user.password):
        _renew_hash(user.id, normal)
    return True


@transactional
def _renew_hash(user_id: int, password: str) -> None:
    user = db.session.get(User, user_id)
    if user is not None:
        verify_and_update_password(password, user)


@cache
def _stolen() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def _words(names: tuple[str, ...]) -> list[str]:
    """The words of names and addresses that are long enough to matter, the longest first."""
    found = {word for name in names for word in re.split(r"[\W_]+", search_key(name)) if len(word) > 2}
    return sorted(found, key=lambda word: (-len(word), word))
