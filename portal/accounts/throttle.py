"""How often a password or a code may be guessed, counted by account, by browser and by source.

Wrong ones count and right ones do not, each by itself: a good sign-in between bad ones wipes out nothing. A browser in
which the account has signed in before has counts of its own: neither somebody who guesses elsewhere nor a colleague
behind the same address can lock its owner out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from flask import request

from portal import audit
from portal.accounts import known_browser
from portal.accounts.models import User
from portal.core import limits
from portal.core.db import transactional
from portal.core.limits import Hit, Limit

QUARTER = timedelta(minutes=15)
HERE = Limit("sign-in-here", 10, QUARTER, guess=True)  # one account, from a browser that knows it
ELSEWHERE = Limit("sign-in-elsewhere", 10, QUARTER, guess=True)  # one account, from all browsers that do not
SOURCE = Limit(
    "sign-in-source", 40, QUARTER, guess=True
)  # one address, whatever the account, from browsers that do not know it
CODE_HERE = Limit("code-here", 6, QUARTER, guess=True)
CODE_ELSEWHERE = Limit("code-elsewhere", 6, QUARTER, guess=True)
CONFIRMATION = Limit("confirmation", 6, QUARTER, guess=True)  # one session
NOTED = Limit("sign-in-limited", 1, QUARTER)  # the audit trail hears of it once


class TooMany(Exception):
    """There were too many wrong tries; in so many minutes it may be tried again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds

    def __str__(self) -> str:
        minutes = math.ceil(self.seconds / 60)
        return (
            f"There were too many wrong tries. Please wait {minutes} minute{'s' if minutes > 1 else ''} and try again."
        )


class Refused(ValueError):
    """The password or code is not right."""


@contextmanager
def password_try(email: str, user: User | None) -> Iterator[None]:
    """Count a try of a password; it is taken back unless Refused is raised inside. Raises TooMany."""
    browser = known_browser.read()
    if browser.knows(user):
        hits = [(HERE, f"{browser.id}:{email}")]
    else:
        hits = [(ELSEWHERE, email), (SOURCE, limits.source_key(request.remote_addr))]
    with _counted(user, *hits):
        yield


@contextmanager
def code_try(user: User) -> Iterator[None]:
    """Count a try of a code; it is taken back unless Refused is raised inside. Raises TooMany."""
    browser = known_browser.read()
    hit = (CODE_HERE, f"{browser.id}:{user.id}") if browser.knows(user) else (CODE_ELSEWHERE, str(user.id))
    with _counted(user, hit):
        yield


@contextmanager
def confirmation_try(session_id: int, user: User) -> Iterator[None]:
    """Count a try to confirm within a session who one is; taken back unless Refused is raised. Raises TooMany."""
    with _counted(user, (CONFIRMATION, str(session_id))):
        yield


@contextmanager
def _counted(user: User | None, *hits: Hit) -> Iterator[None]:
    verdict = limits.count_hits(*hits)
    if not verdict.allowed:
        assert verdict.limit
        if limits.count_hit(NOTED, ":".join(key or "" for _, key in hits)).allowed:
            _note("sign-in-limited", user, verdict.limit.name)
        raise TooMany(verdict.retry_after)
    try:
        yield
    except Refused:
        _note("sign-in-refused", user, hits[0][0].name)
        raise
    for hit in hits:
        limits.take_back(*hit)


@transactional
def _note(action: str, user: User | None, limit: str) -> None:
    """Never what was typed: it may be a password in the wrong field."""
    audit.services.record(action, f"staff:{user.id}" if user else "staff:unknown", limit=limit)
