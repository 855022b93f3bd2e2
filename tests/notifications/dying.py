"""Mail workers that are killed in the middle of their work: `python -m tests.notifications.dying WORKERS CHANCE FLAW`.

So many processes do what `flask mail worker` does; each that dies is followed by another. The folder named by
`PORTAL_TEST_DEATHS` has a file for each death to come, such as `claimed.3`: a worker that passes this point removes
the file, by that chance, and is killed. A FLAW is one of the functions below; what they break, the tests must find.
"""

from __future__ import annotations

import os
import random
import signal
import smtplib
import sys
from collections.abc import Callable
from datetime import timedelta
from email.utils import make_msgid
from pathlib import Path

from flask import Flask
from flask.cli import ScriptInfo

from portal import create_app
from portal.core import chores
from portal.core.own_connection import writing, writing_once
from portal.notifications import cli, services
from portal.notifications.mime import build_message
from portal.notifications.models import MailState

CLAIMED, HALF_SAID, HANDED_OVER, DOT_SAID, ANSWERED = "claimed", "half-said", "handed-over", "dot-said", "answered"
POINTS = (CLAIMED, HALF_SAID, HANDED_OVER, DOT_SAID, ANSWERED)
LEASE = timedelta(seconds=3)
FINAL_DOT = b".\r\n"


def main(workers: int, chance: float, flaw: str) -> None:
    chores.chores.clear()
    services.LEASE, cli.PAUSE, cli.PAUSE_WITHOUT_DATABASE = LEASE, 0.1, 0.1
    if flaw:
        globals()[flaw]()
    make_mortal(Path(os.environ["PORTAL_TEST_DEATHS"]), chance)
    app = create_app()
    for _ in range(workers):
        start_worker(app)
    while True:
        os.wait()
        start_worker(app)


def start_worker(app: Flask) -> None:
    if os.fork() == 0:
        cli.group.main(["worker"], obj=ScriptInfo(create_app=lambda: app))


def make_mortal(folder: Path, chance: float) -> None:
    """Let each of the points kill."""

    def pass_by(point: str) -> None:
        for death in folder.glob(f"{point}.*"):
            if random.random() < chance and take(death):
                os.kill(os.getpid(), signal.SIGKILL)

    die_after("_go_on", lambda mail: pass_by(CLAIMED) if mail else None)
    die_after("_hand_over", lambda done: pass_by(HANDED_OVER) if done else None)

    genuine_note, genuine_send = services._note, smtplib.SMTP.send

    def note(mail_id: int, worker: services.Worker, values: dict[str, object]) -> bool:
        done = genuine_note(mail_id, worker, values)
        if values.get("state") == MailState.SENT:
            pass_by(ANSWERED)  # and nothing is committed
        return done

    def send(self: smtplib.SMTP, words: bytes | str) -> None:
        half = len(words) // 2 if isinstance(words, bytes) and len(words) > 1000 else 0
        if half:
            genuine_send(self, words[:half])
            pass_by(HALF_SAID)
        genuine_send(self, words[half:])
        if words == FINAL_DOT:
            pass_by(DOT_SAID)

    services._note, smtplib.SMTP.send = note, send


def take(death: Path) -> bool:
    """Whether the death was still there to die."""
    try:
        death.unlink()
    except FileNotFoundError:
        return False
    return True


def die_after(name: str, pass_by: Callable[[object], None]) -> None:
    genuine = getattr(services, name)

    def mortal(*arguments: object) -> object:
        result = genuine(*arguments)
        pass_by(result)
        return result

    setattr(services, name, mortal)


def mark_before_the_dot() -> None:
    """A mail counts as sent as soon as it is handed over."""

    def hand_over(mail_id: int, worker: services.Worker) -> bool:
        with writing_once(worker.connection):
            return services._note(mail_id, worker, {"state": MailState.SENT})

    services._hand_over = hand_over


def hand_over_for_now() -> None:
    """That a mail is handed over does not wait for the disk."""

    def hand_over(mail_id: int, worker: services.Worker) -> bool:
        with writing(worker.connection, lasting=False):
            return services._note(mail_id, worker, {"state": MailState.HANDING_OVER})

    services._hand_over = hand_over


def name_it_anew() -> None:
    """A mail that is sent again has another Message-ID."""
    services.build_message = lambda letter, _: build_message(letter, make_msgid())


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), "".join(sys.argv[3:]))
