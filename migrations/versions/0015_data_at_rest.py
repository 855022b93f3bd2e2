"""Contact and words encrypted, found by keyed hashes; legal holds; links that end; screens in the audit trail.

Columns that held readable text keep it until `flask keys rotate` has encrypted it: so a portal of the version before
goes on running beside this schema. Going down makes all of it readable again.
"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

from portal.booking.contact_hashes import hash_contact
from portal.core import crypto

revision = "0015"
down_revision = "0014"
branch_labels = depends_on = None

# What becomes encrypted, with the type that it had.
ENCRYPTED = (
    ("patient", "email", sa.String(254)),
    ("patient", "phone", sa.String(20)),
    ("patient_request", "name", sa.String(120)),
    ("patient_request", "phone", sa.String(20)),
    ("patient_request", "email", sa.String(254)),
    ("patient_request", "wishes", sa.Text()),
    ("waitlist_entry", "wishes", sa.Text()),
    ("outgoing_mail", "last_error", sa.String(300)),
)
HASHES = {
    "patient": ("email_hash", "mailbox_hash", "phone_hash", "phone_end_hash"),
    "patient_request": ("email_hash", "phone_hash"),
}


def upgrade() -> None:
    for table, column, before in ENCRYPTED:
        if op.get_bind().dialect.name == "postgresql" and not isinstance(before, sa.Text):
            op.alter_column(table, column, type_=sa.Text())  # SQLite takes any length
    for table, columns in HASHES.items():
        for column in columns:
            op.add_column(table, sa.Column(column, sa.String(length=64), nullable=True))
    _fill_hashes()
    for column in HASHES["patient"]:
        op.create_index(op.f(f"ix_patient_{column}"), "patient", [column], unique=False)
    op.drop_index(op.f("ix_patient_email"), table_name="patient")
    op.drop_index(op.f("ix_patient_phone"), table_name="patient")
    op.add_column("patient", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("appointment", sa.Column("link_ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("audit_entry", sa.Column("screen", sa.String(length=80), nullable=True))
    op.add_column("clinic", sa.Column("record_years", sa.Integer(), nullable=False, server_default="10"))
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lift_reason", sa.LargeBinary(), nullable=True),
        sa.Column("lifted_by", sa.Integer(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_legal_hold_patient_id")),
        sa.ForeignKeyConstraint(["set_by"], ["staff_user.id"], name=op.f("fk_legal_hold_set_by")),
        sa.ForeignKeyConstraint(["lifted_by"], ["staff_user.id"], name=op.f("fk_legal_hold_lifted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(op.f("ix_legal_hold_patient_id"), "legal_hold", ["patient_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_legal_hold_patient_id"), table_name="legal_hold")
    op.drop_table("legal_hold")
    op.drop_column("clinic", "record_years")
    op.drop_column("audit_entry", "screen")
    op.drop_column("appointment", "link_ended_at")
    op.drop_column("patient", "erased_at")
    for column in HASHES["patient"]:
        op.drop_index(op.f(f"ix_patient_{column}"), table_name="patient")
    for table, columns in HASHES.items():
        for column in columns:
            op.drop_column(table, column)
    for table, column, _ in ENCRYPTED:
        _make_readable(table, column)
    _make_unkeyed()
    op.create_index(op.f("ix_patient_email"), "patient", ["email"], unique=False)
    op.create_index(op.f("ix_patient_phone"), "patient", ["phone"], unique=False)
    for table, column, before in ENCRYPTED:
        if op.get_bind().dialect.name == "postgresql" and not isinstance(before, sa.Text):
            op.alter_column(table, column, type_=before)


def _fill_hashes() -> None:
    connection = op.get_bind()
    for name, columns in HASHES.items():
        table = sa.table(name, sa.column("id", sa.Uuid()), *(sa.column(c) for c in ("email", "phone", *columns)))
        for id_, email, phone in connection.execute(sa.select(table.c.id, table.c.email, table.c.phone)).all():
            hashes = hash_contact(email=_read(email), phone=_read(phone))
            wanted = {column: hashes[column] for column in columns}
            connection.execute(sa.update(table).where(table.c.id == id_).values(wanted))


def _make_readable(name: str, column: str) -> None:
    connection = op.get_bind()
    key = sa.column("id", sa.Integer() if name == "outgoing_mail" else sa.Uuid())
    table = sa.table(name, key, sa.column(column, sa.Text()))
    stored = sa.select(table.c.id, table.c[column]).where(table.c[column].startswith(crypto.SIGN_OF_CIPHER))
    for id_, value in connection.execute(stored).all():
        connection.execute(sa.update(table).where(table.c.id == id_).values({column: _read(value)}))


def _make_unkeyed() -> None:
    """The hashes that were made without a key before."""
    connection = op.get_bind()
    visits = connection.execute(
        sa.text(
            "SELECT appointment.id, one_of_kind, patient.name, date_of_birth, email, phone, kind FROM appointment "
            "JOIN patient ON patient.id = patient_id JOIN visit_type ON visit_type.id = visit_type_id "
            "WHERE one_of_kind IS NOT NULL"
        ).columns(date_of_birth=sa.Date())
    )
    for visit in visits.all():
        name, reach = "".join(visit.name.casefold().split()), visit.email.casefold() if visit.email else visit.phone
        unkeyed = _hash(f"{name}|{visit.date_of_birth.isoformat()}|{reach}|{visit.kind}")
        changed = sa.text("UPDATE appointment SET one_of_kind = :unkeyed WHERE id = :id")
        connection.execute(changed, {"unkeyed": unkeyed, "id": visit.id})
    for id_, secrets in connection.execute(sa.text("SELECT id, secrets FROM resume_link")).all():
        code = json.loads(crypto.decrypt(bytes(secrets)))["code"]
        changed = sa.text("UPDATE resume_link SET code_hash = :unkeyed WHERE id = :id")
        connection.execute(changed, {"unkeyed": _hash(code), "id": id_})


def _read(value: str | None) -> str | None:
    encrypted = value is not None and value.startswith(crypto.SIGN_OF_CIPHER)
    return crypto.decrypt(value.encode()).decode() if encrypted else value


def _hash(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
