"""`/specialists/`: who provides the care, and where."""

from flask import Blueprint, Response

from portal.core.htmx import render
from portal.core.public import same_for_everybody
from portal.scheduling import queries

blueprint = Blueprint("scheduling", __name__)


@blueprint.get("/specialists/")
@same_for_everybody()
def list_specialists() -> Response:
    return render("scheduling/specialists.html", providers=queries.list_providers(), locations=queries.list_locations())
