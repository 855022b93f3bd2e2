"""Wrong, missing, repeated and hostile answers get a clear page and lose nothing."""

import pytest

BAD = {
    "an option that does not exist": {"age_band": "200"},
    "an option of another question": {"age_band": "thunderclap"},
    "two answers to a question with one": {"age_band": ["18_49", "50_64"]},
    "a script": {"age_band": "<script>alert(1)</script>"},
    "nothing": {},
    "a NUL character": {"age_band": "\x00"},
    "a very long text": {"age_band": "x" * 20_000},
}


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def at_age(visitor):
    visitor.open("/assessment/")
    visitor.send()
    visitor.send(red_flags_now="none")
    assert visitor.page.path == "/assessment/age_band"
    return visitor


@pytest.mark.parametrize("values", BAD.values(), ids=BAD)
def test_a_bad_answer_asks_again_and_says_so(at_age, values):
    page = at_age.send(next="1", **values)
    assert (page.status, page.outcome, page.path) == (422, "invalid", "/assessment/age_band")
    assert page.errors
    assert "<script>alert" not in page.text
    assert at_age.send(age_band="18_49").path == "/assessment/timeline"


def test_what_was_ticked_well_is_kept_when_another_question_of_the_page_is_empty(visitor):
    visitor.open("/assessment/")
    visitor.send()
    while visitor.page.path != "/assessment/headache_days":
        visitor.answer_page({})
    page = visitor.send(headache_days="d4_7", next="1")
    assert page.status == 422
    assert page.form.values["headache_days"] == ["d4_7"]


def test_none_of_these_together_with_a_sign_counts_as_the_sign(visitor):
    visitor.open("/assessment/")
    visitor.send()
    assert visitor.send(red_flags_now=["none", "thunderclap"]).outcome == "emergency"


def test_an_unknown_question_is_an_ordinary_missing_page(visitor):
    page = visitor.open("/assessment/shoe_size")
    assert page.status == 404
    assert "tel:2125550100" in page.links


def test_a_form_larger_than_any_honest_one_is_refused_kindly(at_age):
    page = at_age.send(age_band="x" * 200_000)
    assert page.status == 413
    assert "too long" in page.heading


def test_an_answer_from_a_page_without_its_token_is_refused_and_explained(visitor, app):
    page = visitor.post("/assessment/red_flags_now", {"red_flags_now": "none"})
    assert (page.status, page.outcome) == (400, "expired")
    assert "If we do not know any more which booking or check this belongs to, it begins anew" in page.text


def test_an_answer_to_a_question_that_is_not_open_yet_leads_to_the_one_that_is(at_age):
    form = at_age.page.form
    page = at_age.post("/assessment/tried", {**form.values, "tried": "nothing"})
    assert page.path == "/assessment/age_band"


def test_a_cookie_that_names_no_journey_or_nonsense_starts_afresh(visitor):
    with visitor.client.session_transaction() as session:
        session["journey"] = "no journey"
    assert visitor.open("/assessment/result").path == "/assessment/"
    with visitor.client.session_transaction() as session:
        session["journey"] = "00000000-0000-0000-0000-000000000000"
    visitor.open("/assessment/")
    visitor.send()
    assert visitor.send(red_flags_now="none").path == "/assessment/age_band"
