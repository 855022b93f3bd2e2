"""`flask backup`, `flask restore`, `flask doctor`, `flask metrics`, `flask settings`."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from portal.config import current_settings
from portal.operations import backup as backups
from portal.operations.doctor import examine
from portal.operations.health import State
from portal.operations.restore import Restored
from portal.operations.restore import restore as restore_backup
from portal.operations.sealed_file import BadFile
from portal.operations.settings_page import write_settings_page

TROUBLE = (BadFile, OSError, SQLAlchemyError, sqlite3.Error)
COLOURS = {State.OK: None, State.WARN: "yellow", State.FAIL: "red"}
PATH = click.Path(path_type=Path)


@click.command("backup")
@click.option("--to", "folder", type=PATH, help="Folder for it. Default: `backups` in the data folder.")
@click.option("--keep", type=click.IntRange(min=0), default=0, help="Remove all but the newest so many.")
@with_appcontext
def backup(folder: Path | None, keep: int) -> None:
    """Make an encrypted backup while the portal runs, and check it; ends with status 1 when there is none."""
    try:
        made = backups.make_backup(folder or current_settings().data_dir / "backups", keep)
    except TROUBLE as error:
        raise click.ClickException(f"No backup was made: {error}.") from None
    how = "restored and counted" if made.tried else "read to its end (the account may make no database to try it in)"
    click.echo(f"{made.path}: {made.path.stat().st_size:,} bytes, {_rows(made)}; {how}.")


@click.command("restore")
@click.argument("file", type=PATH)
@click.option("--replace", is_flag=True, help="Also where there is a database; it is kept aside.")
@click.option("--check", is_flag=True, help="Only see whether FILE could be restored from.")
@with_appcontext
def restore(file: Path, replace: bool, check: bool) -> None:
    """Put the backup FILE in the place of the database. Stop web and worker first."""
    try:
        if check:
            found = backups.check_backup(file)
            click.echo(f"It is whole: made {_when(found)}, tables at {found.manifest['revision']}, {_rows(found)}.")
        else:
            _tell(restore_backup(file, replace))
    except TROUBLE as error:
        raise click.ClickException(f"Nothing was restored: {error}.") from None


def _tell(restored: Restored) -> None:
    """Say what is there now, what is not, and what to do about it."""
    missing = in_words(restored.at - restored.backup.taken_at)
    click.echo(f"Restored {restored.backup.path.name}, made {_when(restored.backup)}: {_rows(restored.backup)}.")
    click.echo(f"\nThe last {missing} missing: what was booked, moved, cancelled or changed")
    click.echo("since then is not in the diary, and people may hold confirmations for it. Erasures of a person's")
    click.echo("data, closed accounts and ended links of that time have to be done again.")
    if restored.aside:
        click.echo(f"\nThe database of before is kept: {restored.aside}. Remove it when nobody needs it any more.")
    click.echo(f"\n{restored.mails_held} mails that were waiting are on hold, as some may have left since. Next:")
    click.echo("  1. flask doctor")
    click.echo("  2. Start web and worker.")
    click.echo("  3. At /desk/mail/ decide about the mail on hold (or: flask mail release).")


def in_words(gone: timedelta) -> str:
    """How long that was, with its verb: "8 hours 0 minutes are", "1 minute is"."""
    hours, minutes = divmod(int(gone.total_seconds()) // 60, 60)
    if hours:
        return f"{_count(hours, 'hour')} {_count(minutes, 'minute')} are"
    return f"{_count(minutes, 'minute')} {'is' if minutes == 1 else 'are'}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _rows(backup: backups.Backup) -> str:
    counts = backup.manifest["counts"]
    return f"{counts.get('appointment', 0):,} visits, {sum(counts.values()):,} rows in all"


def _when(backup: backups.Backup) -> str:
    """In UTC, as in the file's name: the clinic's own zone is in the database, which may be lost."""
    return f"{backup.taken_at:%Y-%m-%d %H:%M} UTC"


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Check all that the portal needs and say what to do; ends with status 1 when something must be done now."""
    checks = examine()
    for check in checks:
        click.secho(str(check), fg=COLOURS[check.state])
    if any(check.state is State.FAIL for check in checks):
        raise SystemExit(1)


@click.command("metrics")
@with_appcontext
def metrics() -> None:
    """Serve the portal's figures for Prometheus at PORTAL_METRICS_PORT, until told to stop."""
    if not current_settings().metrics_port:
        raise click.ClickException("Set PORTAL_METRICS_PORT first.")
    from portal.operations import metrics  # costs time and memory only where it is wanted

    metrics.serve()


@click.command("settings")
def settings() -> None:
    """Write the reference of all settings, docs/settings.md."""
    click.echo(write_settings_page(), nl=False)
