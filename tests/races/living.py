"""gunicorn's configuration for the tests that kill: keeps a file for each web process that lives, named by its id."""

import os
from pathlib import Path

folder = Path(os.environ["PORTAL_TEST_LIVING"])


def post_fork(server, worker):
    (folder / str(worker.pid)).touch()


def child_exit(server, worker):
    (folder / str(worker.pid)).unlink(missing_ok=True)
