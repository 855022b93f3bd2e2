"""A mail server that fails as it is told: refuses, hangs, hangs up, at any step of the conversation."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser

from tests.servers import free_port

HANG_UP, HANG, REFUSE = "hang up", "hang", "refuse"


@dataclass
class Fault:
    """What goes wrong and at which step.

    The steps: "listen", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "text" (while the mail is being
    said), "dot" (it was not taken) and "taken" (it was). `how` is an answer, HANG_UP or HANG. With `times` it happens
    so often and no more.
    """

    step: str
    how: str
    times: int | None = None

    def __str__(self) -> str:
        return f"{self.step}: {self.how}"


@dataclass(frozen=True)
class Arrived:
    """A mail that the server took."""

    sender: str
    recipient: str
    data: bytes
    secure: bool

    @property
    def message_id(self) -> str:
        return str(BytesHeaderParser().parsebytes(self.data)["Message-ID"])


@dataclass
class MailServer:
    """Listens on a port of its own; `context` is what it offers STARTTLS with."""

    context: ssl.SSLContext | None = None
    offers: tuple[str, ...] = ("SIZE 1000000", "8BITMIME", "PIPELINING")
    pause: float = 0  # seconds before each answer
    most: int | None = None  # mails over one connection
    port: int = field(default_factory=free_port)
    arrived: list[Arrived] = field(default_factory=list)
    said: list[tuple[str, bool]] = field(default_factory=list)  # each command, and whether nobody could listen
    _fault: Fault | None = None
    _listening: socket.socket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def message_ids(self) -> list[str]:
        return [mail.message_id for mail in self.arrived]

    @property
    def said_in_clear(self) -> set[str]:
        """The commands that anybody on the way could read."""
        return {command.partition(" ")[0].upper() for command, secure in self.said if not secure}

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Fail like this for a while."""
        self._fault = fault
        if fault.step == "listen":
            self.stop()
        yield
        self._fault = None
        if fault.step == "listen":
            self.start()

    def how_to_fail(self, step: str) -> str | None:
        """What goes wrong at this step, if anything does."""
        with self._lock:
            fault = self._fault
            if fault is None or fault.step != step or fault.times == 0:
                return None
            if fault.times is not None:
                fault.times -= 1
            return fault.how

    def start(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=100)
        threading.Thread(target=self._accept, args=[self._listening], daemon=True).start()

    def stop(self) -> None:
        if self._listening is not None:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        conversation = Conversation(self, connection)
        with suppress(OSError, HungUp):
            conversation.lead()
        conversation.end()


class HungUp(Exception):
    """One of the two has ended the conversation."""


class Conversation:
    """One connection to the mail server."""

    def __init__(self, server: MailServer, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.stream = connection.makefile("rwb")
        self.secure = False
        self.sender = self.recipient = ""
        self.taken = 0

    def lead(self) -> None:
        if not self.answer("greeting", "220 here"):
            return
        while command := self.stream.readline():
            words = command.decode("latin-1").strip()
            self.server.said.append((words, self.secure))
            verb, _, rest = words.partition(" ")
            getattr(self, f"do_{verb.lower()}", self.do_not)(rest)

    def end(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self.stream.close()
        self.connection.close()

    def answer(self, step: str, normal: str) -> bool:
        """Answer as usual, or fail; whether it was as usual."""
        if self.fails(step):
            return False
        self.say(normal)
        return True

    def fails(self, step: str) -> bool:
        """Fail at this step if that was asked for; whether it was."""
        how = self.server.how_to_fail(step)
        if how is None:
            return False
        if how == HANG:
            self.stream.read()  # until the other has had enough
        if how in {HANG, HANG_UP}:
            raise HungUp
        self.say(how)
        return True

    def say(self, words: str) -> None:
        time.sleep(self.server.pause)
        self.stream.write(f"{words}\r\n".encode("latin-1"))
        self.stream.flush()

    def do_ehlo(self, _name: str) -> None:
        offers = [*self.server.offers]
        if self.server.context and not self.secure:
            offers.append("STARTTLS")
        lines = ["127.0.0.1", *offers]
        self.answer("ehlo", "\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines))

    def do_helo(self, _name: str) -> None:
        self.answer("ehlo", "250 127.0.0.1")

    def do_starttls(self, _rest: str) -> None:
        if self.server.context and self.answer("starttls", "220 go on"):
            self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
            self.stream, self.secure = self.connection.makefile("rwb"), True

    def do_auth(self, _words: str) -> None:
        self.answer("auth", "235 welcome")

    def do_mail(self, words: str) -> None:
        if self.taken == self.server.most:
            self.say("421 enough")
            raise HungUp
        self.sender = words.partition("<")[2].partition(">")[0]
        self.answer("mail", "250 fine")

    def do_rcpt(self, words: str) -> None:
        self.recipient = words.partition("<")[2].partition(">")[0]
        self.answer("rcpt", "250 fine")

    def do_data(self, _rest: str) -> None:
        if not self.answer("data", "354 go on"):
            return
        lines: list[bytes] = []
        while (line := self.stream.readline()) != b".\r\n":
            if not line:
                raise HungUp
            if len(lines) == 5:
                self.fails("text")
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.take(b"".join(lines))

    def take(self, data: bytes) -> None:
        if not self.fails("dot"):
            self.server.arrived.append(Arrived(self.sender, self.recipient, data, self.secure))
            self.taken += 1
            self.answer("taken", "250 taken")

    def do_rset(self, _rest: str) -> None:
        self.answer("rset", "250 fine")

    def do_quit(self, _rest: str) -> None:
        self.answer("quit", "221 bye")
        raise HungUp

    def do_not(self, _rest: str) -> None:
        self.answer("unknown", "502 not known here")


@contextmanager
def mail_server(context: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """A mail server that works until it is told to fail."""
    server = MailServer(context)
    server.start()
    try:
        yield server
    finally:
        server.stop()
