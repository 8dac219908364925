"""Detectors over the readings of one metric: readings in, entries for the spool out.

The sibling of `edge.watching` for cameras. No threads, no clock: when a reading arrived, and the
time at which nothing has, come in as arguments. A series is one device, metric, place and label;
each has detectors and episodes of its own. The watch is what a command tunes; a detection's stream
is the device.
"""

from __future__ import annotations

import fnmatch
import logging
import re
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from contract.episode import EpisodeChange, Subject
from contract.messages import DetectorManifest, Reading, ReadingCurve
from detectors.kit.params import build
from detectors.kit.reading_protocol import ReadingDetector
from detectors.kit.reading_registry import area_detectors, parameters_of, reading_detector
from detectors.kit.types import Observation
from edge.detections import Place, detection
from edge.parameters import adopt, manifest
from edge.readings.area_watch import AreaWatch
from edge.readings.telling import CURVE, WatchedSubject, curve, measured
from edge.settings import DetectorSettings, SensorSettings, WatchSettings
from edge.spool import Entry

log = logging.getLogger(__name__)

MAX_SERIES = 5000  # of one watch: some 60 kB each with the anomaly detector
IDLE = timedelta(seconds=1)  # between two looks at what did not come, at the least

Key = tuple[str, str, str]  # device, place, label


class _Watched:
    """One detector over one series."""

    def __init__(self, detector: ReadingDetector) -> None:
        self.detector = detector
        self.subjects: dict[str, WatchedSubject] = {}
        self.fault = ""


class _Series:
    """One series with its last readings."""

    def __init__(self, key: Key, detectors: Mapping[str, ReadingDetector]) -> None:
        self.key = key
        self.watched = {kind: _Watched(d) for kind, d in detectors.items()}
        self.recent: deque[tuple[datetime, float]] = deque(maxlen=CURVE)
        self.unit = "1"


class SensorWatch:
    """All detectors of one watch. One thread at a time."""

    def __init__(self, agent: str, sensor: SensorSettings, settings: WatchSettings) -> None:
        self.settings = settings
        self._agent = agent
        self._places = {d.id: (d.position, d.cell) for d in sensor.devices}
        self._anywhere = sensor.position, "" if sensor.position else sensor.fields.cell
        self._fits = re.compile(fnmatch.translate(settings.device)).fullmatch
        self._own = {d.kind: d.values for d in settings.detectors}
        across = area_detectors()
        self._built = {
            d.kind: reading_detector(d.kind)(self._params(d))
            for d in settings.detectors
            if d.kind not in across
        }  # never shown a reading: the parameters in force
        self._areas = {
            d.kind: AreaWatch(agent, settings.id, self._place, across[d.kind](self._params(d)))
            for d in settings.detectors
            if d.kind in across
        }
        self._series: dict[Key, _Series] = {}
        self._awaited = {d.id for d in sensor.devices if self._fits(d.id)}
        self._begun_at: datetime | None = None
        self._looked_at: datetime | None = None
        self.left_out = 0  # readings of more series than are watched
        self._fault = ""
        self._unfit = 0  # scores that are no share of 1

    def wants(self, reading: Reading) -> bool:
        """Whether it watches this reading's series."""
        return reading.metric == self.settings.metric and self._fits(reading.device) is not None

    def observe(self, reading: Reading, heard_at: datetime) -> list[Entry]:
        """What one reading gives."""
        key = reading.device, reading.place, reading.label
        out: list[Entry] = []
        if reading.device in self._awaited:
            self._awaited.discard(reading.device)
            out += self._forget_awaited(key, heard_at)
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= MAX_SERIES:
                self.left_out += 1
                return out
            series = self._series[key] = self._begin(key)
        series.unit = reading.unit
        if not series.recent or reading.captured_at >= series.recent[-1][0]:
            series.recent.append((reading.captured_at, reading.value))
        for kind, watched in series.watched.items():
            if not watched.fault:
                out += self._look(series, kind, watched, reading, heard_at)
        for area in self._areas.values():
            out += area.observe(reading, heard_at, series.recent)
        return out

    def idle(self, at: datetime) -> list[Entry]:
        """What it gives that no reading came until `at`; a second look within IDLE is nothing."""
        if self._looked_at is not None and timedelta() <= at - self._looked_at < IDLE:
            return []
        self._looked_at = at
        if self._begun_at is None:
            self._begun_at = at
        for device in self._awaited:
            self._await(device, self._begun_at)
        out: list[Entry] = []
        for series in self._series.values():
            for kind, watched in series.watched.items():
                if not watched.fault:
                    for seen in watched.detector.idle(at):
                        out += self._scored(series, kind, watched, seen, at)
        return out

    def resume(self, at: datetime) -> None:
        """Nothing could come until `at`, since there was no connection: silence begins anew."""
        self._begun_at = at
        for series in self._series.values():
            for watched in series.watched.values():
                watched.detector.expect(self.settings.metric, at)

    def flush(self) -> list[Entry]:
        """The scores gathered so far."""
        found = [
            s.scores.flush()
            for series in self._series.values()
            for w in series.watched.values()
            for s in w.subjects.values()
        ]
        found += [entry for area in self._areas.values() for entry in area.flush()]
        return [entry for entry in found if entry is not None]

    def use(self, commanded: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Go on with the agent's own parameters and these over them; what of it is refused."""
        errors = [
            f"watch {self.settings.id} has no detector {kind!r}; it has: "
            f"{', '.join(self._own) or 'none'}"
            for kind in commanded
            if kind not in self._own
        ]
        for kind in self._built:
            errors += self._use(kind, commanded.get(kind, {}))
        for kind, area in self._areas.items():
            errors += area.use(self._own[kind], commanded.get(kind, {}))
        return errors

    def manifests(self) -> list[DetectorManifest]:
        """What runs, with what is in force."""
        return [
            *(manifest(built) for built in self._built.values()),
            *(manifest(area.detector) for area in self._areas.values()),
        ]

    def fault(self) -> str:
        """Which detector was switched off, and what is left out; "" for nothing."""
        left_out = (
            f"watch {self.settings.id}: more than {MAX_SERIES} series" if self.left_out else ""
        )
        unfit = f"{self._unfit} scores were not within 0..1 and left out" if self._unfit else ""
        areas = [area.fault for area in self._areas.values()]
        return "; ".join(x for x in (self._fault, left_out, unfit, *areas) if x)

    def _place(self, device: str) -> Place:
        """Where a device stands: its position, or the code of its cell."""
        return self._places.get(device, self._anywhere)

    def _params(self, chosen: DetectorSettings) -> Any:
        where = f"{chosen.kind} of watch {self.settings.id}"
        return build(parameters_of(chosen.kind), chosen.values, where)

    def _begin(self, key: Key) -> _Series:
        fresh = {k: reading_detector(k)(d.params) for k, d in self._built.items()}
        return _Series(key, fresh)

    def _await(self, device: str, since: datetime) -> None:
        key = device, "", ""
        if key not in self._series and len(self._series) < MAX_SERIES:
            self._series[key] = series = self._begin(key)
            for watched in series.watched.values():
                watched.detector.expect(self.settings.metric, since)

    def _forget_awaited(self, key: Key, at: datetime) -> Iterator[Entry]:
        """A device that was awaited has come by another place or label: that is its series."""
        awaited = (key[0], "", "")
        if key == awaited or awaited not in self._series:
            return
        series = self._series.pop(awaited)
        for watched in series.watched.values():
            for subject in watched.subjects.values():
                change = subject.episode.end(at, "the device has come")
                if change is not None:
                    yield self._detection(series, watched, subject, change)

    def _look(
        self, series: _Series, kind: str, watched: _Watched, reading: Reading, heard_at: datetime
    ) -> Iterator[Entry]:
        try:
            seen = list(watched.detector.observe(reading, heard_at))
        except Exception as e:
            watched.fault = self._fault = (
                f"{kind} of {reading.device} {reading.metric} was switched off: "
                f"{type(e).__name__}: {e}"
            )[:500]
            log.exception("watch %s: %s", self.settings.id, watched.fault)
            return
        for one in seen:
            if 0.0 <= one.score <= 1.0:
                yield from self._scored(series, kind, watched, one, reading.captured_at)
            else:  # NaN too: the hub would refuse it, and rules would misjudge it
                self._unfit += 1

    def _scored(
        self, series: _Series, kind: str, watched: _Watched, seen: Observation, at: datetime
    ) -> Iterator[Entry]:
        subject = watched.subjects.get(seen.label)
        if subject is None:
            device, place, label = series.key
            about = Subject(self._agent, device, kind, seen.label, _joined(place, label))
            subject = watched.subjects[seen.label] = WatchedSubject(about, watched.detector)
        yield from subject.step(
            at,
            seen.score,
            lambda change: self._detection(series, watched, subject, change, measured(seen)),
        )

    def _detection(
        self,
        series: _Series,
        watched: _Watched,
        subject: WatchedSubject,
        change: EpisodeChange,
        what: str = "",
    ) -> Entry:
        return detection(
            change,
            subject.episode.rule,
            watched.detector.version,
            self._place(change.subject.stream),
            what,
            readings=self._curve(series, watched, change.raised_at),
        )

    def _curve(self, series: _Series, watched: _Watched, raised_at: datetime) -> ReadingCurve:
        limits = watched.detector.limits()
        return curve(self.settings.metric, series.unit, series.recent, raised_at, *limits)

    def _use(self, kind: str, commanded: Mapping[str, Any]) -> list[str]:
        where = f"{kind} of watch {self.settings.id}"
        built = self._built[kind]
        wanted, errors = adopt(built.Params, self._own[kind], commanded, where)
        if wanted is not None and wanted != built.params:
            built.use(wanted)
            for series in self._series.values():
                watched = series.watched[kind]
                watched.detector.use(wanted)
                for subject in watched.subjects.values():
                    subject.episode.use_rule(watched.detector.rule())
                    subject.episode.policy = watched.detector.policy()
        return errors


def _joined(place: str, label: str) -> str:
    return f"{place} {label}".strip()[:64]
