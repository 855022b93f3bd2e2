"""What the page of a call shows: who it may be, and the times that suit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid4

from flask import Response, abort, request
from werkzeug.datastructures import MultiDict

from portal.assessment.advice import emergency_calls
from portal.booking import callers, people
from portal.booking.callers import OwnTime
from portal.booking.forms import FilterForm
from portal.booking.models import Patient, PatientRequest
from portal.booking.queries import get_request
from portal.booking.slot_list import Days, by_day
from portal.booking.wishes import Wishes
from portal.core import clock
from portal.core.dates import parse_date
from portal.core.htmx import render
from portal.core.text import search_key
from portal.frontdesk import services
from portal.frontdesk.caller_forms import CallerForm, read_id
from portal.scheduling import queries
from portal.scheduling.free_times import FreeTime, find_free_slots
from portal.scheduling.models import Location, Slot
from portal.scheduling.services import SlotTaken
from portal.scheduling.set_up import get_set_up
from portal.scheduling.why import Stops, explain

MOST_TIMES = 16
FIVE_MINUTES = timedelta(minutes=5)


class CallPage:
    """One call's page, as it stands after a step."""

    def __init__(self, form: CallerForm, filters: FilterForm | None = None) -> None:
        self.form, self.filters = form, filters or FilterForm(request.args)
        self.taken: Slot | None = None
        self.first: Slot | None = None  # with which the list of times goes on
        places, clinicians = queries.list_locations(), queries.list_providers()
        self.filters.offer(get_set_up().modes, places, clinicians, None)
        self.form.offer(clinicians, places, queries.list_visit_types())

    @classmethod
    def sent(cls) -> CallPage:
        """The page as a browser sent it."""
        form = CallerForm()
        form.call.data = str(form.key or uuid4())
        return cls(form, FilterForm(request.form))

    @property
    def key(self) -> UUID:
        """The id of the call."""
        return UUID(self.form.call.data)

    def use(self, patient: Patient) -> None:
        """It is this patient who calls."""
        self.form.fill_in(patient)
        self.form.patient.data, self.form.somebody_new.data = str(patient.id), ""

    def hold(self) -> None:
        """Hold the time chosen, or renew its hold; what somebody else has by now is said on the page."""
        if self.form.own_time.data or self.form.slot_id is None:
            return
        try:
            callers.hold_for_call(self.form.slot_id, self.key)
        except SlotTaken:
            self.taken = queries.get_slot(self.form.slot_id)
            self.form.slot.data = ""

    def let_go(self) -> None:
        """Give the time back, to choose another."""
        callers.let_go(self.key)
        self.form.slot.data = ""

    @cached_property
    def chosen(self) -> Slot | None:
        """The time chosen, held or not."""
        return queries.get_slot(self.form.slot_id) if self.form.slot_id is not None else None

    @property
    def held(self) -> Slot | None:
        """The time that is held for this call."""
        slot = queries.get_held_slot(self.key)
        return slot if slot is not None and slot.id == self.form.slot_id else None

    @cached_property
    def known(self) -> Patient | None:
        """The patient who calls, once one was chosen and as long as the name and the date of birth are theirs."""
        return chosen_patient(self.form)

    @cached_property
    def matches(self) -> list[people.Match]:
        """Patients who may be the one that is typed in; none once it is settled who calls."""
        form = self.form
        if self.known or form.somebody_new.data:
            return []
        name, born, phone, email = (
            field.data or "" for field in (form.name, form.date_of_birth, form.phone, form.email)
        )
        found = people.find_likely(name, born, phone, email)
        if found:
            services.record_patients_found([match.patient.id for match in found])
        return found

    def go_on_with(self, slot: Slot) -> None:
        """Show the times from this one on."""
        self.first, self.filters.since.data = slot, slot.day.isoformat()

    @cached_property
    def _found(self) -> list[FreeTime]:
        wanted = replace(self.filters.wanted(), visit_type=self.form.visit_type.data or None)
        not_before = self.first.starts_at if self.first else None
        return find_free_slots(wanted, None, self.key, MOST_TIMES + 1, not_before)

    @property
    def times(self) -> Days:
        """The next free times of any type, or of the one wanted."""
        return by_day(self._found[:MOST_TIMES])

    @property
    def later(self) -> FreeTime | None:
        """The time from which the next ones are shown; a day that has only begun here is shown whole then."""
        if not (left_out := self._found[MOST_TIMES:]):
            return None
        day, slots = self.times[-1]
        only_begun = day == left_out[0].day and len(self.times) > 1
        return min(slots, key=attrgetter("starts_at")) if only_begun else left_out[0]

    @property
    def asked(self) -> PatientRequest | None:
        """The request that this call answers."""
        request_id = read_id(self.form.request_id.data)
        return get_request(request_id) if request_id else None

    @property
    def calls(self) -> Sequence[object]:
        """What to tell a caller who has a warning sign."""
        return emergency_calls({self.form.sign}) if self.form.sign else []

    def render(self, fragment: str | None = None, status: int = 200, **context: Any) -> Response:
        """The page, or a part of it."""
        outcome = context.pop("outcome", None) or ("held" if self.held else None)
        return render(
            "frontdesk/book.html",
            fragment,
            status,
            page=self,
            form=self.form,
            filters=self.filters,
            visit_types=queries.list_visit_types(),
            outcome=outcome,
            **context,
        )


def begin_call() -> CallPage:
    """The page of a new call, with what the address names filled in. Aborts for a person or request there is not."""
    asked = request.args
    form = CallerForm(formdata=None, call=str(uuid4()), slot=asked.get("slot"), visit_type=asked.get("type"))
    wish = None
    if request_id := read_id(asked.get("request")):
        wish = get_request(request_id) or abort(404)
        form.request_id.data, form.name.data = str(wish.id), wish.name
        form.phone.data, form.email.data = wish.phone, wish.email or ""
    page = CallPage(form, FilterForm(_wishes_of(wish)) if wish else None)
    if patient_id := read_id(asked.get("patient")):
        patient = people.get_patient(patient_id) or abort(404)
        page.use(patient)
        services.record_patients_found([patient.id])
    if "at" in asked:
        _begin_own_time(form, asked["at"])
    first = form.name if not form.name.data else form.date_of_birth  # where typing goes on
    first.render_kw = {**(first.render_kw or {}), "autofocus": True}
    return page


def _begin_own_time(form: CallerForm, at: str) -> None:
    """For who is here now day and time stay empty: they are those at the place that is chosen in the end."""
    form.own_time.data, form.is_here.data = "yes", at == "now"
    slot = queries.find_time_now() if form.is_here.data else None
    wall = _read_wall(at)
    form.own_day.data, form.own_begins.data = (wall.date(), wall.time()) if wall else (None, None)
    form.own_provider.data = request.args.get("clinician") or (slot and slot.provider.code)
    form.own_location.data = request.args.get("place") or (slot and slot.location.code)
    form.own_type.data = request.args.get("type")


def _wishes_of(wish: PatientRequest) -> MultiDict[str, str]:
    """What a request says of times, as far as the list can be narrowed to it."""
    wishes = Wishes.from_json(wish.wishes)
    only = {"part_of_day": wishes.parts_of_day, "mode": wishes.modes, "location": wishes.locations}
    one_each = [(name, values[0]) for name, values in only.items() if len(values) == 1]
    return MultiDict([*(("weekdays", day) for day in wishes.weekdays), *one_each])


def chosen_patient(form: CallerForm) -> Patient | None:
    """The patient chosen, unless another name or date of birth was typed since: then it is somebody else."""
    patient_id = read_id(form.patient.data)
    patient = people.get_patient(patient_id) if patient_id else None
    if patient is None or search_key(form.name.data or "") != patient.name_key:
        return None
    return patient if parse_date(form.date_of_birth.data or "") == patient.date_of_birth else None


def own_time(form: CallerForm) -> OwnTime | None:
    """The time of its own that was typed; None, with the reason next to the field, for one that cannot be."""
    provider = queries.find_provider(form.own_provider.data or "")
    location = queries.find_location(form.own_location.data or "")
    visit_type = queries.get_visit_type(form.own_type.data or "")
    wall = _now_at(location) if form.means_now and location else form.wall
    if wall is None or provider is None or location is None or visit_type is None:
        if not form.own_day.errors:
            form.own_begins.errors = ["Choose clinician, place and type, and enter day and time."]
        return None
    reasons = explain(provider, location, wall, visit_type)
    final = [reason.words for reason in reasons if reason.stops == Stops.EVERYBODY]
    asks_why = [reason.words for reason in reasons if reason.stops == Stops.WITHOUT_REASON]
    if final:
        form.own_begins.errors = [" ".join(final)]
        return None
    if asks_why and not form.own_reason.data:
        form.own_reason.errors = [f"{' '.join(asks_why)} Say why you book it nevertheless."]
        return None
    return OwnTime(provider.id, location.id, visit_type, clock.instant(wall, location.zone), form.own_reason.data or "")


def _read_wall(text: str) -> datetime | None:
    """A wall time from an address; None for anything else."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _now_at(location: Location) -> datetime:
    """The next full five minutes on the clocks of a place."""
    local = clock.now().astimezone(location.zone).replace(tzinfo=None, second=0, microsecond=0)
    return local + FIVE_MINUTES - timedelta(minutes=local.minute % 5)
