"""`flask person`: everything about one person, handed over or erased."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click
from flask.cli import AppGroup

from portal.booking import erasure, person_export
from portal.booking.erasure import REASONS, HasVisitToCome, NewsUnsent, UnderLegalHold

group = AppGroup("person", help="Everything about one person.")


@group.command("export")
@click.argument("reference")
@click.option("--to", "file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A ZIP file.")
def export(reference: str, file: Path) -> None:
    """Write all that is stored about whoever has the visit of that REFERENCE."""
    packed = person_export.export_person(_found(reference))
    with file.open("wb") as written:
        file.chmod(0o600)
        written.write(packed)
    click.echo(f"Written to {file}: person.json for programs, person.html to read.")


@group.command("erase")
@click.argument("reference")
@click.option("--reason", type=click.Choice(list(REASONS)), required=True)
@click.confirmation_option(prompt="This cannot be undone. Erase the person?")
def erase(reference: str, reason: str) -> None:
    """Erase whoever has the visit of that REFERENCE; the visits stay as rows about nobody."""
    try:
        erasure.erase(_found(reference), reason)
    except UnderLegalHold:
        raise click.ClickException("A legal hold stands on this person: nothing was erased.") from None
    except HasVisitToCome:
        raise click.ClickException("There is a visit to come: cancel it first. Nothing was erased.") from None
    except NewsUnsent:
        raise click.ClickException(
            "The mail that the visit is cancelled has not left yet: try again in a few minutes. Nothing was erased."
        ) from None
    click.echo("Erased. Backups made before still hold it until they go: see docs/retention.md.")


def _found(reference: str) -> UUID:
    found = person_export.find_person(reference)
    if found is None:
        raise click.ClickException(f"There is no visit with the reference {reference}, and no patient of that number.")
    return found
