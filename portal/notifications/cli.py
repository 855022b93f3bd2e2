"""`flask mail`: the worker, and a look at the outbox."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import BinaryIO

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError

from portal.config import current_settings
from portal.core import chores
from portal.core.db import db
from portal.notifications.bounces import NoBounce, read_bounce
from portal.notifications.queries import list_mail
from portal.notifications.services import note_bounce, release_held, send_due_mail, withhold_held

LARGEST_REPORT = 100_000  # bytes; what matters stands at the beginning
SPELL = 5.0  # seconds of sending, after which the chores have their turn
PAUSE = 1.0  # seconds between two looks at the outbox
PAUSE_WITHOUT_DATABASE = 10.0

group = AppGroup("mail", help="The outbox.")
log = logging.getLogger(__name__)


@group.command("worker")
def work() -> None:
    """Send mail as it comes due and do the regular chores, until told to stop. Any number of workers may run."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    pause, rota = 0.0, chores.Rota()
    while not stop.wait(pause):
        is_over = _after(SPELL, stop)
        try:
            send_due_mail(is_over)
            pause = 0.0 if is_over() else PAUSE  # a spell that was over has left mail behind
            rota.do_what_is_due()
        except OperationalError:
            log.exception("the database is away; trying again")
            pause = PAUSE_WITHOUT_DATABASE
        finally:
            db.session.remove()


def _after(seconds: float, stop: threading.Event) -> Callable[[], bool]:
    """Whether so much time has gone since now, or the worker is to stop."""
    end = time.monotonic() + seconds
    return lambda: stop.is_set() or time.monotonic() > end


@group.command("send")
def send() -> None:
    """Send what is due now, once."""
    click.echo(f"{send_due_mail()} mails tried.")


@group.command("release")
@click.option("--later", is_flag=True, help="Only what was not due before the restore, and so cannot have left.")
@click.option("--none", "withhold", is_flag=True, help="Let none of it leave, ever.")
def release(later: bool, withhold: bool) -> None:
    """Let the mail leave that a restore has put on hold; the desk can do so one by one, at /desk/mail/."""
    if withhold:
        click.echo(f"{withhold_held()} mails are withheld.")
    else:
        click.echo(f"{release_held(later)} mails leave when they are due.")


@group.command("bounce")
@click.argument("report", type=click.File("rb"), default="-")
def bounce(report: BinaryIO) -> None:
    """Note the failed delivery that a REPORT (RFC 3464) tells of; for the mail server's pipe."""
    try:
        found = read_bounce(current_settings(), report.read(LARGEST_REPORT))
    except NoBounce as error:
        raise click.ClickException(f"Nothing was noted: {error}.") from None
    if not found.final:
        click.echo(f"Mail {found.mail_id} is delayed: {found.reason}.")
    elif note_bounce(found.mail_id, found.reason):
        click.echo(f"Mail {found.mail_id} came back: {found.reason}.")
    else:
        raise click.ClickException(f"There is no mail {found.mail_id} that has left.")


@group.command("list")
@click.option("--limit", default=50, show_default=True)
def list_(limit: int) -> None:
    """The newest mails: number, kind, state, tries, last error."""
    for mail in list_mail(limit):
        click.echo(f"{mail.id}\t{mail.kind}\t{mail.state}\t{mail.attempts}\t{mail.last_error or ''}")
