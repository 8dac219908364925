"""Which cameras a demo gets, and what it says of videos that cannot be played."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from shapely import Point, Polygon

from contract.errors import GridwardenError
from edge.config import load
from edge.readings.opening import open_source
from edge.readings.simulated import SimulatedSource, simulate
from edge.readings.watch import SensorWatch
from gridwarden.cameras import DETECTORS, Camera, choose_cameras
from gridwarden.datafolder import open_folder
from gridwarden.demo_sensors import demo_sensors
from gridwarden.district import build_district
from gridwarden.settings import write_edge_settings
from tests.edge.sensor_builders import told

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("videos") / "north gate (1).avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for n in range(10):
        writer.write(np.full((48, 64, 3), 20 * n, np.uint8))
    writer.release()
    return path


def chosen(*videos: str | Path, scenes: bool = False, **more: object) -> list[Camera]:
    line, axis = more.get("line"), more.get("axis")
    assert line is None or isinstance(line, float)
    assert axis is None or isinstance(axis, str)
    return choose_cameras([str(v) for v in videos], scenes=scenes, loop=True, line=line, axis=axis)


def refusal(source: str | Path) -> str:
    with pytest.raises(GridwardenError) as raised:
        chosen(source)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_without_videos_there_are_four_rendered_scenes() -> None:
    assert [c.source for c in chosen()] == [
        "scene:fire",
        "scene:street",
        "scene:water",
        "scene:freeze",
    ]


def test_videos_stand_in_for_the_scenes_or_beside_them(video: Path) -> None:
    assert len(chosen(video)) == 1
    assert len(chosen(video, scenes=True)) == 5


def test_cameras_stand_in_different_named_cells_of_the_district(video: Path) -> None:
    cells = [cell for cell in build_district() if cell.level == 1]
    found = set()
    for camera in chosen(*[video] * 26, scenes=True):
        at = Point(camera.position.lon, camera.position.lat)
        holders = [
            cell for cell in cells if Polygon([(p.lon, p.lat) for p in cell.ring]).contains(at)
        ]
        assert len(holders) == 1
        assert holders[0].name_en
        found.add(holders[0].code)
    assert len(found) == 30


def test_a_file_names_its_stream_and_twins_get_numbers(video: Path) -> None:
    assert [c.stream for c in chosen(video, video)] == ["north-gate-1", "north-gate-1-2"]


def test_a_count_line_is_set_for_every_video_and_no_scene(video: Path) -> None:
    cameras = chosen(video, video, scenes=True, line=0.4, axis="vertical")
    assert [c.parameters for c in cameras[4:]] == [
        {"traffic_flow": {"line": 0.4, "axis": "vertical"}}
    ] * 2
    assert not any("traffic_flow" in c.parameters for c in cameras[:4])


def test_the_street_is_watched_for_stopped_vehicles_and_the_underpass_for_water(
    tmp_path: Path,
) -> None:
    folder = open_folder(tmp_path / "demo", fresh=False)
    try:
        settings = load(write_edge_settings(folder, 1883, chosen()), {})
    finally:
        folder.close()
    besides = {
        s.source: {detector.kind for detector in s.detectors} - set(DETECTORS)
        for s in settings.streams
    }
    assert besides == {
        "scene:fire": set(),
        "scene:street": {"stopped_vehicle"},
        "scene:water": {"ponding"},
        "scene:freeze": set(),
    }


def test_a_missing_file_is_told_with_its_path(tmp_path: Path) -> None:
    assert str(tmp_path / "gone.mp4") in refusal(tmp_path / "gone.mp4")


def test_an_address_that_refuses_is_told_without_its_password() -> None:
    message = refusal("rtsp://admin:secret@127.0.0.1:9/stream")
    assert "127.0.0.1:9" in message
    assert "secret" not in message


def test_a_corrupt_clip_is_told(tmp_path: Path, video: Path) -> None:
    broken = tmp_path / "broken.avi"
    broken.write_bytes(video.read_bytes()[:64] + bytes(5000))
    assert "broken.avi" in refusal(broken)


def test_one_bad_video_among_good_ones_refuses_them_all(video: Path, tmp_path: Path) -> None:
    with pytest.raises(GridwardenError, match=r"gone\.mp4"):
        chosen(video, tmp_path / "gone.mp4", video)


def test_more_videos_than_places_are_refused(video: Path) -> None:
    with pytest.raises(GridwardenError, match="31 videos are more than"):
        chosen(*[video] * 31)


def test_the_demo_has_sensors_whose_every_fault_crosses_its_limit(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "demo", fresh=False)
    try:
        cameras = chosen()
        settings = load(write_edge_settings(folder, 1883, cameras, demo_sensors()), {})
    finally:
        folder.close()
    (sensor,) = settings.sensors
    assert {w.metric for w in sensor.watches} == {"water_level", "pm2_5", "smoke"}
    named = [*(d.name for d in sensor.devices), *(s.name for s in settings.streams)]
    assert [n for n in named if n.isascii() or not re.match("[A-Z][a-z]+", n)] == []
    stands = {d.position for d in sensor.devices}
    assert len(stands) == 3
    assert not stands & {c.position for c in cameras}
    source = open_source(sensor, "", lambda: START)
    assert isinstance(source, SimulatedSource)
    watches = [SensorWatch("demo", sensor, w) for w in sensor.watches]
    raised = [
        told(w.observe(s.reading, s.reading.captured_at))
        for simulated in source.sensors
        for s in simulate(simulated, START, 200.0)
        for w in watches
        if w.wants(s.reading)
    ]
    labels = [label for found in raised for _, label, phase in found if phase == "raised"]
    assert sorted(labels) == ["pm2_5.high", "smoke.high", "water_level.high"]


@pytest.mark.parametrize(
    ("scene", "kind"),
    [
        ("wrong_way", "wrong_way"),
        ("queue?seed=3", "congestion"),
        ("fog", "visibility"),
        ("dumped", "dumping"),
    ],
)
def test_a_scene_asked_for_is_watched_for_what_it_shows(scene: str, kind: str) -> None:
    (camera,) = chosen(f"scene:{scene}")
    assert list(camera.parameters) == [kind]
