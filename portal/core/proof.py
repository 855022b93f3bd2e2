"""A small sum for a browser to do while forms are sent faster than people send them: no puzzle, no third party.

Eight short sums take about as long for everybody, where one long sum would take some people four times as long as
others. For a program it is a cost, not a lock: what it may do is bounded by the limits all the same.
"""

from __future__ import annotations

import hashlib

PARTS = 8
BITS = 10  # that are zero at the beginning of each part's hash: about a thousand tries
LONGEST = 12  # digits of one answer


def is_solved(mark: str, answer: str) -> bool:
    """Whether these are the answers to the sum that this mark sets: one number for each part."""
    numbers = answer.split(",") if len(answer) <= PARTS * (LONGEST + 1) else []
    return len(numbers) == PARTS and all(_fits(mark, part, number) for part, number in enumerate(numbers))


def _fits(mark: str, part: int, number: str) -> bool:
    if not (number.isascii() and number.isdigit()):
        return False
    digest = hashlib.sha256(f"{mark}:{part}:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - BITS) == 0
