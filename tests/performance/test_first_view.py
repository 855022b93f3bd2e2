"""What a phone loads on a slow line, in bytes as they are sent: the first view of a page, and each step after it."""

import re

import pytest

from tests.visitor import Visitor

COMPRESSED = {"Accept-Encoding": "br"}
STEP = {**COMPRESSED, "HX-Request": "true", "HX-Request-Type": "partial"}
LOADED = re.compile(r'<(?:script|link rel="(?:stylesheet|icon)")[^>]* (?:src|href)="([^"]+)"')
# Most requests, and most kilobytes; pages that are only read load no script.
FIRST_VIEW = {
    "/": (4, 7),
    "/articles/migraine": (4, 14),
    "/book/confirmed": (4, 7),
    "/assessment/red_flags_now": (6, 21),
    "/book/": (6, 22),
}
MOST_A_STEP = 3500  # which leaves some 600 for the headers


@pytest.fixture
def patient(keeping):
    """Somebody who has booked."""
    person = Visitor(keeping)
    person.pass_safety()
    person.book()
    return person


def get(person, path, headers=COMPRESSED):
    response = person.client.get(path, headers=headers)
    assert response.status_code == 200
    return response.get_data()


def begin_assessment(person):
    person.open("/assessment/")
    person.send()


@pytest.mark.parametrize("path", FIRST_VIEW)
def test_the_first_view_of_a_page_is_small(patient, path):
    if path.startswith("/assessment/"):
        begin_assessment(patient)
    files = LOADED.findall(patient.client.get(path).text)
    assert files
    sizes = [len(get(patient, address)) for address in (path, *files)]
    most_requests, most_kilobytes = FIRST_VIEW[path]
    assert len(sizes) <= most_requests
    assert sum(sizes) <= most_kilobytes * 1024


def test_each_question_comes_in_one_small_step(patient):
    begin_assessment(patient)
    steps = []
    for _ in range(30):
        form = patient.page.form
        if "skip" not in dict(form.buttons):
            break
        choices = {name: "none" for name, options in form.choices.items() if "none" in options}
        answer = patient.client.post(form.action, data={**form.values, **choices, "skip": "1"}, headers=STEP)
        steps.append(len(answer.get_data()))
        if "HX-Push-Url" not in answer.headers:
            break
        patient.open(answer.headers["HX-Push-Url"])
    assert len(steps) > 10
    assert max(steps) <= MOST_A_STEP


@pytest.mark.parametrize("asked", ["slot=7", "mode=phone&zone=Asia/Kolkata", "weekdays=0&weekdays=1", "view=month"])
def test_free_times_narrowed_or_asked_for_again_are_one_small_step(patient, asked):
    assert 0 < len(get(patient, f"/book/?{asked}", STEP)) <= MOST_A_STEP


def test_what_is_compressed_repeats_no_words_of_its_address(patient):
    """Words that another site chose, compressed beside a form's token, would tell of the token."""
    asked = "&".join(
        f"{name}=guessed" for name in ("view", "month", "mode", "provider", "day", "weekdays", "zone", "x")
    )
    for headers in ({}, {"HX-Request": "true"}):
        assert "guessed" not in patient.client.get(f"/book/?{asked}&guessed=1", headers=headers).text


def test_links_in_a_narrowed_list_keep_what_it_is_narrowed_to(patient):
    page = patient.open("/book/?mode=in-person&part_of_day=morning&weekdays=0&weekdays=4&slot=1&zone=Asia/Tokyo")
    month = page.link("view=month")
    assert month == "/book/?mode=in-person&part_of_day=morning&weekdays=0&weekdays=4&view=month"
    day = patient.open(month).link("&day=")
    assert "mode=in-person&part_of_day=morning&day=2026-" in day
    assert "weekdays=0&weekdays=4" in day
