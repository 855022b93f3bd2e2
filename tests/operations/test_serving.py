"""gunicorn under the portal's configuration ends when it is told to, at any moment."""

import subprocess
import sys

import pytest

from tests.servers import ROOT

# As gunicorn's first process brings about one that answers, and is told to end before that one listens to signals.
BIRTH = """
import os, signal, sys, time
if sys.argv[1] == "ours":
    from portal.serving import post_worker_init
else:
    post_worker_init = lambda worker: None
signal.signal(signal.SIGTERM, lambda *_: None)
child = os.fork()
if child == 0:
    time.sleep(0.2)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    post_worker_init(None)
    os._exit(1)
os.kill(child, signal.SIGTERM)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture
def engine() -> str:
    """No database is asked."""
    return "sqlite"


@pytest.mark.parametrize(("configuration", "hears"), [("ours", True), ("none", False)], ids=["ours", "control"])
def test_a_process_that_is_told_to_end_while_it_is_born_ends(configuration, hears):
    assert (subprocess.run([sys.executable, "-c", BIRTH, configuration], cwd=ROOT).returncode == 0) is hears
