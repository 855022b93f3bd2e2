"""What to tell people in each lane, as data. The words are ours; a clinician signs them off with the rules."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """The one thing to do in an emergency: the words, and the number to tap."""

    heading: str
    text: str
    label: str
    number: str


AMBULANCE = Call(
    "Call 911 now",
    "Your answers can mean something that needs help within minutes. Call 911 or have someone take you to the "
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
)
GAS = Call(
    "Get out, into fresh air, now",
    "Leave the building with everyone in it, then call 911 from outside. It may be carbon monoxide, a gas you "
    "cannot smell. Do not go back in. Poison Help, 1-800-222-1222, can also advise you.",
    "Outside? Call 911",
    "911",
)


def emergency_calls(red_flags: Set[str]) -> list[Call]:
    """What to do, first things first: the crisis line for thoughts of self-harm, out of the house for gas."""
    calls = []
    if "self_harm" in red_flags:
        calls.append(CRISIS_LINE)
    if "co_gas" in red_flags:
        calls.append(GAS)
    if red_flags - {"self_harm", "co_gas"} or not calls:
        calls.append(AMBULANCE)
    return calls


SAFETY_NET = (
    "If it becomes sudden or severe, changes, comes with any sign on our emergency list, or lasts more than "
    "2 weeks, get medical help."
)

NOT_A_DIAGNOSIS = "This is general information from your answers. It is not a diagnosis and not medical advice."

# What each pattern calls for first, shown with the result; True where a family doctor or neurologist may
# be the right first stop rather than a procedure.
FIRST_STOP_ELSEWHERE = frozenset({"migraine", "tension_type", "medication_overuse"})
NECK_NOTE = "Only an exam, and sometimes a numbing test, can show whether the neck is the source."
