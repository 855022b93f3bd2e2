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


def test_nobody_waits_for_who_sends_slowly(pool):
    app, slow = (
        Turns(lambda environ, _: [environ["wsgi.input"].read()] if environ else [b"done"], MOST),
        SlowSender(b"abc"),
    )
    sending = pool.submit(ask, app, slow)
    assert ask(app) == b"done"
    assert not sending.done()
    slow.goes_on.set()
    assert sending.result() == b"abc"


def test_of_too_large_a_body_only_so_much_is_kept_that_it_shows():
    assert len(ask(Turns(lambda environ, _: [environ["wsgi.input"].read()], MOST), BytesIO(b"x" * 1000))) == MOST + 1


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
