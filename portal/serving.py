"""gunicorn's configuration, the same for `make run`, systemd and the container: `--config python:portal.serving`.

Where it listens is the one thing that differs; `--bind` on the command line, or `PORT`, says so.
"""

from portal.config import Settings

_settings = Settings.from_environment()

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
