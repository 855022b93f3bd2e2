"""Each pattern: a textbook case fits strongly, one step less fits somewhat, and what excludes it excludes it."""

import pytest

from portal.assessment.answers import parse
from portal.assessment.criteria import Fit
from portal.assessment.patterns import PATTERNS, explain_fit, fit_patterns

BASE = {"timeline": "stable", "along_with": ["none"], "headache_days": "d4_7", "med_days": "m0_9"}
MIGRAINE = {"attack_length": "hours_days", "pain_side": "switches", "pain_feel": ["throb"], "along_with": ["nausea"]}
TENSION = {"attack_length": "hours_days", "pain_side": "both", "pain_feel": ["press"], "effect": "slowed"}
CLUSTER = {
    "pain_site": ["eye"],
    "pain_side": "same_side",
    "attack_length": "quarter_3h",
    "effect": "pace",
    "along_with": ["eye_nose"],
}
NECK = {"pain_side": "same_side", "neck_link": ["neck_move", "neck_stiff"], "attack_length": "hours_days"}
OCCIPITAL = {
    "pain_site": ["back_head"],
    "pain_feel": ["shock"],
    "attack_length": "seconds",
    "along_with": ["scalp_touch"],
    "touch_triggers": ["scalp_press"],
}
TRIGEMINAL = {
    "pain_site": ["face"],
    "pain_side": "same_side",
    "attack_length": "seconds",
    "pain_feel": ["shock"],
    "effect": "lie_down",
    "touch_triggers": ["face_touch"],
}
OVERUSE = {"headache_days": "d15_plus", "med_days": "m10_14", "med_types": ["triptan"]}

STRONG, SOME, NONE = Fit.STRONG, Fit.SOME, Fit.NONE
CASES = [
    ("migraine", MIGRAINE, {}, STRONG),
    ("migraine", MIGRAINE, {"along_with": ["light", "sound"]}, STRONG),
    ("migraine", MIGRAINE, {"along_with": ["light"]}, SOME),
    ("migraine", MIGRAINE, {"attack_length": "quarter_3h"}, SOME),
    ("migraine", MIGRAINE, {"pain_side": "both"}, SOME),
    ("migraine", MIGRAINE, {"timeline": "new_days"}, SOME),
    ("migraine", MIGRAINE, {"timeline": "new_weeks", "headache_days": "d1_3"}, SOME),
    ("migraine", MIGRAINE, {"timeline": "new_weeks"}, STRONG),
    ("migraine", MIGRAINE, {"attack_length": "seconds"}, NONE),
    ("migraine", {"along_with": ["aura"]}, {}, SOME),
    ("migraine", {"along_with": ["aura", "nausea"]}, {}, STRONG),
    ("migraine", {"along_with": ["aura", "nausea"]}, {"timeline": "new_weeks"}, SOME),
    ("tension_type", TENSION, {}, STRONG),
    ("tension_type", TENSION, {"effect": "lie_down"}, STRONG),
    ("tension_type", TENSION, {"effect": "lie_down", "along_with": ["move_worse"]}, NONE),
    ("tension_type", TENSION, {"pain_side": "unsure"}, SOME),
    ("tension_type", TENSION, {"pain_feel": ["press", "throb"]}, SOME),
    ("tension_type", TENSION, {"along_with": ["nausea"]}, NONE),
    ("tension_type", TENSION, {"along_with": ["light", "sound"]}, NONE),
    ("tension_type", TENSION, {"along_with": ["eye_nose"]}, NONE),
    ("tension_type", TENSION, {"along_with": None}, NONE),
    ("tension_type", TENSION, {"attack_length": "minutes"}, NONE),
    ("cluster", CLUSTER, {}, STRONG),
    ("cluster", CLUSTER, {"along_with": ["none"]}, SOME),
    ("cluster", CLUSTER, {"effect": "slowed"}, SOME),
    ("cluster", CLUSTER, {"along_with": ["none"], "effect": "lie_down"}, NONE),
    ("cluster", CLUSTER, {"attack_length": "hours_days"}, NONE),
    ("cluster", CLUSTER, {"pain_side": "both"}, NONE),
    ("other_tac", CLUSTER, {"attack_length": "minutes"}, SOME),
    ("other_tac", CLUSTER, {"attack_length": "constant", "along_with": ["none"]}, SOME),
    ("other_tac", CLUSTER, {}, NONE),
    ("cervicogenic", NECK, {}, STRONG),
    ("cervicogenic", NECK, {"neck_link": ["neck_press", "arm_shoulder"]}, STRONG),
    ("cervicogenic", NECK, {"neck_link": ["neck_move"]}, SOME),
    ("cervicogenic", NECK, {"neck_link": ["starts_neck", "neck_stiff"]}, SOME),
    ("cervicogenic", NECK, {"neck_link": ["block_helped"]}, SOME),
    ("cervicogenic", NECK, {"neck_link": ["block_helped", "after_injury"]}, STRONG),
    ("cervicogenic", NECK, {"neck_link": ["neck_stiff"]}, NONE),
    ("cervicogenic", NECK, {"neck_link": ["starts_neck"]}, NONE),
    ("cervicogenic", NECK, {"attack_length": "seconds"}, SOME),
    ("cervicogenic", NECK, {"pain_side": "both", "neck_link": ["after_injury", "block_helped"]}, SOME),
    ("cervicogenic", NECK, {"pain_side": "both", "neck_link": ["after_injury", "neck_stiff", "neck_move"]}, STRONG),
    ("occipital_neuralgia", OCCIPITAL, {}, STRONG),
    ("occipital_neuralgia", OCCIPITAL, {"along_with": ["none"]}, SOME),
    ("occipital_neuralgia", OCCIPITAL, {"attack_length": "hours_days"}, NONE),
    ("occipital_neuralgia", OCCIPITAL, {"pain_feel": ["throb"]}, NONE),
    ("occipital_neuralgia", OCCIPITAL, {"pain_site": ["face"]}, NONE),
    ("trigeminal_neuralgia", TRIGEMINAL, {}, STRONG),
    ("trigeminal_neuralgia", TRIGEMINAL, {"pain_side": "switches"}, SOME),
    ("trigeminal_neuralgia", TRIGEMINAL, {"along_with": ["eye_nose"]}, SOME),
    ("trigeminal_neuralgia", TRIGEMINAL, {"touch_triggers": ["none"]}, SOME),
    ("trigeminal_neuralgia", TRIGEMINAL, {"touch_triggers": ["none"], "effect": "slowed"}, NONE),
    ("trigeminal_neuralgia", TRIGEMINAL, {"pain_site": ["eye"]}, NONE),
    ("trigeminal_neuralgia", TRIGEMINAL, {"pain_feel": ["ache"]}, NONE),
    ("medication_overuse", OVERUSE, {}, STRONG),
    ("medication_overuse", OVERUSE, {"med_days": "m15_plus", "med_types": ["simple"]}, STRONG),
    ("medication_overuse", OVERUSE, {"med_types": ["simple"]}, SOME),
    ("medication_overuse", OVERUSE, {"med_types": ["unsure"]}, NONE),
    ("medication_overuse", OVERUSE, {"headache_days": "d8_14"}, SOME),
    ("medication_overuse", OVERUSE, {"timeline": "new_weeks"}, NONE),
    ("medication_overuse", OVERUSE, {"med_days": "m0_9"}, NONE),
]


@pytest.mark.parametrize(("pattern", "answers", "change", "fit"), CASES, ids=lambda value: str(value)[:60])
def test_a_pattern_fits_as_its_criteria_say(pattern, answers, change, fit):
    assert fit_patterns(parse({**BASE, **answers, **change}))[pattern] is fit


def against(answers):
    """What speaks against occipital neuralgia."""
    pattern = next(pattern for pattern in PATTERNS if pattern.id == "occipital_neuralgia")
    return explain_fit(pattern, parse(answers))[1]


def test_what_was_skipped_or_is_not_known_speaks_against_nothing():
    told = {"pain_site": ["back_head"], "pain_side": "switches", "attack_length": "hours_days"}
    assert len(against({**told, "along_with": ["none"], "touch_triggers": ["none"]})) > len(against(told)) > 0
    assert against({"pain_site": ["back_head"], "pain_side": "unsure"}) == ()
