"""The detection a day that shows that the way to the hub is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from contract.envelope import read_record
from contract.geometry import Point
from contract.messages import Detection
from contract.taxonomy import CameraState, Lane, Phase
from edge.daily_test import DailyTest, last_due
from edge.spool import Entry
from tests.edge.builders import stream

SHANGHAI = ZoneInfo("Asia/Shanghai")
YARD = replace(stream(), id="yard", position=Point(113.65, 34.76))
GATE = replace(stream(), id="gate")


class Machine:
    """An agent's data folder, its clock, and what it spooled."""

    def __init__(self, folder: Path, at: datetime) -> None:
        self.at = at
        self.taken: list[Detection] = []
        self._folder = folder

    def starts(self) -> DailyTest:
        def states() -> dict[str, CameraState]:
            return {"yard": CameraState.FROZEN}

        return DailyTest(
            "a-1", self._folder, time(4), SHANGHAI, (YARD, GATE), states, self._take,
            lambda: self.at,
        )  # fmt: skip

    def _take(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            assert entry.lane is Lane.DETECTION
            record = read_record(Lane.DETECTION, entry.record)
            assert isinstance(record, Detection)
            self.taken.append(record)


def test_each_camera_sends_a_test_at_its_time_of_day_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path, datetime(2026, 3, 1, 19, 59, tzinfo=UTC))  # 03:59 in Shanghai
    test = machine.starts()
    test.look()
    assert machine.taken == []

    machine.at += timedelta(minutes=1)
    test.look()
    test.look()

    assert [(d.stream, d.phase) for d in machine.taken] == [
        ("yard", Phase.RAISED),
        ("yard", Phase.CLEARED),
        ("gate", Phase.RAISED),
        ("gate", Phase.CLEARED),
    ]
    assert all(d.test for d in machine.taken)
    assert machine.taken[0].position == YARD.position
    assert machine.taken[0].episode == machine.taken[1].episode != machine.taken[2].episode
    assert "the camera is frozen" in machine.taken[0].rule.reason


def test_a_test_that_fell_due_while_the_agent_was_off_is_made_up_for(tmp_path: Path) -> None:
    machine = Machine(tmp_path, datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    machine.starts().look()
    machine.at += timedelta(days=3)
    again = machine.starts()
    again.look()
    again.look()
    assert len(machine.taken) == 4
    machine.starts().look()
    assert len(machine.taken) == 4


def test_a_clock_that_was_set_back_costs_no_more_than_a_day_of_tests(tmp_path: Path) -> None:
    machine = Machine(tmp_path, datetime(2027, 3, 1, 12, 0, tzinfo=UTC))
    test = machine.starts()
    test.look()
    machine.at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    test.look()
    machine.at += timedelta(days=1)
    test.look()
    assert len(machine.taken) == 4


def test_a_clock_that_nobody_has_set_yet_sends_no_test_and_costs_none(tmp_path: Path) -> None:
    machine = Machine(tmp_path, datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    machine.starts().look()
    machine.at = datetime(1970, 1, 2, tzinfo=UTC)
    test = machine.starts()
    test.look()
    assert machine.taken == []
    machine.at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    test.look()
    assert len(machine.taken) == 4


def test_what_was_kept_and_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "daily-test.json").write_bytes(b"\xff")
    machine = Machine(tmp_path, datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    test = machine.starts()
    test.look()
    machine.at += timedelta(days=1)
    test.look()
    assert len(machine.taken) == 4


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-01T04:00+08:00", "2026-03-01T04:00+08:00"),
        ("2026-03-01T03:59:59+08:00", "2026-02-28T04:00+08:00"),
        ("2026-02-28T22:00+00:00", "2026-03-01T04:00+08:00"),
    ],
)
def test_the_time_of_day_is_that_of_the_zone(now: str, due: str) -> None:
    found = last_due(datetime.fromisoformat(now), time(4), SHANGHAI)
    assert found == datetime.fromisoformat(due)


def test_a_night_whose_clock_is_set_forward_has_its_test_too() -> None:
    berlin = ZoneInfo("Europe/Berlin")  # 02:30 was not there on that day
    now = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
    assert last_due(now, time(2, 30), berlin).astimezone(berlin).date() == now.date()
