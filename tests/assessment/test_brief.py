"""The headache brief: one page for the patient to keep and the clinician to read in thirty seconds."""

import pytest

from portal.assessment.rulebook import write_rulebook
from portal.core import pdf
from tests.assessment.test_walk import NECK
from tests.conftest import ROOT
from tests.visitor import Visitor


def test_it_says_lane_reasons_criteria_figures_and_what_was_tried(visitor):
    visitor.finish(**NECK)
    page = visitor.open("/assessment/result/brief")
    for fact in (
        "consult",
        "C16: a headache with its own treatment",
        "cervicogenic headache: strong",
        '<li class="met">CHISG III: side-locked</li>',
        "CHISG II: relief by block",
        "8 to 14",
        "Physical therapy or exercises for the neck",
    ):
        assert fact in page.text


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
