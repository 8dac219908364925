"""What a frame costs on the edge: everything up to the spool against decoding alone.

CPU seconds of this process, one thread, on the same file in turn: decode only; then decode,
every detector at its own sampling rate, rules, evidence and the spool on disk. Once with all of
them, and once without neural weights: flame without the verifier, and no smoke, which has nothing
to go by without it. (`objects` has no network either way: none is shipped.)
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from contract.taxonomy import Lane
from detectors.kit.registry import available
from detectors.kit.types import Frame
from edge.scenes import open_scene
from edge.scenes.wrong_way import lane_text
from edge.settings import DetectorSettings, StreamSettings
from edge.sqlite_spool import SqliteSpool
from edge.watching import StreamWatch
from tests.bench.measure import Comparison, compare

CLIP = "nonfire/N20_ppe_site.mp4"  # 1280x720, H.264, people and machines moving
START = datetime(2026, 1, 1, tzinfo=UTC)
WITHOUT_WEIGHTS: Mapping[str, Mapping[str, Any] | None] = {
    "flame": {"verifier": False},
    "smoke": None,
}
# without lanes it looks at nothing
DREW: Mapping[str, Mapping[str, Any]] = {
    "wrong_way": {"lanes": f"{lane_text('in', 'down', -1, 2)}; {lane_text('out', 'up', 1, 2)}"}
}


def frames(path: Path, limit: int) -> Iterator[Frame]:
    """The first frames of a file, decoded by one thread."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    fps = capture.get(cv2.CAP_PROP_FPS)
    for number in range(limit):
        there, image = capture.read()
        if not there:
            break
        at = START + timedelta(seconds=number / fps)
        yield Frame(np.asarray(image, np.uint8), at, "bench", number)
    capture.release()


def _decode_ms(path: Path, limit: int) -> float:
    """CPU milliseconds a frame, nothing but decoding."""
    begun, count = time.process_time(), 0
    for _ in frames(path, limit):
        count += 1
    return (time.process_time() - begun) / count * 1000


def pipeline_ms(
    path: Path, limit: int, changed: Mapping[str, Mapping[str, Any] | None] | None = None
) -> float:
    """CPU milliseconds a frame, decoding included, up to the spool.

    changed: parameters by detector, None for a detector that is left out.
    """
    kinds = {kind: DREW.get(kind, {}) for kind in available()} | dict(changed or {})
    stream = StreamSettings(
        id="bench",
        name="",
        source=str(path),
        loop=False,
        position=None,
        detectors=tuple(DetectorSettings(k, v) for k, v in kinds.items() if v is not None),
    )
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as folder:
        spool = SqliteSpool(Path(folder), dict.fromkeys(Lane, 1 << 30), lambda: datetime.now(UTC))
        watch = StreamWatch("bench", stream)
        begun, count = time.process_time(), 0
        for frame in frames(path, limit):
            count += 1
            entries = watch.observe(frame) if watch.wants(frame.captured_at) else []
            if entries:
                spool.append(entries)
        took = time.process_time() - begun
        spool.close()
    return took / count * 1000


def _rendered(folder: Path, seconds: float) -> Path:
    """The street scene as a 720p file, so that the measurement needs no clip."""
    scene = open_scene("street")
    path = folder / "street.mp4"
    height, width = scene.size
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), scene.fps, (1280, 720))
    canvas = np.empty((height, width, 3), np.uint8)
    for n in range(round(seconds * scene.fps)):
        scene.draw(n / scene.fps, canvas)
        writer.write(cv2.resize(canvas, (1280, 720)))
    writer.release()
    return path


def inputs(folder: Path, limit: int) -> list[tuple[str, Path]]:
    """(name, file) of what is measured: the rendered street, and a real clip where there is one.

    folder: where the street is rendered to, `limit` frames of it.
    """
    found = [("rendered street, 720p MPEG-4", _rendered(folder, limit / 12))]
    clips = os.environ.get("GRIDWARDEN_CLIPS")
    if clips and (Path(clips) / CLIP).is_file():
        found.append(("real clip, 720p H.264", Path(clips) / CLIP))
    return found


def measure(runs: int, quick: bool) -> list[Comparison]:
    """The rendered street, and a real 720p clip where the labelled clips are at hand."""
    cv2.setNumThreads(1)
    limit = 100 if quick else 260
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as folder:
        return [
            compare(
                f"{name}, {what}",
                lambda path=path, changed=changed: pipeline_ms(  # type: ignore[misc]
                    path, limit, changed
                ),
                "decoding alone",
                lambda path=path: _decode_ms(path, limit),  # type: ignore[misc]
                unit="CPU ms/frame",
                runs=runs,
            )
            for what, path in inputs(Path(folder), limit)
            for name, changed in (
                ("edge pipeline without weights", WITHOUT_WEIGHTS),
                ("edge pipeline", None),
            )
        ]
