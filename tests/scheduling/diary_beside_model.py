"""The portal's diary and the model of it side by side: what each step did to the one is followed in the other."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import delete, select

from portal.assessment.services import leave_answers, record_answers
from portal.booking import changes, services
from portal.booking.changes import ATTACK, TooLate
from portal.booking.models import Offer, OfferState, WaitlistEntry
from portal.booking.services import AlreadyBooked, Details
from portal.core.db import Base, db, transactional
from portal.referrals.services import start_journey
from portal.scheduling.clinic_file import ClinicFile
from portal.scheduling.free_times import SlotFilter, find_free_slots
from portal.scheduling.models import Availability, Location, Provider, Slot, SlotState, VisitType
from portal.scheduling.remake import open_slots
from portal.scheduling.services import SlotTaken
from portal.scheduling.setup import load_clinic
from tests.scheduling import diary_model as model
from tests.scheduling.diary_model import ALREADY, CUTOFF, DONE, HORIZON, LATE, NOTICE, TAKEN

LANE = "consult"
TUESDAY_NOON = "2026-11-17T17:00:00Z"  # in New York
WORKING_DAYS, EVERY_WORKING_DAY = (0, 1, 2, 3, 4), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
BOTH = ["consult", "self_care"]
CLINIC = {
    "clinic": {
        "name": "Clinic",
        "short_name": "Clinic",
        "code": "TST",
        "phone": "(212) 555-0100",
        "phone_hours": "Always",
        "horizon_weeks": HORIZON.days // 7,
        "minimum_notice_minutes": NOTICE.seconds // 60,
        "change_cutoff_minutes": CUTOFF.seconds // 60,
    },
    "locations": [
        {"code": "east", "name": "East", "zone": "America/New_York", "address": "1 Test Street"},
        {"code": "west", "name": "West", "zone": "America/Los_Angeles", "address": "2 Test Street"},
    ],
    "providers": [{"code": code, "name": code, "credentials": "MD", "role": "Physician"} for code in ("ada", "ben")],
    "visit_types": [
        {"code": "new", "name": "New", "kind": "consult", "mode": "in-person", "minutes": 60, "lanes": BOTH},
        {"code": "call", "name": "Call", "kind": "consult", "mode": "phone", "minutes": 30, "lanes": BOTH},
        {"code": "check", "name": "Check", "mode": "video", "minutes": 30, "lanes": BOTH},
    ],
    "availability": [
        {"provider": provider, "location": place, "visit_type": type_, "opens": time(opens), "closes": time(closes)}
        | {"rule": EVERY_WORKING_DAY, "valid_from": date(2026, 1, 5)}
        for provider, place, type_, opens, closes in (
            ("ada", "east", "new", 9, 12),
            ("ada", "east", "check", 14, 15),
            ("ben", "west", "call", 8, 9),
        )
    ],
}


@transactional
def begin_anew() -> None:
    """An empty database with the clinic and its slots; quicker than a new database."""
    for table in reversed(Base.metadata.sorted_tables):
        db.session.execute(delete(table))
    db.session.expunge_all()
    load_clinic(ClinicFile.model_validate(CLINIC))
    open_slots()


@transactional
def a_journey() -> UUID:
    journey = start_journey()
    answer_anew(journey)
    return journey


@transactional
def answer_anew(journey: UUID) -> None:
    """What was answered about somebody else, or the day before, would be asked again when this person books."""
    leave_answers(journey)
    record_answers(journey, {"red_flags_now": frozenset({"none"})})


def details_of(person: int) -> Details:
    return Details(f"Person {person}", date(1980, 5, 17), f"p{person}@example.com", "+12125550177", "call", "")


def answer_of(service, *arguments) -> str:
    try:
        service(*arguments)
    except SlotTaken:
        return TAKEN
    except AlreadyBooked:
        return ALREADY
    except TooLate:
        return LATE
    finally:
        db.session.remove()
    return DONE


def rows(table, *columns):
    return db.session.execute(select(*(getattr(table, column) for column in columns)).order_by(table.id)).all()


def read_stretch(row) -> model.Stretch:
    times = (row.starts_at, row.ends_at, row.reserved_from, row.reserved_until)
    return model.Stretch(row.provider_id, row.location_id, row.visit_type_id, *times)


def read_slots() -> dict:
    return {row.id: row for row in db.session.execute(select(*Slot.__table__.columns))}


class DiaryBesideItsModel(RuleBasedStateMachine):
    """Two people who book, and what becomes of the diary and its model by what they and the desk do."""

    def __init__(self, clock) -> None:
        super().__init__()
        self.clock, self.steps = clock, 0
        clock.move_to(TUESDAY_NOON)
        db.session.remove()
        begin_anew()
        self.journeys = [a_journey() for _ in range(2)]
        types = rows(VisitType, "id", "kind", "mode", "minutes")
        self.providers = [row.id for row in rows(Provider, "id")]
        zones = {row.id: ZoneInfo(row.zone_key) for row in rows(Location, "id", "zone_key")}
        self.diary = model.Diary(zones, [model.Type(*row) for row in types], [])
        self.diary.hours = [self._read_hours(row, WORKING_DAYS, 1) for row in db.session.scalars(select(Availability))]
        self.offers: dict[UUID, int] = {}  # the open ones, by the slot that is offered
        self._follow_remake()

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def _expect(self, expected, service, *arguments) -> str:
        answer = answer_of(service, *arguments)
        note(f"{service.__name__}: {answer}")
        assert answer in expected, f"{service.__name__} answered {answer!r} instead of {expected}"
        return answer

    def _cancel(self, visit, bad_day):
        if visit.cancelled:  # twice is once
            assert answer_of(changes.cancel, visit.id, ATTACK if bad_day else "time") == DONE
            return
        place = visit.slot.at.place
        today = self.diary.wall(self.now, place).date() == self.diary.wall(visit.slot.at.starts, place).date()
        help_today = self._stands(visit) and (today or not self._can_change(visit))
        may = help_today if bad_day else self._can_change(visit)
        answer = self._expect({DONE} if may else {LATE}, changes.cancel, visit.id, ATTACK if bad_day else "time")
        if answer == DONE:
            self._leave(visit)
            visit.cancelled, visit.wished, visit.wishes = True, visit.wishes, None

    def _leave(self, visit, goes_to=None):
        """A visit gives up its time; where that was not on offer any more, what is offered there is opened."""
        left = visit.slot
        self.diary.leave(visit)
        if goes_to is not None:
            self.diary.take(visit, goes_to)
        if not left.offered:
            self._follow_remake()

    def _remake(self):
        open_slots()
        self._follow_remake()

    def _book(self, slot, holder, person):
        answer_anew(holder)
        key, made = uuid4().hex, []
        expected = self.diary.claim(slot, holder, self.now)
        if self.diary.active(person, slot.kind, self.now):
            expected = expected - {DONE} | {ALREADY}

        def book():
            made.append(services.book(holder, slot.id, details_of(person), key).id)

        if self._expect(expected, book) == DONE:
            visit = model.Visit(made[0], person, slot.kind, slot, key, holder)
            self.diary.visits.append(visit)
            self.diary.take(visit, slot)
            book()  # the same form, sent a second time
            assert made[1] == visit.id
            still_held = {row.id for row in read_slots().values() if row.held_by == holder}
            for other in self.diary.slots.values():
                if other.holder == holder and other.id not in still_held:
                    other.let_go()  # whether booking one time gives back another is not for the model to say

    def _slot(self, dice) -> model.Slot:
        """Mostly one that somebody has or has had, one beside it, or one of the next, so that people meet."""
        slots = sorted(self.diary.slots.values(), key=lambda slot: (slot.at.starts, slot.id))
        coming = [slot for slot in slots if slot.at.starts > self.now - timedelta(hours=1)] or slots
        touched = [slot for slot in coming if slot.is_taken(self.now) or slot.holder or slot.freed]
        days = {(slot.at.provider, slot.day) for slot in touched}
        beside = [slot for slot in coming if (slot.at.provider, slot.day) in days]
        (group,) = dice.choices((touched or coming, beside or coming, coming[:12], coming), (4, 3, 3, 2))
        slot = dice.choice(group)
        note(f"slot {slot.id}: {slot.at.starts:%d %H:%M}-{slot.at.ends:%H:%M} UTC")
        return slot

    def _visit_of(self, offer) -> model.Visit:
        return next(visit for visit in self.diary.visits if visit.id == offer.appointment_id)

    def _read_offers(self):
        columns = (Offer.id, Offer.entry_id, Offer.slot_id, Offer.state, Offer.answer_by, Offer.token)
        query = select(*columns, WaitlistEntry.appointment_id, WaitlistEntry.closed_at).join(Offer.entry)
        return db.session.execute(query.order_by(WaitlistEntry.joined_at, Offer.slot_id)).all()

    def _stands(self, visit) -> bool:
        return not visit.cancelled and visit.slot.at.starts > self.now

    def _can_change(self, visit) -> bool:
        return self._stands(visit) and visit.slot.at.starts - self.now >= CUTOFF

    def _where(self, slot):
        at = slot.at
        return at.provider, at.place, self.diary.wall(at.starts, at.place), self.diary.wall(at.ends, at.place)

    def _is_taken(self, row) -> bool:
        return row.state == SlotState.BOOKED or (row.state == SlotState.HELD and row.held_until > self.now)

    def _let_go(self, holder) -> None:
        for slot in self.diary.slots.values():
            if slot.holder == holder:
                slot.let_go()

    def _listed_for(self, holder) -> set[int]:
        return {slot.id for slot in find_free_slots(SlotFilter(), LANE, holder, limit=1000)}

    def _can_be_offered(self, slot) -> bool:
        """Whether it is free, it is day, and there is time to answer."""
        by_day = 8 <= self.diary.wall(self.now, slot.at.place).hour < 18
        in_time = slot.at.starts - NOTICE - self.now >= timedelta(minutes=15)
        return by_day and in_time and self.diary.claim(slot, None, self.now) == {DONE}

    def _unasked(self, slot) -> list[model.Visit]:
        """Who is on the list, would like this time, and has been asked neither for it nor, just now, for another."""
        offers = self._read_offers()
        asked = {o.appointment_id for o in offers if o.slot_id == slot.id or o.state == OfferState.OPEN}
        return [v for v in self.diary.visits if v.id not in asked and self.diary.suits(slot, v, self.now)]

    def _follow_offers(self) -> None:
        """Take over the offers that services have made and ended, once they are seen to be right."""
        current = {offer.id: offer for offer in self._read_offers() if offer.state == OfferState.OPEN}
        for offer_id in self.offers.keys() - current.keys():
            slot = self.diary.slots[self.offers.pop(offer_id)]
            if slot.holder == offer_id:
                slot.let_go()
        for offer_id in current.keys() - self.offers.keys():
            offer, slot = current[offer_id], self.diary.slots[current[offer_id].slot_id]
            assert DONE in self.diary.claim(slot, None, self.now), "a time is offered that is not free"
            assert self.diary.suits(slot, self._visit_of(offer), self.now), (
                "a time is offered to somebody it does not suit"
            )
            assert 8 <= self.diary.wall(self.now, slot.at.place).hour < 21, "a time is offered in the night"
            assert self.now < offer.answer_by <= slot.at.starts - NOTICE
            slot.holder, slot.until = offer_id, offer.answer_by
            self.offers[offer_id] = slot.id

    def _follow_remake(self) -> None:
        """Take over which slots are offered now, once they are seen to be what availability says."""
        db.session.remove()
        stored, wanted = read_slots(), self.diary.openings(self.now)
        kinds = {type_.id: type_.kind for type_ in self.diary.types}
        for id_, row in stored.items():
            at = read_stretch(row)
            if id_ not in self.diary.slots:
                assert at in wanted, "a slot was made that availability does not offer"
                self.diary.slots[id_] = model.Slot(id_, at, kinds[at.type_id], row.day, row.offered)
            assert self.diary.slots[id_].at == at, "a slot was changed"
            if at.starts > self.now:
                assert not row.offered or at in wanted, "what is not offered any more was not withdrawn"
                self.diary.slots[id_].offered = row.offered
        offered = {slot.at for slot in self.diary.slots.values() if slot.offered}
        standing = [slot.at for slot in self.diary.slots.values() if slot.offered or slot.is_taken(self.now)]
        for missing in wanted - offered:
            assert any(missing.overlaps(at) for at in standing), (
                f"nothing is in the way of {missing}, but it is not offered"
            )

    def _compare(self, slot, row) -> None:
        assert row.offered == slot.offered
        assert (row.state == SlotState.BOOKED) == (slot.visit is not None), f"slot {slot.id} is {row.state}"
        if slot.is_held(self.now):
            assert (row.state, row.held_by, row.held_until) == (SlotState.HELD, slot.holder, slot.until), (
                "a hold is lost"
            )
        elif slot.visit is None:
            assert not self._is_taken(row), f"slot {slot.id} is held by nobody we know"
            if row.held_by is None:
                slot.let_go()  # a hold that has run out may be forgotten

    def _read_hours(self, row, weekdays, every) -> model.Hours:
        type_ = next(type_ for type_ in self.diary.types if type_.id == row.visit_type_id)
        place = (row.id, row.provider_id, row.location_id, type_, weekdays, every)
        return model.Hours(*place, row.opens, row.closes, row.valid_from, row.valid_until)

    @transactional
    def _change(self, table, id_, **values):
        row = db.session.get_one(table, id_)
        for name, value in values.items():
            setattr(row, name, value)
