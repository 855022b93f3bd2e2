"""What holds for the rules as a whole, over any answers a person could give."""

from hypothesis import given
from hypothesis import strategies as st

from portal.assessment.answers import parse, prune
from portal.assessment.criteria import Answered, Fits, Has
from portal.assessment.flow import SAFETY_QUESTIONS
from portal.assessment.patterns import PATTERNS
from portal.assessment.questionnaire import NONE, QUESTIONS, RED_FLAGS
from portal.assessment.rules import FLAGS, RULES, Lane
from portal.assessment.triage import evaluate

LANES = list(Lane)  # most urgent first


def options(question):
    """Every way to answer one question: an option, several, or a skip."""
    ids = sorted(question.option_ids)
    if question.kind == "one":
        return st.sampled_from([None, *ids])
    return st.one_of(st.none(), st.just([NONE] if NONE in ids else []), st.lists(st.sampled_from(ids), unique=True))


any_answers = st.fixed_dictionaries({}, optional={id: options(question) for id, question in QUESTIONS.items()})


def lane_of(raw):
    return evaluate(parse(raw)).lane


@given(any_answers, st.sampled_from(sorted(RED_FLAGS.option_ids - {NONE})))
def test_a_red_flag_is_an_emergency_whatever_else_is_answered(raw, flag):
    assert lane_of({**raw, "red_flags_now": [*(raw.get("red_flags_now") or []), flag]}) is Lane.EMERGENCY


@given(any_answers, st.sampled_from(["health_background", "headache_behaviour"]), st.data())
def test_one_more_danger_sign_never_gives_a_calmer_lane(raw, question_id, data):
    sign = data.draw(st.sampled_from(sorted(QUESTIONS[question_id].option_ids - {NONE})))
    ticked = [option for option in raw.get(question_id) or [] if option != NONE]
    before = lane_of({**raw, question_id: ticked or [NONE]})
    after = lane_of({**raw, question_id: [*ticked, sign]})
    # The one exemption: a strong trigeminal fit is no exemption any more once a sign is ticked, never the reverse.
    assert LANES.index(after) <= LANES.index(before)


@given(any_answers, st.sampled_from([question.id for question in SAFETY_QUESTIONS]))
def test_skipping_a_safety_screen_never_ends_in_self_care(raw, question_id):
    assert lane_of({**raw, question_id: None}) is not Lane.SELF_CARE


@given(any_answers, st.sampled_from(sorted(QUESTIONS)))
def test_skipping_never_gives_a_calmer_lane_than_the_most_harmless_answer(raw, question_id):
    harmless = [[option] for option in QUESTIONS[question_id].option_ids]
    calmest = max(LANES.index(lane_of({**raw, question_id: answer})) for answer in harmless)
    assert LANES.index(lane_of({**raw, question_id: None})) <= calmest


@given(any_answers, st.randoms())
def test_the_order_of_questions_and_ticks_does_not_matter(raw, random):
    items = list(raw.items())
    random.shuffle(items)
    shuffled = {key: random.sample(value, len(value)) if isinstance(value, list) else value for key, value in items}
    assert evaluate(parse(shuffled)) == evaluate(parse(raw))


@given(any_answers)
def test_answers_of_closed_branches_count_for_nothing(raw):
    answers = parse(raw)
    assert evaluate(answers) == evaluate(prune(answers))


def test_every_rule_names_only_questions_options_and_patterns_that_exist():
    declared = [rule.when for rule in RULES] + list(FLAGS.values())
    for pattern in PATTERNS:
        declared += [pattern.strong, pattern.some, pattern.excluded, pattern.at_most_some]
        declared += [clue.criterion for clue in pattern.clues]
    for criterion in filter(None, declared):
        for part in criterion.parts():
            if isinstance(part, Has):
                assert part.options <= QUESTIONS[part.question].option_ids
            elif isinstance(part, Answered):
                assert part.question in QUESTIONS
            elif isinstance(part, Fits):
                assert part.pattern in {pattern.id for pattern in PATTERNS}


def test_rule_ids_are_unique_and_say_their_lane():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(rule.id.startswith({"emergency": "E", "same_day": "D", "consult": "C"}[rule.lane]) for rule in RULES)
