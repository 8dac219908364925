"""What one detector says of one video file: `python -m detectors.look VIDEO [--detector flame]`.

Prints each episode and each measurement with the frame and the second it happened at. Time is the
file's own, so the answer is the same each time and does not depend on how fast this machine is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from contract.episode import Episode, EpisodeChange, Sample, Subject
from contract.errors import GridwardenError
from contract.taxonomy import Phase
from detectors.kit.beat import Beat, looks_on_beat
from detectors.kit.params import build
from detectors.kit.protocol import Detector
from detectors.kit.registry import detector
from detectors.kit.sampling import Sampling
from detectors.kit.steadying import StandsOnView
from detectors.kit.types import Frame, Measurement, Observation

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # second 0 of every file
FALLBACK_FPS = 25.0  # for files that do not say


class VideoError(GridwardenError, OSError):
    """A video file is not there or holds no picture."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One measurement, and where in the stream it was taken."""

    at: datetime
    frame: int
    measurement: Measurement


@dataclass(slots=True)
class Cost:
    """How long the detector took for each frame it was shown, filled while watching.

    What was spent on steadying since the frame before is a part of it.
    """

    per_frame_ms: list[float] = field(default_factory=list)
    spent_ms: float = 0.0

    def looked(self, ms: float) -> None:
        """It was shown a frame."""
        self.per_frame_ms.append(self.spent_ms + ms)
        self.spent_ms = 0.0

    @property
    def median_ms(self) -> float:
        """Milliseconds; 0 where it saw no frame."""
        return statistics.median(self.per_frame_ms) if self.per_frame_ms else 0.0


def frames(path: Path) -> Iterator[Frame]:
    """The frames of a video file, timed by its frame rate; raises VideoError."""
    if not path.is_file():
        raise VideoError(f"no video at {path}: give the path of a file")
    capture = cv2.VideoCapture(str(path))
    try:
        fps = capture.get(cv2.CAP_PROP_FPS)
        fps = fps if 0.0 < fps < 1000.0 else FALLBACK_FPS
        number = 0
        while True:
            there, image = capture.read()
            if not there:
                break
            at = EPOCH + timedelta(seconds=number / fps)
            yield Frame(np.asarray(image, np.uint8), at, path.stem, number)
            number += 1
    finally:
        capture.release()
    if number == 0:
        raise VideoError(f"{path} holds no picture that can be decoded: check it with ffprobe")


def at_rate(stream: Iterable[Frame], fps: float) -> Iterator[Frame]:
    """Those frames that a detector sampling at `fps` is shown; all of them where it is 0."""
    sampling = Sampling(fps)
    for frame in stream:
        if sampling.is_due(frame.captured_at):
            sampling.looked(frame.captured_at)
            yield frame


def on_beat(
    stream: Iterable[Frame], watcher: Detector, cost: Cost | None = None
) -> Iterator[Frame]:
    """The frames on the beat, steadied where the detector stands on the view."""
    beat, steady = Beat(), isinstance(watcher, StandsOnView)
    for frame in stream:
        if beat.holds(frame.captured_at):
            begun = time.perf_counter()
            shown = beat.steadied(frame) if steady else frame
            if cost is not None:
                cost.spent_ms += (time.perf_counter() - begun) * 1e3
            yield shown


def watch(
    stream: Iterable[Frame], watcher: Detector, cost: Cost | None = None
) -> Iterator[EpisodeChange | Counted]:
    """What becomes of a stream of frames under one detector, its rule and its policy."""
    episodes: dict[tuple[str, str], Episode] = {}
    last: Frame | None = None
    if looks_on_beat(watcher.sample_fps):
        stream = on_beat(stream, watcher, cost)
    for frame in at_rate(stream, watcher.sample_fps):
        last = frame
        begun = time.perf_counter()
        findings = list(watcher.observe(frame))
        if cost is not None:
            cost.looked((time.perf_counter() - begun) * 1e3)
        for finding in findings:
            if isinstance(finding, Measurement):
                yield Counted(frame.captured_at, frame.number, finding)
            else:
                change = _episode(episodes, watcher, frame, finding).step(
                    Sample(frame.captured_at, finding.score, finding.box, frame.number)
                )
                if change is not None:
                    yield change
    if last is not None:
        for episode in episodes.values():
            change = episode.end(last.captured_at, "the video ended")
            if change is not None:
                yield change


def _episode(
    episodes: dict[tuple[str, str], Episode], watcher: Detector, frame: Frame, seen: Observation
) -> Episode:
    key = (seen.label, seen.place)
    if key not in episodes:
        rule = watcher.rule()
        if rule is None:
            raise TypeError(f"detector {watcher.kind} observes {seen.label!r} but has no rule")
        subject = Subject("look", frame.stream, watcher.kind, seen.label, seen.place)
        episodes[key] = Episode(subject, rule, watcher.policy())
    return episodes[key]


def describe(seen: EpisodeChange | Counted) -> dict[str, Any]:
    """The facts of one line of output."""
    where: dict[str, Any] = {
        "frame": seen.frame,
        "second": round((seen.at - EPOCH).total_seconds(), 2),
    }
    if isinstance(seen, Counted):
        return where | asdict(seen.measurement)
    return where | {
        "phase": str(seen.phase),
        "label": seen.subject.label,
        "score": round(seen.score, 3),
        "box": None if seen.box is None else [round(v, 3) for v in _corners(seen)],
        "reason": seen.reason,
    }


def _corners(change: EpisodeChange) -> tuple[float, ...]:
    assert change.box is not None
    return change.box.x, change.box.y, change.box.w, change.box.h


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit code is 0, or 2 with one line of reason."""
    parser = argparse.ArgumentParser(prog="python -m detectors.look", description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--detector", default="flame", help="its kind (default: flame)")
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args(arguments)
    try:
        _print(options.video, options.detector, _parameters(options.param), options.json)
    except GridwardenError as e:
        sys.stderr.write(f"{e}\n")
        return 2
    return 0


def _parameters(pairs: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        try:
            values[name] = json.loads(text)
        except json.JSONDecodeError:
            values[name] = text
    return values


def _print(video: Path, kind: str, values: dict[str, Any], as_json: bool) -> None:
    found = detector(kind)
    watcher = found(build(found.Params, values, kind))
    cost = Cost()
    tally: Counter[str] = Counter()
    for seen in watch(frames(video), watcher, cost):
        facts = describe(seen)
        if isinstance(seen, Counted):
            tally[f"{seen.measurement.metric} {seen.measurement.label}"] += 1
        elif seen.phase is Phase.RAISED:
            tally[f"raised {seen.subject.label}"] += 1
        if as_json:
            sys.stdout.write(json.dumps(facts) + "\n")
        else:
            words = " ".join(f"{k}={v}" for k, v in facts.items() if k not in ("frame", "second"))
            sys.stdout.write(f"frame {seen.frame:6d}  {facts['second']:8.2f} s  {words}\n")
    total = {"frames": len(cost.per_frame_ms), "median_ms": round(cost.median_ms, 2)} | dict(tally)
    if as_json:
        sys.stdout.write(json.dumps({"total": total}) + "\n")
    else:
        sys.stdout.write("total  " + "  ".join(f"{k}: {v}" for k, v in total.items()) + "\n")


if __name__ == "__main__":
    sys.exit(main())
