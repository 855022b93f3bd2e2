"""The desk's commonest tasks in a real browser: by keyboard alone with few keys, and by mouse; two people at once."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import count

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from portal.accounts.models import User
from portal.accounts.services import StaffRole, add_staff
from portal.booking.models import Appointment
from portal.booking.services import Details, build_appointment, find_or_build_patient
from portal.core import clock
from portal.core.crypto import new_token
from portal.core.db import db, transactional
from portal.scheduling.models import Location, Provider, Slot, SlotState, VisitType
from portal.scheduling.services import claim_slot, claim_time
from tests.browser.conftest import DESKTOP, PHONE, assert_accessible, assert_no_wider, follow

NUMBERS = count(2000)
PORTRAIT = {"width": 718, "height": 1000}  # as on paper, between its margins
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BEGINNING_SHOWS = """name => {
    const first = document.createRange(), box = name.getBoundingClientRect();
    first.setStart(name.firstChild, 0);
    first.setEnd(name.firstChild, 1);
    const letter = first.getBoundingClientRect();
    return box.left - 1 <= letter.left && letter.right <= box.right + 1;
}"""


class Keys:
    """A keyboard that counts: a text typed counts as one."""

    def __init__(self, page):
        self.page, self.pressed = page, 0

    def press(self, *keys):
        for key in keys:
            self.pressed += 1
            self.page.keyboard.press(key) if len(key) == 1 or key[0].isupper() else self.page.keyboard.type(key)

    def follow(self, *keys):
        """Press keys of which the last one leads to a new page."""
        self.press(*keys[:-1])
        with self.page.expect_navigation():
            self.press(keys[-1])


@transactional
def add_visit(slot):
    """A visit of a person of its own in that slot; its id, day and the end of the phone number."""
    number = next(NUMBERS)
    name, phone = f"Kim Number{number}", f"+1646555{number}"
    patient = find_or_build_patient(Details(name, date(1980, 5, 17), f"kim{number}@example.com", phone, "call", ""))
    visit = build_appointment(slot(), patient, new_token())
    db.session.add(visit)
    db.session.flush()
    return visit.id, visit.slot.day, str(number)


@pytest.fixture
def visit_now(portal):
    """Somebody whose visit has just begun."""
    with portal.app.app_context():
        provider = db.session.scalar(select(Provider).where(Provider.code == "ben"))
        free = db.session.scalar(select(Slot).where(Slot.provider_id == provider.id))
        yield add_visit(lambda: claim_time(provider.id, free.location_id, free.visit_type, clock.now()))
        transactional(leave)(provider.id)


def leave(provider_id):
    """Let what stands now be over, for the next test."""
    now = clock.now() - timedelta(hours=2)
    for slot in db.session.scalars(select(Slot).where(Slot.provider_id == provider_id, ~Slot.offered)):
        span = slot.ends_at - slot.starts_at
        slot.starts_at = slot.reserved_from = now - span * (next(NUMBERS) - 1999)
        slot.ends_at = slot.reserved_until = slot.starts_at + span


@pytest.fixture
def visit_to_come(portal):
    """Somebody with a visit on a day that has other free times of the kind."""
    with portal.app.app_context():
        free = (Slot.state == SlotState.FREE, Slot.offered, Slot.starts_at > clock.now() + timedelta(days=2))
        days = select(Slot.day).where(*free, Slot.visit_type.has(code="new")).group_by(Slot.day)
        day = db.session.scalar(days.having(func.count() > 3).order_by(Slot.day.desc()).limit(1))
        slot_id = db.session.scalar(
            select(Slot.id).where(*free, Slot.day == day, Slot.visit_type.has(code="new")).order_by(Slot.starts_at)
        )
        return add_visit(lambda: claim_slot(slot_id, None))


@transactional
def rename(visit_id, name):
    db.session.get(Appointment, visit_id).patient.name = name


def test_found_by_phone_and_taken_through_the_day_by_keyboard_alone(open_desk, visit_now):
    visit, day, digits = visit_now
    page = open_desk(f"/desk/day/{day}")
    keys = Keys(page)
    keys.follow("/", digits, "Enter")
    expect(page).to_have_url(re.compile(str(visit)))
    assert keys.pressed == 3
    for key, state in (("a", "arrived"), ("r", "in the room"), ("d", "done"), ("u", "in the room")):
        keys.follow(key)
        expect(page.locator("h1 .tag")).to_have_text(state)
    assert keys.pressed == 7
    assert_accessible(page)
    keys.follow("t")
    expect(page.locator("#board")).to_be_visible()


def test_on_the_board_one_key_notes_who_has_come_and_nothing_moves(open_desk, visit_now):
    visit, day, _ = visit_now
    page = open_desk(f"/desk/day/{day}")
    entry = page.locator(f"#visit-{visit}")
    entry.focus()
    Keys(page).press("a")
    expect(page.locator(f"li.arrived #visit-{visit}")).to_be_visible()
    expect(entry).to_be_focused()
    expect(page.locator("#recent")).to_contain_text("has arrived")
    Keys(page).press("r")
    expect(page.locator(f"li.checked-in #visit-{visit}")).to_be_visible()
    Keys(page).follow("u")
    expect(page.locator(f"li.arrived #visit-{visit}")).to_be_visible()


def test_a_key_for_what_is_the_front_desks_tells_a_clinician_so(open_browser, portal, visit_now):
    visit, day, _ = visit_now
    password = add_staff("ben@clinic.example", "Ben", StaffRole.CLINICIAN)
    transactional(give_diary)("ben@clinic.example", "ben")
    page = open_browser(viewport=DESKTOP)
    portal.sign_in(page, "ben@clinic.example", password)
    page.goto(f"/desk/day/{day}")
    page.locator(f"#visit-{visit}").focus()
    Keys(page).follow("a")
    expect(page.get_by_role("alert")).to_have_text("This was not done: it is for the front desk.")
    expect(page.locator("h1 .tag")).to_have_text("booked")


def give_diary(email, code):
    user = db.session.scalar(select(User).where(User.email == email))
    user.provider_id = db.session.scalar(select(Provider.id).where(Provider.code == code))


def test_a_key_that_reaches_nobody_says_so(open_desk, visit_now):
    visit, day, _ = visit_now
    page = open_desk(f"/desk/day/{day}")
    page.route("**/status", lambda route: route.abort())
    page.locator(f"#visit-{visit}").focus()
    Keys(page).follow("a")
    expect(page.get_by_role("alert")).to_contain_text("the portal could not be reached")


def test_a_visit_is_picked_up_and_put_down_by_keyboard(open_desk, visit_to_come):
    visit, day, _ = visit_to_come
    page = open_desk(f"/desk/day/{day}")
    keys = Keys(page)
    page.locator(f"#visit-{visit}").focus()
    keys.follow("m")
    expect(page.get_by_text("Choose a free time.")).to_be_visible()
    before = page.locator(f"#visit-{visit} b").inner_text()
    page.locator(f"#visit-{visit}").focus()
    keys.follow("ArrowDown", "Enter")
    expect(page.locator("#recent")).to_contain_text("Moved Kim")
    assert page.locator(f"#visit-{visit} b").inner_text() != before
    assert keys.pressed == 3
    keys.follow("u")
    expect(page.locator(f"#visit-{visit} b")).to_have_text(before)


def test_the_same_by_mouse(open_desk, visit_to_come):
    visit, day, _ = visit_to_come
    page = open_desk(f"/desk/day/{day}")
    target = page.locator("li.free [data-slot]").last
    begins = target.locator("b").inner_text()
    with page.expect_navigation():
        page.locator(f"#visit-{visit}").drag_to(target)
    expect(page.locator(f"#visit-{visit} b")).to_have_text(begins)
    follow(page.locator("#recent").get_by_role("button", name="Undo").first)
    expect(page.locator(f"#visit-{visit} b")).not_to_have_text(begins)


def test_cancelled_with_a_reason_and_taken_up_again_by_keyboard(open_desk, visit_to_come):
    visit, day, _ = visit_to_come
    page = open_desk(f"/desk/day/{day}")
    keys = Keys(page)
    page.locator(f"#visit-{visit}").focus()
    keys.follow("c")
    expect(page.locator("#reason-0")).to_be_focused()
    keys.press("Space", "Tab", "Tab")
    keys.follow("Enter")
    expect(page.locator("h1 .tag")).to_have_text("cancelled")
    assert keys.pressed == 5
    keys.follow("u")
    expect(page.locator("h1 .tag")).to_have_text("booked")


def test_times_are_blocked_and_opened_by_keyboard_and_by_dragging(open_desk, visit_to_come):
    _, day, _ = visit_to_come
    page = open_desk(f"/desk/day/{day}")
    keys = Keys(page)
    keys.follow("x")
    boxes = page.locator(".pick input")
    free = boxes.count()
    boxes.first.focus()
    keys.press("Space")
    page.fill("#times-reason", "Meeting")
    page.locator("#times-reason").focus()
    keys.follow("Enter")
    expect(page.get_by_text("1 time blocked: Meeting.")).to_be_visible()
    page.locator(".pick").nth(2).scroll_into_view_if_needed()
    start, end = (page.locator(".pick").nth(place).bounding_box() for place in (1, 2))
    page.mouse.move(start["x"] + 40, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] + 40, end["y"] + 8, steps=5)
    page.mouse.up()
    assert [boxes.nth(place).is_checked() for place in (1, 2)] == [True, True]
    page.locator(".pick input").nth(0).check()
    follow(page.get_by_role("button", name="Open them again"))
    assert page.locator(".pick .free, li.free .pick").count() == free


@pytest.mark.parametrize(
    ("typed", "path"), [("+2w", "/desk/day/"), ("book", "/desk/book"), ("holiday", "/desk/closures")]
)
def test_days_and_actions_are_three_keys_away(open_desk, typed, path):
    page = open_desk("/desk/requests")
    keys = Keys(page)
    keys.follow("/", typed, "Enter")
    expect(page).to_have_url(re.compile(path))
    assert keys.pressed == 3


def test_results_appear_while_typing_and_arrows_lead_through_them(open_desk, visit_to_come):
    page = open_desk("/desk/requests")
    keys = Keys(page)
    keys.press("/", "kim number")
    expect(page.locator("#hits a").first).to_contain_text("Kim Number")
    keys.press("ArrowDown")
    expect(page.locator("#hits a").first).to_be_focused()
    assert_accessible(page)
    keys.press("Escape")
    expect(page.locator("#hits a")).to_have_count(0)


def test_a_key_hides_the_names_from_who_looks_over_the_shoulder(open_desk, visit_to_come):
    visit, day, _ = visit_to_come
    page = open_desk(f"/desk/day/{day}")
    Keys(page).follow("h")
    expect(page.locator(f"#visit-{visit} strong")).to_have_text("K. N.")
    Keys(page).follow("h")
    expect(page.locator(f"#visit-{visit} strong")).to_contain_text("Kim Number")


def test_letters_typed_while_a_call_is_filled_in_are_its_name_and_leave_the_last_booking_alone(open_desk, visit_now):
    visit, _, _ = visit_now
    page = open_desk(f"/desk/visit/{visit}")
    Keys(page).follow("a")
    page.goto("/desk/book")
    expect(page.locator("#recent")).to_contain_text("has arrived")  # "u" undoes it elsewhere
    page.locator(".time-button").first.click()
    expect(page.locator(".chosen")).to_be_focused()
    page.keyboard.type("ute thone")
    expect(page.locator("#name")).to_have_value("ute thone")
    page.locator(".chosen").focus()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.goto(f"/desk/visit/{visit}")
    expect(page.locator("h1 .tag")).to_have_text("arrived")


def test_a_note_half_written_is_not_left_by_a_letter_or_a_button_beside_it(open_desk, visit_now):
    visit, _, _ = visit_now
    page, asked = open_desk(f"/desk/visit/{visit}"), []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.fill("#note", "Comes with")
    page.get_by_role("heading", level=1).click()
    page.keyboard.type("aht")
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="End the link").click()
    expect(page.locator("#note")).to_have_value("Comes with")
    expect(page.locator("h1 .tag")).to_have_text("booked")
    follow(page.get_by_role("button", name="Add the note"))
    expect(page.locator(".note")).to_contain_text("Comes with")
    assert asked == ["Your note is not added yet and would be lost. Go on without it?"]


def test_a_note_half_written_goes_with_the_step_that_is_pressed(open_desk, visit_now):
    visit, _, _ = visit_now
    page = open_desk(f"/desk/visit/{visit}")
    page.fill("#note", "Comes with a wheelchair")
    page.get_by_role("button", name="Has arrived").click()
    expect(page.locator("h1 .tag")).to_have_text("arrived")
    expect(page.locator(".note")).to_contain_text("Comes with a wheelchair")


def test_of_two_people_at_one_visit_the_second_sees_what_the_first_just_did(open_desk, visit_to_come, portal):
    visit, _, _ = visit_to_come
    first, second = (open_desk(f"/desk/visit/{visit}") for _ in range(2))
    second.get_by_text("Cancel this visit", exact=True).click()
    second.get_by_label("The patient: the time is free again").check()
    second.fill("#words", "Called at nine")
    follow(first.get_by_role("link", name="Move", exact=True))
    follow(first.locator("button[data-slot]").last)
    follow(second.get_by_role("button", name="Cancel the visit"))
    expect(second.get_by_role("heading", level=1)).to_have_text("Somebody has changed this visit in the meantime")
    expect(second.get_by_text("Called at nine")).to_be_visible()
    assert_accessible(second)
    with portal.app.app_context():
        assert db.session.get(Appointment, visit).status == "booked"
    follow(second.get_by_role("button", name="Cancel it all the same"))
    expect(second.locator("h1 .tag")).to_have_text("cancelled")


def test_every_page_of_the_desk_is_accessible(open_desk, visit_to_come):
    visit, day, _ = visit_to_come
    page = open_desk("/desk/requests")
    for path in (f"visit/{visit}", "waitlist", "find", "keys", "times/open", f"day/{day}?times=1", "mail/"):
        page.goto(f"/desk/{path}")
        assert_accessible(page)


def test_a_name_of_any_length_breaks_no_page_and_no_sheet(open_desk, portal, visit_now):
    visit, day, _ = visit_now
    with portal.app.app_context():
        rename(visit, "Ann-" + "w" * 100)
    page = open_desk(f"/desk/day/{day}/sheet")
    page.set_viewport_size(PORTRAIT)
    page.emulate_media(media="print")
    assert page.evaluate(TOO_WIDE) <= 0
    page.emulate_media(media="screen")
    page.goto(f"/desk/visit/{visit}")
    page.get_by_text("Cancel this visit", exact=True).click()
    page.get_by_label("The patient: the time is free again").check()
    follow(page.get_by_role("button", name="Cancel the visit"))
    for path in (f"/desk/visit/{visit}", "/desk/closures"):
        page.goto(path)
        expect(page.locator("#recent")).to_contain_text("Cancelled Ann-")
        for size in (PHONE, DESKTOP):
            page.set_viewport_size(size)
            assert page.evaluate(TOO_WIDE) <= 0, (path, size)


def test_a_name_from_right_to_left_that_is_too_long_keeps_its_beginning(open_desk, portal, visit_now):
    visit, day, _ = visit_now
    with portal.app.app_context():
        rename(visit, "محمد بن عبد الله بن عبد المطلب القرشي الهاشمي " * 4)
    page = open_desk(f"/desk/day/{day}")
    assert page.locator(f"#visit-{visit} strong").evaluate(BEGINNING_SHOWS)
    page.goto(f"/desk/week/{day}")
    assert page.locator(f"#visit-{visit} bdi").evaluate(BEGINNING_SHOWS)


def test_the_week_into_which_a_visit_is_moved_is_accessible_and_fits_a_phone(open_desk, visit_now):
    visit, day, _ = visit_now
    page = open_desk(f"/desk/week/{day + timedelta(days=7)}?moving={visit}")
    expect(page.get_by_role("button", name="in person at East, with Ada Test, MD").first).to_be_visible()
    assert_accessible(page)


def test_the_day_into_which_a_visit_is_moved_fits_a_phone_and_shows_the_place(open_desk, portal, visit_now):
    visit, _, _ = visit_now
    with portal.app.app_context():
        day = transactional(let_it_be_in_person)(visit)
        was = transactional(name_place)("east", "New York, Sample Avenue at the Corner")
    try:
        page = open_desk(f"/desk/day/{day}?moving={visit}")
        words = page.get_by_role("button", name="move here, at New York").locator("i").first
        for size in (PHONE, DESKTOP):
            page.set_viewport_size(size)
            assert_no_wider(page, f"{size['width']} px")
            assert words.evaluate("words => words.offsetWidth <= words.closest('button').clientWidth")
    finally:
        with portal.app.app_context():
            transactional(name_place)("east", was)


def let_it_be_in_person(visit_id):
    """Let a visit be in person; a day with free times of its kind at another place."""
    new = db.session.scalar(select(VisitType).where(VisitType.code == "new"))
    db.session.get(Appointment, visit_id).visit_type = new
    free = (Slot.state == SlotState.FREE, Slot.offered, Slot.visit_type_id == new.id)
    return db.session.scalar(select(func.max(Slot.day)).where(*free))


def name_place(code, name):
    """Give a place another name; what it was called."""
    place = db.session.scalar(select(Location).where(Location.code == code))
    was, place.name = place.name, name
    return was
