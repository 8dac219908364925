"""Objects of any class: zones, veto, the motion gate, one network for all cameras."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from contract.episode import Episode, Sample, Subject
from contract.geometry import Box
from contract.taxonomy import Phase
from detectors.dumping import Dumping
from detectors.flame import Flame
from detectors.kit.params import ParameterError, build
from detectors.kit.registry import detector
from detectors.kit.types import Frame, Image, Observation
from detectors.models import sharing
from detectors.models.boxes import Seen, read_boxes
from detectors.models.errors import ModelError
from detectors.models.letterbox import fit, letterbox
from detectors.models.turns import Turns
from detectors.models.wanted import covered, read_wanted, veto
from detectors.objects import Objects, ObjectsParams
from edge.settings import DetectorSettings, StreamSettings
from edge.watching import StreamWatch
from gridwarden.evaluation.errors import RecordingError
from gridwarden.evaluation.labels import ClipLabel
from gridwarden.evaluation.recorder import detections, record_frames
from gridwarden.evaluation.recording import EPOCH
from gridwarden.evaluation.replaying import difference, replay
from tests.detectors.scenes import START
from tests.detectors.tiny_onnx import tiny_model

RED, GREEN = (0, 0, 255), (0, 255, 0)
Patch = tuple[tuple[int, int, int], tuple[float, float, float, float]]  # colour; x, y, w, h


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    path.write_bytes(tiny_model())
    return str(path)


@pytest.fixture(scope="module")
def fire_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("models") / "fire.onnx"
    path.write_bytes(tiny_model(names="{0: 'Fire', 1: 'smoke'}"))
    return str(path)


@pytest.fixture(autouse=True)
def at_will() -> Iterator[None]:
    yield
    sharing.share_budget(None)


def picture(*patches: Patch, width: int = 256, height: int = 256) -> Image:
    image = np.full((height, width, 3), 90, np.uint8)
    for colour, (x, y, w, h) in patches:
        rows = slice(round(y * height), round((y + h) * height))
        image[rows, round(x * width) : round((x + w) * width)] = colour
    return image


def frame(image: Image, second: float = 0.0, stream: str = "cam") -> Frame:
    return Frame(image, START + timedelta(seconds=second), stream, round(second * 10))


def objects(**values: Any) -> Objects:
    return Objects(build(ObjectsParams, values, "objects"))


def scores(found: Any) -> dict[tuple[str, str], float]:
    return {(o.label, o.place): round(o.score, 2) for o in found}


LEFT, RIGHT = (0.125, 0.5, 0.125, 0.125), (0.75, 0.5, 0.125, 0.125)


def test_each_class_is_told_by_itself_where_it_is(model: str) -> None:
    watcher = objects(model=model, classes="red; green")
    red, green = watcher.observe(frame(picture((RED, LEFT))))
    assert isinstance(red, Observation)
    assert (red.label, round(red.score, 2)) == ("red", 1.0)
    assert red.box is not None
    assert red.box.iou(Box(*LEFT)) == pytest.approx(1.0)
    assert scores([green]) == {("green", ""): 0.0}


def test_each_class_has_its_own_zone_label_and_least_score(model: str) -> None:
    left = "in 0,0 0.5,0 0.5,1 0,1"
    watcher = objects(
        model=model, classes=f"red as rubbish @ left {left}; red @ anywhere; green 0.9 {left}"
    )
    pale = (100, 190, 100)
    found = watcher.observe(frame(picture((RED, RIGHT), (pale, LEFT))))
    assert scores(found) == {("rubbish", "left"): 0.0, ("red", "anywhere"): 1.0, ("green", ""): 0.0}
    watcher.use(build(ObjectsParams, {"model": model, "classes": f"green 0.2 {left}"}, "objects"))
    ((_, score),) = scores(watcher.observe(frame(picture((pale, LEFT))))).items()
    assert 0.2 < score < 0.9


def test_without_classes_the_surest_object_is_told(model: str) -> None:
    (found,) = objects(model=model).observe(frame(picture((GREEN, RIGHT))))
    assert isinstance(found, Observation)
    assert (found.label, found.features) == ("object", {"number": 1.0})


def test_what_somebody_carries_is_not_told(model: str) -> None:
    person = [Seen("person", 0.9, Box(0.2, 0.2, 0.2, 0.6))]
    carried, left = (
        Seen("bag", 0.8, Box(0.25, 0.5, 0.1, 0.1)),
        Seen("bag", 0.7, Box(0.7, 0.7, 0.1, 0.1)),
    )
    assert veto([*person, carried, left], ["person"]) == [*person, left]
    assert veto([carried, left], ["person"]) == [carried, left]
    assert covered(Box(0.0, 0.0, 0.2, 0.2), [Box(0.1, 0.0, 0.5, 0.5)]) == pytest.approx(0.5)
    watcher = objects(model=model, classes="red", veto="green", min_score=0.1)
    assert scores(watcher.observe(frame(picture((RED, LEFT), (GREEN, RIGHT))))) == {
        ("red", ""): 1.0
    }


@pytest.mark.parametrize(("width", "height"), [(1080, 1920), (3840, 2160), (320, 180), (64, 64)])
def test_boxes_lie_where_the_things_are_in_pictures_of_any_shape(
    model: str, width: int, height: int
) -> None:
    where = (0.25, 0.25, 0.5, 0.5)
    found = sharing.shared(model).look(picture((RED, where), width=width, height=height), 0.6, 0.5)
    assert {s.name for s in found} == {"red"}
    left, top = min(s.box.x for s in found), min(s.box.y for s in found)
    right = max(s.box.x + s.box.w for s in found)
    bottom = max(s.box.y + s.box.h for s in found)
    cell = 8.0 / 64.0 * max(width, height)
    assert abs(left - 0.25) * width <= cell
    assert abs(right - 0.75) * width <= cell
    assert abs(top - 0.25) * height <= cell
    assert abs(bottom - 0.75) * height <= cell


def test_overlapping_boxes_of_one_class_are_one_and_of_two_classes_two() -> None:
    raw = np.zeros((6, 4), np.float32)
    raw[:4] = np.array([[32, 32, 20, 20], [33, 32, 20, 20], [32, 32, 20, 20], [9, 9, 4, 4]]).T
    raw[4, :2] = 0.9, 0.8
    raw[5, 2:] = 0.7, np.nan
    found = read_boxes(raw, ("a", "b"), fit(64, 64, (64, 64)), 0.25, 0.5)
    assert [(s.name, round(s.score, 2)) for s in found] == [("a", 0.9), ("b", 0.7)]


def test_a_network_that_suppresses_by_itself_is_read_too() -> None:
    raw = np.zeros((300, 6), np.float32)
    raw[0] = 16, 16, 48, 48, 0.9, 1
    raw[1] = 16, 16, 48, 48, 0.8, 7  # no such class
    found = read_boxes(raw, ("a", "b", "c"), fit(128, 128, (64, 64)), 0.25, 0.5)
    assert found == [Seen("b", float(np.float32(0.9)), Box(0.25, 0.25, 0.5, 0.5))]
    with pytest.raises(ModelError, match="only models that detect boxes"):
        read_boxes(np.zeros((9, 9), np.float32), ("a",), fit(9, 9, (64, 64)), 0.25, 0.5)


def test_the_letterbox_keeps_the_shape_and_fills_with_grey() -> None:
    planes = letterbox(picture(width=200, height=100), (64, 64))
    assert planes.shape == (3, 64, 64)
    assert planes[0, 0, 0] == pytest.approx(114 / 255)
    assert planes[0, 32, 32] == pytest.approx(90 / 255)
    assert int((planes[0, :, 32] < 0.4).sum()) == 32


class Counting:
    """The network, and how many frames each run was given."""

    def __init__(self, path: str, hold: threading.Event | None = None) -> None:
        self._network = sharing.shared(path).network
        self.classes, self.size, self.most = self._network.classes, self._network.size, 16
        self.runs: list[int] = []
        self.begun = threading.Event()
        self._hold = hold

    def run(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        self.runs.append(len(frames))
        self.begun.set()
        if self._hold is not None:
            assert self._hold.wait(20.0)
        return self._network.run(frames)


def test_a_picture_in_which_nothing_changes_is_not_looked_at_again_for_a_while(model: str) -> None:
    watcher = objects(model=model, classes="red", refresh_s=5.0)
    network = Counting(model)
    list(watcher.observe(frame(picture())))
    watcher.reset()
    assert watcher._model is not None
    watcher._model = dataclasses.replace(watcher._model, network=sharing.SharedNetwork(network))
    chance = np.random.default_rng(1)
    still = picture((RED, LEFT)).astype(np.int16)
    for n in range(20):
        noisy = np.clip(still + chance.integers(-4, 5, still.shape), 0, 255).astype(np.uint8)
        assert scores(watcher.observe(frame(noisy, n * 0.5)))["red", ""] > 0.9
    assert len(network.runs) == 2
    gone = picture()
    assert scores(watcher.observe(frame(gone, 10.5))) == {("red", ""): 0.0}
    assert len(network.runs) == 3, "what changes is looked at at once"


def test_cameras_that_wait_are_looked_at_together_each_with_its_own_answer(model: str) -> None:
    go = threading.Event()
    network = Counting(model, go)
    shared = sharing.SharedNetwork(network)
    answers: dict[int, list[Seen]] = {}

    def watch(n: int) -> None:
        colour = RED if n % 2 == 0 else GREEN
        answers[n] = shared.look(picture((colour, (n * 0.125, 0.5, 0.125, 0.125))), 0.6, 0.5)

    threads = [threading.Thread(target=watch, args=(n,)) for n in range(8)]
    threads[0].start()
    assert network.begun.wait(20.0)
    for thread in threads[1:]:
        thread.start()
    while len(shared._waiting) < 7:
        threading.Event().wait(0.005)
    go.set()
    for thread in threads:
        thread.join(20.0)
    assert network.runs == [1, 7]
    for n, seen in answers.items():
        (one,) = seen
        assert one.name == ("red" if n % 2 == 0 else "green")
        assert one.box.x == pytest.approx(n * 0.125)


def test_a_run_that_fails_is_told_to_all_who_wait_and_the_next_one_works(model: str) -> None:
    class Failing(Counting):
        def run(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
            if not self.runs:
                self.runs.append(0)
                raise ModelError("out of memory")
            return super().run(frames)

    shared = sharing.SharedNetwork(Failing(model))
    with pytest.raises(ModelError, match="out of memory"):
        shared.look(picture((RED, LEFT)), 0.5, 0.5)
    assert shared.look(picture((RED, LEFT)), 0.5, 0.5)


def test_a_camera_whose_turn_it_is_not_says_nothing_and_then_shows_its_newest_picture(
    model: str,
) -> None:
    now = [0.0]
    sharing.share_budget(Turns(50.0, lambda: now[0]))
    sharing.shared(model)
    first, second = (objects(model=model, classes="red") for _ in range(2))
    told: dict[str, list[float]] = {"a": [], "b": []}
    for n in range(40):
        now[0] += 0.05
        image = picture((RED if n % 2 else GREEN, LEFT))
        for name, watcher in (("a", first), ("b", second)):
            sharing._turns.spent(60.0) if n == 0 and sharing._turns is not None else None
            for found in watcher.observe(frame(image, n * 0.5, name)):
                assert isinstance(found, Observation)
                told[name].append(found.score)
                assert (found.score > 0.5) == bool(n % 2), "an answer is that of the frame shown"
    assert told["a"]
    assert told["b"]


def test_a_flame_that_stands_still_is_a_picture_of_one(fire_model: str) -> None:
    watcher = objects(model=fire_model)
    seen = [scores(watcher.observe(frame(picture((RED, LEFT)), n * 11.0))) for n in range(4)]
    assert seen == [{("fire", ""): 0.0, ("smoke", ""): 0.0}] * 4
    flickering = [
        scores(
            watcher.observe(frame(picture((RED if n % 2 else (0, 60, 255), LEFT)), 50.0 + n * 0.5))
        )["fire", ""]
        for n in range(6)
    ]
    assert min(flickering[1:]) > 0.6


def test_a_replay_after_a_reset_is_the_same_and_no_frame_is_written_to(model: str) -> None:
    watcher = objects(model=model, classes="red; green")
    film = [
        frame(picture((RED, (0.05 * n, 0.5, 0.2, 0.2)), (GREEN, RIGHT)), n * 0.5) for n in range(10)
    ]
    for shown in film:
        shown.image.flags.writeable = False
    first = [list(watcher.observe(f)) for f in film]
    watcher.reset()
    assert [list(watcher.observe(f)) for f in film] == first
    other = objects(model=model, classes="red; green")
    assert [list(other.observe(f)) for f in film] == first
    assert len({f.box for (f, _) in first if isinstance(f, Observation)}) > 1


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 200), (7, 5), (640, 17)])
def test_pictures_of_any_size_are_taken_with_a_model_too(
    model: str, width: int, height: int
) -> None:
    for found in objects(model=model).observe(frame(picture(width=width, height=height))):
        assert isinstance(found, Observation)
        assert 0.0 <= found.score <= 1.0


def stream(**values: Any) -> StreamSettings:
    return StreamSettings("cam", "cam", "", False, None, (DetectorSettings("objects", values),))


def test_an_agent_tells_it_with_its_rule_and_goes_on_after_a_command_that_does_not_fit(
    model: str, tmp_path: Path
) -> None:
    watch = StreamWatch("agent", stream(model=model, classes="red"), detector)
    entries = [
        e
        for n in range(8)
        for e in watch.observe(frame(picture((RED, (0.1 + 0.02 * n, 0.5, 0.2, 0.2))), n * 0.5))
    ]
    (told,) = detections(entries)
    assert (told.phase, told.label, told.rule.name) == (Phase.RAISED, "red", "k_of_n")
    (refused,) = watch.use({"objects": {"model": str(tmp_path / "none.onnx")}})
    assert "no model at" in refused
    (refused,) = watch.use({"objects": {"classes": "gren"}})
    assert "did you mean 'green'" in refused
    assert watch.manifests()[0].parameters["model"] == model
    assert watch.use({"objects": {"classes": "green"}}) == []
    assert watch.fault() == ""


def test_dumping_hears_where_the_model_of_its_camera_sees_persons(tmp_path: Path) -> None:
    path = tmp_path / "persons.onnx"
    path.write_bytes(tiny_model(names="{0: 'Person', 1: 'car'}"))
    heard: list[list[Box]] = []

    class Hearing(Dumping):
        def hear(self, persons: Sequence[Box], at: datetime) -> None:
            heard.append(list(persons))

    settings = dataclasses.replace(
        stream(),
        detectors=(
            DetectorSettings("dumping", {}),
            DetectorSettings("objects", {"model": str(path), "classes": "car"}),
        ),
    )
    watch = StreamWatch("agent", settings, lambda k: Hearing if k == "dumping" else detector(k))
    watch.observe(frame(picture((RED, LEFT), (GREEN, RIGHT))))
    watch.observe(frame(picture((GREEN, RIGHT)), 1.0))
    (person,), nobody = heard
    assert person.iou(Box(*LEFT)) == pytest.approx(1.0)
    assert nobody == []


def test_flame_hears_where_the_model_of_its_camera_sees_fire_that_moves(fire_model: str) -> None:
    heard: list[list[Box]] = []

    class Hearing(Flame):
        def hear_of_fires(self, fires: Sequence[Box], at: datetime) -> None:
            heard.append(list(fires))

    settings = dataclasses.replace(
        stream(),
        detectors=(
            DetectorSettings("flame", {}),
            DetectorSettings("objects", {"model": fire_model}),
        ),
    )
    watch = StreamWatch("agent", settings, lambda k: Hearing if k == "flame" else detector(k))
    watch.observe(frame(picture((RED, LEFT))))
    watch.observe(frame(picture(((0, 60, 255), LEFT)), 1.0))
    still, (fire,) = heard
    assert still == []
    assert fire.iou(Box(*LEFT)) == pytest.approx(1.0)


def test_a_model_that_is_not_there_costs_its_detector_only(tmp_path: Path) -> None:
    settings = dataclasses.replace(
        stream(model=str(tmp_path / "none.onnx")),
        detectors=(
            DetectorSettings("objects", {"model": str(tmp_path / "none.onnx")}),
            DetectorSettings("camera_health", {}),
        ),
    )
    watch = StreamWatch("agent", settings, detector)
    watch.observe(frame(picture()))
    assert "objects was switched off: ModelError: no model at" in watch.fault()
    assert "gridwarden models check" in watch.fault()
    assert "camera_health was" not in watch.fault()
    assert watch.wants(START + timedelta(seconds=9.0))


def test_recorded_scores_are_replayed_where_the_model_is_not(tmp_path: Path) -> None:
    gone = tmp_path / "m.onnx"
    gone.write_bytes(tiny_model())
    film = [frame(picture((RED, (0.05 * n, 0.5, 0.2, 0.2))), n * 0.5) for n in range(10)]
    film = [dataclasses.replace(f, captured_at=EPOCH + (f.captured_at - START)) for f in film]
    film = [dataclasses.replace(f, number=n) for n, f in enumerate(film)]
    chosen = {"objects": {"model": str(gone), "classes": "red"}}
    recording, told = record_frames(film, ClipLabel(file="c"), chosen)
    gone.unlink()
    assert told
    assert difference(replay(recording, {}), told) == ""
    assert replay(recording, {"objects": {"confirmation": "window_sum n=4 c=4"}})
    with pytest.raises(RecordingError, match="changes the scores"):
        replay(recording, {"objects": {"classes": "green"}})


def test_its_alarm_is_raised_and_cleared(model: str) -> None:
    watcher = objects(model=model, classes="red")
    episode = Episode(Subject("a", "s", "objects", "red"), watcher.rule(), watcher.policy())
    told = []
    for n in range(60):
        shown = picture((RED, (0.01 * n, 0.5, 0.2, 0.2))) if n < 20 else picture()
        for found in watcher.observe(frame(shown, n * 0.5)):
            assert isinstance(found, Observation)
            change = episode.step(Sample(START + timedelta(seconds=n * 0.5), found.score))
            told += [change.phase] if change is not None else []
    assert told == [Phase.RAISED, Phase.CLEARED]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("red; red", "stands there twice"),
        ("red in 0,0 1,1", "3 to 64 corners"),
        ("red in 0,0 1,0 1,2", "outside the picture"),
        ("@ gate", "is no class to tell"),
        (";".join(f"c{n}" for n in range(70)), "at most 64"),
    ],
)
def test_classes_that_do_not_fit_are_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        objects(classes=text)


def test_names_of_several_words_are_classes_too() -> None:
    (one,) = read_wanted("traffic light @ gate 0.4 in 0,0 1,0 1,1")
    assert (one.name, one.label, one.place, one.least) == (
        "traffic light",
        "traffic_light",
        "gate",
        0.4,
    )
    assert len(one.corners) == 3


def test_a_model_that_was_replaced_is_loaded_anew(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(tiny_model())
    first = sharing.shared(str(path))
    assert sharing.shared(str(path)) is first
    path.write_bytes(tiny_model(names="{0: 'bag', 1: 'bin'}"))
    assert sharing.shared(str(path)).classes == ("bag", "bin")


def test_opencv_and_the_network_see_the_same_picture(model: str) -> None:
    """The hand-written file is a network for other readers too, with the same numbers."""
    frames = letterbox(picture((RED, LEFT), (GREEN, RIGHT)), (64, 64))[None]
    other = cv2.dnn.readNetFromONNX(np.frombuffer(tiny_model(batch=1), np.uint8))
    other.setInput(frames)
    ours = sharing.shared(model).network.run(frames)
    np.testing.assert_allclose(ours, other.forward(), atol=1e-4)
