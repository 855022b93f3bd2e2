"""Append-only trail of who did what, each entry sealed by the hash of the one before."""

from flask import Flask

from portal.audit import cli, services, verification
from portal.core import chores


def init_app(app: Flask) -> None:
    services.init_app(app)
    app.cli.add_command(cli.group)
    chores.register("note the head of the audit trail", verification.note_head)
