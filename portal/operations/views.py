"""`/healthz` and `/readyz`, for whatever watches over the portal."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.operations.health import State, check_readiness

blueprint = Blueprint("operations", __name__)


@blueprint.get("/healthz")
def show_alive() -> Response:
    """Whether this process answers."""
    return Response("alive\n", mimetype="text/plain")


@blueprint.get("/readyz")
def show_ready() -> Response:
    """Whether the portal can do its work: database, migrations, clinic, mail."""
    report = check_readiness()
    well = all(check.state is not State.FAIL for check in report)
    return Response([f"{check}\n" for check in report], status=200 if well else 503, mimetype="text/plain")
