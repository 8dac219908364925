"""Private parts of a picture: settings that are refused, pixels that are gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from contract.geometry import Box
from detectors.kit.types import Frame
from edge.config import ConfigError, load
from edge.evidence import take_picture
from edge.privacy import FILL, read_polygons
from tests.edge.builders import T0

SQUARE = [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]


@pytest.mark.parametrize(
    ("polygons", "told"),
    [
        ([[[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]], "polygon 1 crosses itself"),
        ([SQUARE, [[0.1, 0.1], [1.2, 0.1], [0.5, 0.9]]], r"polygon 2: corner \[1.2, 0.1\] lies"),
        ([[[0.1, 0.1], [0.2, 0.2]]], "needs 3 to 64 corners"),
        ([[[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]], "covers nothing"),
        ([[[0.1, 0.1], [0.2, "x"], [0.3, 0.3]]], r"a corner is \[x, y\], got \[0.2, 'x'\]"),
        ([[[0.1, 0.1], [0.2, float("nan")], [0.3, 0.3]]], "lies outside the picture"),
        ([SQUARE] * 33, "at most 32"),
        ("all of it", "must be a list of polygons"),
    ],
)
def test_a_wrong_polygon_is_refused_by_name(polygons: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=f"stream cam-01: .*{told}"):
        read_polygons(polygons, "stream cam-01")


def test_polygons_are_read_from_the_settings_of_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(
        '[agent]\nname = "a"\nstation = "s"\ndata_dir = "d"\n[[stream]]\nid = "cam-01"\n'
        f'source = "scene:fire"\nprivacy = [{SQUARE}]\n',
        encoding="utf-8",
    )
    (stream,) = load(path, {}).streams
    assert stream.privacy == (tuple((x, y) for x, y in SQUARE),)


def test_what_a_still_hides_is_in_none_of_its_bytes() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1080, 1920, 3), np.uint8)
    polygon = tuple((x, y) for x, y in SQUARE)
    still = take_picture(Frame(noise, T0, "cam-01", 0), Box(0.0, 0.0, 0.1, 0.1), "x", [polygon])
    shown = cv2.imdecode(np.frombuffer(still.data, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    height, width = shown.shape[:2]
    rim = 24  # pixels: a block of JPEG's colour has 16
    inside = shown[
        height // 4 + rim : height * 3 // 4 - rim, width // 4 + rim : width * 3 // 4 - rim
    ]
    assert int(np.abs(inside.astype(int) - FILL).max()) <= 3
    outside = shown[height * 3 // 4 + 16 :, :]
    assert float(outside.std()) > 20.0  # the rest is there
