"""`flask assess`: the rules over many cases; `flask rules`: the rules in words."""

from __future__ import annotations

import json
from typing import IO

import click

from portal.assessment.answers import InvalidAnswers, parse
from portal.assessment.rulebook import write_rulebook
from portal.assessment.triage import evaluate


@click.command("rules")
def rules() -> None:
    """Print the clinical rules in words, as they stand in docs/clinical-rules.md."""
    click.echo(write_rulebook(), nl=False)


@click.command("assess")
@click.argument("source", type=click.File("r", encoding="utf-8"), default="-")
def assess(source: IO[str]) -> None:
    """Read one JSON object of answers a line, write one JSON result a line.

    A line that cannot be read gives `{"line": …, "error": …}` in its place, and exit status 1 at the end.
    """
    failed = False
    for number, line in enumerate(source, start=1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line)
            if not isinstance(raw, dict):
                raise ValueError("write one JSON object of answers a line")
            answers = parse(raw)
            result = evaluate(answers).to_json()
        except (InvalidAnswers, ValueError, RecursionError) as error:
            failed = True
            result = {"line": number, "error": str(error)}
        click.echo(json.dumps(result))
    if failed:
        raise SystemExit(1)
