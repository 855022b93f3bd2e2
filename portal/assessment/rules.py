"""The triage rules, as data: when each holds, what it guards against, what it tells the person.

Source of the red flags: SNNOOP10 (Do TP et al., Neurology 2019;92:134-144, doi:10.1212/WNL.0000000000006697).
The urgency given to each, and where to go, are our own and deliberately cautious; they await sign-off by a
clinician (sign-off.toml).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from portal.assessment.criteria import Answered, Criterion, Fit, Fits, Named, has
from portal.assessment.patterns import DAILY
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

RULES_VERSION = "2026-11-24"


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

    @property
    def words(self) -> str:
        """The lane as staff read it."""
        return self.value.replace("_", " ")


@dataclass(frozen=True)
class Place:
    """Where to be seen today; `department` when an emergency department does, where nobody needs an appointment."""

    words: str
    department: bool = False


@dataclass(frozen=True)
class Rule:
    """One reason for a lane.

    `because` says it to the person, `see` where to go for it today; `prompt` asks for a consult within days
    to two weeks.
    """

    id: str
    lane: Lane
    when: Criterion
    guards_against: str
    because: str = ""
    see: Place | None = None
    prompt: bool = False


def emergency(id: str, when: Criterion, guards_against: str, because: str = "") -> Rule:
    """A rule that sends to 911."""
    return Rule(id, Lane.EMERGENCY, when, guards_against, because)


def same_day(id: str, when: Criterion, guards_against: str, because: str, see: Place) -> Rule:
    """A rule that asks for an exam today."""
    return Rule(id, Lane.SAME_DAY, when, guards_against, because, see)


def consult(id: str, when: Criterion, guards_against: str, because: str, prompt: bool = False) -> Rule:
    """A rule that speaks for a consult."""
    return Rule(id, Lane.CONSULT, when, guards_against, because, prompt=prompt)


JAW_CHEW = has("headache_behaviour", "jaw_chew")
TEMPLE_TENDER = has("headache_behaviour", "temple_tender")
BODY_UNWELL = has("headache_behaviour", "body_unwell")
HEAD_INJURY = has("health_background", "head_injury")
THINNER = has("health_background", "thinner")
BP_VERY_HIGH = has("health_background", "bp_very_high")
AGE_50_64 = has("age_band", "50_64")
NEW_DAYS = has("timeline", "new_days")
STRONG_TRIGEMINAL = Named(
    "strong trigeminal fit, and screen 5 answered with none",
    Fits("trigeminal_neuralgia", Fit.STRONG) & Answered("headache_behaviour") & ~ANY_BEHAVIOUR,
)
LONE_STABLE_VISION_DIM = Named(
    "stable, under 50, and the only tick on screens 4 and 5",
    STABLE & UNDER_50 & BACKGROUND_CLEAR & ~has("headache_behaviour", *(BEHAVIOUR_FLAGS - {"vision_dim"})),
)
SAFETY_ANSWERED = (
    Answered("red_flags_now")
    & Answered("age_band")
    & Answered("timeline")
    & Answered("health_background")
    & Answered("headache_behaviour")
)

EMERGENCY_DEPARTMENT = Place("an emergency department, because it may take a scan", department=True)
EYES = Place("an emergency department or an eye doctor, because your eyes must be looked into", department=True)
PRESSURE = Place("an urgent care center or an emergency department", department=True)
TEAM = Place("the team that looks after your condition or pregnancy, or an emergency department", department=True)
CHILD = Place("the child's doctor, or a children's emergency department", department=True)
BLOOD_TEST = Place("your own doctor or an urgent care center that can test your blood today")
RASH = Place("your own doctor or an urgent care center; an eye doctor if the rash is near the eye")
OWN_DOCTOR = Place("your own doctor, or an urgent care center")
PLACES = (EMERGENCY_DEPARTMENT, EYES, PRESSURE, TEAM, CHILD, BLOOD_TEST, RASH, OWN_DOCTOR)  # most urgent first

EMERGENCY_RULES = (
    emergency(
        "E1",
        Named("any tick on screen 1", has("red_flags_now", *(RED_FLAGS.option_ids - {NONE}))),
        "bleed, stroke, infection, artery tear, glaucoma, poisoning, self-harm",
    ),
    emergency(
        "E2",
        OVER_50 & (JAW_CHEW | TEMPLE_TENDER) & VISION_DIM,
        "giant cell arteritis that threatens sight",
        "Dim sight or a pulse in the ears, with jaw pain or sore temples, can mean an inflamed artery. "
        "Sight can be lost within hours.",
    ),
    emergency(
        "E3",
        IMMUNE & BODY_UNWELL & NEW_OR_CHANGED,
        "infection of the brain or its lining",
        "Feeling ill with a new or changed headache and a weak immune system can mean an infection near the brain.",
    ),
    emergency(
        "E4",
        PREGNANT & (VISION_DIM | BP_VERY_HIGH),
        "pre-eclampsia, vein clot",
        "In pregnancy or just after, dim sight, a pulse in the ears or very high blood pressure with a headache is an "
        "emergency.",
    ),
)

SAME_DAY_RULES = (
    same_day(
        "D1",
        OVER_50 & (JAW_CHEW | (TEMPLE_TENDER & ~STABLE)),
        "giant cell arteritis",
        "From age 50, jaw pain when you chew or newly sore temples can mean an inflamed artery that endangers sight.",
        BLOOD_TEST,
    ),
    same_day(
        "D2",
        has("health_background", "cancer", "immune", "pregnant") & NEW_OR_CHANGED,
        "spread of a cancer, infection, pre-eclampsia",
        "With cancer, a weak immune system or pregnancy, a new or changed headache needs an exam today.",
        TEAM,
    ),
    same_day(
        "D3",
        HEAD_INJURY & (THINNER | OVER_65 | STEADILY_WORSE | LYING_MORNING),
        "slow bleed after a head injury",
        "After a blow to the head, your age, a blood thinner or a headache that grows can mean a slow bleed.",
        EMERGENCY_DEPARTMENT,
    ),
    same_day(
        "D4",
        has("health_background", "estrogen_clot") & NEW_OR_CHANGED & (SEVERE | STEADILY_WORSE | LYING_MORNING),
        "clot in a vein of the brain",
        "Estrogen or a past clot, with a headache that is severe or growing, can mean a clot in a vein.",
        EMERGENCY_DEPARTMENT,
    ),
    same_day(
        "D5",
        VISION_DIM & ~LONE_STABLE_VISION_DIM,
        "raised pressure, giant cell arteritis",
        "Sight that dims or blurs, or a pulse in the ears, with a headache needs a look into the eyes today.",
        EYES,
    ),
    same_day(
        "D6",
        NEW_OR_CHANGED & (UPRIGHT | LYING_MORNING),
        "low or high pressure in the head, a mass",
        "A new or changed headache that depends on lying or standing can mean that the pressure in the head is off.",
        OWN_DOCTOR,
    ),
    same_day(
        "D7",
        BODY_UNWELL & NEW_OR_CHANGED,
        "infection, giant cell arteritis",
        "Fever, night sweats or weight loss with a new or changed headache needs an exam and blood tests.",
        OWN_DOCTOR,
    ),
    same_day(
        "D8",
        has("headache_behaviour", "rash"),
        "shingles near the eye",
        "A rash or blisters on the face or scalp may be shingles. Treatment works best early.",
        RASH,
    ),
    same_day(
        "D9",
        BP_VERY_HIGH,
        "hypertensive crisis",
        "Blood pressure of 180/120 or more needs care today.",
        PRESSURE,
    ),
    same_day(
        "D10",
        ((OVER_65 & NEW) | (AGE_50_64 & NEW & (SEVERE | STEADILY_WORSE))) & ~STRONG_TRIGEMINAL,
        "giant cell arteritis, a mass",
        "A new headache at your age should be looked at today, even when it feels ordinary.",
        OWN_DOCTOR,
    ),
    same_day(
        "D11",
        EXERTION & NEW,
        "bleed, vessel spasm",
        "A new headache that starts with hard exercise or sex needs a check of the blood vessels.",
        EMERGENCY_DEPARTMENT,
    ),
    same_day(
        "D12",
        NEW
        & SEVERE
        & has("pain_site", "neck_base", "back_head")
        & has("attack_length", "hours_days", "constant", "jabs_on_ache"),
        "tear of a neck artery",
        "New, strong pain in the neck or back of the head can come from a torn neck artery.",
        EMERGENCY_DEPARTMENT,
    ),
    same_day(
        "D13",
        NEW_DAYS & SEVERE & ~STRONG_TRIGEMINAL,
        "a first or worst headache",
        "A strong headache in its first days needs an exam to be sure that it is harmless.",
        OWN_DOCTOR,
    ),
    same_day(
        "D14",
        THINNER & NEW_DAYS,
        "bleed",
        "With a blood thinner, a headache that began this week needs a check for bleeding.",
        EMERGENCY_DEPARTMENT,
    ),
    same_day(
        "D15",
        has("along_with", "aura") & OVER_50 & NEW,
        "a passing stroke",
        "Zigzags or tingling for the first time after 50 can be a passing stroke.",
        EMERGENCY_DEPARTMENT,
    ),
    same_day(
        "D16",
        UNDER_18 & (ANY_BACKGROUND | ANY_BEHAVIOUR),
        "serious causes in a child",
        "In a child or teenager, what you ticked about health or how the headache behaves needs a doctor today.",
        CHILD,
    ),
)

# "When stable" is left out where a same-day rule already takes what is new or changed, and C21 takes every
# skipped age and timeline: so a skip is no way to a calmer lane.
CONSULT_RULES = (
    consult("C1", UNDER_18, "a child", "you are under 18"),
    consult("C2", CHANGED, "a new cause under an old headache", "an old headache has changed", prompt=True),
    consult(
        "C3",
        has("headache_behaviour", "cough_strain"),
        "pressure at the skull base",
        "coughing or straining starts it",
        prompt=True,
    ),
    consult("C4", HEAD_INJURY, "effects of a head injury", "you hit your head in the last 3 months", prompt=True),
    consult(
        "C5",
        has("health_background", "new_med"),
        "effect of a medicine",
        "it began after a new medicine",
        prompt=True,
    ),
    consult("C6", AGE_50_64 & NEW, "giant cell arteritis, a mass", "it is new and you are over 50", prompt=True),
    consult(
        "C7",
        has("headache_behaviour", "face_numb"),
        "a cause behind a neuralgia",
        "part of your face stays numb",
        prompt=True,
    ),
    consult("C8", STEADILY_WORSE, "a growing cause", "it gets worse each week", prompt=True),
    consult("C9", UPRIGHT | LYING_MORNING, "low or high pressure", "it depends on lying or standing", prompt=True),
    consult("C10", EXERTION, "a vessel problem", "exercise or sex starts it", prompt=True),
    consult("C11", VISION_DIM, "raised pressure", "your sight dims or blurs, or you hear your pulse", prompt=True),
    consult("C12", NEW & ~MILD & SEVERE, "a serious new headache", "it is new and strong", prompt=True),
    consult("C13", NEW & ~MILD, "a new headache that limits", "it is new and slows you down"),
    consult(
        "C14",
        has("health_background", "cancer", "immune", "pregnant", "thinner"),
        "a cause tied to the condition, a bleed",
        "a health condition or medicine of yours matters for the choice of care",
    ),
    consult(
        "C15",
        Fits("trigeminal_neuralgia") | Fits("cluster") | Fits("other_tac"),
        "a headache that needs a specialist soon",
        "your answers fit a kind of pain that a specialist should see soon",
        prompt=True,
    ),
    consult(
        "C16",
        Fits("cervicogenic") | Fits("occipital_neuralgia") | Fits("medication_overuse"),
        "a headache with its own treatment",
        "your answers fit a kind of headache that has its own treatment",
    ),
    consult(
        "C17",
        has("headache_days", "d8_14") | DAILY | (has("headache_days", "d4_7") & ~MILD),
        "many headache days",
        "you have many headache days",
    ),
    consult(
        "C18", has("days_lost", "l6_10", "l11_20", "l21_plus"), "many lost days", "headache often stops your plans"
    ),
    consult("C19", has("med_days", "m10_14", "m15_plus"), "too many medicine days", "you need medicine on many days"),
    consult(
        "C20",
        has("tried", "preventive", "physio", "injections"),
        "treatment that did not last",
        "you have tried treatments already",
    ),
    consult(
        "C21",
        Named("one of screens 1 to 5 skipped", ~SAFETY_ANSWERED),
        "a danger nobody asked about",
        "you skipped a question that tells whether a headache can wait",
    ),
)

RULES = EMERGENCY_RULES + SAME_DAY_RULES + CONSULT_RULES

FLAGS: dict[str, Criterion] = {
    "aura": has("along_with", "aura"),
    "chronic_range": DAILY & (Fits("migraine") | Fits("tension_type")),
    "tn_secondary_check": Fits("trigeminal_neuralgia")
    & (has("pain_side", "both", "switches") | has("headache_behaviour", "face_numb") | has("age_band", "18_49")),
    "neck_pain_may_be_moh": Fits("medication_overuse") & Fits("cervicogenic"),
}
FLAG_WORDS = {
    "aura": "aura: stroke risk with smoking or estrogen; first aura after 50 needs review",
    "chronic_range": "chronic range: 15 or more headache days a month",
    "tn_secondary_check": "trigeminal pain: MRI for a hidden cause",
    "neck_pain_may_be_moh": "sort out pills before neck procedures",
}
