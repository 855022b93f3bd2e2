"""Published and composed cases: the rules give each the lane and the patterns that were expected of it."""

import json
from pathlib import Path

import pytest

from portal.assessment.answers import parse
from portal.assessment.criteria import Fit
from portal.assessment.rules import Lane
from portal.assessment.triage import evaluate

CASES = json.loads((Path(__file__).parent / "vignettes.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_case_gets_the_lane_and_the_patterns_its_authors_found(case):
    evaluation = evaluate(parse(case["answers"]))

    assert evaluation.lane == case["expected_triage"]
    if evaluation.lane is not Lane.EMERGENCY:
        expected_any = case["expected_patterns_any_of"]
        assert not expected_any or evaluation.fits.keys() & set(expected_any)
        assert evaluation.fits.keys() >= set(case.get("expected_patterns_all_of", []))
        strong = {pattern for pattern, fit in evaluation.fits.items() if fit is Fit.STRONG}
        assert not strong & set(case["must_not_patterns"])
