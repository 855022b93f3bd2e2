"""Names as they are searched for are written anew: with the plain apostrophe, whichever was typed."""

import unicodedata
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from portal.core.text import APOSTROPHES, search_key

revision = "0018"
down_revision = "0017"
branch_labels = depends_on = None

ROWS = 500  # at a time


def upgrade() -> None:
    _write_keys(search_key)


def downgrade() -> None:
    _write_keys(_key_before)


def _write_keys(key_of: Callable[[str], str]) -> None:
    """Only of names with such an apostrophe: the others are as they were."""
    connection = op.get_bind()
    patient = sa.table("patient", sa.column("id", sa.Uuid()), sa.column("name", sa.Text()), sa.column("name_key"))
    typed = sa.or_(*(patient.c.name.contains(mark) for mark in APOSTROPHES))
    names = connection.execute(sa.select(patient.c.id, patient.c.name).where(typed)).all()
    changed = sa.update(patient).where(patient.c.id == sa.bindparam("of")).values(name_key=sa.bindparam("key"))
    for first in range(0, len(names), ROWS):
        batch = names[first : first + ROWS]
        connection.execute(changed, [{"of": id_, "key": key_of(name)} for id_, name in batch])


def _key_before(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return " " + " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())
