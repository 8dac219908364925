"""A detector is asked what it sees at a place now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest

from contract.envelope import read_record
from contract.geometry import Box
from contract.messages import EvidenceChunk, Look, Looked
from contract.rules import ConfirmationRule
from contract.taxonomy import Lane
from detectors.kit.types import Finding, Frame, Observation
from edge.looking import FRAMES, MOST
from edge.privacy import FILL
from edge.spool import Entry
from edge.watching import StreamWatch
from tests.edge.builders import T0, Bright, Broken, frame, stream

EPISODE = "4f8b2c1e-0000-4000-8000-000000000001"
LOOK = Look(
    look="l-1",
    stream="cam-01",
    kind="bright",
    label="bright",
    box=Box(0.3, 0.3, 0.2, 0.2),
    episode=EPISODE,
    within_s=30.0,
)


def a_watch(built: type[Bright] = Bright) -> StreamWatch:
    corner = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))
    settings = replace(stream(bright=dict[str, object]()), privacy=(corner,))
    return StreamWatch("edge-1", settings, lambda kind: built)


def shows(watch: StreamWatch, *levels: int, first: int = 0, fps: float = 2.0) -> list[Entry]:
    """What comes of frames of this brightness."""
    return [e for i, n in enumerate(levels) for e in watch.observe(frame(first + i, n, fps))]


def answers(entries: Iterable[Entry]) -> list[Looked]:
    found = [read_record(e.lane, e.record, e.payload) for e in entries if e.lane is Lane.DETECTION]
    return [x for x in found if isinstance(x, Looked)]


def look(watch: StreamWatch, **differs: object) -> list[Entry]:
    return watch.look(msgspec.structs.replace(LOOK, **differs), T0)


def test_what_is_seen_there_is_told_with_its_score_and_a_picture() -> None:
    watch = a_watch()
    assert look(watch) == []
    entries = shows(watch, 100, 204, 153, 100, 100)
    (answer,) = answers(entries)
    assert (answer.look, answer.outcome, answer.frames) == ("l-1", "seen", FRAMES)
    assert answer.score == pytest.approx(0.8)
    assert answer.threshold == 0.5
    assert answer.reason == "bright 0.80 >= 0.50 in 5 frames"
    ((header, data),) = pictures(entries, answer)
    assert (header.role, header.episodes) == ("box", [EPISODE])
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert int(np.abs(image[24:34, 4:28].astype(int) - FILL).max()) <= 14  # private
    assert answers(shows(watch, *[200] * 9, first=5)) == []  # it was answered


def pictures(entries: Iterable[Entry], answer: Looked) -> list[tuple[EvidenceChunk, bytes]]:
    """The evidence that the answer names, whole in one chunk as it is small."""
    assert answer.evidence is not None
    found = []
    for e in entries:
        if e.lane is Lane.EVIDENCE:
            header = read_record(e.lane, e.record, e.payload)
            assert isinstance(header, EvidenceChunk)
            if header.digest == answer.evidence.digest:
                found.append((header, e.payload))
    return found


def test_a_place_without_it_is_clear_and_pictured_as_such() -> None:
    watch = a_watch()
    look(watch)
    entries = shows(watch, *[100] * 5)
    (answer,) = answers(entries)
    assert answer.outcome == "clear"
    ((header, _),) = pictures(entries, answer)
    assert header.role == "after"


def test_it_is_looked_for_long_enough_at_any_frame_rate() -> None:
    fast, slow = a_watch(), a_watch()
    look(fast)
    look(slow)
    assert answers(shows(fast, *[100] * 20, fps=10.0)) == []  # 1.9 s
    assert len(answers(shows(fast, 100, first=20, fps=10.0))) == 1
    assert answers(shows(slow, *[100] * 4, fps=0.5)) == []  # 6 s, four frames
    assert len(answers(shows(slow, 100, first=4, fps=0.5))) == 1


class Elsewhere(Bright):
    """Sees it in another corner, and something else where it is looked for."""

    def observe(self, frame: Frame) -> Iterable[Finding]:
        return [
            Observation("bright", 0.9, Box(0.7, 0.7, 0.2, 0.2)),
            Observation("other", 0.9, Box(0.3, 0.3, 0.2, 0.2)),
        ]


def test_what_is_seen_elsewhere_or_is_something_else_does_not_count() -> None:
    watch = a_watch(Elsewhere)
    look(watch)
    look(watch, look="l-2", box=None)
    look(watch, look="l-3", label="other")
    found = {a.look: a.outcome for a in answers(shows(watch, *[0] * 5))}
    assert found == {"l-1": "clear", "l-2": "seen", "l-3": "seen"}


class OnlyMeasures(Bright):
    def rule(self) -> ConfirmationRule | None:
        return None


def test_who_cannot_look_says_why() -> None:
    (gone,) = answers(look(a_watch(), kind="flame"))
    assert (gone.outcome, gone.reason) == (
        "cannot_tell",
        "stream cam-01 has no detector 'flame' any more",
    )
    broken = a_watch(Broken)
    shows(broken, *[0] * 4)
    (off,) = answers(look(broken))
    assert "was switched off" in off.reason
    measures = a_watch(OnlyMeasures)
    look(measures)
    (none,) = answers(shows(measures, *[0] * 5))
    assert (none.outcome, none.evidence) == ("cannot_tell", None)


def test_a_look_that_is_late_is_forgotten_and_one_handed_out_twice_answered_once() -> None:
    watch = a_watch()
    look(watch, within_s=3.0)
    assert answers(shows(watch, *[100] * 5, fps=1.0)) == []
    look(watch, look="l-2")
    look(watch, look="l-2")
    assert len(answers(shows(watch, *[100] * 6, first=20))) == 1


def test_no_more_looks_are_kept_than_can_be() -> None:
    watch = a_watch()
    for n in range(MOST):
        assert look(watch, look=f"l-{n}") == []
    (answer,) = answers(look(watch, look="one-more"))
    assert answer.reason == f"{MOST} looks are under way already"
    assert len(answers(shows(watch, *[100] * 5))) == MOST
