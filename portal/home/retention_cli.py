"""`flask retention`: how long what is kept, and the purge that the worker does each day."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from portal.core import retention
from portal.home import purging

group = AppGroup("retention", help="How long what is kept.")


@group.command("list")
def list_() -> None:
    """Each kind of data: how long, since when, what."""
    for rule in retention.list_rules():
        click.echo(f"{rule.kind}\t{rule.period_in_words}\tsince {rule.since}\t{rule.what}")


@group.command("purge")
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
def purge(dry_run: bool) -> None:
    """Purge what is due now; the worker does it once a day."""
    if dry_run:
        for rule in retention.list_rules():
            click.echo(f"{rule.kind}: {retention.count_due(rule)} would go")
        return
    for kind, count in purging.purge().items() or {"nothing": 0}.items():
        click.echo(f"{kind}: {count} gone")
