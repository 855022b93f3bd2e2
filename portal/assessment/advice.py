"""What to tell people with their result, as data. The words are ours; a clinician signs them off with the rules."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """The one thing to do in an emergency: the words, and the number to tap; and a second one that the words name."""

    heading: str
    text: str
    label: str
    number: str
    second_label: str = ""
    second_number: str = ""


AMBULANCE = Call(
    "Call 911 now",
    "Your answers can mean something that needs help within minutes. Call 911, or have someone take you to the "
    "nearest emergency department. Do not drive yourself.",
    "Call 911",
    "911",
)
CRISIS_LINE = Call(
    "You matter. Talk to someone now",
    "Call or text 988, the Suicide and Crisis Lifeline. It is free and open day and night. If you may act on "
    "these thoughts, call 911.",
    "Call 988",
    "988",
    "Call 911",
    "911",
)
GAS = Call(
    "Get out, into fresh air, now",
    "Leave the building with everyone in it, then call 911 from outside. It may be carbon monoxide, a gas that "
    "has no smell. Do not go back in. Poison Help, 1-800-222-1222, can advise you as well.",
    "Outside? Call 911",
    "911",
    "Call Poison Help",
    "18002221222",
)


def emergency_calls(red_flags: Set[str], another_danger: bool = False) -> list[Call]:
    """What to do, first things first: the crisis line for thoughts of self-harm, out of the house for gas.

    Another danger is one that no tick on the first screen stands for.
    """
    calls = []
    if "self_harm" in red_flags:
        calls.append(CRISIS_LINE)
    if "co_gas" in red_flags:
        calls.append(GAS)
    if another_danger or red_flags - {"self_harm", "co_gas"} or not calls:
        calls.append(AMBULANCE)
    return calls


SAFETY_NET = (
    "If it becomes sudden or severe, changes, or comes with any sign on our emergency list, or if a new headache lasts "
    "more than 2 weeks, get medical help."
)
NOT_A_DIAGNOSIS = "This is general information from your answers. It is not a diagnosis and not medical advice."
NECK_NOTE = "Only an exam, and sometimes a numbing test, can show the source."


@dataclass(frozen=True)
class PatternAdvice:
    """What goes with a pattern: what it is mistaken for, what to do first, what the clinic offers, what to read."""

    could_also_be: str
    first: str
    we_offer: str
    article: str
    first_stop_elsewhere: bool = False  # a family doctor or neurologist is the right first stop
    first_says_when: bool = False  # and so nothing else needs to


BY_PATTERN = {
    "migraine": PatternAdvice(
        "Neck pain and a runny nose are common in migraine, so it is easily taken for a neck or sinus problem.",
        "See your family doctor or a neurologist. Ask for something to take early in an attack, and about prevention "
        "if attacks are many.",
        "We help when treatment has not held, or when a sore neck keeps the attacks going: an exam, a plan, and for "
        "some people a nerve block.",
        "migraine",
        first_stop_elsewhere=True,
    ),
    "tension_type": PatternAdvice(
        "Tender muscles in the neck and jaw are common with it. They do not make it a headache from the neck.",
        "See your family doctor if it comes on many days. Sleep, movement and fewer pill days do most.",
        "We help when it has become frequent, or when it is unclear whether the neck plays a part.",
        "tension-type-headache",
        first_stop_elsewhere=True,
    ),
    "cluster": PatternAdvice(
        "Rarer one-sided headaches look the same. A doctor tells them apart with a test of one medicine.",
        "See a doctor within days. Some treatments stop an attack, and others end the bout.",
        "An exam, a plan for attacks and prevention, and a nerve block where it helps.",
        "cluster-headache",
        first_says_when=True,
    ),
    "other_tac": PatternAdvice(
        "It can be cluster headache or one of its rarer relatives. Some of them stop with one medicine only.",
        "See a headache doctor within days to two weeks.",
        "An exam by somebody who knows these rare headaches, and the medicine test.",
        "cluster-headache",
        first_says_when=True,
    ),
    "cervicogenic": PatternAdvice(
        "Migraine often brings neck pain, and one-sided headaches with eye signs can look like it.",
        "Start neck exercises with a trained therapist, and give them 6 to 12 weeks.",
        "An exam of the neck, a plan with your therapist, and test blocks if the source stays unclear.",
        "cervicogenic-headache",
    ),
    "occipital_neuralgia": PatternAdvice(
        "Joints and muscles of the upper neck can send pain to the same place.",
        "Have the back of your head and your neck examined. From age 50, new pain there needs a doctor soon.",
        "An exam of the nerves, and a nerve block that can both test and ease the pain.",
        "occipital-neuralgia",
    ),
    "trigeminal_neuralgia": PatternAdvice(
        "Tooth and jaw trouble can feel the same. So have the nerve checked before a tooth is pulled.",
        "See a doctor within days. There are medicines made for this pain, and everybody with it should have an MRI.",
        "An exam, the right scan, medicine, and the way to surgery if medicine fails.",
        "trigeminal-neuralgia",
        first_says_when=True,
    ),
    "medication_overuse": PatternAdvice(
        "The headache underneath is often migraine. It shows once the pills are fewer.",
        "Plan with your doctor how to cut down. Never stop opioids, butalbital or benzodiazepines suddenly on your "
        "own.",
        "A plan to come off, something to prevent headaches meanwhile, and help through the first weeks.",
        "medication-overuse-headache",
        first_stop_elsewhere=True,
    ),
}
