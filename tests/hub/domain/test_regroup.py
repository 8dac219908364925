"""The dry run of a merge rule, and what a finding is to a closed event."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from hub.domain.correlate import Closed, Recurrence, recurrence
from hub.domain.regroup import Sighting, events_of
from tests.hub.builders import SQUARE, START, north


def seen(metres: float, second: float, lasts_s: float = 0.0, device: str = "cam-1") -> Sighting:
    at = START + timedelta(seconds=second)
    return Sighting(at, at + timedelta(seconds=lasts_s), north(SQUARE, metres), device)


def count(sightings: list[Sighting], radius_m: float = 80, time_s: float = 900) -> int:
    return events_of(sightings, radius_m, timedelta(seconds=time_s))


def test_a_wider_radius_or_a_longer_time_makes_fewer_events() -> None:
    row = [seen(60 * i, 600 * i) for i in range(6)]
    assert count(row) == 3  # two and two: an event lies where its first finding was
    assert count(row, radius_m=400) == 1
    assert count(row, radius_m=400, time_s=300) == 6


def test_what_goes_on_for_long_is_one_event_and_order_does_not_matter() -> None:
    burning = [seen(0, 0, lasts_s=7200), seen(10, 7500), seen(10, 9000)]
    for order in itertools.permutations(burning):
        assert count(list(order)) == 2


def test_devices_without_a_place_are_told_apart_by_name() -> None:
    at = START
    lost = [Sighting(at, at, None, device) for device in ("a/1", "a/2", "a/1")]
    assert count(lost) == 2


@pytest.mark.parametrize(
    ("hours", "metres", "what"),
    [
        (-0.1, 10, Recurrence.PART),
        (-30, 10, None),  # before it began
        (1, 10, Recurrence.REOPENS),
        (6.1, 10, Recurrence.REPEATS),
        (24 * 30 + 1, 10, None),
        (1, 81, None),
    ],
)
def test_a_finding_reopens_repeats_or_has_nothing_to_do_with_what_was_closed(
    hours: float, metres: float, what: Recurrence | None
) -> None:
    closed = Closed(1, SQUARE, START - timedelta(hours=24), START)
    at = START + timedelta(hours=hours)

    found = recurrence(
        north(SQUARE, metres),
        at,
        [closed],
        80.0,
        timedelta(minutes=15),
        timedelta(hours=6),
        timedelta(days=30),
    )

    assert (found and found[0]) == what
