"""What a soak's exit code says, and when flat memory proves nothing."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec
import pytest

from contract.taxonomy import CameraState, Lane
from gridwarden.site import Site
from gridwarden.watch import AgentStatus, LaneStatus, StreamStatus
from tests.soak.__main__ import Sample, faults, soak
from tests.soak.processes import Use

MINUTES, EVERY_S = 0.02, 0.05  # 25 samples


def samples(frames: list[int], committed: list[int]) -> list[Sample]:
    return [
        Sample(5.0 * n, Use(), Use(), Use(), f, c)
        for n, (f, c) in enumerate(zip(frames, committed, strict=True))
    ]


AT_WORK = samples([0, 10, 20, 30], [0, 1, 2, 3])


def status(live: StreamStatus | None = None, dead: StreamStatus | None = None) -> AgentStatus:
    return AgentStatus(
        boot="b",
        streams={
            "live-01": live or StreamStatus(state=CameraState.ONLINE),
            "dead-01": dead or StreamStatus(state=CameraState.LOST, restarts=7),
        },
    )


def test_a_soak_whose_parts_are_all_at_work_has_no_fault() -> None:
    assert faults(AT_WORK, status(), []) == []


@pytest.mark.parametrize(
    ("seen", "told", "restarted", "fault"),
    [
        (AT_WORK, status(), ["hub"], "the hub was started again"),
        (
            AT_WORK,
            status(live=StreamStatus(state=CameraState.LOST, detail="gone")),
            [],
            "camera live-01 is lost, not online: gone",
        ),
        (
            AT_WORK,
            status(dead=StreamStatus(state=CameraState.ONLINE)),
            [],
            "camera dead-01 is online, not lost",
        ),
        (
            AT_WORK,
            status(live=StreamStatus(state=CameraState.ONLINE, restarts=2)),
            [],
            "the decoder of camera live-01 was started again 2 times",
        ),
        (samples([0, 9, 9, 9], [0, 1, 2, 3]), status(), [], "no frame was captured"),
        (samples([0, 1, 2, 3], [0, 9, 9, 9]), status(), [], "no record was committed"),
    ],
)
def test_what_was_not_at_work_is_a_fault(
    seen: list[Sample], told: AgentStatus, restarted: list[str], fault: str
) -> None:
    (found,) = faults(seen, told, restarted)
    assert found.startswith(fault)


@dataclass
class Part:
    """A part as the supervisor tells of it."""

    name: str
    pid: int | None
    restarts: int = 0


@dataclass
class Parts:
    """Supervises this very process, under two names; each look finds more frames and records."""

    agent_status: Path
    parts: list[Part]
    stream: CameraState = CameraState.ONLINE
    looks: int = 0

    @property
    def supervisor(self) -> Parts:
        """The site and its supervisor in one."""
        return self

    def states(self) -> list[Part]:
        """Each part; the agent has written its status just now."""
        self.looks += 1
        told = AgentStatus(
            boot="b",
            streams={"live-01": StreamStatus(state=self.stream, captured=self.looks)},
            lanes={Lane.READING: LaneStatus(next_seq=1, watermark=self.looks)},
        )
        self.agent_status.write_bytes(msgspec.json.encode(told))
        return self.parts

    def tend(self) -> None:
        """Nothing dies here."""


@dataclass
class Run:
    """A site and what is printed of its soak."""

    site: Parts
    capsys: pytest.CaptureFixture[str]
    stop: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> tuple[int, str]:
        code = soak(cast(Site, self.site), MINUTES, EVERY_S, self.stop)
        return code, self.capsys.readouterr().out


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    parts = [Part("edge", os.getpid()), Part("hub", os.getpid())]
    return Run(Parts(tmp_path / "status.json", parts), capsys)


def test_a_flat_soak_ends_with_zero(run: Run) -> None:
    code, out = run()
    assert code == 0, out
    assert "0.02 minutes: flat" in out


def test_a_fault_ends_a_soak_with_one_however_flat_it_was(run: Run) -> None:
    run.site.stream = CameraState.FROZEN
    code, out = run()
    assert code == 1
    assert "FAULT  camera live-01 is frozen, not online" in out
    assert "NOT flat" in out


def test_a_part_that_is_gone_ends_a_soak_with_one(run: Run) -> None:
    run.site.parts[1].pid = None
    code, out = run()
    assert (code, "nothing is judged" in out) == (1, True)


def test_a_soak_stopped_before_its_time_ends_with_two(run: Run) -> None:
    run.stop.set()
    code, out = run()
    assert (code, "stopped before its time" in out) == (2, True)
