"""Names as they are searched for are written anew: with the plain apostrophe, whichever was typed.

Going up, a second visit of a kind needs nothing: the portal knows it by the name as it was written, too.
"""

import unicodedata
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from portal.core import crypto
from portal.core.text import APOSTROPHES, search_key

revision = "0018"
down_revision = "0017"
branch_labels = depends_on = None

ROWS = 500  # at a time


def upgrade() -> None:
    _write_keys(search_key)


def downgrade() -> None:
    _write_keys(_key_before)
    _know_visits_by_the_name_as_written()


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


def _know_visits_by_the_name_as_written() -> None:
    """The version before knows a second visit of a kind only by a name with all its accents."""
    connection = op.get_bind()
    visits = connection.execute(
        sa.text(
            "SELECT appointment.id, patient.name, date_of_birth, email, phone, kind FROM appointment "
            "JOIN patient ON patient.id = patient_id JOIN visit_type ON visit_type.id = visit_type_id "
            "WHERE one_of_kind IS NOT NULL"
        ).columns(date_of_birth=sa.Date())
    )
    changed = sa.text("UPDATE appointment SET one_of_kind = :key WHERE id = :id")
    for visit in visits.all():
        name, email = "".join(visit.name.casefold().split()), _read(visit.email)
        reach = email.casefold() if email else _read(visit.phone)
        line = f"{name}|{visit.date_of_birth.isoformat()}|{reach}|{visit.kind}"
        connection.execute(changed, {"key": crypto.keyed_hash("one of kind", line), "id": visit.id})


def _read(value: str | None) -> str | None:
    encrypted = value is not None and value.startswith(crypto.SIGN_OF_CIPHER)
    return crypto.decrypt(value.encode()).decode() if encrypted else value
