from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.ranges import SequenceSet, consecutive

spans = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda s: (s[0], s[0] + s[1])),
    max_size=40,
)


def filled(added: list[tuple[int, int]]) -> SequenceSet:
    out = SequenceSet()
    for first, last in added:
        out.add(first, last)
    return out


def members(added: list[tuple[int, int]]) -> set[int]:
    return {n for first, last in added for n in range(first, last + 1)}


@given(spans)
def test_it_holds_exactly_what_was_added(added: list[tuple[int, int]]) -> None:
    have, truth = filled(added), members(added)
    assert {n for n in range(-1, 100) if n in have} == truth
    assert len(have) == len(truth)
    assert have.highest == max(truth, default=0)


@given(spans)
def test_the_watermark_is_the_end_of_what_is_there_from_one_on(
    added: list[tuple[int, int]],
) -> None:
    truth, expected = members(added), 0
    while expected + 1 in truth:
        expected += 1
    assert filled(added).watermark == expected


@given(spans)
def test_ranges_are_apart_and_ascend_and_lie_above_the_watermark(
    added: list[tuple[int, int]],
) -> None:
    have = filled(added)
    end = have.watermark
    for first, last in have.ranges:
        assert first > end + 1
        assert last >= first
        end = last


@given(spans)
def test_holes_are_what_is_missing_up_to_the_highest(added: list[tuple[int, int]]) -> None:
    have, truth = filled(added), members(added)
    missing = set(range(1, max(truth, default=0) + 1)) - truth
    assert members(have.holes()) == missing


@given(spans, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(added: list[tuple[int, int]], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(added)
    random.shuffle(shuffled)
    assert filled(shuffled) == filled(added)


@given(st.sets(st.integers(1, 80)))
def test_consecutive_numbers_become_the_ranges_they_form(numbers: set[int]) -> None:
    ranges = list(consecutive(sorted(numbers)))
    assert members(ranges) == numbers
    assert all(b[0] > a[1] + 1 for a, b in pairwise(ranges))


def test_one_number_alone_may_be_added() -> None:
    have = SequenceSet()
    have.add(1)
    have.add(3)
    assert (have.watermark, have.ranges, have.holes()) == (1, [(3, 3)], [(2, 2)])


@pytest.mark.parametrize(("first", "last"), [(0, 5), (-3, -1), (5, 4)])
def test_what_is_no_range_of_sequence_numbers_is_refused(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="is not a range of sequence numbers"):
        SequenceSet().add(first, last)


def test_a_hundred_thousand_holes_are_filled_without_going_over_all_of_them_each_time() -> None:
    """A full scan for each of these would be 10^10 steps and run into the time limit."""
    have = SequenceSet()
    for n in range(2, 200_002, 2):
        have.add(n)
    assert len(have.ranges) == 100_000
    for n in range(200_001, 0, -2):
        have.add(n)
    assert (have.watermark, have.ranges) == (200_001, [])
