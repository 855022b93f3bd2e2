"""How well the answers fit each headache pattern: criteria counted, no weights; several may hold.

Sources: ICHD-3, Cephalalgia 2018;38:1-211, doi:10.1177/0333102417738202 (chapter numbers below), and the
Cervicogenic Headache International Study Group (CHISG), Headache 1998;38:442-445,
doi:10.1046/j.1526-4610.1998.3806442.x. Departures from ICHD-3, on purpose: tension-type needs three of four
for a strong fit (two alone would catch neck and eye headaches); relief by a block cannot be asked of the
public; the count of attacks is read from the timeline; attacks of 3 to 4 hours fall in `hours_days`.
"""

from __future__ import annotations

from dataclasses import dataclass

from portal.assessment.criteria import NOTHING, Answered, Case, Criterion, Fit, Has, Named, Ticks, at_least, has
from portal.assessment.questionnaire import UNSURE
from portal.assessment.vocabulary import (
    CHANGED,
    MODERATE_OR_SEVERE,
    ONE_SIDED,
    SAME_SIDE,
    SEVERE,
    SHORT,
    STABLE,
)


@dataclass(frozen=True)
class Clue:
    """One thing that speaks for a pattern, in the person's words: when it holds, and when it does not."""

    criterion: Criterion
    found: str
    missing: str = ""  # empty: its absence says nothing against the pattern


@dataclass(frozen=True)
class Pattern:
    """A headache pattern: when it fits strongly, somewhat or not at all, and what to tell the person."""

    id: str
    term: str  # as clinicians say it
    name: str  # as the person reads it
    source: str
    strong: Criterion | None
    some: Criterion
    excluded: Criterion | None = None
    at_most_some: Criterion | None = None
    clues: tuple[Clue, ...] = ()
    criteria: tuple[Criterion, ...] = ()  # as a clinician names them

    def fit(self, case: Case) -> Fit:
        """How well the answers fit this pattern."""
        if self.excluded and self.excluded.holds(case):
            return Fit.NONE
        if self.strong and self.strong.holds(case):
            return Fit.SOME if self.at_most_some and self.at_most_some.holds(case) else Fit.STRONG
        return Fit.SOME if self.some.holds(case) else Fit.NONE


NAUSEA = has("along_with", "nausea")
LIGHT = has("along_with", "light")
SOUND = has("along_with", "sound")
MOVE_WORSE = has("along_with", "move_worse")
AURA = has("along_with", "aura")
EYE_NOSE = has("along_with", "eye_nose")
SCALP_TOUCH = has("along_with", "scalp_touch")
THROB = has("pain_feel", "throb")
PRESS = has("pain_feel", "press")
SHOCK = has("pain_feel", "shock")
SECONDS = has("attack_length", "seconds")
QUARTER_3H = has("attack_length", "quarter_3h")
HOURS_DAYS = has("attack_length", "hours_days")
CONSTANT = has("attack_length", "constant")
BOTH_SIDES = has("pain_side", "both")
FACE = has("pain_site", "face")
BACK = has("pain_site", "neck_base", "back_head")
EYE_OR_TEMPLE = has("pain_site", "eye", "temple_forehead")
PACE = has("effect", "pace")
FACE_TOUCH = has("touch_triggers", "face_touch")
SCALP_PRESS = has("touch_triggers", "scalp_press")
NECK_MOVE = has("neck_link", "neck_move")
NECK_STIFF = has("neck_link", "neck_stiff")
STARTS_NECK = has("neck_link", "starts_neck")
AFTER_INJURY = has("neck_link", "after_injury")
ARM_SHOULDER = has("neck_link", "arm_shoulder")
BLOCK_HELPED = has("neck_link", "block_helped")
DAILY = has("headache_days", "d15_plus")

# Migraine, ICHD-3 1.1 B, C and D.
C_FEATURES = Named(
    "C: two of one-sided, throbbing, moderate or severe, worse with movement",
    at_least(2, ONE_SIDED, THROB, MODERATE_OR_SEVERE, MOVE_WORSE),
)
D_FEATURES = Named("D: nausea, or light and sound", NAUSEA | (LIGHT & SOUND))
TOO_FEW_ATTACKS = Named(
    "too few attacks yet",
    has("timeline", "new_days") | (has("timeline", "new_weeks") & has("headache_days", "d1_3")),
)

# Tension-type, ICHD-3 2.2 and 2.3.
QUARTER_HOUR_OR_MORE = Named("15 minutes or longer", has("attack_length", "quarter_3h", "hours_days", "constant"))
MILD_OR_MODERATE = Named("mild or moderate", has("effect", "carry_on", "slowed"))
NOT_WORSE_MOVING = Named("not worse with movement", Answered("along_with") & ~MOVE_WORSE)
NO_MIGRAINE_OR_EYE_SIGNS = Named(
    "no nausea, not both light and sound, no eye or nose signs",
    Answered("along_with") & ~NAUSEA & ~(LIGHT & SOUND) & ~EYE_NOSE,
)

# Trigeminal neuralgia without autonomic signs, which would speak for another kind.
NO_EYE_NOSE = Named("no autonomic signs", Answered("along_with") & ~EYE_NOSE)

# Neck: provocation and signs of CHISG I and of ICHD-3 11.2.1 C.
PROVOCATION = Named("provocation by neck movement or pressure", has("neck_link", "neck_move", "neck_press"))
NECK_SIGN = Named(
    "a further neck sign",
    has("neck_link", "neck_stiff", "arm_shoulder", "starts_neck", "after_injury", "block_helped"),
)
SIDE_NOT_FIXED = Named("side is both, unsure or skipped", ~ONE_SIDED)

# Neuralgia pain, ICHD-3 13.4 B.
NEURALGIC = Named("two of short, severe, shock-like", at_least(2, SHORT, SEVERE, SHOCK))

# Overuse, ICHD-3 8.2 B: 15 days a month, or 10 for triptans, ergots, opioids and combinations.
OVERUSE = Named(
    "overuse",
    has("med_days", "m15_plus") | (has("med_days", "m10_14") & has("med_types", "triptan", "opioid_combo")),
)

ONE_SIDED_CLUE = Clue(ONE_SIDED, "on one side", "it is not on one side")
EYE_NOSE_CLUE = Clue(
    EYE_NOSE,
    "red or wet eye, or runny nose, on the same side",
    "no red or wet eye or runny nose comes with it",
)
SHOCK_CLUE = Clue(SHOCK, "electric or stabbing pain", "it is not electric or stabbing")

PATTERNS = (
    Pattern(
        "migraine",
        "migraine",
        "migraine",
        "ICHD-3 1.1, 1.2, 1.5",
        strong=(HOURS_DAYS & C_FEATURES & D_FEATURES & ~TOO_FEW_ATTACKS)
        | (AURA & (C_FEATURES | D_FEATURES) & (STABLE | CHANGED)),
        some=(C_FEATURES & D_FEATURES) | (HOURS_DAYS & D_FEATURES) | (HOURS_DAYS & C_FEATURES & (LIGHT | SOUND)) | AURA,
        excluded=SHORT,
        clues=(
            Clue(HOURS_DAYS, "attacks last hours to days", "attacks do not last hours to days"),
            Clue(ONE_SIDED, "on one side"),
            Clue(THROB, "throbbing pain", "it does not throb"),
            Clue(SEVERE, "bad enough to stop you"),
            Clue(MOVE_WORSE, "walking or stairs make it worse"),
            Clue(NAUSEA, "feeling sick", "you do not feel sick"),
            Clue(LIGHT & SOUND, "light and sound bother you", "light and sound do not both bother you"),
            Clue(AURA, "zigzags, spots or tingling that clear within an hour"),
        ),
        criteria=(
            Named("enough attacks", ~TOO_FEW_ATTACKS),
            Named("B: 4 to 72 hours", HOURS_DAYS),
            C_FEATURES,
            D_FEATURES,
            Named("aura", AURA),
        ),
    ),
    Pattern(
        "tension_type",
        "tension-type headache",
        "tension-type headache",
        "ICHD-3 2.2, 2.3",
        strong=QUARTER_HOUR_OR_MORE
        & NO_MIGRAINE_OR_EYE_SIGNS
        & BOTH_SIDES
        & at_least(2, PRESS, MILD_OR_MODERATE, NOT_WORSE_MOVING)
        & ~THROB,
        some=QUARTER_HOUR_OR_MORE
        & NO_MIGRAINE_OR_EYE_SIGNS
        & at_least(2, BOTH_SIDES, PRESS, MILD_OR_MODERATE, NOT_WORSE_MOVING)
        & (BOTH_SIDES | PRESS)
        & MILD_OR_MODERATE,
        excluded=NAUSEA | EYE_NOSE | (LIGHT & SOUND),
        clues=(
            Clue(BOTH_SIDES, "on both sides", "it is not on both sides"),
            Clue(PRESS, "pressing or tight pain", "it is not pressing or tight"),
            Clue(MILD_OR_MODERATE, "you can go on, or only slow down", "it stops you"),
            Clue(NOT_WORSE_MOVING, "walking does not make it worse"),
            Clue(~THROB, "", "it throbs"),
        ),
        criteria=(
            QUARTER_HOUR_OR_MORE,
            Named("bilateral", BOTH_SIDES),
            Named("pressing or tightening", PRESS),
            MILD_OR_MODERATE,
            NOT_WORSE_MOVING,
            NO_MIGRAINE_OR_EYE_SIGNS,
        ),
    ),
    Pattern(
        "cluster",
        "cluster headache",
        "cluster headache",
        "ICHD-3 3.1",
        strong=EYE_OR_TEMPLE & ONE_SIDED & QUARTER_3H & SEVERE & EYE_NOSE,
        some=EYE_OR_TEMPLE & ONE_SIDED & QUARTER_3H & ((PACE & ~EYE_NOSE) | (EYE_NOSE & ~SEVERE)),
        clues=(
            Clue(EYE_OR_TEMPLE, "pain round one eye or temple"),
            ONE_SIDED_CLUE,
            Clue(QUARTER_3H, "attacks last 15 minutes to 3 hours"),
            Clue(SEVERE, "very bad pain", "the pain does not stop you"),
            EYE_NOSE_CLUE,
            Clue(PACE, "too restless to sit still"),
        ),
        criteria=(
            Named("orbital or temporal", EYE_OR_TEMPLE),
            ONE_SIDED,
            Named("15 to 180 minutes", QUARTER_3H),
            SEVERE,
            Named("ipsilateral autonomic signs", EYE_NOSE),
            Named("restless", PACE),
        ),
    ),
    Pattern(
        "other_tac",
        "other trigeminal autonomic cephalalgia",
        "one of the rarer one-sided headaches with eye or nose signs",
        "ICHD-3 3.2, 3.3, 3.4",
        strong=None,  # it needs a doctor's test of a medicine
        some=ONE_SIDED
        & has("attack_length", "seconds", "minutes", "constant", "jabs_on_ache")
        & (EYE_NOSE | (CONSTANT & PACE)),
        clues=(
            ONE_SIDED_CLUE,
            EYE_NOSE_CLUE,
            Clue(SHORT, "short attacks"),
            Clue(CONSTANT, "it never fully stops"),
            Clue(PACE, "too restless to sit still"),
        ),
        criteria=(ONE_SIDED, Named("ipsilateral autonomic signs", EYE_NOSE), SHORT, Named("continuous", CONSTANT)),
    ),
    Pattern(
        "cervicogenic",
        "cervicogenic headache",
        "a headache that comes from the neck (cervicogenic headache)",
        "ICHD-3 11.2.1; CHISG 1998",
        strong=at_least(2, AFTER_INJURY, NECK_STIFF & PROVOCATION, BLOCK_HELPED)
        | (PROVOCATION & SAME_SIDE & NECK_SIGN),
        some=(PROVOCATION & (NECK_SIGN | SAME_SIDE)) | BLOCK_HELPED | (SAME_SIDE & STARTS_NECK & NECK_STIFF),
        at_most_some=SECONDS | (SIDE_NOT_FIXED & ~(AFTER_INJURY & NECK_STIFF & PROVOCATION)),
        clues=(
            Clue(SAME_SIDE, "always the same side", "it is not always on the same side"),
            Clue(NECK_MOVE, "turning your neck or holding one position brings it on"),
            Clue(has("neck_link", "neck_press"), "pressing your upper neck brings on the same headache"),
            Clue(PROVOCATION, "", "neither moving nor pressing your neck brings it on"),
            Clue(NECK_STIFF, "stiff neck", "your neck is not stiff"),
            Clue(STARTS_NECK, "it starts in your neck"),
            Clue(AFTER_INJURY, "it began after a neck injury or problem"),
            Clue(ARM_SHOULDER, "shoulder or arm pain on the same side"),
            Clue(BLOCK_HELPED, "a numbing shot in your neck took it away for a while"),
            Clue(~SECONDS, "", "attacks of seconds are not usual for it"),
        ),
        criteria=(
            Named("CHISG Ia: provocation by neck movement or pressure", PROVOCATION),
            Named("CHISG Ib: reduced motion", NECK_STIFF),
            Named("CHISG Ic: ipsilateral shoulder or arm", ARM_SHOULDER),
            Named("CHISG II: relief by block", BLOCK_HELPED),
            Named("CHISG III: side-locked", SAME_SIDE),
            Named("onset after neck injury", AFTER_INJURY),
        ),
    ),
    Pattern(
        "occipital_neuralgia",
        "occipital neuralgia",
        "occipital neuralgia",
        "ICHD-3 13.4",
        strong=BACK & SHOCK & NEURALGIC & SCALP_TOUCH & SCALP_PRESS,
        some=BACK & SHOCK & NEURALGIC,
        excluded=~SHOCK,
        clues=(
            Clue(BACK, "pain at the back of the head or upper neck"),
            SHOCK_CLUE,
            Clue(SHORT, "short attacks", "attacks are not short"),
            Clue(SEVERE, "bad enough to stop you"),
            Clue(SCALP_TOUCH, "the scalp hurts when you brush your hair", "brushing your hair does not hurt"),
            Clue(
                SCALP_PRESS,
                "pressing one spot at the back of your head sets it off",
                "no one spot at the back of your head sets it off",
            ),
        ),
        criteria=(
            Named("occipital territory", BACK),
            NEURALGIC,
            Named("C1: allodynia of the scalp", SCALP_TOUCH),
            Named("C2: trigger point at the nerve", SCALP_PRESS),
        ),
    ),
    Pattern(
        "trigeminal_neuralgia",
        "trigeminal neuralgia",
        "trigeminal neuralgia",
        "ICHD-3 13.1.1",
        strong=FACE
        & SAME_SIDE
        & has("attack_length", "seconds", "jabs_on_ache")
        & SHOCK
        & SEVERE
        & FACE_TOUCH
        & NO_EYE_NOSE,
        some=FACE & SHOCK & SHORT & (FACE_TOUCH | (SEVERE & SECONDS)),
        excluded=~FACE | ~SHOCK,
        clues=(
            Clue(FACE, "pain in the cheek, jaw, teeth or lips"),
            Clue(SAME_SIDE, "always the same side", "it is not always on the same side"),
            SHOCK_CLUE,
            Clue(SHORT, "short attacks"),
            Clue(SEVERE, "bad enough to stop you", "it does not stop you"),
            Clue(
                FACE_TOUCH,
                "a light touch, chewing or talking sets it off",
                "a light touch to your face does not set it off",
            ),
            Clue(~EYE_NOSE, "", "a red or wet eye or runny nose comes with it"),
        ),
        criteria=(
            Named("trigeminal territory", FACE),
            SAME_SIDE,
            Named("B1: up to 2 minutes", has("attack_length", "seconds", "jabs_on_ache")),
            Named("B2: severe", SEVERE),
            Named("B3: shock-like", SHOCK),
            Named("C: innocuous trigger", FACE_TOUCH),
            NO_EYE_NOSE,
        ),
    ),
    Pattern(
        "medication_overuse",
        "medication-overuse headache",
        "medication-overuse headache",
        "ICHD-3 8.2",
        strong=DAILY & (STABLE | CHANGED) & OVERUSE,
        some=(OVERUSE & has("headache_days", "d8_14"))
        | (DAILY & has("med_days", "m10_14") & has("med_types", "simple")),
        clues=(
            Clue(DAILY, "headache on 15 or more days a month", "headache on fewer than 15 days a month"),
            Clue(has("med_days", "m15_plus"), "medicine for it on 15 or more days a month"),
            Clue(has("med_days", "m10_14"), "medicine for it on 10 to 14 days a month"),
            Clue(
                has("med_types", "triptan", "opioid_combo"),
                "the kind of pills you take, for which 10 days a month is the limit",
            ),
        ),
        criteria=(
            Named("A: 15 or more headache days", DAILY),
            Named("prior headache", STABLE | CHANGED),
            Named("B: overuse for over 3 months", OVERUSE),
        ),
    ),
)


def check_criteria(pattern: Pattern, ticks: Ticks) -> tuple[list[str], list[str]]:
    """Which of the pattern's criteria are met and which are not, as a clinician names them.

    One that asks for what was skipped, or is not known, is neither.
    """
    case = Case(ticks)
    met = [criterion for criterion in pattern.criteria if criterion.holds(case)]
    unmet = [criterion for criterion in pattern.criteria if criterion not in met and _is_known(criterion, ticks)]
    return [_name(criterion) for criterion in met], [_name(criterion) for criterion in unmet]


def _name(criterion: Criterion) -> str:
    return criterion.words().strip("_")


def fit_patterns(ticks: Ticks) -> dict[str, Fit]:
    """How well each pattern fits, in the order of the table; patterns that do not fit are there as NONE."""
    case = Case(ticks)
    return {pattern.id: pattern.fit(case) for pattern in PATTERNS}


def explain_fit(pattern: Pattern, ticks: Ticks) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What in the answers speaks for a pattern and what speaks against it, in the person's words.

    What was skipped, or is not known, speaks against nothing.
    """
    case = Case(ticks)
    found = [(clue, clue.criterion.holds(case)) for clue in pattern.clues]
    return (
        tuple(clue.found for clue, holds in found if holds and clue.found),
        tuple(clue.missing for clue, holds in found if not holds and clue.missing and _is_known(clue.criterion, ticks)),
    )


def _is_known(criterion: Criterion, ticks: Ticks) -> bool:
    """Whether each question that a criterion asks about has an answer other than "Not sure"."""
    asked = {part.question for part in criterion.parts() if isinstance(part, Has | Answered)}
    return all(ticks.get(question, NOTHING) - {UNSURE} for question in asked)
