"""A manager sets the clinic up at the desk: from an empty database to the first time that a patient can book."""

from datetime import date

import pytest
from sqlalchemy import delete, func, select

from portal.accounts.services import StaffRole
from portal.audit.models import AuditEntry
from portal.core.db import db
from portal.referrals.models import ReferralLink
from portal.scheduling.models import Availability, Clinic, Closure, Location, Provider, Slot, VisitType
from tests.frontdesk.test_diary import fill, form_to

PIECES = ["clinic", "places/east", "clinicians/ada", "visit-types/new"]
MISTAKES = [
    ("clinic", {"name": ""}, "Fill this in."),
    ("clinic", {"code": "tst"}, "Write 2 to 6 capital letters."),
    ("clinic", {"phone": "12"}, "Write at least 5 characters."),
    ("clinic", {"horizon_weeks": "60"}, "Enter 52 or less."),
    ("clinic", {"horizon_weeks": ""}, "Enter a whole number."),
    ("clinic", {"reminder_days": "3, soon"}, "Enter a whole number."),
    ("clinic", {"reminder_days": "3, 3"}, "Write each number once."),
    ("clinic", {"quiet_from": "09:00:30"}, "Write a time like 09:00."),
    ("clinic", {"quiet_from": "late"}, "Enter a time, like 09:00."),
    ("clinic", {"phone": "call us now"}, "Write the number alone"),
    ("clinic", {"phone": "802 555 0177 x 12"}, "Write the number alone"),
    ("places", {"name": "Third", "zone_key": "New York"}, "is no time zone"),
    ("places", {"name": "Third", "zone_key": "EST"}, "is no time zone"),
    ("places", {"name": "East", "zone_key": "America/New_York"}, "There is one with this code already"),
    ("places", {"name": "Ü", "zone_key": "America/New_York"}, "Use small letters, digits and single hyphens"),
    ("places/east", {"name": "x" * 121}, "Write at most 120 characters."),
    ("clinicians/ada", {"email": "nowhere"}, "Enter an e-mail address, like name@example.com."),
    ("clinicians/ada", {"daily_cap": "0"}, "Enter 1 or more."),
    ("visit-types", {"name": "Long", "minutes": "1000"}, "Enter 480 or less."),
    ("visit-types/new", {"minutes": "an hour"}, "Enter a whole number."),
    ("visit-types/new", {"switch_to": "nowhere"}, "not a valid choice"),
]


@pytest.fixture
def empty(app):
    """A portal whose clinic is not entered yet."""
    with app.app_context():
        for model in (Slot, Availability, Closure, VisitType, Provider, Location, Clinic, ReferralLink):
            db.session.execute(delete(model))
        db.session.commit()


@pytest.fixture
def manager(staff):
    return staff(StaffRole.MANAGER)


@pytest.fixture
def edit(manager):
    """Open a piece of the set-up and send it with some fields changed."""

    def send(piece, **values):
        manager.open(f"/desk/setup/{piece}")
        return fill(manager, f"/desk/setup/{piece}", **values)

    return send


def count(app, *conditions):
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Slot).where(*conditions))


class TestEmptyDatabase:
    def test_from_an_empty_database_to_a_time_that_a_patient_can_book(self, empty, manager, visitor, app):
        page = manager.open("/desk/")
        assert (page.path, page.heading) == ("/desk/setup/", "Set up your clinic")
        manager.open(page.link("/setup/clinic"))
        page = fill(
            manager,
            "/setup/clinic",
            name="New Clinic",
            short_name="New",
            code="NEW",
            phone="(212) 555-0100",
            phone_hours="Monday to Friday, 8 to 6",
        )
        assert page.path == "/desk/setup/"
        manager.open(page.link("/setup/places"))
        fill(manager, "/setup/places", name="Third Avenue", zone_key="America/New_York", address="1 Third Avenue")
        manager.open("/desk/setup/clinicians")
        fill(manager, "/setup/clinicians", name="Ana Diaz, MD", role="Neurologist", credentials="Neurology")
        manager.open("/desk/setup/visit-types")
        page = fill(manager, "/setup/visit-types", name="First consult", minutes="60", lanes="consult")
        assert 'aria-current="step"' in page.text
        manager.open(page.link("/availability"))
        new = {"weekday": ["FR"], "opens": "09:00", "closes": "12:00", "valid_from": "2026-11-18"}
        page = fill(manager, "/availability", **new)
        assert "36 slots opened" in page.text
        page = fill(manager, "/availability", **new, confirmed="yes")
        assert page.heading == "Set-up"
        assert "Times are open from Friday, November 20, 9:00 am EST" in page.text
        visitor.pass_safety()
        assert "Ana Diaz, MD" in visitor.open("/book/").text
        visitor.book()
        assert visitor.page.reference.startswith("NEW-")

    def test_every_page_that_needs_nothing_else_answers_without_a_clinic(self, empty, visitor, staff, app):
        desk, manager = staff(StaffRole.FRONT_DESK), staff(StaffRole.MANAGER)
        plain = [r.rule for r in app.url_map.iter_rules() if "GET" in r.methods and not r.arguments]
        for path in [*plain, "/desk/day/2026-11-18", "/assessment/headache_now"]:
            if "sign-out" in path or path == "/readyz":  # which says that it cannot serve
                continue
            for person in (visitor, desk, manager):
                page = person.open(path)
                assert page.status != 500, path
                assert page.status != 503 or "This portal is being set up" in page.text, path

    def test_the_front_desk_is_told_and_not_sent_in_circles(self, empty, desk):
        page = desk.open("/desk/")
        assert (page.status, page.heading) == (503, "This portal is being set up")

    def test_the_clinic_comes_before_what_belongs_to_it(self, empty, manager):
        assert manager.open("/desk/setup/places").path == "/desk/setup/"

    def test_two_who_enter_the_clinic_at_once_lose_nothing(self, empty, edit, manager):
        given = {"name": "One", "short_name": "One", "code": "ONE", "phone": "555-0100", "phone_hours": "8 to 6"}
        manager.open("/desk/setup/clinic")
        form = form_to(manager.page, "/setup/clinic")
        edit("clinic", **given)
        page = manager.send(form, **{**given, "name": "Two"})
        assert page.status == 409
        assert (form_to(page, "/clinic").values["name"], "One" in page.text) == (["Two"], True)


def test_a_change_of_the_diary_is_shown_first_and_then_made(edit, manager, app):
    before = count(app, Slot.offered)
    page = edit("visit-types/new", minutes="120", lanes=["consult", "self_care"])
    assert page.status == 200
    assert "This changes the diary: 17 slots opened; 34 withdrawn." in page.text
    assert count(app, Slot.offered) == before  # looked at, not done
    page = fill(manager, "/visit-types/new", confirmed="yes")
    assert "Saved: 17 slots opened; 34 withdrawn." in page.text
    assert count(app, Slot.offered) == before - 17


def test_what_does_not_touch_the_diary_is_saved_at_once_and_patients_see_it(edit, visitor):
    assert "Saved." in edit("clinicians/ada", about="Sees necks.", languages="English, Spanish").text
    page = visitor.open("/specialists/")
    assert "Sees necks." in page.text
    assert "Speaks English, Spanish" in page.text


def test_new_clocks_of_a_place_are_those_of_its_booked_times_too(edit, visitor, app):
    visitor.pass_safety()
    visitor.book()
    edit("places/east", zone_key="America/Chicago", confirmed="yes")
    with app.app_context():
        slot = db.session.scalar(select(Slot).where(Slot.state == "booked"))
        assert slot.begins == slot.starts_at.astimezone(slot.location.zone).time()


def test_what_is_changed_after_it_was_shown_is_shown_before_it_is_saved(edit, manager, app):
    offered = count(app, Slot.offered)
    assert "This changes the diary" in edit("clinic", horizon_weeks="2").text
    page = manager.send(form_to(manager.page, "/setup/clinic"), horizon_weeks="1", confirmed="yes")
    assert "This changes the diary" in page.text
    assert count(app, Slot.offered) == offered
    fill(manager, "/setup/clinic", confirmed="yes")
    assert count(app, Slot.offered) < offered


def test_who_is_no_longer_in_use_is_offered_nowhere_and_keeps_the_visits(edit, visitor, manager, app):
    visitor.pass_safety()
    visitor.book()
    page = edit("clinicians/ada", active=[])
    assert "withdrawn" in page.text
    fill(manager, "/clinicians/ada", active=[], confirmed="yes")
    assert "no longer in use" in manager.open("/desk/setup/clinicians").text
    assert "Ada Test" not in visitor.open("/specialists/").text
    assert count(app, Slot.offered, Slot.provider_id == 1, Slot.starts_at > func.now()) == 0
    assert count(app, Slot.state == "booked") == 1
    edit("places/east", active=[], confirmed="yes")
    assert "Jane Doe" in manager.open("/desk/day/2026-11-18").text + manager.open("/desk/week/2026-11-18").text
    page = edit("clinicians/ada", active="y", confirmed="yes")
    assert "Ada Test" in visitor.open("/specialists/").text


def test_what_is_no_longer_in_use_stays_chosen_where_it_was_chosen(edit, manager, app):
    edit("clinicians/ada", active=[], confirmed="yes")
    form = next(form for form in manager.open("/desk/availability/1").forms if form.action.endswith("/availability/1"))
    assert form.values["provider"] == ["1"]
    assert "Ada Test, MD (no longer in use)" in manager.page.text
    with app.app_context():
        switched = db.session.scalar(select(VisitType).where(VisitType.code == "new")).switch_to
    edit(f"visit-types/{switched[0]}", active=[], confirmed="yes")
    edit("visit-types/new", description="Another", confirmed="yes")
    with app.app_context():
        assert db.session.scalar(select(VisitType).where(VisitType.code == "new")).switch_to == switched


def test_a_type_with_visits_to_come_stays_what_patients_were_told(edit, visitor):
    visitor.pass_safety()
    visitor.book()
    page = edit("visit-types/new", mode="video")
    assert (page.status, page.errors) == (422, ["Visits of this type are still to come (1): add a new type instead."])


def test_two_managers_at_one_piece_see_both_values_and_neither_is_lost(manager, edit):
    for piece, field, other in (
        ("clinic", "phone_hours", "phone"),
        ("places/east", "name", "address"),
        ("clinicians/ada", "name", "about"),
        ("visit-types/new", "name", "description"),
    ):
        manager.open(f"/desk/setup/{piece}")
        form = form_to(manager.page, piece)
        assert edit(piece, **{field: "Theirs", other: "(212) 555-0199"}).status == 200
        page = manager.send(form, **{field: "Mine"})
        assert page.status == 409
        assert "Theirs" in page.text
        assert form_to(page, piece).values[field] == ["Mine"]
        assert form_to(page, piece).values[other] == ["(212) 555-0199"]  # taken over
        assert "Saved." in fill(manager, piece).text
        values = form_to(manager.open(f"/desk/setup/{piece}"), piece).values
        assert (values[field], values[other]) == (["Mine"], ["(212) 555-0199"])


@pytest.mark.both_engines  # of which one takes no NUL into what it notes of this
def test_what_is_not_there_is_not_found(manager):
    for path in ("places/nowhere", "nothing", "clinicians/%00"):
        assert manager.open(f"/desk/setup/{path}").status == 404


class TestAvailability:
    @pytest.fixture
    def change(self, manager):
        """Open Ada's first availability and send it with some fields changed."""

        def send(**values):
            manager.open("/desk/availability/1")
            return fill(manager, "/availability/1", **{"weekday": ["MO", "WE", "FR"], **values})

        return send

    def test_other_times_begin_on_a_day_and_the_old_ones_end_before_it(self, change, manager, app):
        page = change(opens="10:00", valid_from="2026-11-25")
        assert "withdrawn" in page.text
        page = fill(manager, "/availability/1", confirmed="yes", weekday=["MO", "WE", "FR"])
        assert "until Tue, Nov 24, 2026" in page.text
        friday = (Slot.day == date(2026, 11, 20), Slot.offered)
        assert (count(app, *friday), count(app, Slot.day == date(2026, 11, 25), Slot.offered)) == (4, 3)
        assert "Ended by Test manager" in manager.open("/desk/availability/1").text

    def test_from_its_first_day_on_it_is_changed_itself(self, change, manager, app):
        change(opens="12:00", valid_from="2026-01-05", confirmed="yes")
        assert count(app, Slot.day == date(2026, 11, 20), Slot.offered) == 1

    def test_a_rhythm_that_the_form_has_no_words_for_can_be_written(self, change, manager):
        page = change(rhythm="another", rule="FREQ=WEEKLY;INTERVAL=3;BYDAY=MO", confirmed="yes")
        assert "FREQ=WEEKLY;INTERVAL=3;BYDAY=MO" in page.text
        for rule in ("", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=0", "FREQ=WEEKLY;BYDAY=XX"):
            assert change(rhythm="another", rule=rule).status == 422

    def test_a_day_of_the_week_is_asked_for(self, change):
        assert change(weekday=[]).errors == ["Choose at least one day of the week."]

    def test_somebody_elses_change_is_shown_first(self, change, manager):
        manager.open("/desk/availability/1")
        form = form_to(manager.page, "/availability/1")
        change(opens="10:00", valid_from="2026-11-25", confirmed="yes")
        page = manager.send(form, opens="11:00", weekday=["MO", "WE", "FR"], confirmed="yes")
        assert page.status == 409
        assert "until Tue, Nov 24, 2026" in page.text
        assert form_to(page, "/availability/1").values["opens"] == ["11:00"]

    def test_a_last_day_that_cannot_be_read_is_explained_in_its_row(self, manager):
        manager.open("/desk/availability")
        fill(manager, "/1/end", last="soon")
        assert manager.page.status == 422
        assert "#last-1" in manager.page.links
        assert 'id="last-1-error"' in manager.page.text

    def test_what_is_over_is_folded_away(self, manager):
        manager.open("/desk/availability")
        fill(manager, "/1/end", last="2026-11-01", confirmed="yes")
        assert "1 in the past" in manager.page.text
        assert manager.open(manager.page.link("/availability/1")).heading == "Change availability"


class TestOnAnyDatabase:
    """What is not different on another one."""

    @pytest.fixture
    def engine(self) -> str:
        return "sqlite"

    def test_what_makes_no_sense_is_explained_at_its_field_and_nothing_is_lost(self, edit):
        for piece, wrong, message in MISTAKES:
            page = edit(piece, **wrong)
            assert page.status == 422, (piece, wrong)
            assert any(message in error for error in page.errors), (message, page.errors)
            for name, value in wrong.items():
                assert form_to(page, piece).values.get(name, [value]) == [value]

    def test_the_code_of_a_place_stays_as_it_is(self, edit, app):
        edit("places/east", code="other", name="Eastern")
        with app.app_context():
            assert db.session.scalar(select(Location.name).where(Location.code == "east")) == "Eastern"

    def test_each_screen_says_who_changed_what(self, edit, manager, app):
        edit("clinic", phone_hours="Always", reminder_time="08:00")
        edit("clinicians/ada", email="ada@clinic.example", active="y")
        text = manager.open("/desk/setup/clinic").text
        assert "Changed by Test manager on Wednesday, November 18, 10:00 am EST: " in text
        assert "When the phone is answered: from “Monday to Friday, 8 to 6” to “Always”" in text
        assert "Reminders leave at: from “9:00 am” to “8:00 am”" in text
        assert "Loaded from a file by the command line" in text
        assert "E-mail: changed" in manager.open("/desk/setup/clinicians/ada").text
        with app.app_context():
            details = db.session.scalars(select(AuditEntry.details)).all()
        assert "ada@clinic.example" not in str(details)

    def test_only_managers_see_and_change_the_set_up(self, desk):
        token = desk.open("/desk/").form.values["csrf_token"]
        for path in ("", "places", *PIECES):
            assert desk.open(f"/desk/setup/{path}").status == 403
            assert desk.post(f"/desk/setup/{path or 'clinic'}", {"csrf_token": token}).status == 403

    def test_opening_a_closure_twice_is_no_error(self, desk):
        desk.open("/desk/closures")
        form = form_to(desk.page, "/reopen")
        assert "Open again: 4 slots opened" in desk.send(form).text
        assert "Somebody else has opened it again already." in desk.send(form).text

    def test_a_closure_that_is_over_is_folded_away(self, staff, clock):
        clock.move_to("2026-12-15T15:00:00Z")
        page = staff(StaffRole.FRONT_DESK).open("/desk/closures")
        assert "1 in the past" in page.text
        assert "Nothing is closed." in page.text
