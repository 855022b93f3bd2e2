"""Drives a web server over kept connections from one thread, and reads what its processes have used.

A client is a generator: it yields what it asks for and is sent the answer. One thread with raw sockets takes a few
hundredths of a millisecond a request, less than any server here; what it used itself is in `Measured.driver`.
"""

from __future__ import annotations

import itertools
import os
import selectors
import socket
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

TICK = os.sysconf("SC_CLK_TCK")
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass
class Answer:
    """What the server sent."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes
    size: int  # on the wire, with its headers

    @property
    def text(self) -> str:
        return self.body.decode()


Client = Generator[bytes, Answer, None]


@dataclass
class Browser:
    """What a browser remembers: its cookies and what it accepts."""

    host: str
    accepts: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Generator[bytes, Answer, Answer]:
        answer = yield self._request("GET", path, headers)
        return self._read(answer)

    def post(self, path: str, data: object, **headers: str) -> Generator[bytes, Answer, Answer]:
        body = urlencode(data, doseq=True).encode()  # type: ignore[arg-type]
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        answer = yield self._request("POST", path, {**kind, "Origin": f"http://{self.host}", **headers}) + body
        return self._read(answer)

    def _request(self, method: str, path: str, headers: dict[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", f"User-Agent: {AGENT}"]
        lines += [f"Accept-Encoding: {self.accepts}"] if self.accepts else []
        lines += ["Cookie: " + "; ".join(f"{k}={v}" for k, v in self.cookies.items())] if self.cookies else []
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _read(self, answer: Answer) -> Answer:
        for line in answer.cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.coded_value
        return answer


@dataclass
class Measured:
    """What some requests took: of the clock, of the server's processes, of this driver."""

    requests: int
    rounds: int  # how often all of a client's work was done
    seconds: float
    cpu: float  # seconds that the server's processes used
    driver: float  # seconds of processor time that the driver used
    latencies: list[float]

    def per_second(self) -> float:
        return self.rounds / self.seconds

    def cpu_ms(self) -> float:
        """Milliseconds of the server's processor time for one round."""
        return self.cpu / self.rounds * 1000

    def percentile(self, share: float) -> float:
        """Milliseconds within which so many answers came."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


class _Connection:
    def __init__(self, port: int) -> None:
        self.port = port
        self.buffer = b""
        self.sent = 0.0
        self.client: Client | None = None
        self.kept = False  # whether the server lets the next request come on it; at first it is not open

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        self.socket.close()

    def send(self, request: bytes) -> None:
        # Opened as late as can be: a server of one thread waits for who has called and says nothing, and of several
        # processes the first would take all who call at once, and the others none.
        if not self.kept:
            self.open()
        self.sent = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> Answer | None:
        """The answer when it is there as a whole."""
        data = self.socket.recv(262144)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        answer = _parse(head)
        length = int(answer.headers.get("content-length", 0)) if answer.status != 304 else 0
        if len(body) < length:
            return None
        self.kept = answer.headers.get("connection") != "close"
        answer.body, answer.size, self.buffer = body[:length], len(head) + 4 + length, body[length:]
        return answer


def _parse(head: bytes) -> Answer:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers, cookies = {}, []
    for line in lines:
        name, _, value = line.partition(": ")
        if name.lower() == "set-cookie":
            cookies.append(value)
        headers[name.lower()] = value
    return Answer(int(first[9:12]), headers, cookies, b"", 0)


def drive(port: int, clients: Sequence[Client], at_once: int, processes: list[int]) -> Measured:
    """Let so many clients at once do their work, each on a connection of its own; all that there are, in turn."""
    todo, rounds, latencies = iter(clients), 0, []
    selector, ready = selectors.DefaultSelector(), [_Connection(port) for _ in range(min(at_once, len(clients)))]
    before, own = cpu_seconds(processes), time.process_time()
    begin, open_ = time.perf_counter(), len(ready)
    for connection in ready:
        _begin(connection, todo)
        _listen(selector, connection)
    while open_:
        for key, _ in selector.select():
            connection = key.data
            if (answer := connection.receive()) is None:
                continue
            latencies.append(time.perf_counter() - connection.sent)
            if not connection.kept:
                selector.unregister(connection.socket)
                connection.close()
            try:
                connection.send(connection.client.send(answer))
            except StopIteration:
                rounds += 1
                if not _begin(connection, todo):
                    open_ -= 1
                    continue
            _listen(selector, connection)
    seconds = time.perf_counter() - begin
    used, driver = cpu_seconds(processes) - before, time.process_time() - own
    for connection in ready:
        connection.close()
    return Measured(len(latencies), rounds, seconds, used, driver, latencies)


def _listen(selector: selectors.BaseSelector, connection: _Connection) -> None:
    """Wait for its answer, too, where it was opened a moment ago."""
    if not connection.kept:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.kept = True


def _begin(connection: _Connection, todo: Iterator[Client]) -> bool:
    for client in todo:
        connection.client = client
        connection.send(next(client))
        return True
    return False


def ask(port: int, client: Generator[bytes, Answer, Answer]) -> Answer:
    """One answer, to prepare what is measured."""
    kept: list[Answer] = []

    def work() -> Client:
        kept.append((yield from client))

    drive(port, [work()], 1, [])
    return kept[0]


def walk(client: Client, ports: list[int]) -> None:
    """Let one client do its work with several servers, each request with the next one."""
    connections = [_Connection(port) for port in ports]
    request = next(client)
    for connection in itertools.cycle(connections):
        connection.send(request)
        while (answer := connection.receive()) is None:
            pass
        try:
            request = client.send(answer)
        except StopIteration:
            break
    for connection in connections:
        connection.close()


def family(process: int) -> list[int]:
    """The process and all below it."""
    found = [process]
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def cpu_seconds(processes: list[int]) -> float:
    """The processor time that these have used so far."""
    used = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICK


def megabytes(process: int) -> float:
    """The memory that a process has to itself, and its share of what it has with others."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
