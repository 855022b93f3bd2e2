"""Every triage rule has a case in which it alone fires, and the more urgent of two rules always wins."""

from itertools import combinations

import pytest

from portal.assessment.answers import parse
from portal.assessment.criteria import Case
from portal.assessment.patterns import fit_patterns
from portal.assessment.questionnaire import NONE, QUESTIONS, RED_FLAGS
from portal.assessment.rules import RULES, Lane
from portal.assessment.triage import evaluate

# Answers after which nothing is left to do but look after oneself.
HARMLESS = {
    "red_flags_now": ["none"],
    "age_band": "18_49",
    "timeline": "stable",
    "health_background": ["none"],
    "headache_behaviour": ["none"],
    "pain_site": ["temple_forehead"],
    "pain_side": "unsure",
    "attack_length": "quarter_3h",
    "pain_feel": ["ache"],
    "effect": "carry_on",
    "along_with": ["none"],
    "neck_link": ["none"],
    "headache_days": "d1_3",
    "med_days": "m0_9",
    "days_lost": "l0_5",
    "tried": ["otc"],
}
# For each rule the least that makes it fire, on top of the harmless answers.
WITNESS = {
    "E1": {"red_flags_now": ["thunderclap"]},
    "E2": {"age_band": "50_64", "headache_behaviour": ["jaw_chew", "vision_dim"]},
    "E3": {"timeline": "changed", "health_background": ["immune"], "headache_behaviour": ["body_unwell"]},
    "E4": {"health_background": ["pregnant"], "headache_behaviour": ["vision_dim"]},
    "D1": {"age_band": "50_64", "headache_behaviour": ["jaw_chew"]},
    "D2": {"timeline": "changed", "health_background": ["cancer"]},
    "D3": {"health_background": ["head_injury", "thinner"]},
    "D4": {"timeline": "changed", "health_background": ["estrogen_clot"], "effect": "lie_down"},
    "D5": {"age_band": "50_64", "headache_behaviour": ["vision_dim"]},
    "D6": {"timeline": "changed", "headache_behaviour": ["upright"]},
    "D7": {"timeline": "changed", "headache_behaviour": ["body_unwell"]},
    "D8": {"headache_behaviour": ["rash"]},
    "D9": {"health_background": ["bp_very_high"]},
    "D10": {"age_band": "65_plus", "timeline": "new_weeks"},
    "D11": {"timeline": "new_weeks", "headache_behaviour": ["exertion_sex"]},
    "D12": {"timeline": "new_weeks", "effect": "lie_down", "pain_site": ["neck_base"], "attack_length": "hours_days"},
    "D13": {"timeline": "new_days", "effect": "lie_down"},
    "D14": {"timeline": "new_days", "health_background": ["thinner"]},
    "D15": {"age_band": "50_64", "timeline": "new_weeks", "along_with": ["aura"]},
    "D16": {"age_band": "under_18", "headache_behaviour": ["steadily_worse"]},
    "C1": {"age_band": "under_18"},
    "C2": {"timeline": "changed"},
    "C3": {"headache_behaviour": ["cough_strain"]},
    "C4": {"health_background": ["head_injury"]},
    "C5": {"health_background": ["new_med"]},
    "C6": {"age_band": "50_64", "timeline": "new_weeks"},
    "C7": {"headache_behaviour": ["face_numb"]},
    "C8": {"headache_behaviour": ["steadily_worse"]},
    "C9": {"headache_behaviour": ["upright"]},
    "C10": {"headache_behaviour": ["exertion_sex"]},
    "C11": {"headache_behaviour": ["vision_dim"]},
    "C12": {"timeline": "new_weeks", "effect": "lie_down"},  # and with it C13, which it contains
    "C13": {"timeline": "new_weeks", "effect": "slowed"},
    "C14": {"health_background": ["cancer"]},
    "C15": {"pain_side": "same_side", "along_with": ["eye_nose"]},
    "C16": {"neck_link": ["block_helped"]},
    "C17": {"headache_days": "d8_14"},
    "C18": {"days_lost": "l6_10"},
    "C19": {"med_days": "m10_14", "med_types": ["simple"]},
    "C20": {"tried": ["physio"]},
    "C21": {"health_background": None},
}
PROMPT = {"C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C15"}


def case(*ids):
    merged = dict(HARMLESS)
    for id in ids:
        for question_id, value in WITNESS[id].items():
            before = merged[question_id] if question_id in merged and question_id in WITNESS[ids[0]] else None
            merged[question_id] = sorted({*before, *value}) if isinstance(before, list) and value else value
    return merged


def fired(answers):
    return {rule.id for rule in evaluate(parse(answers)).fired}


def test_the_harmless_answers_fire_no_rule():
    evaluation = evaluate(parse(HARMLESS))
    assert (evaluation.lane, evaluation.fired) == (Lane.SELF_CARE, ())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_alone_gives_its_lane(rule):
    evaluation = evaluate(parse(case(rule.id)))
    assert evaluation.lane is rule.lane
    assert {rule.id for rule in evaluation.fired} - {rule.id} <= {"C13"}
    assert rule.id in {rule.id for rule in evaluation.fired}
    assert rule.prompt == (rule.id in PROMPT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_does_not_fire_once_its_reason_is_gone(rule):
    for question_id in WITNESS[rule.id]:
        assert rule.id not in fired({**case(rule.id), question_id: HARMLESS.get(question_id, ["simple"])}) or (
            question_id in {"med_types"}
        )


@pytest.mark.parametrize("flag", sorted(RED_FLAGS.option_ids - {NONE}))
def test_every_red_flag_alone_is_an_emergency(flag):
    assert fired({**HARMLESS, "red_flags_now": [flag]}) == {"E1"}


def test_of_two_rules_that_hold_the_more_urgent_one_wins():
    order = list(Lane)
    pairs = 0
    for one, other in combinations(RULES, 2):
        answers = parse(case(one.id, other.id))
        both = Case(answers, fit_patterns(answers))
        if one.when.holds(both) and other.when.holds(both):
            pairs += 1
            assert order.index(evaluate(answers).lane) <= min(order.index(one.lane), order.index(other.lane))
    assert pairs > 500  # of 820; the answers of the others exclude each other


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        (("D10",), "your own doctor, or an urgent care center"),
        (("D10", "D14"), "an emergency department, because it may take a scan"),
        (("D1", "D10"), "your own doctor or an urgent care center that can test your blood today"),
        (("D5", "D10"), "an emergency department or an eye doctor, because your eyes must be looked into"),
        (("D9", "D16"), "an emergency department, because it may take a scan"),  # neither's other place does for both
    ],
)
def test_of_all_places_that_rules_name_the_person_is_sent_to_the_one_that_does_for_all(rules, place):
    evaluation = evaluate(parse(case(*rules)))
    assert {rule.id for rule in evaluation.fired} >= set(rules)
    assert evaluation.place.words == place


EXEMPT = {
    "age_band": "65_plus",
    "timeline": "new_days",
    "pain_site": ["face"],
    "pain_side": "same_side",
    "attack_length": "seconds",
    "pain_feel": ["shock"],
    "effect": "lie_down",
    "touch_triggers": ["face_touch"],
}


def test_a_strong_trigeminal_fit_without_a_sign_is_a_prompt_consult_and_no_same_day():
    evaluation = evaluate(parse({**HARMLESS, **EXEMPT}))
    assert (evaluation.lane, evaluation.prompt) == (Lane.CONSULT, True)


def test_with_a_sign_it_is_same_day_after_all():
    assert {"D10", "D13"} <= fired({**HARMLESS, **EXEMPT, "headache_behaviour": ["steadily_worse"]})


def test_a_lone_dim_sight_is_same_day_as_soon_as_anything_else_is_ticked_or_unknown():
    lone = {**HARMLESS, "headache_behaviour": ["vision_dim"]}
    assert fired(lone) == {"C11"}
    assert "D5" in fired({**lone, "headache_behaviour": ["vision_dim", "jaw_chew"]})
    assert "D5" in fired({**lone, "health_background": ["thinner"]})
    assert "D5" in fired({**lone, "health_background": None})
    assert "D5" in fired({**lone, "timeline": None})
    assert "D5" in fired({**lone, "age_band": None})


@pytest.mark.parametrize("skipped", ["headache_behaviour", "along_with"])
def test_a_new_strong_pain_in_the_face_waits_only_where_nothing_that_speaks_against_it_was_skipped(skipped):
    face = {"pain_site": ["face"], "pain_side": "same_side", "attack_length": "seconds", "pain_feel": ["shock"]}
    face |= {"touch_triggers": ["face_touch"], "timeline": "new_days", "effect": "lie_down"}
    assert evaluate(parse({**HARMLESS, **face})).lane is Lane.CONSULT
    assert "D13" in fired({**face, skipped: None})


@pytest.mark.parametrize(
    "answers",
    [
        {"health_background": ["thinner"], "timeline": "new_weeks"},
        {"age_band": "65_plus", "timeline": None, "effect": "lie_down"},
        {"headache_behaviour": ["body_unwell"], "timeline": None},
        {"headache_behaviour": ["jaw_chew"], "age_band": None},
    ],
    ids=[
        "blood thinner",
        "old, nobody knows since when",
        "unwell, nobody knows since when",
        "jaw, nobody knows how old",
    ],
)
def test_who_may_be_in_danger_is_never_told_to_take_a_pill_and_wait(answers):
    assert evaluate(parse({**HARMLESS, **answers})).lane is Lane.CONSULT


def test_every_question_of_the_cases_exists():
    assert {*HARMLESS, "med_types", "touch_triggers"} == set(QUESTIONS)
