"""Devices held against their neighbours."""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from contract.geometry import Point
from contract.messages import Reading
from detectors.kit.area_protocol import AreaFinding
from detectors.kit.params import ParameterError, build
from detectors.kit.reading_registry import area_detectors, parameters_of
from detectors.reading_neighbours import ReadingNeighbours, ReadingNeighboursParams

AT = datetime(2026, 3, 1, tzinfo=UTC)
AIR = os.environ.get("GRIDWARDEN_AIR", "")
BEIJING = Path(AIR) / "PRSA_data_2010.1.1-2014.12.31.csv"

Row = tuple[datetime, dict[str, float]]  # one hour: device -> value


def place(k: int) -> Point:
    """Places 300 m apart along a street."""
    return Point(113.65 + 0.0033 * k, 34.76)


def show(detector: ReadingNeighbours, rows: Iterable[Row]) -> Iterator[tuple[str, AreaFinding]]:
    """What every reading gives, with the device it was of."""
    for at, values in rows:
        for device, value in values.items():
            reading = Reading(device=device, metric="pm2_5", value=value, captured_at=at)
            for found in detector.observe(reading, at, place(int(device.split("-")[1]))):
                yield device, found


def street(values: Iterable[float], devices: int = 6) -> Iterator[Row]:
    """An hourly series as `devices` neighbours measure it: own factor, own noise."""
    rng = random.Random(4)
    factors = [rng.uniform(0.85, 1.2) for _ in range(devices)]
    for hour, value in enumerate(values):
        shown = {
            f"air-{k}": max(0.0, value * f * rng.gauss(1.0, 0.05)) for k, f in enumerate(factors)
        }
        yield AT + timedelta(hours=hour), shown


def scores(seen: Iterable[tuple[str, AreaFinding]], label: str) -> dict[str, list[float]]:
    """The scores of a label by the device they speak of ("": the area)."""
    out: dict[str, list[float]] = {}
    for _, found in seen:
        if found.seen.label == label:
            out.setdefault(found.device, []).append(found.seen.score)
    return out


def test_a_device_that_is_alone_with_its_value_disagrees_and_its_neighbours_do_not() -> None:
    rows = list(street([40.0] * 30))
    for _, values in rows[12:]:
        values["air-2"] *= 4
    seen = scores(show(ReadingNeighbours(ReadingNeighboursParams()), rows), "pm2_5.disagrees")
    assert max(seen["air-2"][:11]) < 0.5
    assert min(seen["air-2"][12:]) >= 0.5
    assert max(max(s) for device, s in seen.items() if device != "air-2") < 0.5


def test_a_dead_device_that_shows_nought_disagrees() -> None:
    rows = list(street([40.0] * 30))
    for _, values in rows[12:]:
        values["air-5"] = 0.0
    seen = scores(show(ReadingNeighbours(ReadingNeighboursParams()), rows), "pm2_5.disagrees")
    assert min(seen["air-5"][12:]) >= 0.5


def test_a_neighbourhood_that_rises_is_one_thing_of_the_area_and_no_fault_of_a_device() -> None:
    rows = list(street([40.0] * 12 + [180.0] * 6))
    found = list(show(ReadingNeighbours(ReadingNeighboursParams(change=60.0)), rows))
    rising = scores(found, "pm2_5.rising")
    assert set(rising) == {""}
    assert max(rising[""][: 6 * 11]) < 0.5
    assert max(rising[""]) == 1.0
    faulty = scores(found, "pm2_5.disagrees")
    settled = [s[14:] for s in faulty.values()]  # not the hour in which some have risen first
    assert max(max(s) for s in settled) < 0.5
    around = next(f.around for _, f in found if f.seen.label == "pm2_5.rising" and f.seen.score > 0)
    assert len(around) == 6


def test_one_device_that_rises_raises_no_neighbourhood() -> None:
    rows = list(street([40.0] * 20))
    for _, values in rows[10:]:
        values["air-0"] = 900.0
    found = show(ReadingNeighbours(ReadingNeighboursParams(change=60.0)), rows)
    assert max(scores(found, "pm2_5.rising")[""]) < 0.5


def test_the_kerb_that_is_always_dustier_becomes_usual_and_what_is_broken_does_not() -> None:
    rows = list(street([40.0] * 24 * 6))
    for _, values in rows:
        values["air-0"] = 1.4 * 40.0
        values["air-1"] = 2.6 * 40.0
    seen = scores(show(ReadingNeighbours(ReadingNeighboursParams()), rows), "pm2_5.disagrees")
    assert seen["air-0"][-1] < 0.1 < seen["air-0"][0]
    assert min(seen["air-1"]) >= 0.5


def test_neighbours_that_are_few_far_or_silent_judge_nobody() -> None:
    detector = ReadingNeighbours(ReadingNeighboursParams())
    assert list(show(detector, street([40.0] * 5, devices=3))) == []
    far = ReadingNeighbours(ReadingNeighboursParams(radius_m=100.0))
    assert list(show(far, street([40.0] * 5))) == []
    silent = ReadingNeighbours(ReadingNeighboursParams())
    list(show(silent, street([40.0] * 5)))
    late = [(AT + timedelta(hours=48), {"air-1": 400.0})]
    assert list(show(silent, late)) == []


def test_devices_without_a_place_are_neighbours_of_all_in_the_watch() -> None:
    detector = ReadingNeighbours(ReadingNeighboursParams())
    found = []
    for k, value in enumerate([40.0, 41.0, 39.0, 160.0]):
        reading = Reading(device=f"d-{k}", metric="pm10", value=value, captured_at=AT)
        found += list(detector.observe(reading, AT, None))
    (only,) = found
    assert (only.device, only.seen.label) == ("d-3", "pm10.disagrees")
    assert only.seen.score == 1.0


def test_a_device_that_is_carried_elsewhere_gets_the_neighbours_of_its_new_place() -> None:
    detector = ReadingNeighbours(ReadingNeighboursParams(least=2, radius_m=700.0))
    rows = list(street([40.0] * 3, devices=4))
    list(show(detector, rows))
    away = Reading(device="air-0", metric="pm2_5", value=99.0, captured_at=AT + timedelta(hours=3))
    assert list(detector.observe(away, away.captured_at, place(400))) == []
    assert [d for d, _ in show(detector, [(AT + timedelta(hours=3), {"air-1": 40.0})])] == ["air-1"]


def test_a_replay_after_reset_and_a_second_run_are_the_same() -> None:
    rows = list(street([40.0 + 9 * (k % 7) for k in range(40)]))
    one = ReadingNeighbours(ReadingNeighboursParams(change=20.0))
    first = list(show(one, rows))
    one.reset()
    assert list(show(one, rows)) == first
    assert all(0.0 <= f.seen.score <= 1.0 for _, f in first)


def test_its_parameters_are_checked_by_name() -> None:
    assert parameters_of("reading_neighbours") is ReadingNeighboursParams
    assert "reading_neighbours" in area_detectors()
    with pytest.raises(ParameterError, match="every device would disagree"):
        build(ReadingNeighboursParams, {"share": 0.0}, "here")
    with pytest.raises(ParameterError, match="did you mean 'radius_m'"):
        build(ReadingNeighboursParams, {"radius": 3.0}, "here")


def beijing(hours: int) -> list[float]:
    """PM2.5 of Beijing, hour by hour, holes filled with the value before."""
    out: list[float] = []
    with BEIJING.open(newline="", encoding="utf-8") as file:
        for row in islice(csv.DictReader(file), 24, 24 + hours):
            out.append(out[-1] if row["pm2.5"] == "NA" else float(row["pm2.5"]))
    return out


@pytest.mark.skipif(
    not BEIJING.is_file(), reason="GRIDWARDEN_AIR names no folder with the Beijing PM2.5 hours"
)
def test_a_month_of_real_air_blames_the_broken_device_and_no_other() -> None:
    rows = list(street(beijing(24 * 31)))
    for k, (_, values) in enumerate(rows[24 * 20 :]):
        values["air-3"] += 3.0 * k  # drifts by 72 ug/m3 a day
    detector = ReadingNeighbours(ReadingNeighboursParams(tolerance=20.0))
    seen = scores(show(detector, rows), "pm2_5.disagrees")
    hours = {device: told(detector, scored) for device, scored in seen.items()}
    assert hours["air-3"] > 24 * 9  # of eleven days
    # the first to be heard in an hour of change stands beside values an hour old, seldom twice
    assert sum(n for device, n in hours.items() if device != "air-3") <= 2  # of 3,720


def told(detector: ReadingNeighbours, scored: Iterable[float]) -> int:
    """Hours in which the detector's own rule holds an alarm over hourly scores."""
    rule = detector.rule()
    return sum(rule.step(AT + timedelta(hours=k), s).active for k, s in enumerate(scored))
