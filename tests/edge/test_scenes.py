"""The rendered scenes show what their truth says, and detectors find it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from contract.episode import Episode, EpisodeChange, Sample, Subject
from contract.taxonomy import CameraState, Phase
from detectors.camera_health import CameraHealth
from detectors.flame import Flame
from detectors.kit.protocol import Detector
from detectors.kit.types import Frame, Image, Measurement, Observation
from detectors.traffic_flow import TrafficFlow
from edge.errors import SourceError
from edge.scenes import open_scene
from edge.scenes.truth import Scene
from edge.sources.opening import SourceSettings
from edge.sources.scenes import SceneSource
from edge.sources.source import own_canvas

SCENES = ("fire", "street", "water", "freeze")
START = datetime(2026, 1, 1, tzinfo=UTC)


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
    assert np.array_equal(drawn(open_scene(name), 7.3), drawn(open_scene(name), 7.3))


@pytest.mark.parametrize("name", ["fire", "street", "water"])
def test_no_two_frames_of_a_living_scene_are_alike(name: str) -> None:
    scene = open_scene(name)
    shown = {frame.image.tobytes() for frame in frames(scene, scene.fps, 3.0)}
    assert len(shown) == int(3.0 * scene.fps)


def test_an_unknown_scene_is_refused_with_those_there_are() -> None:
    with pytest.raises(SourceError, match="there are: street, fire, water, freeze"):
        open_scene("volcano")


def test_the_fire_is_found_after_its_quiet_lead_in_and_soon() -> None:
    scene = open_scene("fire")
    (flame,) = [span for span in scene.truth().spans if span.label == "flame"]
    found = raised(Flame(Flame.Params()), scene, flame.start_s + 12.0)
    assert len(found) == 1
    assert flame.start_s <= seconds(found[0]) <= flame.start_s + 10.0


@pytest.mark.parametrize("name", ["street", "water", "freeze"])
def test_no_flame_is_seen_where_nothing_burns(name: str) -> None:
    assert raised(Flame(Flame.Params()), open_scene(name), 30.0) == []


def test_only_the_freezing_camera_freezes() -> None:
    scene = open_scene("freeze")
    frozen = [span for span in scene.truth().spans if span.label == "frozen"]
    found = raised(CameraHealth(CameraHealth.Params()), scene, scene.duration_s)
    assert [change.subject.label for change in found] == ["frozen"] * len(frozen)
    assert frozen[0].start_s < seconds(found[0]) <= frozen[0].end_s
    for name in ("fire", "street", "water"):
        assert raised(CameraHealth(CameraHealth.Params()), open_scene(name), 60.0) == []


def test_the_street_is_counted_as_its_truth_says() -> None:
    scene, flow = open_scene("street"), TrafficFlow(TrafficFlow.Params(line=0.60))
    counted = {"down": 0, "up": 0}
    for frame in frames(scene, scene.fps, scene.duration_s):
        for seen in flow.observe(frame):
            assert isinstance(seen, Measurement)
            counted[seen.label] += 1
    true = [c.direction.value for c in scene.truth().crossings]
    for direction, count in counted.items():
        assert count == pytest.approx(true.count(direction), abs=2), direction


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
