"""Keeping the portal running: is it well, what do its figures say, and a backup of all it holds."""

import os
from datetime import timedelta

from flask import Flask

from portal.config import Settings
from portal.core import chores
from portal.core.kept import kept
from portal.operations import cli, notes, upgrade, views

SIGN_OF_LIFE = timedelta(minutes=1)


def init_app(app: Flask) -> None:
    settings: Settings = app.config["PORTAL"]
    app.register_blueprint(views.blueprint)
    for command in (cli.backup, cli.restore, cli.doctor, cli.metrics, cli.settings):
        app.cli.add_command(command)
    upgrade.init_app(app)
    chores.register("sign of life", lambda: notes.note(notes.WORKER), every=SIGN_OF_LIFE)
    app.jinja_env.globals.update(worker_trouble=kept(notes.find_worker_trouble), last_restore=notes.get_restore)
    if settings.metrics_port:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.data_dir / "metrics")  # read by what is imported next
        from portal.operations import metrics  # costs time and memory only where it is wanted

        metrics.forget_the_dead(metrics.metrics_folder(settings))
        metrics.init_app(app)
