"""`/desk/why`: why a time is not bookable, in words."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, request
from wtforms import SelectField, TimeField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.core.forms import BaseForm, DayField
from portal.core.htmx import render
from portal.scheduling import queries, why

blueprint = Blueprint("why", __name__, url_prefix="/desk")


class WhyForm(BaseForm):
    """A time of a clinician at a place; read from the address, so that the answer can be shared."""

    class Meta(BaseForm.Meta):
        csrf = False

    clinician = SelectField("Clinician")
    place = SelectField("Place")
    day = DayField("Day", validators=[InputRequired("Enter the day.")])
    time = TimeField("Time of day", validators=[InputRequired("Enter the time of day.")])

    def offer(self) -> None:
        """Fill in what there is to choose from."""
        for field, rows in ((self.clinician, queries.list_providers()), (self.place, queries.list_locations())):
            field.choices = [SelectChoice(row.code, row.name) for row in rows]


@blueprint.get("/why")
def explain() -> Response:
    """The reasons; the form, with what is known already, for an address that does not ask for all of it."""
    form = WhyForm(request.args)
    form.offer()
    provider = queries.find_provider(form.clinician.data or "")
    location = queries.find_location(form.place.data or "")
    if not form.data.keys() <= request.args.keys():
        return render("frontdesk/why.html", form=form)
    if not form.validate() or provider is None or location is None:
        return render("frontdesk/why.html", status=422, form=form, outcome="invalid")
    wall = datetime.combine(form.day.data, form.time.data)
    return render(
        "frontdesk/why.html",
        form=form,
        wall=wall,
        provider=provider,
        location=location,
        reasons=why.explain(provider, location, wall),
        stops=why.Stops,
    )
