"""Append-only trail of who did what, each entry sealed by the hash of the one before."""

from flask import Flask

from portal.audit import services


def init_app(app: Flask) -> None:
    services.init_app(app)
