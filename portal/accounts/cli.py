"""`flask staff`: accounts of the people who work here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from email_validator import EmailNotValidError, validate_email
from flask.cli import AppGroup

from portal.accounts import invitations, services
from portal.accounts.invitations import NeedsReset
from portal.accounts.services import AccountExists, NoSuchAccount, StaffRole
from portal.core.forms import clean

LONGEST_NAME = 120  # as at the desk
INVITED = "{email} gets a mail with a link to choose a password."

group = AppGroup("staff", help="Staff accounts.")


def _email(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise click.BadParameter(str(error)) from None


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    name: str = clean(value)
    if not 0 < len(name) <= LONGEST_NAME:
        raise click.BadParameter(f"Write 1 to {LONGEST_NAME} characters.")
    return name


@contextmanager
def _account(email: str) -> Iterator[None]:
    """Say so where what is done needs an account that is not there."""
    try:
        yield
    except NoSuchAccount:
        raise click.ClickException(f"There is no account {email}.") from None


@group.command("add")
@click.argument("email", callback=_email)
@click.option("--name", required=True, callback=_name, help="As colleagues know the person.")
@click.option("--role", type=click.Choice([role.value for role in StaffRole]), default="front-desk", show_default=True)
@click.option("--invite", is_flag=True, help="Mail a link to choose a password, instead of printing one.")
def add(email: str, name: str, role: str, invite: bool) -> None:
    """Make an account, and print its first password, once, or mail an invitation."""
    try:
        if invite:
            invitations.add_invited_staff(email, name, StaffRole(role))
        else:
            password = services.add_staff(email, name, StaffRole(role))
    except AccountExists:
        raise click.ClickException(f"{email} has an account already; try `flask staff reset {email}`.") from None
    click.echo(INVITED.format(email=email) if invite else f"{email} may sign in with this password: {password}")


@group.command("invite")
@click.argument("email", callback=_email)
def invite(email: str) -> None:
    """Mail an invitation again; the link before it ends."""
    try:
        with _account(email):
            invitations.invite_again(email)
    except NeedsReset:
        raise click.ClickException(
            f"{email} has a password already, or is closed; try `flask staff reset {email}`."
        ) from None
    click.echo(INVITED.format(email=email))


@group.command("disable")
@click.argument("email", callback=_email)
def disable(email: str) -> None:
    """Close an account and end its sessions."""
    with _account(email):
        services.disable_staff(email)
    click.echo(f"{email} cannot sign in any more.")


@group.command("sign-out")
@click.argument("email", callback=_email)
def sign_out(email: str) -> None:
    """End every session of an account, which stays open."""
    with _account(email):
        ended = services.sign_out_staff(email)
    click.echo(f"{email} is signed out everywhere; sessions ended: {ended}.")


@group.command("reset")
@click.argument("email", callback=_email)
def reset(email: str) -> None:
    """Open an account again: new password, second factor to be set up anew."""
    with _account(email):
        password = services.reset_staff(email)
    click.echo(f"{email} may sign in with this password: {password}")
