"""A PostgreSQL database dumped by its own programs while it is in use, looked at, and put in the place of another."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Connection, inspect, make_url, text

from portal.core.db import db
from portal.operations.sealed_file import PIECE, BadFile

ASIDE = "before_restore_"  # what the schemas begin with that a restore has put aside
# Of the dump's contents, what stands in every database or belongs to its owner.
NOT_OURS = (" SCHEMA - public", " COMMENT - SCHEMA public", " COMMENT - EXTENSION", " ACL - ")


def dump(connection: Connection, url: URL) -> Iterator[bytes]:
    """The whole database in PostgreSQL's own archive form, as this connection's transaction sees it."""
    snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={ASIDE}*"]
    with _start(url, "pg_dump", *options, f"--snapshot={snapshot}") as process:
        assert process.stdout is not None
        while piece := process.stdout.read(PIECE):
            yield piece
        _finish(process, "pg_dump")


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    names = inspect(connection).get_table_names()
    return {name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in names}  # noqa: S608


def check_archive(archive: Path, counts: dict[str, int], url: URL) -> bool:
    """Read the archive to its end, and where the account may make a database, restore it there and count.

    Returns whether it was restored. Raises BadFile when it cannot be.
    """
    _run(url, "pg_restore", "--file=/dev/null", str(archive))
    held = {line.split()[6] for line in _list(url, archive) if " TABLE DATA " in line}
    if missing := counts.keys() - held:
        raise BadFile(f"the dump lacks {', '.join(sorted(missing))}")
    name = f"portal_check_{uuid4().hex[:12]}"
    if not _may_create_databases():
        return False
    _outside_transactions(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        _fill(archive, url.set(database=name))
        found = {table: _count(url.set(database=name), table) for table in counts}
    finally:
        _outside_transactions(f"DROP DATABASE {name} WITH (FORCE)")
    if found != counts:
        raise BadFile("the dump does not hold all rows")
    return True


def is_occupied() -> bool:
    """Whether the database has any table."""
    with db.engine.connect() as connection:
        return bool(inspect(connection).get_table_names())


def is_in_use() -> bool:
    """Whether anybody else is connected to the database."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    with db.engine.connect() as connection:
        return bool(connection.scalar(others))


def name_aside(stamp: str) -> str:
    """The schema in which the tables of now are kept when others take their place."""
    return f"{ASIDE}{stamp.lower()}"


def make_room(aside: str) -> None:
    """Keep the tables that are there in a schema of that name, and leave none in their place."""
    with db.engine.begin() as connection:
        connection.execute(text(_put_aside(aside)))


def put_in_place(archive: Path, aside: str) -> None:
    """Fill the database from the archive in one transaction; what was there is kept in a schema of that name."""
    _fill(archive, make_url(db.engine.url), _put_aside(aside))


def put_back(aside: str) -> None:
    """Let what was put aside be the database again."""
    with db.engine.begin() as connection:
        connection.execute(text(_for_each_table("public", "DROP TABLE %s CASCADE")))
        connection.execute(text(_for_each_table(aside, "ALTER TABLE %s SET SCHEMA public")))
        connection.execute(text(f"DROP SCHEMA {aside}"))


def forget(aside: str) -> None:
    """Remove what was put aside."""
    with db.engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {aside} CASCADE"))


def _put_aside(aside: str) -> str:
    """The tables alone: an extension that their constraints need stays where the new ones find it.

    It is another's, often, and whoever removes the schema one day would remove it with the constraints of now.
    """
    return f"CREATE SCHEMA IF NOT EXISTS public; CREATE SCHEMA {aside};" + _for_each_table(
        "public", f"ALTER TABLE %s SET SCHEMA {aside}"
    )


def _for_each_table(schema: str, statement: str) -> str:
    """A statement for each table of that schema, which stands in it as %s."""
    return f"""
        DO $$ DECLARE each_one regclass; BEGIN
            FOR each_one IN SELECT oid FROM pg_class
                WHERE relkind = 'r' AND relnamespace = '{schema}'::regnamespace
            LOOP EXECUTE format('{statement}', each_one); END LOOP;
        END $$;
        """  # noqa: S608 - our own names


def _fill(archive: Path, url: URL, before: str = "") -> None:
    """Run what comes before and the archive's statements as one transaction."""
    contents = archive.with_suffix(".list")
    contents.write_text("\n".join(line for line in _list(url, archive) if not any(part in line for part in NOT_OURS)))
    script = archive.with_suffix(".sql")
    try:
        script.touch(mode=0o600)
        script.write_text(before)
        with (
            script.open("ab") as file,
            _start(
                url, "pg_restore", "--file=-", "--no-owner", "--no-privileges", f"--use-list={contents}", str(archive)
            ) as process,
        ):
            assert process.stdout is not None
            shutil.copyfileobj(process.stdout, file)
            _finish(process, "pg_restore")
        _run(url, "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
             "--output=/dev/null", f"--file={script}", f"--dbname={_address(url)}")  # fmt: skip
    finally:
        contents.unlink(missing_ok=True)
        script.unlink(missing_ok=True)


def _list(url: URL, archive: Path) -> list[str]:
    return _run(url, "pg_restore", "--list", str(archive)).splitlines()


def _count(url: URL, table: str) -> int:
    statement = f'SELECT count(*) FROM "{table}"'  # noqa: S608
    return int(_run(url, "psql", "--no-psqlrc", "-At", f"--dbname={_address(url)}", f"--command={statement}"))


def _may_create_databases() -> bool:
    with db.engine.connect() as connection:
        return bool(
            connection.scalar(text("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"))
        )


def _outside_transactions(statement: str) -> None:
    with db.engine.connect().execution_options(alone=True) as connection:
        connection.execute(text(statement))


def _run(url: URL, program: str, *arguments: str) -> str:
    process = subprocess.run(  # noqa: S603 - our own program and arguments
        [_find(program), *arguments], env=_environment(url), capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise BadFile(f"{program} failed: {process.stderr.strip()}")
    return process.stdout


@contextmanager
def _start(url: URL, program: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    where = [f"--dbname={_address(url)}"] if program == "pg_dump" else []
    process = subprocess.Popen(  # noqa: S603 - our own program and arguments
        [_find(program), *where, *arguments], env=_environment(url), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _finish(process: subprocess.Popen[bytes], program: str) -> None:
    _, complaint = process.communicate()
    if process.returncode:
        raise BadFile(f"{program} failed: {complaint.decode(errors='replace').strip()}")


def _find(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise BadFile(f"{program} is not installed: install PostgreSQL's client programs (Debian: postgresql-client)")
    return found


def _address(url: URL) -> str:
    """The database's address for PostgreSQL's programs, without the password, which others could see in it."""
    without = url.set(drivername="postgresql")._replace(password=None)  # to `set`, None is no change
    return without.render_as_string()


def _environment(url: URL) -> dict[str, str]:
    return {**os.environ, **({"PGPASSWORD": url.password} if url.password else {})}
