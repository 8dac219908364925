"""From frames to records: detections, readings, scores, pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Literal

import cv2
import numpy as np
import pytest

from contract.envelope import MAX_CHUNK, read_record
from contract.geometry import Box
from contract.messages import Detection, EvidenceChunk, Reading, ScoreBlock
from contract.taxonomy import Lane, Phase
from detectors.kit.protocol import Detector
from detectors.kit.registry import detector
from detectors.kit.types import Finding, Frame, Observation
from edge.evidence import SIZE, take_picture
from edge.spool import Entry
from edge.watching import StreamWatch
from tests.detectors.scenes import film, street
from tests.edge.builders import T0, Bright, find, frame, stream


def records(entries: list[Entry]) -> list[object]:
    return [read_record(e.lane, e.record, e.payload) for e in entries]


def watch_levels(watch: StreamWatch, levels: list[int]) -> list[Entry]:
    return [e for n, level in enumerate(levels) for e in watch.observe(frame(n, level))]


def test_a_raised_detection_comes_with_its_picture_right_behind_it() -> None:
    watch = StreamWatch("a-1", stream(bright={}), find)
    entries = watch_levels(watch, [10, 200, 200])
    detection, *rest = records(entries)
    assert isinstance(detection, Detection)
    assert (detection.phase, detection.frame, detection.kind) == (Phase.RAISED, 2, "bright")
    assert detection.position is not None
    assert detection.detector_version == "7"
    assert (detection.rule.name, detection.rule.threshold) == ("k_of_n", 0.5)
    assert "2 of the last 2" in detection.rule.reason
    assert detection.scores[-1] == (0.0, round(200 / 255, 4))
    assert detection.scores[0][0] == pytest.approx(-0.2)
    (reference,) = detection.evidence
    chunks = [r for r in rest if isinstance(r, EvidenceChunk)]
    jpeg = b"".join(e.payload for e in entries)
    assert {c.digest for c in chunks} == {reference.digest}
    assert len(jpeg) == reference.size
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) is not None


def test_the_scores_of_an_episode_are_told_completely_and_once() -> None:
    watch = StreamWatch("a-1", stream(bright={}), find)
    levels = [10, 200, 200, 210, 10, 10, 10] + [10] * 12
    entries = watch_levels(watch, levels) + watch.flush()
    blocks = [r for r in records(entries) if isinstance(r, ScoreBlock)]
    told = [s for b in blocks for s in b.scores]
    assert told == [round(level / 255, 4) for level in levels]


def test_scores_travel_a_block_a_minute() -> None:
    watch = StreamWatch("a-1", stream(bright={}), find)
    entries = [e for n in range(130) for e in watch.observe(frame(n, 20, fps=1.0))]
    blocks = [r for r in records(entries) if isinstance(r, ScoreBlock)]
    assert [len(b.scores) for b in blocks] == [60, 60]
    assert blocks[1].offsets_ms[-1] == 59_000


def test_a_much_clearer_look_gives_one_more_picture() -> None:
    watch = StreamWatch("a-1", stream(bright={}), find)
    entries = watch_levels(watch, [150, 150] + [150] * 10 + [240] * 12)
    pictures = [len(r.evidence) for r in records(entries) if isinstance(r, Detection)]
    assert pictures[:3] == [1, 1, 0] or pictures[:3] == [1, 0, 1]
    assert sum(pictures) == 2


def test_the_end_of_what_was_seen_comes_with_a_picture_of_the_same_place() -> None:
    watch = StreamWatch("a-1", stream(bright={}), find)
    entries = watch_levels(watch, [10, 200, 200] + [10] * 15)
    told = {r.phase: r for r in records(entries) if isinstance(r, Detection)}
    (before,), (after,) = told[Phase.RAISED].evidence, told[Phase.CLEARED].evidence
    assert (before.role, after.role) == ("box", "after")
    chunks = {r.digest: r for r in records(entries) if isinstance(r, EvidenceChunk)}
    assert chunks[after.digest].role == "after"
    jpegs = {
        c.digest: e.payload
        for e, c in zip(entries, records(entries), strict=True)
        if isinstance(c, EvidenceChunk)
    }
    pictures = [
        cv2.imdecode(np.frombuffer(jpegs[d.digest], np.uint8), cv2.IMREAD_COLOR)
        for d in (before, after)
    ]
    marked = [
        np.argwhere(p[:, :, 2].astype(int) - p[:, :, 1] > 100) for p in pictures if p is not None
    ]
    assert marked[0].max(axis=0).tolist() == pytest.approx(marked[1].max(axis=0).tolist(), abs=2)
    assert pictures[1] is not None
    assert pictures[1][70, 5].max() < 30  # what the camera sees now


def test_a_stream_that_ends_shows_nothing_of_the_place() -> None:
    watch = StreamWatch("a-1", stream(bright={}), find)
    watch_levels(watch, [10, 200, 200])
    (end,) = [r for r in records(watch.end(T0, "switched off")) if isinstance(r, Detection)]
    assert (end.phase, end.evidence) == (Phase.CLEARED, [])


def test_what_was_measured_is_a_reading_of_the_stream() -> None:
    watch = StreamWatch("a-1", stream(bright={}), find)
    found = [r for r in records(watch_levels(watch, [255])) if isinstance(r, Reading)]
    assert [(r.device, r.metric, r.captured_at) for r in found] == [("cam-01", "white_picture", T0)]


def test_a_detector_that_fails_is_switched_off_and_the_others_go_on() -> None:
    watch = StreamWatch("a-1", stream(broken={}, bright={}), find)
    entries = watch_levels(watch, [200] * 6)
    changes = [(r.kind, r.phase) for r in records(entries) if isinstance(r, Detection)]
    assert changes == [
        ("broken", Phase.RAISED),
        ("bright", Phase.RAISED),
        ("broken", Phase.CLEARED),
    ]
    assert watch.fault() == "broken was switched off: RuntimeError: a division by zero, say"
    assert watch.observed == 6


def test_scores_that_are_no_share_of_one_are_left_out_and_counted() -> None:
    watch = StreamWatch("a-1", stream(wild={}), find)
    entries = watch_levels(watch, [0, 255, 255, 255, 200, 200]) + watch.flush()
    (detection,) = [r for r in records(entries) if isinstance(r, Detection)]
    assert detection.peak_score == pytest.approx(200 / 255)
    assert [s for r in records(entries) if isinstance(r, ScoreBlock) for s in r.scores] == [
        round(200 / 255, 4)
    ] * 2
    assert watch.fault() == "4 scores of wild were not within 0..1 and left out"


def test_a_detector_that_takes_no_parameters_keeps_those_it_has_and_says_so() -> None:
    watch = StreamWatch("a-1", stream(stubborn={}, bright={}), find)
    errors = watch.use({"stubborn": {"threshold": 0.9}, "bright": {"threshold": 0.9}})
    assert errors == ["stubborn of stream cam-01: not in force: RuntimeError: not while I work"]
    assert [m.parameters["threshold"] for m in watch.manifests()] == [0.5, 0.9]


def test_a_detector_sees_no_more_frames_than_it_asked_for() -> None:
    watch = StreamWatch("a-1", stream(slow={}), find)
    wanted = [
        n
        for n in range(30)
        if watch.wants(frame(n, 10).captured_at) and watch.observe(frame(n, 10)) is not None
    ]
    assert wanted == [0, 5, 10, 15, 20, 25]
    assert watch.observed == 6


class Viewer(Bright):
    """Scores where the view lies in the picture: three times a second."""

    kind: ClassVar[str] = "viewer"
    sample_fps: ClassVar[float] = 3.0
    stands_on_view: ClassVar[Literal[True]] = True

    def observe(self, frame: Frame) -> Iterable[Finding]:
        seen = frame.steadied
        assert seen is not None
        lies = abs(seen.shift[0]) / 100.0 + 0.25 * seen.turning + 0.5 * min(1, seen.view)
        return [Observation("viewer", lies)]


def test_what_a_detector_sees_of_the_view_does_not_depend_on_which_others_run() -> None:
    """By a camera that sways, whose frames come off the beat, and that somebody turns."""

    def scores(*others: str) -> list[float]:
        def find(kind: str) -> type[Detector]:
            return Viewer if kind == "viewer" else detector(kind)

        kinds: dict[str, Any] = {kind: {} for kind in (*others, "viewer")}
        watch = StreamWatch("a-1", stream(**kinds), find)
        entries = [e for f in shown if watch.wants(f.captured_at) for e in watch.observe(f)]
        blocks = [r for r in records(entries + watch.flush()) if isinstance(r, ScoreBlock)]
        return [s for b in blocks if b.kind == "viewer" for s in b.scores]

    turned = film(5, fps=24, shake=1.0, scene=np.roll(street(), 40, axis=1))
    later = timedelta(seconds=4)
    shown = [
        *film(4, fps=24, shake=1.0),
        *(replace(f, captured_at=f.captured_at + later) for f in turned),
    ]
    alone = scores()
    assert any(0.0 < s < 0.25 for s in alone)
    assert alone[-1] >= 0.5
    assert scores("wrong_way", "stopped_vehicle", "flame") == alone


def test_a_frame_that_cannot_be_steadied_costs_only_those_who_stand_on_the_view() -> None:
    kinds = {"dumping": detector("dumping"), "bright": Bright}
    watch = StreamWatch("a-1", stream(dumping={}, bright={}), lambda kind: kinds[kind])
    grey = np.full((72, 128, 1), 200, np.uint8)  # no decoder of ours gives such a picture
    shown = [replace(frame(n, 200), image=grey) for n in range(3)]
    told = records([e for f in shown for e in watch.observe(f)] + watch.flush())
    scored = [r.kind for r in told if isinstance(r, ScoreBlock) for _ in r.scores]
    assert scored == ["bright"] * 3
    assert watch.fault().startswith("dumping was switched off")


def test_a_camera_whose_view_is_stood_on_is_wanted_ten_times_a_second() -> None:
    frames = list(film(3, fps=25))
    watch = StreamWatch("a-1", stream(dumping={}))
    assert sum(watch.wants(f.captured_at) for f in frames) == 30
    watch = StreamWatch("a-1", stream(camera_health={}))
    wanted = [f for f in frames if watch.wants(f.captured_at) and watch.observe(f) is not None]
    assert len(wanted) == 4  # at the start, and then once a second


def test_the_end_of_a_stream_ends_its_episodes() -> None:
    watch = StreamWatch("a-1", stream(bright={}), find)
    watch_levels(watch, [200, 200])
    ended = records(watch.end(T0, "the video was played to its end"))
    (detection,) = [r for r in ended if isinstance(r, Detection)]
    assert detection.phase is Phase.CLEARED
    assert detection.rule.reason == "the video was played to its end"


def test_a_commanded_threshold_counts_from_the_next_frame_and_falls_back() -> None:
    watch = StreamWatch("a-1", stream(bright={"threshold": 0.9}), find)
    assert not [e for e in watch_levels(watch, [150, 150, 150]) if e.lane is Lane.DETECTION]
    assert watch.use({"bright": {"threshold": 0.4}}) == []
    assert watch.manifests()[0].parameters == {"threshold": 0.4}
    raised = [r for r in records(watch_levels(watch, [150, 150])) if isinstance(r, Detection)]
    assert [r.phase for r in raised] == [Phase.RAISED]
    assert watch.use({}) == []
    assert watch.manifests()[0].parameters == {"threshold": 0.9}


def test_what_is_refused_of_a_command_is_named_and_the_rest_applies() -> None:
    watch = StreamWatch("a-1", stream(bright={}), find)
    errors = watch.use({"bright": {"threshold": 0.3, "treshold": 1, "off": 2}, "smoke": {}})
    assert watch.manifests()[0].parameters == {"threshold": 0.3}
    assert [e for e in errors if "'treshold'; did you mean 'threshold'?" in e]
    assert [e for e in errors if "no detector 'smoke'; it has: bright" in e]
    assert watch.use({"bright": {"threshold": 7}})[0].startswith("bright of stream cam-01")
    assert watch.manifests()[0].parameters == {"threshold": 0.5}


def test_a_picture_shows_the_box_and_leaves_the_frame_as_it_was() -> None:
    seen = frame(0, 90)
    picture = take_picture(seen, Box(0.25, 0.25, 0.5, 0.5), "flame 0.9")
    assert int(seen.image.min()) == int(seen.image.max()) == 90
    shown = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    edge = shown[40, 32].astype(int)
    assert edge[2] > edge[0] + 60  # red


def test_a_large_restless_picture_is_made_small_and_cut_into_chunks() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2160, 3840, 3), np.uint8)
    noise = cv2.resize(cv2.resize(noise, (480, 270)), (3840, 2160)).astype(np.uint8)
    picture = take_picture(Frame(noise, T0, "cam-01", 0), None, "frozen")
    shown = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert max(shown.shape) == 1280
    entries = list(picture.entries())
    assert all(0 < len(e.payload) <= MAX_CHUNK for e in entries)
    assert b"".join(e.payload for e in entries) == picture.data
    assert len(picture.data) <= 3 * SIZE  # pure noise is the worst case


def test_a_zone_outside_the_picture_is_told_with_the_size_of_the_picture() -> None:
    watch = StreamWatch("a-1", stream(stopped_vehicle={"zone_x": 0.5, "zone_w": 0.8}))
    shown = frame(0, 100)
    watch.observe(shown)
    assert "stopped_vehicle: zone x 0.5" in watch.fault()
    assert f"reaches beyond the picture of {shown.width} x {shown.height}" in watch.fault()
    watch.use({"stopped_vehicle": {"zone_w": 0.5}})
    assert watch.fault() == ""
