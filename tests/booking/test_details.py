"""Who comes and how to reach them, as people type it, right or wrong."""

import pytest
from sqlalchemy import text

from portal.core.db import db


@pytest.mark.both_engines  # PostgreSQL knows how long a text may be
def test_a_name_whose_letters_are_long_written_out_is_a_name(patient):
    assert patient.book(name="\ufdfa" * 20).outcome == "booked"


def test_who_goes_back_to_the_details_finds_them_as_they_are_typed(patient):
    patient.hold()
    patient.fill_in(date_of_birth="May 17, 1980", phone="+12125550177")
    values = patient.open("/book/details").form.values
    assert (values["date_of_birth"], values["phone"]) == (["5/17/1980"], ["(212) 555-0177"])
    assert patient.send().path == "/book/check"


def test_errors_keep_what_was_typed_and_say_what_to_write(patient):
    patient.hold()
    page = patient.fill_in(name="", date_of_birth="sometime", email="jane@", phone="12")
    assert (page.status, page.outcome, page.path) == (422, "invalid", "/book/details")
    assert page.errors == [
        "Enter the name of the person who comes.",
        "We could not read this date. Write it with all digits of the year, like 5/17/1980.",
        "Enter an e-mail address, like name@example.com.",
        "Enter a phone number with its area code, like 212 555 0142.",
    ]
    assert page.form.values["email"] == ["jane@"]
    assert page.form.values["date_of_birth"] == ["sometime"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 121),
        ("name", "\x00\x01"),
        ("email", "a@b"),
        ("email", "jane@example.com\r\nBcc: all@example.com"),
        ("email", "x" * 250 + "@example.com"),
        ("phone", "call me"),
        ("phone", "9" * 40),
        ("date_of_birth", "2/30/1980"),
        ("date_of_birth", "5/17/2090"),
        ("date_of_birth", "5/17/1800"),
        ("reach_by", "pigeon"),
        ("note", "x" * 501),
    ],
)
def test_hostile_details_are_refused_with_a_sentence(patient, field, value):
    patient.hold()
    page = patient.fill_in(**{field: value})
    assert page.status == 422
    assert len(page.errors) == 1


@pytest.mark.parametrize(
    "written",
    ["5/17/1980", "05/17/1980", "05171980", "1980-05-17", "5-17-1980", "5 17 1980", "May 17, 1980", "may 17 1980"],
)
def test_a_date_of_birth_is_read_however_it_is_typed(patient, written):
    patient.hold()
    assert "May 17, 1980" in patient.fill_in(date_of_birth=written).text


def test_for_a_child_one_is_asked_to_call_first_and_can_book_all_the_same(patient):
    patient.hold()
    assert "For a child or teenager, please call us first" not in patient.fill_in().text
    patient.open("/book/details")
    assert "For a child or teenager, please call us first" in patient.fill_in(date_of_birth="6/6/2019").text
    assert patient.send().outcome == "booked"


def test_names_with_markup_are_shown_as_text(patient):
    patient.hold()
    page = patient.fill_in(name="<b>Jane</b> O'Neill & Söhne")
    assert "&lt;b&gt;Jane&lt;/b&gt;" in page.text


def test_an_extension_is_not_dropped_in_silence(patient):
    patient.hold()
    page = patient.fill_in(phone="212 555 0177 ext. 12")
    assert page.errors == ["Enter a number that reaches you without an extension."]
    assert page.form.values["phone"] == ["212 555 0177 ext. 12"]


@pytest.mark.parametrize("phone", ["555-0142", "+1 555 0142"])
def test_a_number_without_its_area_code_could_not_be_called_and_is_asked_for_once_more(patient, phone):
    told = ["Enter a phone number with its area code, like 212 555 0142."]
    patient.hold()
    assert patient.fill_in(phone=phone).errors == told
    patient.open("/request/call-back")
    page = patient.send(name="Jane Doe", phone=phone, best_time="any")
    assert (page.status, page.errors, page.form.values["phone"]) == (422, told, [phone])


def test_what_is_stored_of_the_details_before_booking_is_encrypted(patient, app):
    patient.hold()
    patient.fill_in(note="I use a wheelchair")
    with app.app_context():
        stored = bytes(db.session.scalar(text("SELECT details FROM booking_draft")))
    assert b"Jane" not in stored
    assert b"wheelchair" not in stored
