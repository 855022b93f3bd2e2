"""`python -m portal.run`: set up what is missing, then run web process and mail worker until one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import click
from flask_migrate import upgrade

from portal import create_app
from portal.accounts.services import StaffRole, add_staff, find_account, has_staff
from portal.config import Settings, SettingsError, current_settings
from portal.education.loading import ContentError
from portal.operations.upgrade import unless_newer
from portal.referrals.queries import list_links
from portal.scheduling.clinic_file import read_clinic_file
from portal.scheduling.queries import NoClinic, get_clinic
from portal.scheduling.remake import open_slots
from portal.scheduling.setup import load_clinic

SAMPLE_CLINIC = Path(__file__).parent / "scheduling" / "sample-clinic.toml"
SAMPLE_ACCOUNT = "desk@clinic.example"
GRACE = 10  # seconds to end by themselves


def main() -> int:
    """Exit status: 0 when told to stop, otherwise that of the process that ended first."""
    try:
        settings = Settings.from_environment()
        app = create_app(settings)
    except (SettingsError, ContentError) as error:
        error.show()
        return 1
    with app.app_context():
        prepare()
        greet()
    commands = [web_command(), flask_command("mail", "worker")]
    if settings.metrics_port:
        commands.append(flask_command("metrics"))
    return run_until_one_ends(commands)


def prepare() -> None:
    """Tables, clinic, slots, and somebody who can sign in."""
    unless_newer(upgrade)()
    try:
        get_clinic()
    except NoClinic:
        load_clinic(read_clinic_file(SAMPLE_CLINIC))
        click.echo("Loaded the sample clinic.")
    click.echo(f"{open_slots().made} slots opened.")
    if not current_settings().production and not has_staff() and find_account(SAMPLE_ACCOUNT) is None:
        password = add_staff(SAMPLE_ACCOUNT, "Sample front desk", StaffRole.FRONT_DESK)
        click.echo(f"\nFront desk: sign in as {SAMPLE_ACCOUNT} with {password}")
        click.echo("(shown once; `flask staff reset` makes a new one)")


def greet() -> None:
    """Print the addresses to open."""
    address = current_settings().address
    pages = [
        ("Portal", "/"),
        ("Front desk", "/desk/"),
        *((link.label, f"/r/{link.code}") for link in list_links()),
    ]
    if not current_settings().smtp_url:
        pages.append(("Mail that would be sent", "/dev/mail/"))
    click.echo()
    for label, path in pages:
        click.echo(f"  {label + ':':38} {address}{path}")
    click.echo("\nCtrl-C ends it.\n")


def web_command() -> list[str]:
    """gunicorn, as a clinic runs it; in development it loads changed code again."""
    return [sys.executable, "-m", "gunicorn", "--config", "python:portal.serving"]


def flask_command(*words: str) -> list[str]:
    """One of the portal's own commands."""
    return [sys.executable, "-m", "flask", "--app", "portal", *words]


def run_until_one_ends(commands: list[list[str]]) -> int:
    """Start them all, wait for the first to end or for a signal, end the others."""
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # A session of their own: Ctrl-C reaches only this process, which ends them in good order.
    processes = [subprocess.Popen(command, start_new_session=True, env=os.environ) for command in commands]  # noqa: S603
    while not stopping and all(process.poll() is None for process in processes):
        time.sleep(0.2)
    status = next((process.returncode for process in processes if process.poll() is not None), 0)
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
    return 0 if stopping else status or 1


if __name__ == "__main__":
    sys.exit(main())
