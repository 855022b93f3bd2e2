"""Which form is limited how: one table, beside the one that says who may use which page.

Each post that is open to anybody is in `RULES`, or in `FREE` with the reason. What is done (a visit booked, a mail
caused) is counted where it is done, in the transaction that does it; what is tried is counted here. Pages that are
only read are not counted: they are cheap and mostly cached, and the proxy in front has limits for floods.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from flask import Flask, Response, request

from portal.config import current_settings
from portal.core import allowed, guards
from portal.core.errors import explain_limit, explain_proof
from portal.core.limits import (
    EVERYBODY,
    Hit,
    Limit,
    TooMany,
    count_hit,
    count_hits,
    peek,
    source_key,
    times,
    used,
)
from portal.core.proof import is_solved

log = logging.getLogger(__name__)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WAIT = timedelta(minutes=1)  # in place of a proof, where the browser runs no script
PROOF_LASTS = timedelta(hours=2)


@dataclass(frozen=True)
class Pressed:
    """When a form is pressed: one source, or all together, have done so much in the limit's window."""

    source: Limit
    by_source: int
    everybody: Limit
    by_everybody: int


@dataclass(frozen=True)
class Rule:
    """What limits the posts of one page: tries of a source; when a proof is asked for; whether the guards stand."""

    tries: Limit = allowed.POSTS
    pressed: Pressed | None = None
    guarded: bool = False


POSTS = Rule()
BOOKING = Pressed(allowed.BOOKINGS_OF_SOURCE, 30, allowed.ALL_BOOKINGS, 120)
REQUEST = Pressed(allowed.REQUESTS_OF_SOURCE, 15, allowed.ALL_REQUESTS, 40)
RESUME = Pressed(allowed.RESUME_MAILS_OF_SOURCE, 15, allowed.ALL_RESUME_MAILS, 60)
SIGN_IN = Rule(tries=allowed.SIGN_IN_POSTS)

RULES: dict[str, Rule] = {
    # Booking. Times held, visits booked, mailboxes and phones: booking/services.py
    "booking.hold_slot": POSTS,
    "booking.save_details": Rule(guarded=True),
    "booking.book": Rule(pressed=BOOKING),
    "booking.renew_hold": POSTS,
    "booking.begin_anew": POSTS,
    "booking.correct_address": POSTS,
    # Requests to the desk: booking/requests.py and booking/referring.py; the forms for practices have own guards
    "requests.save_call_back": Rule(pressed=REQUEST, guarded=True),
    "requests.save_time": Rule(pressed=REQUEST, guarded=True),
    "refer.make_link": Rule(pressed=REQUEST),
    "refer.refer_patient": Rule(pressed=REQUEST),
    # A way back to the assessment: assessment/services.py
    "resume.send_link": Rule(pressed=RESUME, guarded=True),
    "resume.use_code": Rule(tries=allowed.CODES_TRIED),
    "resume.use_link": POSTS,
    # One visit, by its link. Changes of a visit: booking/changes.py; wrong dates of birth of one: booking/services.py
    "visit.move": POSTS,
    "visit.cancel": POSTS,
    "visit.undo_cancel": POSTS,
    "visit.use_attack_help": POSTS,
    "visit.show_brief": Rule(tries=allowed.BIRTH_DATES_TRIED),
    "visit.join_or_leave_waitlist": POSTS,
    "waitlist.answer": POSTS,
    "waitlist.accept": POSTS,
    "waitlist.decline": POSTS,
    "waitlist.leave": POSTS,
    # Signing in. Wrong passwords and codes: accounts/throttle.py, where no source can use up what its neighbours need
    "welcome.save_password": SIGN_IN,
    "sign_in.sign_in": POSTS,
    "sign_in.use_passkey": POSTS,
    "passkeys.ask_to_use": POSTS,
    "sign_in.check_code": POSTS,
    "sign_in.use_recovery_code": POSTS,
    "sign_in.sign_out": POSTS,
}

FREE = {
    "assessment.start": "somebody with a bleed gets the answer, from whatever address",
    "assessment.answer_question": "likewise; and a whole campus may answer from one address",
    "assessment.confirm_danger": "likewise",
    "assessment.finish": "likewise",
    "booking.answer_safety": "likewise: the first safety question of a booking",
    "home.save_display": "writes a cookie and nothing else",
}

# Pages whose address is a secret: whoever guesses hears 404, and from some point on 429. A right link always opens.
LINKS = frozenset({"visit", "waitlist", "welcome"})
LINK_PAGES = frozenset({"resume.show_link", "resume.use_link", "interop.show_calendar"})


def init_app(app: Flask) -> None:
    app.before_request(check_limits)
    app.after_request(count_wrong_link)
    app.register_error_handler(TooMany, lambda error: explain_limit(error.verdict))
    guards.init_app(app)


def check_limits() -> Response | None:
    """Let a post through, or answer it: too many, or a proof first."""
    rule = RULES.get(request.endpoint or "")
    if rule is None or request.method in SAFE_METHODS:
        return None
    if "X-Forwarded-For" in request.headers and not current_settings().trusted_proxies:
        _warn_of_proxy()
    source = source_key(request.remote_addr)
    tries: list[Hit] = [(rule.tries, source)]
    if rule.guarded and guards.is_fast():
        tries.append((allowed.FAST_FORMS, source))
    if not (verdict := count_hits(*tries)).allowed:
        return explain_limit(verdict)
    if rule.guarded and guards.is_trapped():
        return explain_proof()
    if rule.pressed and _is_pressed(rule.pressed, source):
        if not (verdict := peek((rule.pressed.source, source))).allowed:
            return explain_limit(verdict)
        if not _has_proof(source):
            return explain_proof(wait=WAIT)
    return None


def count_wrong_link(response: Response) -> Response:
    """Note a link that leads nowhere; whoever tries many is told to stop."""
    if response.status_code != 404 or not (request.blueprint in LINKS or request.endpoint in LINK_PAGES):
        return response
    verdict = count_hit(allowed.WRONG_LINKS, source_key(request.remote_addr))
    return response if verdict.allowed else explain_limit(verdict)


@cache
def _warn_of_proxy() -> None:
    """Once a process: it may be a proxy that nobody has told us of, or a visitor who makes one up."""
    log.warning("a request came through a proxy, but PORTAL_TRUSTED_PROXIES is 0: all its visitors share their limits")


def _is_pressed(pressed: Pressed, source: str) -> bool:
    """Whether much is done, by this source or by everybody, or much that no person can have typed."""
    counts = used((pressed.source, source), (pressed.everybody, EVERYBODY), (allowed.FAST_FORMS, source))
    marks = (pressed.by_source, pressed.by_everybody, allowed.MOST_FAST_FORMS)
    return any(count >= times(mark) for count, mark in zip(counts, marks, strict=True))


def _has_proof(source: str) -> bool:
    """Whether the sum is done, or waited for in its place; each mark is good for one form."""
    mark = request.form.get("proof_mark", "")
    age = guards.age_of(mark)
    if age is None or age > PROOF_LASTS:
        return False
    uses: list[Hit] = [(allowed.PROOF_USED, mark)]
    if not is_solved(mark, request.form.get("proof", "")):
        if age < WAIT:
            return False
        uses.append((allowed.WAITED_INSTEAD, source))
    return count_hits(*uses).allowed
