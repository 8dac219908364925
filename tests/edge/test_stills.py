"""Folders of pictures as a source."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from contract.taxonomy import CameraState
from edge.sources.opening import SourceSettings
from edge.sources.source import own_canvas
from edge.sources.stills import StillsSource
from tests.edge.builders import T0

Act = Callable[[], None]


class EnoughError(Exception):
    """The looks into the folder that a test plans are over."""


class Viewer:
    """Shows a folder; between two looks the next of `acts` happens."""

    def __init__(self, folder: Path, acts: list[Act], **settings: str | bool) -> None:
        self.told: list[tuple[CameraState, str]] = []
        self.waits: list[float] = []
        self._acts = list(acts)
        chosen = SourceSettings("cam", f"stills:{folder}", **settings)  # type: ignore[arg-type]
        self.source = StillsSource(chosen, self._tell, own_canvas, self._now, self._wait)

    def shades(self) -> list[int]:
        """The brightness of each picture shown."""
        return [shade for shade, _ in self.shown()]

    def shown(self) -> list[tuple[int, datetime]]:
        out: list[tuple[int, datetime]] = []
        try:
            for frame in self.source.frames():
                assert frame.number == len(out)
                out.append((round(float(frame.image.mean())), frame.captured_at))
        except EnoughError:
            pass
        return out

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if not self._acts:
            raise EnoughError
        self._acts.pop(0)()

    def _tell(self, state: CameraState, detail: str) -> None:
        self.told.append((state, detail))

    @staticmethod
    def _now() -> datetime:
        return T0


def picture(path: Path, shade: int, age_s: float = 0.0) -> Path:
    cv2.imwrite(str(path), np.full((48, 64, 3), shade, np.uint8))
    written = T0.timestamp() - age_s
    os.utime(path, (written, written))
    return path


def nothing() -> None:
    pass


def test_a_live_folder_begins_with_its_newest_picture_and_shows_each_that_appears(
    tmp_path: Path,
) -> None:
    picture(tmp_path / "a.jpg", 10, age_s=20)
    picture(tmp_path / "b.png", 20, age_s=10)

    def appear() -> None:
        picture(tmp_path / "c.jpg", 30, age_s=5)
        picture(tmp_path / "0.jpg", 40, age_s=4)
        (tmp_path / "notes.txt").write_text("no picture")

    viewer = Viewer(tmp_path, [nothing, appear, nothing, nothing])
    assert viewer.shades() == [20, 40, 30]


def test_a_picture_that_is_written_over_is_shown_again(tmp_path: Path) -> None:
    path = picture(tmp_path / "latest.jpg", 10, age_s=9)
    viewer = Viewer(tmp_path, [nothing, lambda: void(picture(path, 200, 1)), nothing, nothing])
    assert viewer.shades() == [10, 200]


def void(_: object) -> None:
    pass


def test_a_half_written_picture_is_shown_once_and_whole(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    whole = picture(tmp_path / "whole.jpg", 90).read_bytes()
    path = folder / "a.jpg"
    halves = [
        lambda: void(path.write_bytes(whole[: len(whole) // 2])),
        nothing,  # its size stands still: the writer stalls
        nothing,
        lambda: void(path.write_bytes(whole)),
    ]
    viewer = Viewer(folder, [*halves, nothing, nothing])
    assert viewer.shades() == [90]


def test_a_picture_has_the_time_its_file_was_written_unless_that_was_long_ago(
    tmp_path: Path,
) -> None:
    viewer = Viewer(
        tmp_path,
        [
            lambda: void(picture(tmp_path / "copied.jpg", 10, age_s=86_400)),
            nothing,
            lambda: void(picture(tmp_path / "taken.jpg", 20, age_s=-3600)),
            nothing,
            nothing,
        ],
    )
    ahead_of_the_clock = T0 + timedelta(milliseconds=1)
    assert viewer.shown() == [(10, T0), (20, ahead_of_the_clock)]

    fresh = tmp_path / "fresh"
    fresh.mkdir()
    picture(fresh / "a.jpg", 30, age_s=7)
    assert Viewer(fresh, [nothing]).shown() == [(30, T0 - timedelta(seconds=7))]


def test_a_folder_that_goes_is_lost_and_online_again_when_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()

    def back() -> None:
        folder.mkdir()
        picture(folder / "a.jpg", 70)

    viewer = Viewer(folder, [lambda: shutil.rmtree(folder), nothing, back, nothing, nothing])
    assert viewer.shades() == [70]
    states = [state for state, _ in viewer.told]
    assert states == [CameraState.CONNECTING, CameraState.LOST, CameraState.ONLINE]
    assert f"folder {folder} is not there" in viewer.told[1][1]


def test_pictures_played_once_come_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg", 10, age_s=1)
    picture(tmp_path / "b.jpg", 20, age_s=3)
    picture(tmp_path / "c.jpg", 30, age_s=2)
    (tmp_path / "d.jpg").write_bytes(b"no picture")
    for order, shades in (("name", [10, 20, 30]), ("time", [20, 30, 10])):
        viewer = Viewer(tmp_path, [], loop=False, pace="fast", order=order)
        assert viewer.shades() == shades
        assert viewer.waits == []
        assert viewer.told[-1][0] is CameraState.ENDED
        assert any("d.jpg is no whole picture" in detail for _, detail in viewer.told)


def test_a_folder_that_stays_quiet_goes_on_telling_that_it_is_looked_at(tmp_path: Path) -> None:
    viewer = Viewer(tmp_path, [lambda: None] * 120)
    viewer.shown()
    assert [state for state, _ in viewer.told] == [CameraState.CONNECTING] * 4


def test_a_missing_folder_to_be_played_once_is_lost_until_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "later"

    def appear() -> None:
        folder.mkdir()
        picture(folder / "a.jpg", 50)

    viewer = Viewer(folder, [nothing, appear], loop=False)
    assert viewer.shades() == [50]
    states = [state for state, _ in viewer.told]
    assert states == [CameraState.LOST, CameraState.LOST, CameraState.ONLINE, CameraState.ENDED]
    assert f"folder {folder} is not there: make it; trying again in" in viewer.told[0][1]
