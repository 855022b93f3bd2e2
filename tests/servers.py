"""Real servers for the tests: PostgreSQL from the installed binaries, the portal's own web processes, SMTP."""

from __future__ import annotations

import email
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from email.policy import default
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
from aiosmtpd.controller import Controller

from tests import copies

REQUIRE_ALL = os.environ.get("PORTAL_TEST_REQUIRE_ALL") == "1"
PROOF = os.environ.get("PORTAL_TEST_PROOF") == "1"  # everything on both databases, at both widths, and for long
ROOT = Path(__file__).resolve().parent.parent
# The portal's own account: with a password, and no more rights than a clinic gives it.
ACCOUNT, PASSWORD = "portal", "a/password@with:signs"
DISK, MEMORY = Path("/tmp"), Path("/dev/shm")
# Where files are made and removed by the hundred: in memory, where there is room for them.
QUICK = MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2_000_000_000 else DISK


def find_postgresql() -> Path | None:
    """The folder of the newest installed PostgreSQL server's programs."""
    folders = [Path(os.environ["PG_BINDIR"])] if "PG_BINDIR" in os.environ else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -int(p.parent.name))
    found = shutil.which("initdb")
    folders += [Path(found).resolve().parent] if found else []
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class PostgresServer:
    """A throw-away server on a socket of its own; what only matters after a crash it leaves out, unless `durable`."""

    def __init__(self, programs: Path, durable: bool = False) -> None:
        self._programs = programs
        self._quick = "" if durable else "-F -c synchronous_commit=off"
        self._root = Path(tempfile.mkdtemp(prefix="pg", dir=DISK if durable else QUICK))  # socket names must be short
        self._user: dict[str, object] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            account = pwd.getpwnam("postgres" if _has_user("postgres") else "nobody")
            os.chown(self._root, account.pw_uid, account.pw_gid)
            self._user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "cwd": "/"}

    def start(self) -> None:
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync", "--no-instructions")  # fmt: skip
        rules = Path(self._data, "pg_hba.conf")
        rules.write_text(f"local all {ACCOUNT} scram-sha-256\n{rules.read_text()}")
        self.wake()
        self.execute(f"CREATE ROLE {ACCOUNT} LOGIN CREATEDB PASSWORD '{PASSWORD}'")

    def wake(self) -> None:
        """Start a server that was made, or that has crashed."""
        options = f"-k {self._root} -c listen_addresses='' {self._quick} -c max_connections=200"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", str(self._root / "log"), "-o", options, "start")

    def crash(self) -> None:
        """End it as a power cut does."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def stop(self) -> None:
        with suppress(subprocess.CalledProcessError):  # it is down already
            self.crash()
        shutil.rmtree(self._root, ignore_errors=True)

    def create_database(self, template: str = "template1") -> str:
        name = f"t{uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name} OWNER {ACCOUNT} TEMPLATE {template}")
        return name

    def renew_database(self, name: str, template: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.execute(f"CREATE DATABASE {name} OWNER {ACCOUNT} TEMPLATE {template} STRATEGY FILE_COPY")

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{ACCOUNT}:{quote(PASSWORD, safe='')}@/{database}?host={self._root}"

    @property
    def _data(self) -> str:
        return str(self._root / "data")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement as the one who may do everything."""
        with psycopg.connect(f"host={self._root} user=postgres dbname={database}", autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self._user)  # type: ignore[call-overload]


def _has_user(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def web_server(
    environment: dict[str, str], workers: int = 1, app: str = "wsgi:app", code: Path = ROOT, connections: int = 0
) -> Iterator[str]:
    """gunicorn with so many processes, of this code or of another; yields the address it serves.

    Each process takes its share of so many connections at once, where one alone could take all of them.
    """
    port = free_port()
    options = ["--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--worker-class", "gthread", "--threads", "8",
               "--no-control-socket", "--preload", "--log-level", "error"]  # fmt: skip
    if connections:
        options += ["--worker-connections", str(-(-connections // workers))]
    process = copies.start("gunicorn", *options, app, environment={**environment, "PORT": str(port)}, code=code)
    address = f"http://localhost:{port}"
    try:
        wait_for(f"{address}/healthz", process.is_alive)
        yield address
    finally:
        process.terminate()
        process.join(20)
        assert process.exitcode is not None, "the web server does not end"


def wait_for(url: str, is_alive: Callable[[], bool]) -> None:
    """Wait until a web server answers, for as long as it is alive and for a minute at most."""
    for _ in range(1200):
        assert is_alive(), "the web server ended before it answered"
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the web server does not answer")


class Mailbox:
    """What a mail server received, and how it behaves when told to."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.answers: dict[str, str] = {}

    def text(self, number: int = -1) -> str:
        """The plain text of a mail received, the last when none is named."""
        message = email.message_from_bytes(self.received[number], policy=default)
        return message.get_body(("plain",)).get_content()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if answer := self.answers.get("rcpt"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if answer := self.answers.get("data"):
            return answer
        self.received.append(envelope.content)
        return "250 taken"


@contextmanager
def smtp_server() -> Iterator[tuple[str, Mailbox]]:
    """A real SMTP server; yields its address and its mailbox."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{controller.port}", mailbox
    finally:
        controller.stop()


def run_command(*arguments: str, environment: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A `flask` command as a person runs it."""
    command: Sequence[str] = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
