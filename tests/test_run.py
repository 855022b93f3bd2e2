"""`make run`: one command sets everything up, starts web process and mail worker, and ends both."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal.accounts.services import StaffRole, add_staff, disable_staff
from portal.run import SAMPLE_ACCOUNT, prepare
from tests.conftest import some_of
from tests.servers import ROOT, free_port


@contextmanager
def running(folder, **environment):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.run"],
        cwd=ROOT,
        env={**os.environ, "PORTAL_DATA_DIR": str(folder), "PORT": str(port), **environment},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process, f"http://127.0.0.1:{port}", _greeting(process)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def _greeting(process):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            return "".join(lines)
    raise AssertionError("it ended before it greeted:\n" + "".join(lines))


def get(url):
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.read().decode()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


def children(process):
    listed = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True, text=True)
    return {("web" if "gunicorn" in line else "mail"): int(line.split()[0]) for line in listed.stdout.splitlines()}


def gone(pid):
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.1)
    return False


def test_a_sample_account_that_was_closed_stays_closed_and_stops_no_start(app_context, capsys):
    add_staff(SAMPLE_ACCOUNT, "Sample front desk", StaffRole.FRONT_DESK)
    disable_staff(SAMPLE_ACCOUNT)
    prepare()
    assert "sign in as" not in capsys.readouterr().out


def test_the_first_start_sets_up_a_clinic_and_prints_a_password_once(tmp_path):
    with running(tmp_path) as (process, address, greeting):
        assert "Loaded the sample clinic." in greeting
        assert re.search(r"sign in as desk@clinic.example with \w{5}-\w{5}-\w{5}-\w{5}", greeting)
        for path in ("/", "/desk/", "/r/cgh", "/dev/mail/"):
            assert f"{address}{path}" in greeting
        assert "Next open time" in get(f"{address}/")
        assert "ok mail" in get(f"{address}/readyz")
        pids = children(process)
        assert pids.keys() == {"web", "mail"}
        process.send_signal(signal.SIGINT)  # Ctrl-C
        assert process.wait(30) == 0
        assert all(gone(pid) for pid in pids.values())
    with running(tmp_path) as (_, address, greeting):
        assert "password" not in greeting
        assert "sign in as" not in greeting
        assert "0 slots opened." in greeting


@pytest.mark.parametrize("victim", some_of(["web", "mail"], "mail"))
def test_when_one_process_ends_the_other_ends_too(tmp_path, sqlite_template, victim):
    shutil.copyfile(sqlite_template, tmp_path / "portal.db")  # the first start is another test
    with running(tmp_path) as (process, address, _):
        get(f"{address}/healthz")
        pids = children(process)
        os.kill(pids[victim], signal.SIGKILL)
        assert process.wait(30) != 0
        assert all(gone(pid) for pid in pids.values())


def test_a_wrong_setting_ends_it_with_one_clear_message(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "portal.run"],
        cwd=ROOT,
        env={**os.environ, "PORTAL_DATA_DIR": str(tmp_path), "PORTAL_BASE_URL": "https://portal.example"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "PORTAL_ENV must be `production`" in result.stderr
    assert "Traceback" not in result.stderr
