"""Scenes that outlast a restart of the agent."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from detectors.kit.background import KNOWN_FOR, Background
from detectors.kit.types import Frame, Image
from edge.capture import Camera
from edge.known_scenes import FOLDER, KnownScenes
from edge.pipeline import Stream
from edge.settings import CaptureSettings
from edge.watching import StreamWatch
from tests.detectors.scenes import car, film, street
from tests.edge.builders import now, stream

EVERY_S = 3600.0


def watching(folder: Path) -> tuple[KnownScenes, Stream]:
    """A camera with detectors that learn scenes, as the agent makes it."""
    settings = stream(traffic_flow={}, stopped_vehicle={})
    camera = Camera(settings, CaptureSettings(), now, lambda name: None)
    one = Stream(settings, camera, StreamWatch("a-1", settings))
    return KnownScenes(folder, {settings.id: one}, EVERY_S), one


def look(one: Stream, frames: Iterable[Frame]) -> None:
    for frame in frames:
        one.watch.observe(frame)


def backgrounds(one: Stream) -> list[Background]:
    return [background for _, background in one.watch._backgrounds()]


@pytest.fixture(scope="module")
def empty_street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an agent that has seen an empty street for 11 s and was stopped."""
    folder = tmp_path_factory.mktemp("agent")
    scenes, one = watching(folder)
    scenes.start()
    look(one, film(11.0, fps=5.0))
    scenes.stop()
    return folder


@pytest.fixture
def learnt(empty_street: Path, tmp_path: Path) -> Path:
    """The same, for a test of its own."""
    shutil.copytree(empty_street, tmp_path / "agent")
    return tmp_path / "agent"


def later(frames: Iterable[Frame], by: timedelta) -> list[Frame]:
    return [dataclasses.replace(f, captured_at=f.captured_at + by) for f in frames]


def restarted(folder: Path, frames: Iterable[Frame]) -> Stream:
    scenes, one = watching(folder)
    scenes.start()
    look(one, frames)
    return one


def knows_the_place_empty(one: Stream) -> bool:
    """Whether a car that was there from the first picture on is no part of the scene."""
    return all(abs(float(b.luma()[90, 70]) - 100.0) < 60.0 for b in backgrounds(one))


PARKED = car(0.22, lambda second: 0.5, colour=(255, 255, 255))


def test_a_car_that_came_while_the_agent_was_away_is_no_part_of_the_scene(
    learnt: Path, tmp_path: Path
) -> None:
    frames = later(film(1.0, PARKED), timedelta(minutes=2))
    assert not knows_the_place_empty(restarted(tmp_path, frames))
    assert knows_the_place_empty(restarted(learnt, frames))
    assert (learnt / FOLDER / "cam-01.npz").stat().st_mode & 0o077 == 0


def shifted(image: Image) -> Image:
    return np.roll(image, 4, axis=1)


@pytest.mark.parametrize(
    ("away", "scene"),
    [
        (KNOWN_FOR + timedelta(minutes=1), street),
        (timedelta(minutes=-5), street),
        (timedelta(minutes=2), lambda: street(width=256, height=144)),
        (timedelta(minutes=2), lambda: street(seed=9)[:, ::-1].copy()),
        (timedelta(minutes=2), lambda: shifted(street())),
        (timedelta(minutes=2), lambda: np.zeros((180, 320, 3), np.uint8)),
    ],
    ids=["too old", "a clock set back", "another size", "another view", "turned a little", "dark"],
)
def test_a_scene_that_may_not_be_so_any_more_is_learnt_anew(
    learnt: Path, away: timedelta, scene: Callable[[], Image]
) -> None:
    (first, *_) = later(film(0.1, scene=scene()), away)
    one = restarted(learnt, [first])
    size = first.image.shape
    for background in backgrounds(one):
        assert background.known() is None, one.fault()
        assert background.luma().shape == size[:2]


@pytest.mark.parametrize(
    "damage", [b"", b"PK\x03\x04 cut", b"\x93NUMPY", b"[1]"], ids=["empty", "cut", "head", "text"]
)
def test_a_damaged_file_costs_the_scene_and_nothing_else(
    learnt: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (learnt / FOLDER / "cam-01.npz").write_bytes(damage)
    one = restarted(learnt, film(0.5))
    assert one.fault() == ""
    assert "is learnt anew" in caplog.text


def test_a_folder_that_cannot_be_written_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    scenes, one = watching(tmp_path)
    look(one, film(11.0, fps=5.0))
    scenes.keep()
    scenes.keep()
    assert caplog.text.count("cannot be kept") == 1


def test_a_scene_too_young_to_be_known_is_not_kept(tmp_path: Path) -> None:
    scenes, one = watching(tmp_path)
    scenes.start()
    look(one, film(2.0))
    scenes.stop()
    assert not (tmp_path / FOLDER).exists()


def test_nothing_is_kept_where_it_is_switched_off(tmp_path: Path) -> None:
    _, one = watching(tmp_path)
    scenes = KnownScenes(tmp_path, {"cam-01": one}, 0.0)
    scenes.start()
    look(one, film(11.0, fps=5.0))
    scenes.stop()
    assert not (tmp_path / FOLDER).exists()
