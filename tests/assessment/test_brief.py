"""The headache brief: one page for the patient to keep and the clinician to read in thirty seconds."""

import pytest

from portal.assessment.answers import parse, to_json
from portal.assessment.brief import write_brief
from portal.assessment.models import Assessment
from portal.assessment.questionnaire import VERSION
from portal.assessment.rulebook import write_rulebook
from portal.core import pdf
from tests.assessment.test_each_pattern import TRIGEMINAL
from tests.assessment.test_walk import NECK
from tests.conftest import ROOT
from tests.visitor import Visitor

OLD_AND_NEW = {**NECK, "age_band": "65_plus", "timeline": "new_weeks"}


def test_it_says_lane_reasons_criteria_figures_and_what_was_tried(visitor):
    visitor.finish(**NECK)
    page = visitor.open("/assessment/result/brief")
    for fact in (
        "consult",
        "C16: your answers fit a kind of headache that has its own treatment",
        "cervicogenic headache: strong",
        '<li class="met">CHISG III: side-locked</li>',
        "CHISG II: relief by block",
        "8 to 14",
        "Physical therapy or exercises for the neck",
    ):
        assert fact in page.text


@pytest.mark.parametrize(
    ("answers", "lane", "why"),
    [
        ({**NECK, "age_band": "under_18"}, "consult", "C1: you are under 18"),
        (OLD_AND_NEW, "same day", "D10: A new headache at your age"),
    ],
)
def test_where_the_result_names_no_pattern_neither_does_the_own_page(visitor, answers, lane, why):
    visitor.answer(**answers)
    if lane == "same day":
        visitor.open(visitor.page.link("/assessment/pain_site"))  # "keep answering"
        while visitor.page.path != "/assessment/check":
            visitor.answer_page(answers)
    visitor.send()
    page = visitor.open("/assessment/result/brief")
    assert f"<h2>{lane}" in page.text
    assert why in page.text
    for word in ("Pattern", "cervicogenic", "arteritis", "CHISG III"):
        assert word not in page.text


def test_what_was_skipped_is_said_to_be_neither_met_nor_not_met():
    answers = {**TRIGEMINAL, "age_band": "18_49", "timeline": "stable", "along_with": None, "effect": None}
    brief = write_brief(Assessment(answers=to_json(parse(answers)), questionnaire_version=VERSION))
    (pattern,) = brief.patterns
    assert "C: innocuous trigger" in pattern.met
    assert not {"no autonomic signs", "B2: severe"} & {*pattern.met, *pattern.unmet}


def test_the_care_team_reads_the_patterns_and_dangers_that_the_own_page_leaves_out():
    brief = write_brief(Assessment(answers=to_json(parse(OLD_AND_NEW)), questionnaire_version=VERSION))
    assert "cervicogenic headache" in [pattern.name for pattern in brief.patterns]
    assert brief.reasons == ["D10: giant cell arteritis, a mass"]


@pytest.mark.skipif("not pdf.pdf_available()", reason="WeasyPrint needs Pango: `apt-get install libpango-1.0-0`")
def test_as_pdf_it_is_one_page_and_loads_nothing_from_anywhere(visitor, monkeypatch):
    import weasyprint

    pages = []
    genuine = weasyprint.HTML.write_pdf

    def count_pages(self, **options):
        pages.append(len(self.render(**options).pages))
        return genuine(self, **options)

    monkeypatch.setattr(weasyprint.HTML, "write_pdf", count_pages)
    visitor.finish(**{**NECK, "along_with": ["nausea", "light", "sound", "aura"], "med_days": "m15_plus"})
    response = visitor.client.get("/assessment/result/brief.pdf")
    assert response.mimetype == "application/pdf"
    assert response.data.startswith(b"%PDF")
    assert response.headers["Cache-Control"] == "no-store"
    assert pages == [1]


def test_without_the_pdf_library_there_is_the_page_to_print(visitor, monkeypatch):
    monkeypatch.setattr(pdf, "_weasyprint", lambda: None)
    visitor.finish(**NECK)
    page = visitor.open("/assessment/result/brief.pdf")
    assert page.path == "/assessment/result/brief"
    assert "As PDF" not in page.text


def test_it_belongs_to_the_person_and_to_staff_and_to_nobody_else(visitor, app, desk):
    visitor.finish(**NECK)
    visitor.book()
    stranger = Visitor(app)
    assert stranger.open("/assessment/result/brief").status == 404
    assert stranger.open("/assessment/result/brief.pdf").status == 404
    desk.open("/desk/")
    desk.open(desk.page.link("/desk/visit/"))
    brief = desk.page.link("/brief")
    assert "Jane Doe" in desk.open(brief).text
    assert stranger.open(brief).path == "/desk/sign-in"


def test_an_unfinished_assessment_has_none(visitor):
    visitor.answer(**NECK)
    assert visitor.open("/assessment/result/brief").status == 404


def test_the_rules_in_the_documentation_are_those_in_force():
    assert (ROOT / "docs" / "clinical-rules.md").read_text() == write_rulebook(), "run `make rules`"
