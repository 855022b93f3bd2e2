"""Who comes and how to reach them, as people type it; what is wrong in it is in test_booking.py."""

import pytest


@pytest.fixture
def patient(visitor):
    visitor.pass_safety()
    return visitor


@pytest.mark.both_engines  # PostgreSQL knows how long a text may be
def test_a_name_whose_letters_are_long_written_out_is_a_name(patient):
    assert patient.book(name="\ufdfa" * 20).outcome == "booked"


def test_who_goes_back_to_the_details_finds_them_as_they_are_typed(patient):
    patient.hold()
    patient.fill_in(date_of_birth="May 17, 1980", phone="+12125550177")
    values = patient.open("/book/details").form.values
    assert (values["date_of_birth"], values["phone"]) == (["5/17/1980"], ["(212) 555-0177"])
    assert patient.send().path == "/book/check"
