"""`flask keys`: which key encrypts what, and everything brought under the newest one."""

from __future__ import annotations

import secrets

import click
from flask.cli import AppGroup

from portal.core import crypto, keys
from portal.core.keys import PLAIN, UNREADABLE, Survey

group = AppGroup("keys", help="The keys that encrypt health data.")


@group.command("new")
def new() -> None:
    """Print a new random key for PORTAL_ENCRYPTION_KEYS; docs/operations.md says how to change it."""
    click.echo(secrets.token_urlsafe(48))


@group.command("check")
def check() -> None:
    """Say what is under which key; ends with status 1 when something is not under the newest."""
    _report(keys.survey())


@group.command("rotate")
@click.option("--dry-run", is_flag=True, help="Only count what would be encrypted anew.")
def rotate(dry_run: bool) -> None:
    """Encrypt everything anew under the newest key, while the portal runs; can be stopped and begun again.

    Ends with status 1 when something could not be, or is still being written under an old key.
    """
    if not dry_run:
        _report(keys.rotate())
        return
    found = keys.survey()
    _print(found)
    click.echo(f"{found.left} values and hashes would be brought under key {crypto.get_keyring().names[0]}.")


def _report(found: Survey) -> None:
    _print(found)
    names, total = crypto.get_keyring().names, found.total
    if total[UNREADABLE]:
        raise click.ClickException("Some values can be read by none of these keys. Put the key back that made them.")
    if found.left:
        raise click.ClickException(
            f"{found.left} values and hashes are not under the newest key. Run `flask keys rotate`; if they stay, a "
            "process still runs with the old settings: restart it and run this once more."
        )
    if len(names) > 1:
        old = ", ".join(f"{place} ({name})" for place, name in enumerate(names[1:], 2))
        click.echo(f"Nothing hangs on an old key. From PORTAL_ENCRYPTION_KEYS may be removed: {old}.")
        click.echo("Keep it as long as a backup is kept that was made before.")
    else:
        click.echo("Everything is under the one key.")


def _print(found: Survey) -> None:
    places = {name: f"key {place} ({name})" for place, name in enumerate(crypto.get_keyring().names, 1)}
    words = {**places, PLAIN: "not encrypted yet", UNREADABLE: "READABLE BY NO KEY"}
    for column, counts in found.values.items():
        parts = ", ".join(f"{counts[name]} {words[name]}" for name in words if counts[name])
        click.echo(f"{column}: {parts or 'nothing'}")
    for table, count in found.outdated_hashes.items():
        click.echo(f"{table}: {count} rows with hashes under an old key")
