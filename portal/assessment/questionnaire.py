"""The questions, as data: 14 screens, in the order in which they are asked.

Ids are a contract: they name form fields, addresses, stored answers and the cases of the rules' tests.
What an option informs is named by the criterion of ICHD-3 (doi:10.1177/0333102417738202), of the
Cervicogenic Headache International Study Group 1998 (CHISG), or by the red flag of SNNOOP10
(doi:10.1212/WNL.0000000000006697). Questionnaires under copyright (MIDAS, HIT-6, ID-Migraine, NDI) are
not used; every question is worded for this portal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from portal.assessment.criteria import Criterion, has

VERSION = "2026-11-22"
NONE, UNSURE = "none", "unsure"  # options that rule out the others of their question


@dataclass(frozen=True)
class Option:
    """One answer to tick: its id, its words, a hint below them, and what it informs."""

    id: str
    words: str
    informs: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Question:
    """One question; `many` lets several options be ticked, `shown_when` says for whom it is asked."""

    id: str
    words: str
    kind: Literal["one", "many"]
    options: tuple[Option, ...]
    hint: str = ""
    shown_when: Criterion | None = None

    @property
    def option_ids(self) -> frozenset[str]:
        return frozenset(option.id for option in self.options)

    def option(self, option_id: str) -> Option:
        """The option of that id. Raises KeyError when the question has none such."""
        for option in self.options:
            if option.id == option_id:
                return option
        raise KeyError(option_id)


class Screen:
    """Questions asked on one page; its address is the id of the first."""

    def __init__(self, *questions: Question) -> None:
        self.questions = questions

    @property
    def id(self) -> str:
        return self.questions[0].id


def one(id: str, words: str, *options: Option, hint: str = "", shown_when: Criterion | None = None) -> Question:
    """A question with exactly one answer."""
    return Question(id, words, "one", options, hint, shown_when)


def many(id: str, words: str, *options: Option, hint: str = "", shown_when: Criterion | None = None) -> Question:
    """A question in which everything that fits is ticked."""
    return Question(id, words, "many", options, hint, shown_when)


SHORT_ATTACKS = has("attack_length", "seconds", "minutes", "jabs_on_ache")
MANY_MEDICINE_DAYS = has("med_days", "m10_14", "m15_plus")
NONE_OF_THESE = Option(NONE, "None of these")

RED_FLAGS = many(
    "red_flags_now",
    "Do you have any of these now?",
    Option("thunderclap", "A very bad headache that hit its worst within 5 minutes", "SNNOOP10 4: bleed, RCVS"),
    Option(
        "neuro",
        "Sudden weakness, a numb face or arm, trouble speaking or walking, spinning dizziness, a fit or a faint",
        "SNNOOP10 3: stroke, artery tear, vein clot",
        "Do not count warning signs you know from past migraines.",
    ),
    Option("confusion", "New confusion, or very hard to wake", "SNNOOP10 3"),
    Option("fever_neck", "Fever with a stiff neck, a new rash, or light that hurts", "SNNOOP10 1: meningitis"),
    Option("vision", "Sudden loss of sight, or new double vision", "giant cell arteritis, SNNOOP10 3, 9"),
    Option("eye_red", "A red, painful eye with blurred sight or rings around lights", "SNNOOP10 12: acute glaucoma"),
    Option(
        "eyelid_pupil",
        "A new droopy eyelid, or one pupil bigger than the other",
        "artery tear, aneurysm",
        "New, and not only during short attacks you have had before.",
    ),
    Option(
        "neck_sudden",
        "Sudden neck or back-of-head pain, not like any before",
        "tear of a neck artery",
        "It may follow a fall, a crash, a neck twist or neck treatment.",
    ),
    Option(
        "preg_alarm",
        "Pregnant or a baby in the last 6 weeks, with a bad headache, spots in my sight, belly pain or new swelling",
        "SNNOOP10 11: pre-eclampsia, vein clot",
    ),
    Option("injury_alarm", "I hit my head, and now I feel worse, sleepy, or throw up", "SNNOOP10 13"),
    Option(
        "co_gas",
        "It clears each time I leave home, others there feel sick too, or a gas alarm went off",
        "carbon monoxide",
    ),
    Option(
        "self_harm",
        "Thoughts of hurting myself or ending my life",
        "crisis line 988",
        "You matter. Call or text 988 any time (US).",
    ),
    NONE_OF_THESE,
)
AGE_BAND = one(
    "age_band",
    "How old are you?",
    Option("under_18", "Under 18", "out of scope"),
    Option("18_49", "18 to 49"),
    Option("50_64", "50 to 64", "SNNOOP10 5; giant cell arteritis from 50"),
    Option("65_plus", "65 or older", "SNNOOP10 5"),
)
AGES = {"under_18": range(18), "18_49": range(18, 50), "50_64": range(50, 65), "65_plus": range(65, 200)}  # in years
TIMELINE = one(
    "timeline",
    "When did this kind of pain start?",
    Option("new_days", "In the last 7 days", "SNNOOP10 6"),
    Option("new_weeks", "1 week to 3 months ago", "SNNOOP10 6"),
    Option("stable", "Over 3 months ago, about the same", "ICHD-3 A"),
    Option("changed", "Over 3 months ago, but it has changed or got worse", "SNNOOP10 6, 10"),
)
HEALTH_BACKGROUND = many(
    "health_background",
    "Do any of these fit you?",
    Option("cancer", "Cancer, now or before", "SNNOOP10 2"),
    Option("immune", "A weak immune system (HIV, chemo, transplant, steroids)", "SNNOOP10 14"),
    Option("pregnant", "Pregnant, or a baby in the last 6 weeks", "SNNOOP10 11"),
    Option("thinner", "I take a blood thinner", "bleeding"),
    Option("estrogen_clot", "Estrogen pill, patch or ring, or a past blood clot", "vein clot"),
    Option("head_injury", "A head knock, fall or crash in the last 3 months", "SNNOOP10 13"),
    Option("new_med", "A new medicine just before it began", "SNNOOP10 15"),
    Option("bp_very_high", "Blood pressure of 180/120 or more", "hypertensive crisis"),
    NONE_OF_THESE,
)
HEADACHE_BEHAVIOUR = many(
    "headache_behaviour",
    "Do any of these fit your headache?",
    Option("jaw_chew", "My jaw tires or hurts when I chew", "giant cell arteritis"),
    Option("temple_tender", "My temples or scalp are newly sore", "giant cell arteritis"),
    Option("body_unwell", "Fever, night sweats or weight loss", "SNNOOP10 1"),
    Option("upright", "Much worse upright, better lying flat", "SNNOOP10 7: low pressure"),
    Option("lying_morning", "Worse lying down, or wakes me and I throw up", "SNNOOP10 7, 9: high pressure"),
    Option("cough_strain", "Starts with a cough, sneeze or strain", "SNNOOP10 8"),
    Option("exertion_sex", "Starts with hard exercise or sex", "SNNOOP10 8"),
    Option(
        "vision_dim",
        "My sight dims or blurs, or I hear my pulse in my ears",
        "SNNOOP10 9: raised pressure, giant cell arteritis",
    ),
    Option("rash", "A rash or blisters on my face or scalp", "shingles"),
    Option("steadily_worse", "Worse each week, and pills do not help", "SNNOOP10 10"),
    Option("face_numb", "Part of my face stays numb or weak", "secondary neuralgia"),
    NONE_OF_THESE,
)
PAIN_SITE = many(
    "pain_site",
    "Where is the pain?",
    Option("neck_base", "Upper neck or base of the skull", "ICHD-3 11.2.1, 13.4"),
    Option("back_head", "Back of the head", "ICHD-3 13.4 A"),
    Option("temple_forehead", "Temple or forehead", "ICHD-3 3.1 B"),
    Option("eye", "In or behind one eye", "ICHD-3 3.1 B"),
    Option("face", "Cheek, jaw, teeth or lips", "ICHD-3 13.1.1 A"),
    Option("all_over", "All over, or like a band", "ICHD-3 2.2 C"),
    hint="Tap all the spots.",
)
PAIN_SIDE = one(
    "pain_side",
    "Which side is it on?",
    Option("same_side", "Always the same side", "CHISG III; ICHD-3 13.1.1"),
    Option("switches", "One side, but it can switch", "ICHD-3 1.1 C1"),
    Option("both", "Both sides", "ICHD-3 2.2 C1"),
    Option(UNSURE, "Not sure"),
)
ATTACK_LENGTH = one(
    "attack_length",
    "If you take nothing, how long does one attack last?",
    Option("seconds", "Seconds, up to 2 minutes", "ICHD-3 13.1.1 B1, 13.4 B1"),
    Option("minutes", "2 to 15 minutes", "ICHD-3 13.4 B1, 3.2"),
    Option("quarter_3h", "15 minutes to 3 hours", "ICHD-3 3.1 B, 2.2 B"),
    Option("hours_days", "More than 3 hours, up to 3 days", "ICHD-3 1.1 B, 2.2 B"),
    Option("constant", "More than 3 days, or it never fully stops", "ICHD-3 1.3, 2.3, 3.4"),
    Option("jabs_on_ache", "Short jabs on top of a steady ache", "ICHD-3 13.4, 13.1.1.2"),
)
PAIN_FEEL = many(
    "pain_feel",
    "What does it feel like?",
    Option("throb", "Throbbing or pounding", "ICHD-3 1.1 C2"),
    Option("press", "Pressing or tight", "ICHD-3 2.2 C2"),
    Option("shock", "Electric, stabbing or shooting", "ICHD-3 13.1.1 B3, 13.4 B3"),
    Option("ache", "A dull, deep ache", "CHISG IV"),
    Option("bore", "Burning or drilling", "ICHD-3 3.1"),
    hint="Tick all that fit.",
)
EFFECT = one(
    "effect",
    "At its worst, what can you do?",
    Option("carry_on", "Carry on as normal", "mild: ICHD-3 2.2 C3"),
    Option("slowed", "I slow down", "moderate: ICHD-3 1.1 C3, 2.2 C3"),
    Option("lie_down", "I have to stop or lie down", "severe: ICHD-3 1.1 C3, 13.1.1"),
    Option("pace", "Too bad to sit still: I pace or rock", "severe and restless: ICHD-3 3.1 C2"),
)
ALONG_WITH = many(
    "along_with",
    "What comes with the pain?",
    Option("nausea", "Feeling sick or throwing up", "ICHD-3 1.1 D1"),
    Option("light", "Light bothers me", "ICHD-3 1.1 D2"),
    Option("sound", "Sound bothers me", "ICHD-3 1.1 D2"),
    Option("move_worse", "Walking or stairs make it worse", "ICHD-3 1.1 C4"),
    Option("aura", "Zigzags, spots or tingling that grow slowly and clear within an hour", "ICHD-3 1.2"),
    Option("eye_nose", "Same side: red or wet eye, runny or blocked nose, puffy eyelid", "ICHD-3 3.1 C1"),
    Option("scalp_touch", "Scalp hurts when I brush my hair or lie on a pillow", "ICHD-3 13.4 C1"),
    NONE_OF_THESE,
    hint="Tick all that fit.",
)
TOUCH_TRIGGERS = many(
    "touch_triggers",
    "Does a light touch set off the pain?",
    Option("face_touch", "Yes: touching my face, chewing, talking, brushing teeth, or wind", "ICHD-3 13.1.1 C"),
    Option("scalp_press", "Yes: pressing one spot at the back of my head", "ICHD-3 13.4 C2"),
    Option(NONE, "No"),
    shown_when=SHORT_ATTACKS | has("pain_feel", "shock"),
)
NECK_LINK = many(
    "neck_link",
    "How is your neck linked to the pain?",
    Option("neck_move", "Turning my neck or holding one position brings it on", "CHISG Ia1; ICHD-3 C3"),
    Option("neck_press", "Pressing my upper neck brings on the same headache", "CHISG Ia2"),
    Option("neck_stiff", "I cannot turn or bend my neck as far as before", "CHISG Ib; ICHD-3 C3"),
    Option("starts_neck", "It starts in my neck and moves up", "CHISG IV"),
    Option("after_injury", "It began after a neck injury or problem", "ICHD-3 C1"),
    Option("arm_shoulder", "Same-side shoulder or arm pain", "CHISG Ic"),
    Option("block_helped", "A numbing shot in my neck took it away for a while", "CHISG II; ICHD-3 C4"),
    NONE_OF_THESE,
    hint="Tick all that fit.",
)
HEADACHE_DAYS = one(
    "headache_days",
    "How many days a month do you have a headache?",
    Option("d1_3", "3 or fewer"),
    Option("d4_7", "4 to 7"),
    Option("d8_14", "8 to 14", "ICHD-3 1.3"),
    Option("d15_plus", "15 or more", "ICHD-3 1.3, 2.3, 8.2 A"),
)
MED_DAYS = one(
    "med_days",
    "How many days a month do you take something for it?",
    Option("m0_9", "9 or fewer"),
    Option("m10_14", "10 to 14", "ICHD-3 8.2 B"),
    Option("m15_plus", "15 or more", "ICHD-3 8.2 B"),
    hint="Think of the last 3 months. Count every kind of pain or headache pill together.",
)
MED_TYPES = many(
    "med_types",
    "What do you take?",
    Option("simple", "Plain pain pills, such as Tylenol, Advil, Aleve or aspirin", "15-day limit"),
    Option("triptan", "Migraine pills (a triptan or ergot)", "10-day limit"),
    Option("opioid_combo", "Opioids, butalbital, or pills that mix drugs or add caffeine", "10-day limit"),
    Option(UNSURE, "Not sure"),
    hint="Tick all that fit.",
    shown_when=MANY_MEDICINE_DAYS,
)
DAYS_LOST = one(
    "days_lost",
    "In the last 3 months, how many days did it stop you doing what you planned?",
    Option("l0_5", "0 to 5", "impact"),
    Option("l6_10", "6 to 10"),
    Option("l11_20", "11 to 20"),
    Option("l21_plus", "21 or more"),
)
TRIED = many(
    "tried",
    "What have you tried?",
    Option("nothing", "Nothing yet"),
    Option("otc", "Pain pills from the store"),
    Option("rx_acute", "Prescribed pills for attacks"),
    Option("preventive", "A daily medicine, shot or device to prevent headaches"),
    Option("physio", "Physical therapy or exercises for the neck"),
    Option("injections", "Nerve blocks or other shots"),
    hint="Tick all that fit.",
)

SCREENS = (
    Screen(RED_FLAGS),
    Screen(AGE_BAND),
    Screen(TIMELINE),
    Screen(HEALTH_BACKGROUND),
    Screen(HEADACHE_BEHAVIOUR),
    Screen(PAIN_SITE),
    Screen(PAIN_SIDE),
    Screen(ATTACK_LENGTH),
    Screen(PAIN_FEEL),
    Screen(EFFECT),
    Screen(ALONG_WITH, TOUCH_TRIGGERS),
    Screen(NECK_LINK),
    Screen(HEADACHE_DAYS, MED_DAYS, MED_TYPES),
    Screen(DAYS_LOST, TRIED),
)

QUESTIONS = {question.id: question for screen in SCREENS for question in screen.questions}
