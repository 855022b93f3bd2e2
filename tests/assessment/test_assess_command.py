"""`flask assess`: many cases at once, one JSON object a line."""

import json

import pytest


@pytest.fixture
def assess(app):
    def run(*lines):
        result = app.test_cli_runner().invoke(args=["assess"], input="\n".join(lines))
        return [json.loads(line) for line in result.output.splitlines()], result.exit_code

    return run


def test_each_line_gets_a_result_with_lane_patterns_reasons_and_version(assess):
    emergency = json.dumps({"red_flags_now": ["thunderclap"]})
    neck = json.dumps(
        {
            "red_flags_now": ["none"],
            "health_background": ["none"],
            "headache_behaviour": ["none"],
            "timeline": "stable",
            "pain_side": "same_side",
            "neck_link": ["neck_move", "neck_stiff"],
        }
    )
    (first, second), status = assess(emergency, "", neck)
    assert status == 0
    assert (first["triage"], first["reasons"]["rules"]) == ("emergency", ["E1"])
    assert (second["triage"], second["patterns"]) == ("consult", {"cervicogenic": "strong"})
    assert "always the same side" in second["reasons"]["patterns"]["cervicogenic"]["for"]
    assert second.keys() == {"triage", "prompt", "patterns", "reasons", "flags", "rules_version"}


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"shoe_size": "9"}',
        '{"age_band": "young"}',
        '{"age_band": 7}',
        '{"age_band": [["18_49"]]}',
        "[" * 100_000,
    ],
    ids=["text", "list", "question", "option", "number", "nested", "deep"],
)
def test_a_line_that_cannot_be_read_says_which_and_why_and_the_others_go_on(assess, line):
    results, status = assess(line, '{"red_flags_now": ["none"]}')
    assert status == 1
    assert results[0]["line"] == 1
    assert results[0]["error"]
    assert results[1]["triage"] == "consult"
