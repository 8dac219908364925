"""What the tests of the edge are made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from contract.episode import EpisodePolicy
from contract.geometry import Box, Point
from contract.rules import ConfirmationRule, KOfN
from contract.taxonomy import Lane
from detectors.kit.params import param
from detectors.kit.protocol import Detector
from detectors.kit.types import Finding, Frame, Measurement, Observation
from edge.settings import DetectorSettings, StreamSettings
from edge.spool import Entry

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def entry(lane: Lane = Lane.READING, record: bytes = b"{}", payload: bytes = b"") -> Entry:
    return Entry(lane, record, T0, payload)


def stream(source: str = "scene:street", **detectors: Mapping[str, Any]) -> StreamSettings:
    chosen = tuple(DetectorSettings(kind, values) for kind, values in detectors.items())
    return StreamSettings("cam-01", "A camera", source, True, Point(113.65, 34.76), chosen)


def frame(number: int, level: int, fps: float = 10.0) -> Frame:
    image = np.full((72, 128, 3), level, np.uint8)
    return Frame(image, T0 + timedelta(seconds=number / fps), "cam-01", number)


def write_video(
    path: Path, frames: int, fps: float = 25.0, size: tuple[int, int] = (96, 64)
) -> Path:
    """A real video file, its pictures growing brighter."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    assert writer.isOpened()
    for number in range(frames):
        writer.write(np.full((size[1], size[0], 3), 10 + number * 200 // frames, np.uint8))
    writer.release()
    return path


def eventually(condition: Callable[[], Any], within_s: float = 30.0) -> None:
    """Wait for it; fails where it does not come."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class BrightParams:
    threshold: float = param(0.5, minimum=0.05, maximum=1.0, unit="1", text="When to raise")


class Bright:
    """Scores how bright a picture is; raises at once; measures a pure white one."""

    kind: ClassVar[str] = "bright"
    version: ClassVar[str] = "7"
    summary: ClassVar[str] = "Bright pictures."
    Params: ClassVar[type[Any]] = BrightParams
    budget_ms: ClassVar[float] = 1.0
    sample_fps: ClassVar[float] = 0.0

    def __init__(self, params: BrightParams) -> None:
        self.params = params

    def observe(self, frame: Frame) -> Iterable[Finding]:
        level = float(frame.image[0, 0, 0]) / 255.0
        findings: list[Finding] = [Observation("bright", level, Box(0.25, 0.25, 0.5, 0.5))]
        if level == 1.0:
            findings.append(Measurement("white_picture", 1.0))
        return findings

    def use(self, params: BrightParams) -> None:
        self.params = params

    def rule(self) -> ConfirmationRule | None:
        return KOfN(2, 2, self.params.threshold).build()

    def policy(self) -> EpisodePolicy:
        return EpisodePolicy(off_delay_s=1.0, update_every_s=1.0)

    def reset(self) -> None:
        pass


class Broken(Bright):
    """Fails on the third frame."""

    kind: ClassVar[str] = "broken"

    def observe(self, frame: Frame) -> Iterable[Finding]:
        if frame.number == 3:
            raise RuntimeError("a division by zero, say")
        return super().observe(frame)


class Endless(Bright):
    """Measures what no reading can hold, on every frame."""

    kind: ClassVar[str] = "endless"

    def observe(self, frame: Frame) -> Iterable[Finding]:
        return [Measurement("length", 1e305)]


class Wild(Bright):
    """Scores as it likes: a black picture is not a number, a white one is seven."""

    kind: ClassVar[str] = "wild"

    def observe(self, frame: Frame) -> Iterable[Finding]:
        level = float(frame.image[0, 0, 0]) / 255.0
        return [Observation("wild", {0.0: float("nan"), 1.0: 7.0}.get(level, level))]


class Stubborn(Bright):
    """Takes no other parameters."""

    kind: ClassVar[str] = "stubborn"

    def use(self, params: BrightParams) -> None:
        raise RuntimeError("not while I work")


class Slow(Bright):
    """Wants to see two frames a second."""

    kind: ClassVar[str] = "slow"
    sample_fps: ClassVar[float] = 2.0


def find(kind: str) -> type[Detector]:
    known: list[type[Detector]] = [Bright, Broken, Endless, Slow, Stubborn, Wild]
    return next(k for k in known if k.kind == kind)
