"""The figures on their own port add up over all processes, and say nothing about anybody."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest

from portal.core.db import db
from portal.operations.reserved_file import ReservedFile
from tests.conftest import portal_by_the_real_clock, settings_environment
from tests.races.crowd import find_free, look, prepare_people, send
from tests.servers import ROOT, free_port, web_server


@contextmanager
def exporter(environment):
    """`flask metrics` as a process of its own; yields what reads a figure by its name and labels."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "metrics"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    address = process.stdout.readline().split()[-1]

    def read():
        with urllib.request.urlopen(address, timeout=20) as response:
            return response.read().decode()

    try:
        yield read
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stdout.close()


def value(text, name):
    """The sum of a figure over the labels that are not named."""
    return sum(float(number) for number in re.findall(rf"^{name}[^ ]* ([^ ]+)$", text, re.M))


def test_what_is_asked_booked_taken_and_waiting_is_counted_over_all_processes(settings):
    port = str(free_port())
    environment = {**settings_environment(settings), "PORTAL_METRICS_PORT": port}
    with portal_by_the_real_clock(settings) as app:
        first, second = prepare_people(app, 2)
        [slot_id] = find_free(1)
        db.session.remove()
        with web_server(environment, workers=2) as address, exporter({**os.environ, **environment}) as read:
            for _ in range(10):
                look(address, "/articles/migraine", "")
            look(address, "/articles/nowhere-jane@example.com?q=secret", "")
            assert send(address, first.booking_of(slot_id)).outcome == "booked"
            assert send(address, second.booking_of(slot_id)).outcome == "409 taken"
            text = read()
    assert value(text, r'portal_requests_total\{endpoint="education.show_article",method="GET",status="200"') == 10
    assert value(text, r'portal_request_seconds_count\{endpoint="education.show_article"') == 11
    assert value(text, r'portal_actions_total\{action="booked"') == 1
    assert value(text, r'portal_outcomes_total\{outcome="taken"') == 1
    assert value(text, r'portal_slots\{state="booked"') == 1
    assert value(text, r'portal_mails\{state="queued"') >= 1
    assert value(text, "portal_up") == 1
    assert value(text, "portal_worker_seen_seconds") == float("inf")
    for personal in ("jane", "secret", "nowhere", first.details["name"], first.key):
        assert personal not in text


@pytest.fixture
def volume(mount):
    """A disk of little room."""
    return mount("256k")


def fill(folder):
    """Leave no block of this disk free."""
    with (folder / "full").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free)


def test_a_full_disk_takes_the_figures_and_no_page(settings, volume):
    here = {"PORTAL_DATA_DIR": str(volume), "PORTAL_METRICS_PORT": str(free_port())}
    environment = {**settings_environment(settings), **here}
    with web_server(environment) as before:  # which counts into a file
        fill(volume)
        with web_server(environment) as address, exporter({**os.environ, **environment}) as read:
            for page in (before, address):
                assert look(page, "/articles/migraine", "").status == 200
                assert look(page, "/articles/when-a-headache-is-an-emergency", "").status == 200
            assert value(read(), r'portal_requests_total\{endpoint="education.show_article"') == 2


def test_figures_that_outgrow_the_disk_go_on_in_memory(volume):
    file = ReservedFile(str(volume / "counter_1.db"))
    fill(volume)
    for number in range(2000):
        file.write_value(f"figure {number}", float(number), 0.0)
    assert file.read_value("figure 1999") == (1999.0, 0.0)
    assert (volume / "counter_1.db").stat().st_size == 65536
    file.close()


def test_without_the_setting_nothing_is_counted_and_no_port_is_open(settings, tmp_path):
    with web_server({**settings_environment(settings), "PORTAL_DATA_DIR": str(tmp_path)}) as address:
        assert look(address, "/articles/migraine", "").status == 200
        assert look(address, "/metrics", "").status == 404
    assert not (tmp_path / "metrics").exists()


def test_the_figures_are_there_while_the_database_is_away(tmp_path):
    away = "postgresql://nobody@127.0.0.1:1/none"
    settings = {"PORTAL_DATA_DIR": str(tmp_path), "PORTAL_DATABASE_URL": away, "PORTAL_METRICS_PORT": str(free_port())}
    with exporter({**os.environ, **settings}) as read:
        begun = time.monotonic()
        assert value(read(), "portal_up") == 0
        assert time.monotonic() - begun < 8
