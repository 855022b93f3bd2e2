"""`flask staff`: accounts of the people who work here."""

from __future__ import annotations

import click
from email_validator import EmailNotValidError, validate_email
from flask.cli import AppGroup

from portal.accounts import services
from portal.accounts.services import AccountExists, NoSuchAccount, StaffRole

group = AppGroup("staff", help="Staff accounts.")


def _email(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise click.BadParameter(str(error)) from None


@group.command("add")
@click.argument("email", callback=_email)
@click.option("--name", required=True, help="As colleagues know the person.")
@click.option("--role", type=click.Choice([role.value for role in StaffRole]), default="front-desk", show_default=True)
def add(email: str, name: str, role: str) -> None:
    """Make an account and print its first password, once."""
    try:
        password = services.add_staff(email, name, StaffRole(role))
    except AccountExists:
        raise click.ClickException(f"{email} has an account already; try `flask staff reset {email}`.") from None
    click.echo(f"{email} may sign in with this password: {password}")


@group.command("disable")
@click.argument("email", callback=_email)
def disable(email: str) -> None:
    """Close an account and end its sessions."""
    try:
        services.disable_staff(email)
    except NoSuchAccount:
        raise click.ClickException(f"There is no account {email}.") from None
    click.echo(f"{email} cannot sign in any more.")


@group.command("reset")
@click.argument("email", callback=_email)
def reset(email: str) -> None:
    """Open an account again: new password, second factor to be set up anew."""
    try:
        password = services.reset_staff(email)
    except NoSuchAccount:
        raise click.ClickException(f"There is no account {email}.") from None
    click.echo(f"{email} may sign in with this password: {password}")
