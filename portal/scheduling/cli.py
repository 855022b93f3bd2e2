"""`flask clinic` and `flask slots`."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from portal.scheduling.clinic_file import BadClinicFile, read_clinic_file
from portal.scheduling.queries import NoClinic
from portal.scheduling.remake import describe, open_slots
from portal.scheduling.setup import load_clinic

clinic_group = AppGroup("clinic", help="The clinic's set-up.")
slots_group = AppGroup("slots", help="The diary's slots.")


@clinic_group.command("load")
@click.argument("file", type=click.Path(path_type=Path))
def load(file: Path) -> None:
    """Store the clinic described in a TOML FILE; see sample-clinic.toml."""
    try:
        load_clinic(read_clinic_file(file))
    except BadClinicFile as error:
        raise click.ClickException(f"Nothing was stored.\n{error}") from None
    click.echo(f"Loaded {file}. Now run `flask slots open`.")


@slots_group.command("open")
def open_() -> None:
    """Make the diary fit the set-up, from today to the clinic's horizon; what is booked or held stays."""
    try:
        click.echo(f"{describe(open_slots())}.")
    except NoClinic as error:
        raise click.ClickException(str(error)) from None
