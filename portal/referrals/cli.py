"""`flask links`: referral links from the command line."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from portal.referrals.queries import list_links

group = AppGroup("links", help="Referral links.")


@group.command("list")
def list_() -> None:
    """Each link: code, kind, where it leads, label."""
    for link in list_links():
        click.echo(f"/r/{link.code}\t{link.kind}\t{link.destination}\t{link.label}")
