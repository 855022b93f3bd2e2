"""Pages for what goes wrong: what happened, what was kept, what to do next."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import NamedTuple

from flask import Flask, Response, current_app, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException, SecurityError

from portal.core import guards
from portal.core.addresses import present_address, split_address
from portal.core.htmx import render
from portal.core.limits import Verdict
from portal.core.outage import note_outage


class Explanation(NamedTuple):
    """What an error page says, in words for the person who meets it."""

    heading: str
    text: str
    outcome: str | None = None


UNKNOWN = Explanation("Something is wrong with this address", "The page cannot be shown as it was asked for.")
EXPLANATIONS = {
    400: Explanation(
        "We could not read that",
        "Part of what was sent is missing or damaged. Nothing was changed. Go back and try once more.",
        "invalid",
    ),
    403: Explanation("This page is not for you", "You may need to sign in with another account."),
    404: Explanation(
        "There is no such page",
        "The address may be mistyped, or the link has ended. Nothing of yours is lost.",
    ),
    405: Explanation("This page works another way", "Nothing was changed. Start from the page before it."),
    413: Explanation(
        "That is too long", "What you sent is larger than this form takes. Nothing was changed.", "invalid"
    ),
    429: Explanation(
        "Please wait a little",
        "There were many tries from your connection in a short time. Nothing was lost; try again soon.",
        "limited",
    ),
    500: Explanation(
        "We made a mistake",
        "Something broke on our side and has been noted. What you sent may not have been saved.",
        "unavailable",
    ),
    503: Explanation(
        "The portal is resting for a moment",
        "Our diary cannot be reached right now. It mends itself in most cases; try again in a few minutes.",
        "unavailable",
    ),
}
NOT_SAVED = EXPLANATIONS[503]._replace(
    text="Our diary cannot be reached right now, so what you sent is not saved yet. What you typed is still here: "
    "wait a minute, then send it once more. If it was saved after all, it is not done twice.",
)
STALE = Explanation(
    "We ask you to send this again",
    "The page was open for a long time, or its cookies were deleted, and we want to be sure that it was you. What you "
    "typed on this page goes with it. If we do not know any more which booking or check this belongs to, it begins "
    "anew, and we ask once more. If this page comes back, your browser may not be keeping cookies.",
    "expired",
)
NO_PERSON = Explanation(
    "Please send it once more",
    "We could not tell whether a person or a program sent this: a field that nobody sees was filled in, perhaps by "
    "your browser. Nothing of what you typed is lost.",
    "limited",
)
PRESSED = Explanation(
    "One moment more",
    "More is being sent to us right now than we believe comes from people. So that the times stay free for patients, "
    "this takes a little longer than usual. Nothing of what you typed is lost.",
    "limited",
)
OURS = frozenset({"csrf_token", "proof", "proof_mark", "website"})  # what each page that asks again sets anew
ONCE_MORE = "errors/_once_more.html"  # what was typed, to be sent again by one press


def init_app(app: Flask) -> None:
    app.jinja_env.globals["present_address"] = present_address
    app.register_error_handler(CSRFError, ask_again)
    app.register_error_handler(HTTPException, explain_http)
    app.register_error_handler(DatabaseError, explain_database)
    app.register_error_handler(InterfaceError, explain_away)
    app.register_error_handler(TimeoutError, explain_away)
    app.register_error_handler(Exception, explain_fault)


def explain(explanation: Explanation, status: int, next_step: str | None = None, **context: object) -> Response:
    """An error page in the portal's dress, with what to do next as that template has it, or the way home."""
    shown = {"error": explanation, "code": status, "next_step": next_step, **context}
    return render("errors/error.html", "content", status, **shown)


def ask_again(_error: CSRFError) -> Response:
    """A form whose token has ended with its cookie: what was typed comes back with a fresh token.

    Only to a page of our own, and never from the desk, where passwords are typed.
    """
    return explain(STALE, 400, ONCE_MORE, kept=_what_was_typed())


def _what_was_typed() -> list[tuple[str, str]]:
    own = split_address(request.headers.get("Origin")).netloc == request.host
    return _typed() if own else []


def explain_limit(verdict: Verdict) -> Response:
    """Too much of something: until when, with what was typed to be sent once more then."""
    assert verdict.limit is not None
    current_app.logger.warning("limited at %s: %s", request.endpoint, verdict.limit.name)
    wait = wait_in_words(verdict.retry_after)
    error = Explanation(EXPLANATIONS[429].heading, f"{verdict.limit.words} Please try again in {wait}.", "limited")
    response = explain(error, 429, "errors/_limited.html", kept=_typed())
    response.headers["Retry-After"] = str(verdict.retry_after)
    return response


def explain_proof(wait: timedelta | None = None) -> Response:
    """A proof first, which the browser works out by itself; without a script, to wait so long is enough.

    Without a wait, somebody is only asked to send the form once more.
    """
    current_app.logger.warning("asked for a proof at %s", request.endpoint)
    mark, left = request.form.get("proof_mark", ""), wait or timedelta()
    age = guards.age_of(mark)
    early = age is not None and age < left
    if early and age is not None:
        left -= age  # whoever was early waits for the rest only
    seconds = math.ceil(left.total_seconds())
    response = explain(
        NO_PERSON if wait is None else PRESSED,
        429,
        "errors/_proof.html",
        kept=_typed(),
        wait=seconds,
        early=early,
        mark=mark if early else guards.new_mark(),
    )
    response.headers["Retry-After"] = str(seconds)
    return response


def wait_in_words(seconds: int) -> str:
    """Like "40 seconds", "12 minutes" or "3 hours", never too short."""
    for size, name in ((3600, "hour"), (60, "minute")):
        if seconds > size:
            return f"{-(-seconds // size)} {name}s"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def _typed() -> list[tuple[str, str]]:
    """What the form held that was sent, to be sent once more; never from the desk, where passwords are typed."""
    typed = [] if request.path.startswith("/desk") else request.form.items(multi=True)
    return [(name, value) for name, value in typed if name not in OURS]


def explain_http(error: HTTPException) -> Response:
    if isinstance(error, SecurityError):  # a foreign host name: no address of ours can be written for it
        return Response("There is no portal at this address.\n", 400, mimetype="text/plain")
    if error.response is not None:  # a redirect, or an answer that is complete already
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    response = explain(EXPLANATIONS.get(status, UNKNOWN), status)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def explain_database(error: DatabaseError) -> Response:
    """What the database refuses is a fault of ours; that it cannot work is an outage, which heals."""
    away = type(error) is DatabaseError or isinstance(error, OperationalError | InternalError)
    return explain_away(error) if away else explain_fault(error)


def explain_away(error: Exception) -> Response:
    """The database is away, locked, full or read-only; a form comes back with what was typed."""
    current_app.logger.error("database unavailable at %s", request.endpoint, exc_info=error)
    note_outage()
    if request.method == "POST" and (kept := _what_was_typed()):
        response = explain(NOT_SAVED, 503, ONCE_MORE, kept=kept)
    else:
        response = explain(EXPLANATIONS[503], 503)
    response.headers["Retry-After"] = "60"
    return response


def explain_fault(error: Exception) -> Response:
    current_app.logger.error("fault at %s", request.endpoint, exc_info=error)
    return explain(EXPLANATIONS[500], 500)
