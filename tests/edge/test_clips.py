"""The seconds around an alarm: kept, cut, encoded in another process, spooled as evidence."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from contract.envelope import MAX_CHUNK, read_record
from contract.messages import EvidenceChunk
from detectors.kit.types import Frame, Image
from edge.clip_maker import ENCODER, ClipMaker
from edge.clips import ClipRing, Cut
from edge.privacy import FILL
from edge.settings import ClipSettings
from edge.sources.keeping import SIZE, Keeper
from edge.spool import Entry
from tests.edge.builders import T0, eventually

FAST = ClipSettings(fps=4.0, before_s=2.0, after_s=1.0, queue=2)
EPISODE = "00000000-0000-4000-8000-{:012x}".format


def jpeg(level: int, size: tuple[int, int] = (64, 36)) -> bytes:
    done, data = cv2.imencode(".jpg", np.full((size[1], size[0], 3), level, np.uint8))
    assert done
    return data.tobytes()


def feed(ring: ClipRing, first: int, last: int, step_s: float = 0.25) -> None:
    """Pictures first..last, ever brighter."""
    for n in range(first, last + 1):
        ring.add(T0 + timedelta(seconds=n * step_s), jpeg(min(255, 10 + n * 4)))


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@pytest.fixture
def cuts() -> list[Cut]:
    return []


@pytest.fixture
def ring(cuts: list[Cut]) -> ClipRing:
    return ClipRing("cam-01", FAST, cuts.append)


def span(cut: Cut) -> tuple[float, float]:
    first, last = cut.pictures[0].at, cut.pictures[-1].at
    return (first - T0).total_seconds(), (last - T0).total_seconds()


def test_a_clip_begins_before_the_alarm_and_ends_after_it(ring: ClipRing, cuts: list[Cut]) -> None:
    feed(ring, 0, 40)
    ring.raised(at(10.0), EPISODE(1))
    feed(ring, 41, 50)
    assert [(span(c), c.episodes) for c in cuts] == [((8.0, 11.0), [EPISODE(1)])]


def test_ten_detections_at_once_on_one_camera_share_one_clip(
    ring: ClipRing, cuts: list[Cut]
) -> None:
    feed(ring, 0, 40)
    for n in range(10):
        ring.raised(at(10.0), EPISODE(n))
    feed(ring, 41, 50)
    (cut,) = cuts
    assert cut.episodes == [EPISODE(n) for n in range(10)]


def test_a_detection_soon_after_draws_the_clip_out_and_one_much_later_has_its_own(
    ring: ClipRing, cuts: list[Cut]
) -> None:
    feed(ring, 0, 40)
    ring.raised(at(10.0), EPISODE(0))
    ring.raised(at(10.5), EPISODE(1))
    ring.raised(at(31.5), EPISODE(2))
    feed(ring, 41, 140)
    assert [c.episodes for c in cuts] == [[EPISODE(0), EPISODE(1)], [EPISODE(2)]]
    assert span(cuts[0]) == (8.0, 11.5)


def test_pictures_are_held_for_the_lead_alone_however_fast_they_come(ring: ClipRing) -> None:
    for n in range(1000):
        ring.add(at(n * 0.001), b"x" * 100)
    assert len(ring._pictures) == FAST.before_s * FAST.fps + 2
    feed(ring, 100, 200)
    assert len(ring._pictures) <= FAST.before_s * FAST.fps + 2


def test_a_camera_that_is_lost_after_its_alarm_still_gives_a_clip(
    ring: ClipRing, cuts: list[Cut], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(ring, 0, 8)
    monkeypatch.setattr("edge.clips.LATE_S", -1.0)
    ring.raised(at(2.0), EPISODE(1))
    ring.look()
    assert [span(c) for c in cuts] == [(0.0, 2.0)]


class Taken(list[Entry]):
    """What a maker spooled."""

    def chunks(self) -> list[EvidenceChunk]:
        found = [read_record(e.lane, e.record, e.payload) for e in self]
        return [c for c in found if isinstance(c, EvidenceChunk)]

    def webm(self) -> bytes:
        return b"".join(e.payload for e in self)


@contextmanager
def maker(taken: Taken, encoder: Sequence[str] = ENCODER) -> Iterator[ClipMaker]:
    made = ClipMaker(FAST, taken.extend, encoder)
    try:
        yield made
    finally:
        made.stop()


def show(webm: bytes, folder: Path) -> list[tuple[float, Image]]:
    """(seconds, picture) of each frame."""
    path = folder / "clip.webm"
    path.write_bytes(webm)
    capture = cv2.VideoCapture(str(path))
    frames = []
    while capture.grab():
        at_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        frames.append((at_s, np.asarray(capture.retrieve()[1], np.uint8)))
    return frames


def test_a_clip_is_webm_whose_pictures_stand_at_their_own_times_and_names_its_episodes(
    tmp_path: Path,
) -> None:
    taken = Taken()
    with maker(taken) as made:
        ring = made.ring("cam-01")
        noise = np.random.default_rng(1).integers(0, 256, (36, 64, 3), np.uint8)
        for n in range(12):  # a stall of two seconds after the eighth
            picture = cv2.resize(np.roll(noise, n, 1), (640, 360), interpolation=cv2.INTER_NEAREST)
            done, data = cv2.imencode(".jpg", picture)
            assert done
            ring.add(at(n * 0.25 + (2.0 if n >= 8 else 0.0)), data.tobytes())
            if n == 7:
                ring.raised(at(3.2), EPISODE(5))
        made.start()
        eventually(lambda: made.report().made == 1)
    chunks = taken.chunks()
    assert len(chunks) == -(-chunks[0].total // MAX_CHUNK) > 1
    assert {(c.role, c.media_type, c.stream) for c in chunks} == {("clip", "video/webm", "cam-01")}
    assert [c.episodes for c in chunks] == [[EPISODE(5)]] + [[]] * (len(chunks) - 1)
    assert chunks[0].captured_at == at(1.25)
    shown = show(taken.webm(), tmp_path)
    assert [t for t, _ in shown] == pytest.approx([0.0, 0.25, 0.5, 2.75], abs=0.002)
    assert shown[0][1].shape == (360, 640, 3)


def test_a_crash_of_the_encoder_costs_its_clip_and_no_other() -> None:
    taken = Taken()
    crash_once = (
        "import os, sys\n"
        "from edge.clip_encoder import main\n"
        "sys.stdin.buffer.peek(9).startswith(b'{\"offsets_ms\":[0],') and os.abort()\n"
        "sys.exit(main())\n"
    )
    with maker(taken, (sys.executable, "-c", crash_once)) as made:
        doomed, fine = made.ring("cam-01"), made.ring("cam-02")
        feed(doomed, 0, 0)
        feed(fine, 0, 3)
        made.start()
        doomed.raised(at(0), EPISODE(1))
        feed(doomed, 20, 20)
        fine.raised(at(0.5), EPISODE(2))
        feed(fine, 4, 20)
        eventually(lambda: made.report().made + made.report().failed == 2)
        assert made.report().made == 1
        assert "1 clips failed, the last: the encoder ended with -6" in made.fault("cam-01")
        assert made.fault("cam-02") == ""
    assert {e for c in taken.chunks() for e in c.episodes} == {EPISODE(2)}


def test_clips_beyond_the_queue_are_left_out_and_told() -> None:
    with maker(Taken()) as made:
        ring = made.ring("cam-01")
        for n in range(4):  # the thread that would empty the queue is not begun
            feed(ring, n * 100, n * 100)
            ring.raised(at(n * 25.0), EPISODE(n))
            feed(ring, n * 100 + 50, n * 100 + 50)
        assert (made.report().waiting, made.report().left_out) == (2, 2)
        assert made.fault("cam-01") == "2 clips left out, the encoder was too busy"


def test_a_kept_picture_is_small_and_private_parts_are_filled_in_it() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), np.uint8)
    frame = Frame(noise, T0, "cam-01", 0)
    before = noise.copy()
    kept = Keeper(4.0, [((0.25, 0.25), (0.5, 0.25), (0.5, 0.5), (0.25, 0.5))]).look(frame)
    assert kept is not None
    assert len(kept) <= SIZE * 1.6  # noise is the worst case
    image = cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (360, 640, 3)
    inside = image[92:178, 162:318].astype(int)
    assert int(np.abs(inside - FILL).max()) <= 30  # what JPEG adds at the rim
    assert int(np.abs(image[100:170, 170:310].astype(int) - FILL).max()) <= 3
    assert np.array_equal(noise, before)  # detectors see it whole


def test_pictures_are_kept_at_their_pace() -> None:
    keeper = Keeper(4.0, ())
    image = np.zeros((36, 64, 3), np.uint8)
    kept = [keeper.look(Frame(image, at(n / 25.0), "cam-01", n)) is not None for n in range(100)]
    assert sum(kept) == 16
