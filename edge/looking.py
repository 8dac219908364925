"""Looking at a place again because the hub asks: what does the detector see there now?

The detector that runs answers, over the next frames it is shown: many know a thing only by its
course over time, and by the scene they have learnt. No threads, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contract.envelope import encode_record
from contract.geometry import Box
from contract.messages import Look, Looked
from contract.taxonomy import CameraState, Lane
from detectors.kit.protocol import Detector
from detectors.kit.types import Finding, Frame, Observation
from edge.evidence import take_picture
from edge.privacy import Polygon
from edge.spool import Entry

FRAMES = 5  # that the detector has to look at
FOR_S = 2.0  # and that they have to span: a flame flickers
MOST = 32  # looks under way on one stream
HIT = 0.1  # share of the smaller box that lies in the other one: the same place


@dataclass(slots=True)
class _Under:
    """A look under way."""

    look: Look
    since: datetime | None = None  # capture time of the first frame
    frames: int = 0
    score: float = 0.0
    box: Box | None = None  # of the highest score

    def saw(self, findings: Iterable[Finding], at: datetime) -> None:
        """One frame more that the detector was shown."""
        self.since = self.since or at
        self.frames += 1
        for seen in findings:
            if isinstance(seen, Observation) and self._is_it(seen) and seen.score > self.score:
                self.score, self.box = seen.score, seen.box

    def _is_it(self, seen: Observation) -> bool:
        if (seen.label, seen.place) != (self.look.label, self.look.place):
            return False
        where = self.look.box
        return where is None or seen.box is None or where.overlap(seen.box) >= HIT

    def is_over(self, at: datetime) -> bool:
        """Whether enough was seen."""
        assert self.since is not None
        return self.frames >= FRAMES and at - self.since >= timedelta(seconds=FOR_S)

    def is_late(self, at: datetime) -> bool:
        """Whether nobody waits for the answer any more."""
        return self.since is not None and at - self.since > timedelta(seconds=self.look.within_s)


@dataclass(slots=True)
class Looking:
    """The looks of one stream. One thread at a time."""

    privacy: Sequence[Polygon] = ()
    _under: dict[str, list[_Under]] = field(default_factory=dict)  # by detector kind

    def begin(self, look: Look) -> str:
        """Look with the next frames; why not, else ""."""
        under = self._under.setdefault(look.kind, [])
        if any(u.look.look == look.look for u in under):  # the broker handed it out twice
            return ""
        if sum(map(len, self._under.values())) >= MOST:
            return f"{MOST} looks are under way already"
        under.append(_Under(look))
        return ""

    def saw(
        self,
        kind: str,
        detector: Detector,
        findings: Sequence[Finding],
        frame: Frame,
        state: Callable[[], CameraState | None],
    ) -> Iterator[Entry]:
        """The answers that this frame completes. state: what the pictures say of the camera."""
        under = self._under.get(kind)
        if not under:
            return
        at = frame.captured_at
        for one in under:
            one.saw(findings, at)
        under = [one for one in under if not one.is_late(at)]
        # forgotten before they are answered: one that fails must not fail with every frame
        self._under[kind] = [one for one in under if not one.is_over(at)]
        for one in under:
            if one.is_over(at):
                yield from self._answer(one, detector, frame, state())

    def _answer(
        self, one: _Under, detector: Detector, frame: Frame, state: CameraState | None
    ) -> Iterator[Entry]:
        look, rule = one.look, detector.rule()
        if state is not None or rule is None:
            why = f"the camera is {state}" if rule is not None else f"{look.kind} only measures"
            yield cannot_tell(look, why, frame.captured_at)
            return
        seen = one.score >= rule.threshold
        sign = ">=" if seen else "<"
        told = f"{look.label} {one.score:.2f} {sign} {rule.threshold:.2f}"
        picture = take_picture(
            frame,
            (one.box or look.box) if seen else look.box,
            f"looked again: {told}  {frame.captured_at:%H:%M:%S} UTC",
            self.privacy,
            "box" if seen else "after",
            (look.episode,),
        )
        answer = Looked(
            look=look.look,
            stream=look.stream,
            outcome="seen" if seen else "clear",
            reason=f"{told} in {one.frames} frames",
            captured_at=frame.captured_at,
            score=one.score,
            threshold=rule.threshold,
            frames=one.frames,
            evidence=picture.reference(),
        )
        yield Entry(Lane.DETECTION, encode_record(answer), frame.captured_at)
        yield from picture.entries()


def cannot_tell(look: Look, why: str, at: datetime) -> Entry:
    """The answer of whoever cannot look."""
    answer = Looked(
        look=look.look, stream=look.stream, outcome="cannot_tell", reason=why, captured_at=at
    )
    return Entry(Lane.DETECTION, encode_record(answer), at)
