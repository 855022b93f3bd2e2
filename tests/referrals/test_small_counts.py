"""Counts under 5 are hidden, also from whoever subtracts what is shown from the totals."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.referrals.funnel import Tally, list_rows, quartiles, wilson
from portal.referrals.services import Reached
from portal.referrals.small_counts import hide_nested, hide_parts

COUNTS = st.integers(0, 12)
PARTS = st.dictionaries(st.sampled_from("abcdef"), COUNTS, min_size=1)


def possible(parts, hidden):
    """All that the hidden parts can be, for somebody who knows the total and the parts shown."""
    together = sum(parts[key] for key in hidden)
    names = sorted(hidden)
    ways = itertools.product(range(together + 1), repeat=len(names))
    return [dict(zip(names, way, strict=True)) for way in ways if sum(way) == together]


@given(st.dictionaries(st.sampled_from("abcd"), COUNTS, min_size=1))
def test_no_small_part_can_be_worked_out_where_the_total_is_shown(parts):
    hidden = hide_parts(parts)
    assert all(parts[key] >= 5 for key in parts.keys() - hidden)
    if sum(parts.values()) < 5:
        return  # the total itself is hidden
    ways = possible(parts, hidden)
    for key in hidden:
        if parts[key]:
            assert len({way[key] for way in ways}) > 1


@given(st.dictionaries(st.sampled_from("xyz"), PARTS, min_size=1))
def test_nor_from_the_totals_of_kinds_and_the_parts_of_other_kinds(families):
    families = {name: {f"{name}{key}": count for key, count in parts.items()} for name, parts in families.items()}
    lost, hidden = hide_nested(families)
    totals = {name: sum(parts.values()) for name, parts in families.items()}
    for name, parts in families.items():
        inside = hidden & parts.keys()
        assert all(count >= 5 for key, count in parts.items() if key not in hidden)
        if name in lost:
            assert inside == parts.keys()
        else:
            together = sum(parts[key] for key in inside)
            assert totals[name] >= 5
            assert not together or (len(inside) > 1 and together >= 5)
    together = sum(totals[name] for name in lost)
    assert not together or sum(totals.values()) < 5 or (len(lost) > 1 and together >= 5)


def test_lanes_are_hidden_so_that_their_sum_gives_none_away():
    total = Tally(people=100)
    total.steps[Reached.ASSESSMENT_FINISHED] = 40
    total.lanes.update({"consult": 22, "self_care": 15, "same_day": 0, "emergency": 3})
    rows = {row.words: row.count for row in list_rows(total)}
    assert rows["Finished the check"] == 40
    assert [rows[f"… {lane}"] for lane in ("consult", "self-care", "same day", "emergency")] == [22, None, None, None]


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(5, 10, 0.237, 0.763), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (50, 200, 0.195, 0.314)],
)
def test_a_share_comes_with_the_wilson_interval(part, whole, low, high):
    share = wilson(part, whole)
    assert (round(share.low, 3), round(share.high, 3)) == (low, high)


def test_times_of_fewer_than_five_are_not_told():
    assert quartiles(Counter({10: 4})) is None
    assert [time.total_seconds() for time in quartiles(Counter({10: 2, 20: 2, 30: 1}))] == [600, 1200, 1200]
