"""A detector across the devices of one watch: readings in, entries for the spool out.

What it says of a device is a detection of that device; what it says of the area is one of the
watch, standing in the middle of the devices it is about.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from contract.episode import EpisodeChange, Subject
from contract.geometry import Point
from contract.messages import Reading
from detectors.kit.area_protocol import AreaDetector, AreaFinding
from edge.detections import Place, detection
from edge.parameters import adopt
from edge.readings.telling import WatchedSubject, curve, measured
from edge.spool import Entry

log = logging.getLogger(__name__)

Recent = deque[tuple[datetime, float]]


class AreaWatch:
    """One detector over all devices of a watch. One thread at a time."""

    def __init__(
        self, agent: str, watch: str, place_of: Callable[[str], Place], detector: AreaDetector
    ) -> None:
        self.detector = detector
        self.fault = ""  # why it was switched off, or what it left out
        self._agent = agent
        self._watch = watch
        self._place_of = place_of
        self._subjects: dict[tuple[str, str, str], WatchedSubject] = {}
        self._off = False

    def observe(self, reading: Reading, heard_at: datetime, recent: Recent) -> Iterator[Entry]:
        """What one reading gives. recent: the last readings of its series, this one included."""
        if self._off:
            return
        position, _ = self._place_of(reading.device)
        try:
            found = list(self.detector.observe(reading, heard_at, position))
        except Exception as e:
            self._off = True
            self.fault = (
                f"{self.detector.kind} was switched off at {reading.device}: "
                f"{type(e).__name__}: {e}"
            )[:500]
            log.exception("watch %s: %s", self._watch, self.fault)
            return
        for one in found:
            if 0.0 <= one.seen.score <= 1.0:
                yield from self._scored(one, reading, recent)
            else:  # NaN too: the hub would refuse it, and rules would misjudge it
                self.fault = f"{self.detector.kind} gave scores that are not within 0..1"

    def flush(self) -> list[Entry]:
        """The scores gathered so far."""
        found = (subject.scores.flush() for subject in self._subjects.values())
        return [entry for entry in found if entry is not None]

    def use(self, own: Mapping[str, Any], commanded: Mapping[str, Any]) -> list[str]:
        """Go on with the agent's own parameters and these over them; what of it is refused."""
        where = f"{self.detector.kind} of watch {self._watch}"
        wanted, errors = adopt(self.detector.Params, own, commanded, where)
        if wanted is not None and wanted != self.detector.params:
            self.detector.use(wanted)
            for subject in self._subjects.values():
                subject.episode.use_rule(self.detector.rule())
                subject.episode.policy = self.detector.policy()
        return errors

    def _scored(self, found: AreaFinding, reading: Reading, recent: Recent) -> Iterator[Entry]:
        seen = found.seen
        stream, place = self._watch, ""
        if found.device:
            stream, place = found.device, f"{seen.place} {reading.label}".strip()[:64]
        subject = self._subjects.get((stream, seen.label, place))
        if subject is None:
            about = Subject(self._agent, stream, self.detector.kind, seen.label, place)
            subject = WatchedSubject(about, self.detector)
            self._subjects[stream, seen.label, place] = subject

        def told(change: EpisodeChange) -> Entry:
            return detection(
                change,
                subject.episode.rule,
                self.detector.version,
                self._where(found, reading.device),
                measured(seen),
                readings=curve(reading.metric, reading.unit, recent, change.raised_at),
            )

        yield from subject.step(reading.captured_at, seen.score, told)

    def _where(self, found: AreaFinding, device: str) -> Place:
        """Of an area the middle of its devices, where they have positions."""
        if found.device or not found.around:
            return self._place_of(device)
        return middle(found.around), ""


def middle(points: Iterable[Point]) -> Point:
    """The mean of points that lie within some kilometres of each other."""
    listed = list(points)
    return Point(sum(p.lon for p in listed) / len(listed), sum(p.lat for p in listed) / len(listed))
