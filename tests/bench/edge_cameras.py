"""How many 720p cameras at 5 frames a second one agent carries, and where the knee is.

A real agent process, as `gridwarden edge` starts it, with 1, 4, 8, ... file cameras that play one
H.264 file in a circle at its own pace: each camera has a decoder process of its own and every
detector at its defaults. No hub is there, so all goes into the spool. After a warm-up it is counted
how many of the frames that were due a detector looked at. The count goes up until less than `KEPT`
of them were; what others on the machine used meanwhile is told, for then the knee comes earlier.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np

from detectors.kit.registry import available
from edge.scenes import open_scene
from tests.bench.processes import BUSY, Meter

FPS = 5
SIZE = (1280, 720)
FILE_S = 20.0
CAMERAS = (1, 4, 8, 12, 16, 20, 24, 32, 48)
WARM_UP_S, MEASURED_S = 10.0, 20.0
QUICK_CAMERAS, QUICK_WARM_UP_S, QUICK_MEASURED_S = (1, 2), 6.0, 5.0
KEPT = 0.95  # share of the frames due below which the agent is over its knee
START_S = 60.0  # for all cameras to come


@dataclass(frozen=True, slots=True)
class Load:
    """An agent with so many cameras."""

    cameras: int
    kept: float  # frames a detector looked at / frames due
    worst: float  # of the camera that fared worst
    cores: float  # CPU seconds a second of agent and decoders
    others: float  # share of the machine that something else used


@dataclass(frozen=True, slots=True)
class Knee:
    """Rising numbers of cameras."""

    loads: tuple[Load, ...]

    def lines(self) -> list[str]:
        """Rows of a Markdown table."""
        rows = []
        for load in self.loads:
            busy = f"; others used {load.others:.0%}" if load.others > BUSY else ""
            rows.append(
                f"| {load.cameras} cameras, 720p H.264 at {FPS} fps, all detectors "
                f"| {load.kept:.3f} (worst camera {load.worst:.3f}; "
                f"{load.cores:.2f} cores used{busy}) | frames observed / due |"
            )
        carried = [load.cameras for load in self.loads if load.kept >= KEPT]
        over = next((load.cameras for load in self.loads if load.kept < KEPT), None)
        knee = f"below it at {over}" if over else "not reached"
        rows.append(
            f"| **cameras carried at {KEPT:g} or more** | {max(carried, default=0)} ({knee}) | |"
        )
        return rows


def measure(runs: int, quick: bool) -> Sequence[Knee]:
    """One rise; `runs` has no say, each step being a long mean."""
    counts, warm_up_s, measured_s = (
        (QUICK_CAMERAS, QUICK_WARM_UP_S, QUICK_MEASURED_S)
        if quick
        else (CAMERAS, WARM_UP_S, MEASURED_S)
    )
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as name:
        folder = Path(name)
        video = film(folder / "street.mp4", 4.0 if quick else FILE_S)
        loads: list[Load] = []
        for count in counts:
            loads.append(load(folder / f"agent-{count}", video, count, warm_up_s, measured_s))
            if loads[-1].kept < KEPT:
                break
        return [Knee(tuple(loads))]


def film(path: Path, seconds: float) -> Path:
    """The rendered street as 720p H.264 with a key frame every two seconds, as cameras send it."""
    scene = open_scene("street")
    canvas = np.empty((*scene.size, 3), np.uint8)
    random = np.random.default_rng(5)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS), options={"g": str(2 * FPS)})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(round(seconds * FPS)):
            scene.draw(number / FPS, canvas)
            image = np.asarray(cv2.resize(canvas, SIZE), np.float64)
            noise = random.normal(0.0, 2.0, image.shape)  # as a sensor has it
            shown = np.clip(image + noise, 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, "bgr24")))
        container.mux(stream.encode())
    return path


def load(folder: Path, video: Path, cameras: int, warm_up_s: float, measured_s: float) -> Load:
    """What an agent with so many cameras carries."""
    with agent(folder, video, cameras) as process:
        until_seen(folder, cameras)
        time.sleep(warm_up_s)
        meter = Meter({"agent": (process.pid,)})
        before = status(folder)
        time.sleep(measured_s)
        after = status(folder)
        used = meter.used()
    due = FPS * (after.written_at - before.written_at).total_seconds()
    shares = [(after.observed(name) - before.observed(name)) / due for name in before.streams]
    return Load(
        cameras,
        sum(shares) / len(shares),
        min(shares),
        used.by_part["agent"] / used.wall_s,
        used.others,
    )


@contextmanager
def agent(folder: Path, video: Path, cameras: int) -> Iterator[subprocess.Popen[bytes]]:
    """An agent at work, in a process of its own."""
    folder.mkdir()
    blocks = [
        f'[agent]\nname = "bench"\nstation = "bench"\ndata_dir = "{folder / "data"}"\n'
        "[broker]\nport = 1\n"
    ]
    for number in range(cameras):
        blocks.append(f'[[stream]]\nid = "cam-{number:02}"\nsource = "{video}"\n')
        blocks += [f"[stream.detectors.{kind}]\n" for kind in available()]
    config = folder / "site.toml"
    config.write_text("".join(blocks), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gridwarden", "edge", "--config", str(config)],
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until_seen(folder: Path, cameras: int) -> None:
    """Wait until a detector has looked at every camera; raises RuntimeError where none comes."""
    deadline = time.monotonic() + START_S
    while True:
        seen = status(folder)
        if len(seen.streams) == cameras and all(seen.observed(name) for name in seen.streams):
            return
        if time.monotonic() > deadline:
            said = (folder / "log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{cameras} cameras did not come within {START_S:g} s: {said}")
        time.sleep(0.2)


class _Stream(msgspec.Struct):
    observed: int


class Status(msgspec.Struct):
    """What is read of the agent's status file, which it writes each second."""

    written_at: datetime = datetime.min
    streams: dict[str, _Stream] = {}

    def observed(self, stream: str) -> int:
        """Frames of a camera that a detector has looked at."""
        return self.streams[stream].observed


def status(folder: Path) -> Status:
    """The agent's last word of itself; an empty one before its first."""
    try:
        return msgspec.json.decode((folder / "data" / "status.json").read_bytes(), type=Status)
    except FileNotFoundError:
        return Status()
