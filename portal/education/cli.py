"""`flask education`: help for writers."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import click
from flask.cli import AppGroup

from portal.core import clock
from portal.education.check import Report, check_page
from portal.education.loading import CONTENT
from portal.education.shelf import get_library

group = AppGroup("education", help="The resource library.")
YEAR = timedelta(days=365)
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SKELETON = """---
title: "{title}"
summary: "One or two sentences that say what the reader will know after reading. At most 220 characters."
topic: "Common headaches"
keywords:
  - the words people type when they look for this
written: {today}
review_due: {due}
glance:
  could_it_be_mine: "…"
  is_it_dangerous: "…"
  what_to_do: "…"
---

## What is it?

Say it in plain words, and cite what you say. [@ichd3]

## Common questions

### How long does it last?

One to four sentences.
"""


@group.command("check")
@click.option("--strict", is_flag=True, help="End with status 1 when there is any remark.")
def check(strict: bool) -> None:
    """List overdue reviews, sources without a link, sentences over 30 words, and each page's reading grade."""
    reports = [check_page(page, clock.now().date()) for page in get_library().pages]
    for report in reports:
        _say(report)
    remarks = sum(len(report.remarks) for report in reports)
    click.echo(f"{len(reports)} pages, {remarks} remarks.")
    if strict and remarks:
        raise SystemExit(1)


@group.command("new")
@click.argument("slug")
def new(slug: str) -> None:
    """Make a correct skeleton of an article at content/articles/SLUG.md."""
    try:
        file = make_article(slug)
    except FileExistsError as error:
        raise click.ClickException(f"{error.filename} exists already.") from None
    click.echo(f"Write {file}; docs/writing.md says how.")


def make_article(slug: str, content: Path = CONTENT) -> Path:
    """Write the skeleton. Raises BadParameter for a slug that cannot be part of an address, FileExistsError."""
    if not SLUG.fullmatch(slug):
        raise click.BadParameter("use small letters, digits and hyphens, like tension-type-headache")
    file = content / "articles" / f"{slug}.md"
    today = clock.now().date()
    with file.open("x", encoding="utf-8") as new_file:
        new_file.write(SKELETON.format(title=slug.replace("-", " ").capitalize(), today=today, due=today + YEAR))
    return file


def _say(report: Report) -> None:
    click.echo(f"{report.path}: grade {report.grade}, {report.words} words")
    for remark in report.remarks:
        click.echo(f"  {remark}")
