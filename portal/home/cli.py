"""`flask doctor`: what must be right for the portal to do its work."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from portal.home.queries import check_health


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Check what serving needs and what waits for somebody; ends with status 1 when something is wrong."""
    checks = check_health()
    for check in checks:
        click.echo(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.text}")
    if not all(check.ok for check in checks):
        raise SystemExit(1)
