"""gunicorn's configuration, the same for `make run`, systemd and the container: `--config python:portal.serving`.

Where it listens is the one thing that differs; `--bind` on the command line, or `PORT`, says so.
"""

import os
import signal

from portal.config import Settings

_settings = Settings.from_environment()
_settings.open_folders()  # here, where gunicorn says what is wrong with a setting

wsgi_app = "portal:create_app()"
bind = f"127.0.0.1:{_settings.port}"
worker_class = "gthread"
workers = 2
threads = 4
timeout = 30  # seconds without a sign of life from a process, after which it is replaced
graceful_timeout = 20  # seconds for requests under way when it is told to end
keepalive = 5  # seconds that a browser's or the proxy's connection is kept for its next request
max_requests = 20_000  # then a process is replaced, which bounds what any leak can take
max_requests_jitter = 2_000
reload = not _settings.production
preload_app = not reload  # one import for all processes: see docs/decisions/0012-server.md
control_socket_disable = True
loglevel = "warning"

# Between its birth and the moment it listens to signals a process would miss the one that ends it, and then work on
# until it is killed: they wait until it does.
_ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


def _keep_waiting() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def _let_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def post_worker_init(_worker: object) -> None:
    """Called by gunicorn in each process that answers, once it listens."""
    _let_through()


os.register_at_fork(before=_keep_waiting, after_in_parent=_let_through)
