"""How soon someone should be seen: the rules, in order of urgency; the first lane with a rule that holds wins.

Source of the red flags: SNNOOP10 (Do TP et al., Neurology 2019;92:134-144,
doi:10.1212/WNL.0000000000006697). The urgency given to each is our own and deliberately cautious; it
awaits sign-off by a clinician.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from portal.assessment.answers import Answers, prune
from portal.assessment.criteria import Answered, Case, Criterion, Fit, Fits, Named, Ticks, has
from portal.assessment.patterns import DAILY, PATTERNS, explain_fit, fit_patterns, fitting
from portal.assessment.questionnaire import NONE, RED_FLAGS
from portal.assessment.vocabulary import (
    ANY_BACKGROUND,
    ANY_BEHAVIOUR,
    BACKGROUND_CLEAR,
    BEHAVIOUR_FLAGS,
    CHANGED,
    EXERTION,
    IMMUNE,
    LYING_MORNING,
    MILD,
    NEW,
    NEW_OR_CHANGED,
    OVER_50,
    OVER_65,
    PREGNANT,
    SEVERE,
    STABLE,
    STEADILY_WORSE,
    UNDER_18,
    UNDER_50,
    UPRIGHT,
    VISION_DIM,
)

RULES_VERSION = "2026-11-22"


class Lane(StrEnum):
    """How soon someone should be seen, most urgent first."""

    EMERGENCY = "emergency"
    SAME_DAY = "same_day"
    CONSULT = "consult"
    SELF_CARE = "self_care"

    @property
    def may_book(self) -> bool:
        """Whether free appointments are offered online."""
        return self in {Lane.CONSULT, Lane.SELF_CARE}

    @property
    def outcome(self) -> str:
        """The lane as a page names it."""
        return self.value.replace("_", "-")


@dataclass(frozen=True)
class Rule:
    """One reason for a lane: when it holds, what it guards against, and what to tell the person."""

    id: str
    lane: Lane
    when: Criterion
    guards_against: str
    because: str = ""
    prompt: bool = False  # within days to two weeks


SAME_DAY_TRIGEMINAL_EXEMPTION = Named(
    "strong trigeminal fit with no sign on screen 5",
    Fits("trigeminal_neuralgia", Fit.STRONG) & ~ANY_BEHAVIOUR,
)
OTHER_BEHAVIOUR = has("headache_behaviour", *(flag for flag in BEHAVIOUR_FLAGS if flag != "vision_dim"))
LONE_STABLE_VISION_DIM = Named(
    "stable, under 50, and the only tick on screens 4 and 5",
    STABLE & UNDER_50 & BACKGROUND_CLEAR & ~OTHER_BEHAVIOUR,
)
JAW_CHEW = has("headache_behaviour", "jaw_chew")
TEMPLE_TENDER = has("headache_behaviour", "temple_tender")
BODY_UNWELL = has("headache_behaviour", "body_unwell")
THINNER = has("health_background", "thinner")
BP_VERY_HIGH = has("health_background", "bp_very_high")

EMERGENCY_RULES = (
    Rule(
        "E1",
        Lane.EMERGENCY,
        Named("any tick on screen 1", has("red_flags_now", *(RED_FLAGS.option_ids - {NONE}))),
        "bleed, stroke, infection, artery tear, glaucoma, poisoning, self-harm",
    ),
    Rule(
        "E2",
        Lane.EMERGENCY,
        OVER_50 & (JAW_CHEW | TEMPLE_TENDER) & VISION_DIM,
        "giant cell arteritis that threatens sight",
        "Dim sight with jaw pain or sore temples can mean an inflamed artery. Sight can be lost within hours.",
    ),
    Rule(
        "E3",
        Lane.EMERGENCY,
        IMMUNE & BODY_UNWELL & NEW_OR_CHANGED,
        "infection of the brain or its lining",
        "Feeling ill with a new headache and a weak immune system can mean an infection near the brain.",
    ),
    Rule(
        "E4",
        Lane.EMERGENCY,
        PREGNANT & (VISION_DIM | BP_VERY_HIGH),
        "pre-eclampsia, vein clot",
        "In pregnancy or just after, dim sight or very high blood pressure with headache is an emergency.",
    ),
)

SAME_DAY_RULES = (
    Rule(
        "D1",
        Lane.SAME_DAY,
        OVER_50 & (JAW_CHEW | (TEMPLE_TENDER & ~STABLE)),
        "giant cell arteritis",
        "From age 50, jaw pain on chewing or newly sore temples can mean an inflamed artery that endangers sight.",
    ),
    Rule(
        "D2",
        Lane.SAME_DAY,
        has("health_background", "cancer", "immune", "pregnant") & NEW_OR_CHANGED,
        "spread of a cancer, infection, pre-eclampsia",
        "With cancer, a weak immune system or pregnancy, a new or changed headache needs an exam today.",
    ),
    Rule(
        "D3",
        Lane.SAME_DAY,
        has("health_background", "head_injury") & (THINNER | OVER_65 | STEADILY_WORSE | LYING_MORNING),
        "slow bleed after a head injury",
        "After a head injury, your age, a blood thinner or a headache that grows can mean a slow bleed.",
    ),
    Rule(
        "D4",
        Lane.SAME_DAY,
        has("health_background", "estrogen_clot") & NEW_OR_CHANGED & (SEVERE | STEADILY_WORSE | LYING_MORNING),
        "clot in a vein of the brain",
        "Estrogen or a past clot, with a headache that is severe or growing, can mean a clot in a vein.",
    ),
    Rule(
        "D5",
        Lane.SAME_DAY,
        VISION_DIM & ~LONE_STABLE_VISION_DIM,
        "raised pressure, giant cell arteritis",
        "Sight that dims or blurs with a headache needs a look into the eyes today.",
    ),
    Rule(
        "D6",
        Lane.SAME_DAY,
        NEW_OR_CHANGED & (UPRIGHT | LYING_MORNING),
        "low or high pressure in the head, a mass",
        "A new headache that depends on lying or standing can mean the pressure in the head is off.",
    ),
    Rule(
        "D7",
        Lane.SAME_DAY,
        BODY_UNWELL & NEW_OR_CHANGED,
        "infection, giant cell arteritis",
        "Fever, night sweats or weight loss with a new or changed headache needs an exam and blood tests.",
    ),
    Rule(
        "D8",
        Lane.SAME_DAY,
        has("headache_behaviour", "rash"),
        "shingles near the eye",
        "A rash or blisters on the face or scalp may be shingles. Treatment works best early.",
    ),
    Rule(
        "D9",
        Lane.SAME_DAY,
        BP_VERY_HIGH,
        "hypertensive crisis",
        "Blood pressure of 180/120 or more needs care today.",
    ),
    Rule(
        "D10",
        Lane.SAME_DAY,
        ((OVER_65 & NEW) | (has("age_band", "50_64") & NEW & (SEVERE | STEADILY_WORSE)))
        & ~SAME_DAY_TRIGEMINAL_EXEMPTION,
        "giant cell arteritis, a mass",
        "A new headache at your age should be looked at soon, even when it feels ordinary.",
    ),
    Rule(
        "D11",
        Lane.SAME_DAY,
        EXERTION & NEW,
        "bleed, vessel spasm",
        "A new headache that starts with hard exercise or sex needs a check of the blood vessels.",
    ),
    Rule(
        "D12",
        Lane.SAME_DAY,
        NEW
        & SEVERE
        & has("pain_site", "neck_base", "back_head")
        & has("attack_length", "hours_days", "constant", "jabs_on_ache"),
        "tear of a neck artery",
        "New, strong pain in the neck or back of the head can come from a torn neck artery.",
    ),
    Rule(
        "D13",
        Lane.SAME_DAY,
        has("timeline", "new_days") & SEVERE & ~SAME_DAY_TRIGEMINAL_EXEMPTION,
        "a first or worst headache",
        "A strong headache in its first days needs an exam to be sure that it is harmless.",
    ),
    Rule(
        "D14",
        Lane.SAME_DAY,
        THINNER & has("timeline", "new_days"),
        "bleed",
        "With a blood thinner, a headache that began this week needs a check for bleeding.",
    ),
    Rule(
        "D15",
        Lane.SAME_DAY,
        has("along_with", "aura") & OVER_50 & NEW,
        "a passing stroke",
        "Zigzags or tingling for the first time after 50 can be a passing stroke.",
    ),
    Rule(
        "D16",
        Lane.SAME_DAY,
        UNDER_18 & (ANY_BACKGROUND | ANY_BEHAVIOUR),
        "serious causes in a child",
        "In a child or teenager, a headache with one of these signs needs a doctor today.",
    ),
)

# "When stable" is left out where a same-day rule already takes what is new or changed: so a skipped
# timeline is no way to a calmer lane.
CONSULT_RULES = (
    Rule("C1", Lane.CONSULT, UNDER_18, "a child", "you are under 18"),
    Rule(
        "C2",
        Lane.CONSULT,
        CHANGED,
        "a new cause under an old headache",
        "an old headache has changed",
        prompt=True,
    ),
    Rule(
        "C3",
        Lane.CONSULT,
        has("headache_behaviour", "cough_strain"),
        "pressure at the skull base",
        "coughing or straining starts it",
        prompt=True,
    ),
    Rule(
        "C4",
        Lane.CONSULT,
        has("health_background", "head_injury"),
        "effects of a head injury",
        "you hit your head in the last 3 months",
        prompt=True,
    ),
    Rule(
        "C5",
        Lane.CONSULT,
        has("health_background", "new_med"),
        "effect of a medicine",
        "it began after a new medicine",
        prompt=True,
    ),
    Rule(
        "C6",
        Lane.CONSULT,
        has("age_band", "50_64") & NEW,
        "giant cell arteritis, a mass",
        "it is new and you are over 50",
        prompt=True,
    ),
    Rule(
        "C7",
        Lane.CONSULT,
        has("headache_behaviour", "face_numb"),
        "a cause behind a neuralgia",
        "part of your face stays numb",
        prompt=True,
    ),
    Rule("C8", Lane.CONSULT, STEADILY_WORSE, "a growing cause", "it gets worse each week", prompt=True),
    Rule(
        "C9",
        Lane.CONSULT,
        UPRIGHT | LYING_MORNING,
        "low or high pressure in the head",
        "it depends on lying or standing",
        prompt=True,
    ),
    Rule("C10", Lane.CONSULT, EXERTION, "a vessel problem", "exercise or sex starts it", prompt=True),
    Rule("C11", Lane.CONSULT, VISION_DIM, "raised pressure", "your sight dims or blurs", prompt=True),
    Rule(
        "C12",
        Lane.CONSULT,
        NEW & ~MILD & SEVERE,
        "a serious new headache",
        "it is new and strong",
        prompt=True,
    ),
    Rule("C13", Lane.CONSULT, NEW & ~MILD, "a new headache that limits", "it is new and slows you down"),
    Rule(
        "C14",
        Lane.CONSULT,
        has("health_background", "cancer", "immune", "pregnant"),
        "a cause tied to the condition",
        "a health condition of yours matters for the choice of care",
    ),
    Rule(
        "C15",
        Lane.CONSULT,
        Fits("trigeminal_neuralgia") | Fits("cluster") | Fits("other_tac"),
        "a headache that needs a specialist soon",
        "your answers fit a kind of pain that a specialist should see soon",
        prompt=True,
    ),
    Rule(
        "C16",
        Lane.CONSULT,
        Fits("cervicogenic") | Fits("occipital_neuralgia") | Fits("medication_overuse"),
        "a headache with its own treatment",
        "your answers fit a kind of headache that has its own treatment",
    ),
    Rule(
        "C17",
        Lane.CONSULT,
        has("headache_days", "d8_14", "d15_plus") | (has("headache_days", "d4_7") & ~MILD),
        "many headache days",
        "you have many headache days",
    ),
    Rule(
        "C18",
        Lane.CONSULT,
        has("days_lost", "l6_10", "l11_20", "l21_plus"),
        "many lost days",
        "headache often stops your plans",
    ),
    Rule(
        "C19",
        Lane.CONSULT,
        has("med_days", "m10_14", "m15_plus"),
        "too many medicine days",
        "you need medicine on many days",
    ),
    Rule(
        "C20",
        Lane.CONSULT,
        has("tried", "preventive", "physio", "injections"),
        "treatment that did not last",
        "you have tried treatments already",
    ),
    Rule(
        "C21",
        Lane.CONSULT,
        Named(
            "screen 1, 4 or 5 skipped",
            ~(Answered("red_flags_now") & Answered("health_background") & Answered("headache_behaviour")),
        ),
        "a danger nobody asked about",
        "we do not know about the warning signs you skipped",
    ),
)

RULES = EMERGENCY_RULES + SAME_DAY_RULES + CONSULT_RULES


@dataclass(frozen=True)
class Evaluation:
    """What the rules make of a set of answers."""

    lane: Lane
    prompt: bool
    fired: tuple[Rule, ...]
    fits: dict[str, Fit]
    flags: tuple[str, ...]

    def to_json(self, ticks: Ticks) -> dict[str, object]:
        """As `flask assess` writes it and as it is stored with the assessment."""
        return {
            "triage": self.lane.value,
            "prompt": self.prompt,
            "patterns": {id: fit.name.lower() for id, fit in self.fits.items()},
            "reasons": {
                "rules": [rule.id for rule in self.fired],
                "patterns": {
                    pattern.id: dict(zip(("for", "against"), explain_fit(pattern, ticks), strict=True))
                    for pattern in PATTERNS
                    if pattern.id in self.fits
                },
            },
            "flags": list(self.flags),
            "rules_version": RULES_VERSION,
        }


def evaluate(answers: Answers) -> Evaluation:
    """Lane, patterns and flags for these answers; what is skipped or not yet asked is no evidence.

    Pure: the same answers and version give the same result. Skipping screen 1, 4 or 5 never gives a lane
    calmer than consult.
    """
    ticks = prune(answers)
    fits = fit_patterns(ticks)
    case = Case(ticks, fits)
    holding = [rule for rule in RULES if rule.when.holds(case)]
    lane = next((lane for lane in Lane if any(rule.lane is lane for rule in holding)), Lane.SELF_CARE)
    fired = tuple(rule for rule in holding if rule.lane is lane)
    return Evaluation(lane, any(rule.prompt for rule in fired), fired, fitting(fits), _flags(ticks, fits))


FLAGS: dict[str, Criterion] = {
    "aura": has("along_with", "aura"),
    "chronic_range": DAILY & (Fits("migraine") | Fits("tension_type")),
    "tn_secondary_check": Fits("trigeminal_neuralgia")
    & (has("pain_side", "both", "switches") | has("headache_behaviour", "face_numb") | has("age_band", "18_49")),
    "neck_pain_may_be_moh": Fits("medication_overuse") & Fits("cervicogenic"),
}


def _flags(ticks: Ticks, fits: dict[str, Fit]) -> tuple[str, ...]:
    case = Case(ticks, fits)
    return tuple(name for name, criterion in FLAGS.items() if criterion.holds(case))
