"""The diary against a model of it in plain Python: whatever happens in whatever order, both say the same.

`PORTAL_TEST_PROOF=1` looks at many more courses of events, other ones each time.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from portal.booking import changes, services, waitlist
from portal.booking.models import TAKE_THE_SLOT, Appointment, OfferState, WaitlistEntry
from portal.booking.wishes import Wishes
from portal.core.db import db
from portal.scheduling import changes as set_up
from portal.scheduling.models import Availability, Closure, Provider, Slot, SlotState, VisitType
from portal.scheduling.services import release_holds
from tests.scheduling import diary_model as model
from tests.scheduling.diary_beside_model import (
    EVERY_WORKING_DAY,
    WORKING_DAYS,
    DiaryBesideItsModel,
    answer_anew,
    answer_of,
    read_slots,
    read_stretch,
    rows,
)
from tests.scheduling.diary_model import ALREADY, DAY, DONE, HOLD, LATE, NOTICE, TAKEN
from tests.servers import PROOF

pytestmark = pytest.mark.both_engines

SETTINGS = settings(
    max_examples=600 if PROOF else 6,
    stateful_step_count=40 if PROOF else 25,
    phases=tuple(Phase) if PROOF else (Phase.generate,),
    derandomize=not PROOF,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
# What can happen, and how often. A die of its own for each step makes the steps more various than Hypothesis would
# in so few courses of events.
HAPPENINGS = {
    "hold": 4, "book": 4, "move": 3, "cancel": 3, "undo": 3, "wait": 2, "answer_offer": 4,
    "close": 2, "reopen": 1, "change_type": 1, "add_hours": 1, "end_hours": 1, "set_cap": 2,
    "time_passes": 3, "worker_works": 2,
}  # fmt: skip


def _starts(visit) -> datetime:
    return visit.slot.at.starts


class DiaryMachine(DiaryBesideItsModel):
    """People and the desk do what they do; the model says what must come of it."""

    @rule(seed=st.integers(0, 2**32 - 1))
    def something_happens(self, seed):
        dice = Random(seed)
        (happens,) = dice.choices(list(HAPPENINGS), HAPPENINGS.values())
        note(f"{self.now:%d %H:%M} {happens}")
        getattr(self, happens)(dice)

    # What patients do

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin_with_visits(self, seed):
        """Three people with a visit each; some would come earlier, and the soonest may be given back."""
        dice = Random(seed)
        for person in range(3):
            self._book(self._slot(dice), self.journeys[person % 2], person)
        for visit in self.diary.visits:
            if dice.random() < 0.7:
                waitlist.join(visit.id, Wishes())
                visit.wishes = ()
        if self.diary.visits and dice.random() < 0.7:
            self._cancel(min(self.diary.visits, key=_starts), bad_day=False)

    def hold(self, dice):
        """A journey holds a time instead of the one it held, or gives back what it holds."""
        holder = dice.choice(self.journeys)
        if dice.random() < 0.1:
            release_holds(holder)
            self._let_go(holder)
            return
        answer_anew(holder)
        slot = self._slot(dice)
        listed = slot.id in self._listed_for(holder)
        expected = {DONE} if listed else self.diary.claim(slot, holder, self.now)
        if self._expect(expected, services.choose_slot, slot.id, holder) == DONE:
            self._let_go(holder)
            if not self._is_left_to_others(slot, holder):
                slot.holder, slot.until = holder, self.now + HOLD

    def _is_left_to_others(self, slot, holder):
        """Whether the portal has only seen that the time is free: it may where others lose much by its being held.

        Somebody else holds one, or the hold fills its clinician's day.
        """
        only_seen = db.session.get_one(Slot, slot.id, populate_existing=True).held_by != holder
        others_hold = any(other.is_held(self.now) and other.holder != holder for other in self.diary.slots.values())
        fills_the_day = self.diary.caps.get(slot.at.provider) is not None
        assert others_hold or fills_the_day or not only_seen, "nobody else loses much, and yet the time is not held"
        return only_seen

    def book(self, dice):
        """Somebody books a time, or the one that the journey holds."""
        holder = dice.choice(self.journeys)
        held = [slot for slot in self.diary.slots.values() if slot.holder == holder]
        slot = held[0] if held and dice.random() < 0.6 else self._slot(dice)
        once_cancelled = [visit.person for visit in self.diary.visits if visit.cancelled]
        self._book(slot, holder, dice.choice([*once_cancelled, 0, 1, 2]))

    def move(self, dice):
        if not self.diary.visits:
            return
        visit, slot = dice.choice(self.diary.visits), self._slot(dice)
        expected = {TAKEN}
        if slot is visit.slot and self._stands(visit):
            expected = {DONE}  # it stands there already
        elif not self._can_change(visit):
            expected = {LATE}
        elif slot.kind == visit.kind:
            expected = self.diary.claim(slot, None, self.now, leaving=visit.slot)
        if self._expect(expected, changes.move, visit.id, slot.id) == DONE and slot is not visit.slot:
            self._leave(visit, slot)

    def cancel(self, dice):
        """A visit is given back; mostly the soonest, which is worth most to others."""
        standing = [visit for visit in self.diary.visits if self._can_change(visit)]
        if standing and dice.random() < 0.5:
            self._cancel(min(standing, key=_starts), bad_day=False)
        elif self.diary.visits:
            self._cancel(dice.choice(self.diary.visits), bad_day=dice.random() < 0.5)

    def undo(self, dice):
        cancelled = [visit for visit in self.diary.visits if visit.cancelled]
        if not cancelled:
            return
        visit = dice.choice(cancelled)
        slot = visit.slot
        expected = self.diary.claim(slot, None, self.now)
        if slot.at.starts <= self.now:
            expected = {LATE}
        elif slot.at.starts < self.now + NOTICE and slot.offered and not slot.is_taken(self.now):
            expected = {DONE, TAKEN}  # the notice does not count again; whether the day is full, the model leaves open
        if slot.at.starts > self.now and self.diary.active(visit.person, visit.kind, self.now):
            expected = expected - {DONE} | {ALREADY}
        if self._expect(expected, changes.undo_cancel, visit.id) == DONE:
            visit.cancelled, visit.wishes = False, visit.wished
            self.diary.take(visit, slot)

    # The earlier-slot list

    def wait(self, dice):
        """A visit joins the list, changes its wishes, or leaves it."""
        standing = [visit for visit in self.diary.visits if not visit.cancelled]
        if not standing:
            return
        visit = dice.choice(standing)
        visit.wishes = dice.choice([(), (), ("morning",), ("afternoon",), None])
        if visit.wishes is None:
            waitlist.close(visit.id)
            self.clock.shift(1)  # what is cancelled later is another moment
        else:
            waitlist.join(visit.id, Wishes(parts_of_day=visit.wishes))

    def answer_offer(self, dice):
        """An offer is taken or left; also one that has ended."""
        offers = [offer for offer in self._read_offers() if offer.state != OfferState.ACCEPTED]
        if not offers:
            return
        offer = dice.choice(offers)
        if dice.random() < 0.5:
            waitlist.decline(offer.token)
            return
        visit, slot = self._visit_of(offer), self.diary.slots[offer.slot_id]
        if not self._stands(visit):
            expected = {LATE}
        elif visit.slot is slot:
            expected = {DONE}
        elif visit.slot.at.starts <= slot.at.starts:
            expected = {TAKEN}
        else:
            expected = self.diary.claim(slot, offer.id, self.now, leaving=visit.slot)
        if self._expect(expected, changes.accept_offer, offer.token) == DONE:
            if visit.slot is not slot:
                self._leave(visit, slot)
            visit.wishes = None
            self.clock.shift(1)  # what is cancelled later is another moment
            assert answer_of(changes.accept_offer, offer.token) == DONE  # twice is once

    # What the desk does

    def close(self, dice):
        """A time is closed around the beginning of a slot, of its clinician, its place, both or all."""
        at = self._slot(dice).at
        wall = self.diary.wall(at.starts, at.place)
        starts, ends = (wall + timedelta(hours=hour) for hour in dice.choice([(0, 1), (0.5, 1.5), (-12, 12)]))
        again = dice.random() < 0.3
        until = starts.date() + DAY * dice.randrange(6) if again and dice.random() < 0.5 else None
        whose, where = dice.choice([at.provider, None]), dice.choice([at.place, None])
        values = {"provider_id": whose, "location_id": where, "starts": starts, "ends": ends}
        closure = Closure(**values, rule=EVERY_WORKING_DAY if again else None, until=until, reason="Closed")
        set_up.close(closure)
        closed = model.Closed(closure.id, *values.values(), WORKING_DAYS if again else None, until)
        if closure.id is not None:  # else an equal one stood already
            self.diary.closed.append(closed)
        self._follow_remake()
        for slot in self.diary.slots.values():
            if slot.visit is None and slot.at.starts > self.now and closed.hits(*self._where(slot)):
                slot.let_go()

    def reopen(self, dice):
        if self.diary.closed:
            closed = self.diary.closed.pop(dice.randrange(len(self.diary.closed)))
            set_up.reopen(closed.id)
            self._follow_remake()

    def change_type(self, dice):
        at = self._slot(dice).at
        type_ = next(type_ for type_ in self.diary.types if type_.id == at.type_id)
        type_.minutes = dice.choice([20, 30, 45, 60])
        type_.before, type_.after = dice.choice([0, 0, 10]), dice.choice([0, 0, 15])
        self._change(VisitType, type_.id, minutes=type_.minutes, buffer_before=type_.before, buffer_after=type_.after)
        self._remake()

    def add_hours(self, dice):
        begin = datetime(2026, 1, 1) + timedelta(hours=dice.choice([7, 8.5, 9, 12]))
        weekdays, every = dice.choice([WORKING_DAYS, (2, 3)]), dice.choice([1, 2])
        days = ",".join(("MO", "TU", "WE", "TH", "FR")[day] for day in weekdays)
        availability = Availability(
            provider_id=dice.choice(self.providers),
            location_id=dice.choice(list(self.diary.zones)),
            visit_type_id=dice.choice(self.diary.types).id,
            rule=f"FREQ=WEEKLY;INTERVAL={every};BYDAY={days}",
            opens=begin.time(),
            closes=(begin + timedelta(hours=dice.choice([1, 2]))).time(),
            valid_from=self.now.date() - DAY,
        )
        set_up.save_availability(availability)
        if availability.id is not None:  # else equal ones stood already
            self.diary.hours.append(self._read_hours(availability, weekdays, every))
        self._follow_remake()

    def end_hours(self, dice):
        hours = dice.choice(self.diary.hours)
        hours.last = self.now.date() + DAY * dice.randint(-1, 4)
        seen = set_up.read_availability(db.session.get_one(Availability, hours.id))
        set_up.end_availability(hours.id, hours.last, seen)
        self._follow_remake()

    def set_cap(self, dice):
        """A cap, mostly one that is just reached on some day."""
        slot = self._slot(dice)
        provider, taken = slot.at.provider, len(self.diary.on_day(slot.at.provider, slot.day, self.now))
        cap = dice.choice([max(taken, 1), max(taken, 1), taken + 1, None])
        self.diary.caps[provider] = cap
        self.diary.ceilings.clear()
        self._change(Provider, provider, daily_cap=cap)

    # What comes by itself

    def time_passes(self, dice):
        """Some minutes, until the next visit is over, or into the middle of the next slot."""
        ends = [visit.slot.at.ends for visit in self.diary.visits]
        begun = [slot.at.starts + timedelta(minutes=10) for slot in self.diary.slots.values()]
        moments = [moment for moment in dice.choice([ends, begun, [], [], []]) if moment > self.now]
        if moments:
            self.clock.move_to(min(moments))
        else:
            self.clock.shift(timedelta(minutes=dice.choice([1, 9, 11, 61, 121, 11 * 60])))

    def worker_works(self, _dice):
        self._remake()
        waitlist.tend()
        self._follow_offers()
        for slot in self.diary.slots.values():
            if slot.freed and self._can_be_offered(slot):
                assert self._unasked(slot) == [], "a time given back lies idle while it suits somebody on the list"

    # What holds after every step

    @invariant()
    def all_is_well(self):
        db.session.remove()
        self._follow_offers()
        stored = read_slots()
        self.both_say_the_same(stored)
        self.nobody_is_asked_to_be_in_two_places(stored)
        self.what_is_free_is_within_hours_and_not_closed(stored)
        self.no_day_takes_more_than_its_cap(stored)
        self.an_open_offer_holds_its_time_for_one_who_waits(stored)
        self.what_is_listed_is_what_can_be_had()

    def both_say_the_same(self, stored):
        assert stored.keys() == self.diary.slots.keys()
        for slot in self.diary.slots.values():
            self._compare(slot, stored[slot.id])
        visits = rows(Appointment, "id", "slot_id", "status", "one_of_kind")
        active = [row for row in visits if row.status in TAKE_THE_SLOT]
        expected = {visit.id: visit.slot.id for visit in self.diary.visits if not visit.cancelled}
        assert {row.id: row.slot_id for row in active} == expected, "a visit is lost, or stands elsewhere"
        booked = sorted(id_ for id_, row in stored.items() if row.state == SlotState.BOOKED)
        assert sorted(row.slot_id for row in active) == booked, "booked slots and active visits differ"
        keys = [row.one_of_kind for row in visits if row.one_of_kind]
        assert len(keys) == len(set(keys))
        assert all(row.one_of_kind is None for row in visits if row.status == "cancelled")

    def nobody_is_asked_to_be_in_two_places(self, stored):
        counting = [row for row in stored.values() if row.offered or self._is_taken(row)]
        for provider in self.providers:
            ranges = sorted((row.reserved_from, row.reserved_until) for row in counting if row.provider_id == provider)
            assert all(one[1] <= other[0] for one, other in pairwise(ranges)), "times of one clinician overlap"

    def what_is_free_is_within_hours_and_not_closed(self, stored):
        for row in stored.values():
            if row.offered and row.state != SlotState.BOOKED and row.starts_at > self.now:
                at = read_stretch(row)
                assert self.diary.is_in_hours(at), "a time is offered outside the hours of availability"
                walls = (self.diary.wall(moment, at.place) for moment in (at.starts, at.ends))
                assert not self.diary.is_closed(at.provider, at.place, *walls), "a closed time is offered"

    def no_day_takes_more_than_its_cap(self, stored):
        taken: dict[tuple[int, date], int] = {}
        for row in stored.values():
            taken[row.provider_id, row.day] = taken.get((row.provider_id, row.day), 0) + self._is_taken(row)
        for (provider, day), count in taken.items():
            if (cap := self.diary.caps.get(provider)) is not None:
                ceiling = self.diary.ceilings.get((provider, day), count)  # more than the cap only from before it
                assert count <= max(cap, ceiling), "a day has more visits than its cap"
                self.diary.ceilings[provider, day] = count

    def what_is_listed_is_what_can_be_had(self):
        holder = (None, *self.journeys)[self.steps % 3]  # one at each step, for speed
        self.steps += 1
        listed = self._listed_for(holder)
        for slot in self.diary.slots.values():
            answers = self.diary.claim(slot, holder, self.now) if slot.offered else {TAKEN}
            if answers != {DONE, TAKEN}:
                assert (slot.id in listed) == (answers == {DONE}), f"slot {slot.id}: listed, or not, against {answers}"

    def an_open_offer_holds_its_time_for_one_who_waits(self, stored):
        open_ = [offer for offer in self._read_offers() if offer.state == OfferState.OPEN]
        assert len({offer.entry_id for offer in open_}) == len(open_), "one entry has two open offers"
        for offer in open_:
            if offer.answer_by > self.now:
                row = stored[offer.slot_id]
                assert (row.state, row.held_by) == (SlotState.HELD, offer.id), "an open offer does not hold its time"
                assert offer.closed_at is None, "an offer is open for a visit that is off the list"
                assert not self._visit_of(offer).cancelled
        waiting = {
            row.appointment_id for row in rows(WaitlistEntry, "appointment_id", "closed_at") if not row.closed_at
        }
        assert waiting == {visit.id for visit in self.diary.visits if visit.wishes is not None}


@pytest.mark.usefixtures("app_context", "town")
def test_whatever_happens_in_whatever_order_the_diary_is_as_the_model_says(clock):
    run_state_machine_as_test(lambda: DiaryMachine(clock), settings=SETTINGS)
