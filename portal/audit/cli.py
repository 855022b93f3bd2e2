"""`flask audit`: whether the trail is whole, and its head to be noted elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from flask.cli import AppGroup

from portal.audit import verification
from portal.audit.verification import Head

group = AppGroup("audit", help="The audit trail.")


def _read_heads(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> list[Head]:
    try:
        return [Head.read(value) for value in values]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@group.command("verify")
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="Only what is newer, in UTC.")
@click.option("--head", "heads", multiple=True, callback=_read_heads, help="A head noted elsewhere, like 1234:9f86….")
def verify(since: datetime | None, heads: list[Head]) -> None:
    """Check every seal, and that the newest end is still there; ends with status 1 when something is wrong."""
    report = verification.verify(since.replace(tzinfo=UTC) if since else None, heads)
    until = f" until {report.until:%Y-%m-%d %H:%M:%S} UTC" if report.until else ""
    if report.torn is not None:
        raise click.ClickException(
            f"Torn at entry {report.torn}: it, or what came before it, was changed or taken out. "
            f"The {report.count} entries before it fit{until}."
        )
    if report.lost is not None:
        raise click.ClickException(
            f"Cut off: entry {report.lost.id} was once the newest, and is not in the chain as it was noted. "
            f"The {report.count} entries that are there fit{until}."
        )
    click.echo(f"Whole: {report.count} entries{until}.")
    click.echo(f"Head: {verification.get_head() or 'nothing yet'}")


@group.command("head")
def head() -> None:
    """Print the head, to be kept where nobody who can change the database can change it."""
    click.echo(str(verification.get_head() or "nothing yet"))
