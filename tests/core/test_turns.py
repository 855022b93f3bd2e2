"""A process works on one request at a time, and nobody waits for who sends slowly or for who is stuck."""

import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest

from portal.core import turns
from portal.core.turns import Turns

MOST = 100


class SlowSender(BytesIO):
    """A body whose bytes come when the test says so."""

    def __init__(self, body):
        super().__init__(body)
        self.goes_on = threading.Event()

    def read(self, *size):
        assert self.goes_on.wait(5)
        return super().read(*size)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


def ask(app, body=None):
    return b"".join(app({"CONTENT_LENGTH": "3", "wsgi.input": body} if body else {}, None))


def test_one_request_after_the_other(pool):
    here = threading.Semaphore(1)

    def work(environ, start_response):
        assert here.acquire(blocking=False)
        threading.Event().wait(0.005)
        here.release()
        return [b"done"]

    app = Turns(work, MOST)
    assert [answer.result() for answer in [pool.submit(ask, app) for _ in range(20)]] == [b"done"] * 20


def echo(environ, start_response):
    return [environ["wsgi.input"].read() if "wsgi.input" in environ else b"done"]


def test_nobody_waits_for_who_sends_slowly(pool):
    app, slow = Turns(echo, MOST), SlowSender(b"abc")
    sending = pool.submit(ask, app, slow)
    assert ask(app) == b"done"
    assert not sending.done()
    slow.goes_on.set()
    assert sending.result() == b"abc"


def test_of_too_large_a_body_only_so_much_is_kept_that_it_shows():
    assert len(ask(Turns(echo, MOST), BytesIO(b"x" * 1000))) == MOST + 1


def test_nobody_waits_for_ever_for_who_is_stuck(pool, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    stuck, begun, comes_free = iter([True, False]), threading.Event(), threading.Event()

    def work(environ, start_response):
        if next(stuck):
            begun.set()
            assert comes_free.wait(5)
        return [b"done"]

    app = Turns(work, MOST)
    first = pool.submit(ask, app)
    assert begun.wait(5)
    assert ask(app) == b"done"
    comes_free.set()
    assert first.result() == b"done"


def test_how_long_a_request_took_counts_its_wait_for_a_turn_and_not_who_sent_slowly(pool):
    comes_free, begun = threading.Event(), threading.Event()

    def work(environ, start_response):
        if not begun.is_set():
            begun.set()
            assert comes_free.wait(5)
        return [str(turns.seconds_since_it_came(environ)).encode()]

    app, slow = Turns(work, MOST), SlowSender(b"abc")
    first = pool.submit(ask, app)
    assert begun.wait(5)
    waits, sends = pool.submit(ask, app), pool.submit(ask, app, slow)
    threading.Event().wait(0.1)
    comes_free.set()
    assert float(waits.result()) > 0.05
    slow.goes_on.set()
    assert float(sends.result()) < 0.05
    first.result()
