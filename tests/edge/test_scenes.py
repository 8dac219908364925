"""The rendered scenes show what their truth says, and detectors find it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contract.episode import Episode, EpisodeChange, Sample, Subject
from contract.taxonomy import CameraState, Phase
from detectors.camera_health import CameraHealth
from detectors.flame import Flame
from detectors.kit.protocol import Detector
from detectors.kit.types import Frame, Image, Measurement, Observation
from detectors.traffic_flow import TrafficFlow
from edge.errors import SourceError
from edge.scenes import open_scene, vehicles
from edge.scenes.street import CAMERA, LINE, OnTheRoad, Street
from edge.scenes.truth import Direction, Scene
from edge.sources.opening import SourceSettings
from edge.sources.scenes import SceneSource
from edge.sources.source import own_canvas

SCENES = ("fire", "street", "water", "freeze", "wrong_way", "queue", "fog", "dumped")
START = datetime(2026, 1, 1, tzinfo=UTC)


@functools.cache
def opened(name: str) -> Scene:
    """The scene, opened once for all tests: what does not move is drawn then, for a second or two.

    What it shows at a moment does not depend on what it showed before.
    """
    return open_scene(name)


def drawn(scene: Scene, at_s: float) -> Image:
    canvas = np.empty((*scene.size, 3), np.uint8)
    scene.draw(at_s, canvas)
    return canvas


def frames(scene: Scene, fps: float, until_s: float) -> Iterator[Frame]:
    for number in range(int(until_s * fps)):
        at_s = number / fps
        yield Frame(drawn(scene, at_s), START + timedelta(seconds=at_s), "cam", number)


def raised(detector: Detector, scene: Scene, until_s: float) -> list[EpisodeChange]:
    episodes: dict[str, Episode] = {}
    found = []
    for frame in frames(scene, detector.sample_fps, until_s):
        for seen in detector.observe(frame):
            assert isinstance(seen, Observation)
            rule = detector.rule()
            assert rule is not None
            subject = Subject("agent", "cam", detector.kind, seen.label)
            episode = episodes.setdefault(seen.label, Episode(subject, rule, detector.policy()))
            change = episode.step(Sample(frame.captured_at, seen.score, seen.box, frame.number))
            if change is not None and change.phase is Phase.RAISED:
                found.append(change)
    return found


def seconds(change: EpisodeChange) -> float:
    return (change.raised_at - START).total_seconds()


@pytest.mark.parametrize("name", SCENES)
def test_the_same_moment_gives_the_same_picture(name: str) -> None:
    assert np.array_equal(drawn(opened(name), 7.3), drawn(open_scene(name), 7.3))


@pytest.mark.long
@pytest.mark.parametrize("name", ["fire", "street", "water"])
def test_no_two_frames_of_a_living_scene_are_alike(name: str) -> None:
    scene = opened(name)
    last = b""
    for number in range(round(scene.duration_s * scene.fps)):
        shown = drawn(scene, number / scene.fps).tobytes()
        assert shown != last, number
        last = shown


def test_only_frozen_frames_are_alike_and_they_are_all() -> None:
    scene = opened("freeze")
    (frozen,) = scene.truth().spans
    last = drawn(scene, 0.0)
    for number in range(1, round(scene.duration_s * scene.fps)):
        shown = drawn(scene, number / scene.fps)
        inside = frozen.start_s < number / scene.fps < frozen.end_s
        assert np.array_equal(last, shown) is inside, number / scene.fps
        last = shown


@pytest.mark.parametrize("name", SCENES)
def test_another_seed_gives_another_scene_of_the_same_length(name: str) -> None:
    one, other = opened(name), opened(f"{name}?seed=7")
    assert one.duration_s == other.duration_s
    assert not np.array_equal(drawn(one, 3.0), drawn(other, 3.0))


@pytest.mark.parametrize("name", SCENES)
def test_a_cycle_is_a_whole_number_of_frames(name: str) -> None:
    scene = opened(name)
    assert (scene.duration_s * scene.fps).is_integer()


@pytest.mark.parametrize("query", ["?seed=", "?seed=-1", "?seed=x", "?speed=2"])
def test_what_follows_a_scene_other_than_a_seed_is_refused(query: str) -> None:
    with pytest.raises(SourceError, match="only \\?seed=NUMBER"):
        open_scene("fire" + query)


def test_an_unknown_scene_is_refused_with_those_there_are() -> None:
    with pytest.raises(SourceError, match="there are: street, fire, water, freeze"):
        open_scene("volcano")


def test_the_fire_is_found_after_its_quiet_lead_in_and_soon() -> None:
    scene = opened("fire")
    (flame,) = [span for span in scene.truth().spans if span.label == "flame"]
    found = raised(Flame(Flame.Params()), scene, scene.duration_s)
    assert len(found) == 1
    assert flame.start_s < seconds(found[0]) <= 10.0
    assert found[0].box is not None
    assert flame.box is not None
    assert found[0].box.iou(flame.box) > 0.1


@pytest.mark.long
@pytest.mark.parametrize("name", ["street", "water", "freeze"])
def test_no_flame_is_seen_where_nothing_burns(name: str) -> None:
    scene = opened(name)
    assert raised(Flame(Flame.Params()), scene, scene.duration_s) == []


def test_the_freezing_camera_is_told_as_frozen_and_nothing_else() -> None:
    scene = opened("freeze")
    (frozen,) = scene.truth().spans
    (found,) = raised(CameraHealth(CameraHealth.Params()), scene, scene.duration_s)
    assert found.subject.label == "frozen"
    assert frozen.start_s < seconds(found) <= frozen.end_s


@pytest.mark.parametrize("name", ["fire", "street", "water"])
def test_a_living_scene_never_seems_frozen_dark_or_covered(name: str) -> None:
    scene = opened(name)
    assert raised(CameraHealth(CameraHealth.Params()), scene, scene.duration_s) == []


@pytest.mark.long
@pytest.mark.parametrize("name", ["street", "street?seed=3"])
def test_the_street_is_counted_as_its_truth_says(name: str) -> None:
    scene, flow = opened(name), TrafficFlow(TrafficFlow.Params(line=0.60))
    counted: dict[str, list[float]] = {"down": [], "up": []}
    for frame in frames(scene, scene.fps, scene.duration_s):
        for seen in flow.observe(frame):
            assert isinstance(seen, Measurement)
            if seen.metric != "vehicle_crossing":
                continue
            counted[seen.label].append((frame.captured_at - START).total_seconds())
    for label, times in counted.items():
        true = [c.at_s for c in scene.truth().crossings if c.direction == label]
        assert len(times) == pytest.approx(len(true), abs=2), label
        for at_s in times:  # the detector waits until a vehicle is firmly beyond the line
            assert min(abs(at_s - t) for t in true) < 0.5, (label, at_s)


def test_a_crossing_names_the_first_frame_with_the_vehicle_beyond_the_line() -> None:
    street = Street()
    line = LINE * street.size[0]
    crossings = street.truth().crossings
    assert len(crossings) == len(street.vehicles)

    def below(vehicle: OnTheRoad, frame: int) -> bool | None:
        pose = street.pose(vehicle, frame / street.fps)
        if pose is None or pose.z_m < 9.0:  # out of sight, below the picture
            return None
        _, top, _, bottom = vehicles.outline(CAMERA, vehicle.look, pose)
        return bool((top + bottom) / 2.0 > line)

    for crossing in crossings:
        down = crossing.direction is Direction.DOWN
        crossed = [
            v
            for v in street.vehicles
            if below(v, crossing.frame - 1) is not down and below(v, crossing.frame) is down
        ]
        assert crossed, crossing


def test_the_water_is_seen_to_rise_and_fall_with_its_level() -> None:
    scene = opened("water")

    def seen(at_s: float) -> NDArray[np.int16]:
        calm = cv2.GaussianBlur(drawn(scene, at_s), (9, 9), 0)  # without the rain
        return np.asarray(calm[300:480, 200:700], np.int16)

    levels = scene.truth().levels
    times, heights = [v.at_s for v in levels], [v.height_m for v in levels]
    dry = seen(90.0)  # it has just drained, and no car has come yet
    wet = {}
    for at_s in (20.0, 26.0, 40.0, 60.0, 80.0):
        wet[at_s] = float((np.abs(seen(at_s) - dry).max(axis=2) > 20).mean())
    by_level = sorted(wet, key=lambda at_s: float(np.interp(at_s, times, heights)))
    assert by_level == sorted(wet, key=lambda at_s: wet[at_s]), wet
    assert wet[by_level[0]] > 0.05


def test_the_road_counts_as_flooded_while_the_level_is_above_fifteen_centimetres() -> None:
    truth = open_scene("water").truth()
    (flooded,) = truth.spans
    heights = [level.height_m for level in truth.levels]
    times = [level.at_s for level in truth.levels]
    for at_s in (flooded.start_s, flooded.end_s):
        assert np.interp(at_s, times, heights) == pytest.approx(0.15, abs=0.01)


def test_a_looping_scene_goes_on_where_its_cycle_ends_without_turning_back() -> None:
    settings = SourceSettings("cam", "scene:freeze", loop=True)
    scene = opened("freeze")
    in_cycle = round(scene.duration_s * scene.fps)
    wanted = {10, in_cycle + 10}
    numbers = itertools.count()

    def canvas(height: int, width: int) -> Image | None:
        return own_canvas(height, width) if next(numbers) in wanted else None

    source = SceneSource(settings, lambda *_: None, canvas, lambda: START, lambda _: None)
    first, second = itertools.islice(source.frames(), 2)
    shown = {frame.number: frame.image for frame in (first, second)}
    assert set(shown) == wanted
    assert (second.captured_at - first.captured_at).total_seconds() == pytest.approx(60.0)
    below_clock = np.s_[60:480]
    assert np.array_equal(shown[10][below_clock], shown[in_cycle + 10][below_clock])
    assert not np.array_equal(shown[10][:60], shown[in_cycle + 10][:60])  # a minute later


def test_the_clock_in_a_frozen_picture_stands_still() -> None:
    settings = SourceSettings("cam", "scene:freeze", loop=False)
    wanted = {100, 250, 399}  # second 8 to second 31.9
    numbers = itertools.count()

    def canvas(height: int, width: int) -> Image | None:
        return own_canvas(height, width) if next(numbers) in wanted else None

    source = SceneSource(settings, lambda *_: None, canvas, lambda: START, lambda _: None)
    first, *later = list(source.frames())
    assert len(later) == 2
    assert all(np.array_equal(first.image, frame.image) for frame in later)


def test_a_scene_played_once_ends_and_counts_the_frames_left_out() -> None:
    told: list[CameraState] = []
    settings = SourceSettings("cam", "scene:freeze", loop=False)
    asked = 0

    def canvas(height: int, width: int) -> Image | None:
        nonlocal asked
        asked += 1
        return None if asked % 2 else own_canvas(height, width)

    now = datetime.now(UTC)
    source = SceneSource(settings, lambda s, _: told.append(s), canvas, lambda: now, lambda _: None)
    played = list(source.frames())
    assert told[-1] is CameraState.ENDED
    assert played
    assert played[-1].number >= len(played)
    times = [frame.captured_at for frame in played]
    assert times == sorted(set(times))
