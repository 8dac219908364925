"""Clips of unusual shape and time through `gridwarden evaluate`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gridwarden.cli import main
from gridwarden.evaluation import recording

TICK = Fraction(1, 1000)


def write(path: Path, size: tuple[int, int], at_ms: Sequence[int]) -> None:
    """H.264 whose frames are to be shown at these times."""
    width, height = size
    random = np.random.default_rng(3)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = TICK
        coarse = random.integers(60, 200, (height // 10, width // 10, 3), np.uint8)
        image = coarse.repeat(10, axis=0).repeat(10, axis=1)  # quick to encode
        for ms in at_ms:
            frame = av.VideoFrame.from_ndarray(image, "bgr24")
            frame.pts, frame.time_base = ms, TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


SHAPES: dict[str, tuple[tuple[int, int], list[int]]] = {
    "portrait_variable.mp4": ((90, 160), [0, 40, 80, 120, 500, 540, 1500, 1540]),
    "three_of_4k.mp4": ((3840, 2160), [0, 200, 400]),
    "sixty.mp4": ((160, 90), [round(n * 1000 / 60) for n in range(30)]),
}


def test_portrait_4k_uneven_times_60_fps_and_three_frames_are_measured_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, (size, at_ms) in SHAPES.items():
        write(tmp_path / name, size, at_ms)
    labels = [{"file": name, "cat": "nonfire"} for name in SHAPES]
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    kept = tmp_path / "kept"
    kinds = ["--detector", "stopped_vehicle", "--detector", "camera_health"]
    assert main(["evaluate", str(tmp_path), *kinds, "--recordings", str(kept)]) == 0
    assert "NOT MEASURED" not in capsys.readouterr().out
    for name, (_, at_ms) in SHAPES.items():
        seen_ms = recording.load(kept / f"{name}.npz").frame_us / 1000.0
        assert seen_ms - seen_ms[0] == pytest.approx(np.array(at_ms) * 1.0, abs=2.0), name
