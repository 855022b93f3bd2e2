"""`flask education`: help for writers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click
from flask.cli import AppGroup

from portal.core import clock
from portal.education.check import Report, check_page
from portal.education.library import CONTENT
from portal.education.shelf import get_library

group = AppGroup("education", help="The resource library.")
YEAR = timedelta(days=365)
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
    file = article_file(slug)
    if file.exists():
        raise click.ClickException(f"{file} exists already.")
    today = clock.now().date()
    title = slug.replace("-", " ").capitalize()
    file.write_text(SKELETON.format(title=title, today=today, due=today + YEAR), encoding="utf-8")
    click.echo(f"Write {file}; docs/writing.md says how.")


def article_file(slug: str, content: Path = CONTENT) -> Path:
    """Where the article of that slug is. Raises BadParameter for one that cannot be part of an address."""
    if not slug.isascii() or slug != slug.lower() or not slug.replace("-", "").isalnum() or slug.strip("-") != slug:
        raise click.BadParameter("use small letters, digits and hyphens, like tension-type-headache")
    return content / "articles" / f"{slug}.md"


def _say(report: Report) -> None:
    click.echo(f"{report.path}: grade {report.grade}, {report.words} words")
    for remark in report.remarks:
        click.echo(f"  {remark}")
