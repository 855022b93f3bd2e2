"""Tables as CSV files that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

# What makes a spreadsheet read a cell as a formula; a tab or line break in front of it hides it from some checks.
FORMULA_BEGINS = tuple("=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20")  # the last four are the first ones in full width


def write_csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table as RFC 4180 says; text that would be a formula has an apostrophe before it."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([_safe(name) for name in heading])
    writer.writerows([_safe(value) for value in row] for row in rows)
    return file.getvalue()


def send_csv(name: str, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The table as a file to keep. The mark at its beginning tells spreadsheets that it is UTF-8."""
    response = Response("\ufeff" + write_csv(heading, rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _safe(value: object) -> object:
    """The value; numbers stay what they are."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_BEGINS) else value
