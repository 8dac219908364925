"""Detectors at work on one stream: frames in, entries for the spool out. No threads, no clock."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contract.envelope import encode_record
from contract.episode import Episode, EpisodeChange, Sample, Subject
from contract.geometry import Box
from contract.messages import DetectorManifest, Look, Reading
from contract.taxonomy import CameraState, Lane, Phase
from detectors.kit.background import Background, KnownScene, KnowsScenes
from detectors.kit.beat import Beat, looks_on_beat
from detectors.kit.params import build
from detectors.kit.protocol import Detector
from detectors.kit.registry import detector
from detectors.kit.sampling import Sampling
from detectors.kit.steadying import StandsOnView
from detectors.kit.types import Frame, Measurement, Observation
from detectors.kit.zones import ZoneParams
from detectors.models.fires import HearsOfFires, TellsFires
from detectors.models.persons import HearsOfPersons, TellsPersons
from edge.detections import detection
from edge.evidence import Evidence, take_picture
from edge.looking import Looking, cannot_tell
from edge.parameters import adopt, manifest
from edge.said_once import SaidOnce
from edge.scores import ScoreLog
from edge.settings import StreamSettings
from edge.spool import Entry

log = logging.getLogger(__name__)

CAMERA_HEALTH = "camera_health"  # the detector whose labels are states of the camera
CAMERA_STATES = frozenset(state.value for state in CameraState)
CLEARER = 0.15  # a peak higher by this deserves another picture


@dataclass(slots=True)
class _Watched:
    """One subject: its episodes and its scores."""

    episode: Episode
    scores: ScoreLog
    pictured: float = 0.0  # the score that the last picture shows
    where: Box | None = None  # the box that the last picture shows


class _Watcher:
    """One detector at work."""

    def __init__(
        self, built: type[Detector], kind: str, values: Mapping[str, Any], stream: str
    ) -> None:
        self.own_values = dict(values)
        self.detector: Detector = built(build(built.Params, values, f"{kind} of stream {stream}"))
        # asked once: such a question costs as much as half a background
        self.tells_persons = self.detector if isinstance(self.detector, TellsPersons) else None
        self.hears_persons = self.detector if isinstance(self.detector, HearsOfPersons) else None
        self.tells_fires = self.detector if isinstance(self.detector, TellsFires) else None
        self.hears_fires = self.detector if isinstance(self.detector, HearsOfFires) else None
        self.sampling = Sampling(self.detector.sample_fps)
        self.looks_on_beat = looks_on_beat(self.detector.sample_fps)
        self.subjects: dict[tuple[str, str], _Watched] = {}
        self.fault = ""  # why it was switched off
        self.left_out = 0  # scores that are no share of 1
        self.size = (0, 0)  # of the picture that the zone was last checked in
        self.zone_fault = ""  # what is wrong with its zone in pictures of that size

    def is_due(self, at: datetime, on_beat: bool) -> bool:
        """Whether it wants to see the frame of that time, which is on the beat or not."""
        return not self.fault and (on_beat or not self.looks_on_beat) and self.sampling.is_due(at)


class StreamWatch:
    """All detectors of one stream. One thread at a time."""

    def __init__(
        self,
        agent: str,
        stream: StreamSettings,
        find: Callable[[str], type[Detector]] = detector,
        raised: Callable[[datetime, str], None] = lambda at, episode: None,
    ) -> None:
        """find: the detector of a kind. raised: told when, and the name of the episode."""
        self._agent = agent
        self._stream = stream
        self._watchers = {
            d.kind: _Watcher(find(d.kind), d.kind, d.values, stream.id) for d in stream.detectors
        }
        self._beat = Beat()
        self._steady = any(isinstance(w.detector, StandsOnView) for w in self._watchers.values())
        self._raised = raised
        self._looking = Looking(stream.privacy)
        self._said = SaidOnce()
        self.observed = 0  # frames that at least one detector looked at

    def wants(self, at: datetime) -> bool:
        """Whether any detector is due at that time. To be asked of every frame, in order."""
        on_beat = self._beat.holds(at)
        return (on_beat and self._steady) or any(
            w.is_due(at, on_beat) for w in self._watchers.values()
        )

    def observe(self, frame: Frame) -> list[Entry]:
        """Everything that one frame gives. What belongs together stands together."""
        out: list[Entry] = []
        seen = False
        on_beat = self._beat.holds(frame.captured_at)
        if on_beat and self._steady:
            frame = self._steadied(frame)
        for kind, watcher in self._watchers.items():
            if watcher.is_due(frame.captured_at, on_beat):
                seen = True
                watcher.sampling.looked(frame.captured_at)
                out += self._look(kind, watcher, frame)
        self.observed += seen
        return out

    def _steadied(self, frame: Frame) -> Frame:
        """As it came where it cannot be: whoever stands on the view tries, and says so, itself."""
        try:
            return self._beat.steadied(frame)
        except Exception as e:
            if self._said.is_new(f"not steadied: {type(e).__name__}: {e}"):
                log.exception("stream %s: frame %d is not steadied", frame.stream, frame.number)
            return frame

    def end(self, at: datetime, reason: str) -> list[Entry]:
        """The stream is over: its episodes end and its scores are told."""
        return [e for w in self._watchers.values() for e in self._end(w, at, reason)]

    def flush(self) -> list[Entry]:
        """The scores gathered so far."""
        found = [s.scores.flush() for w in self._watchers.values() for s in w.subjects.values()]
        return [entry for entry in found if entry is not None]

    def use(self, commanded: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Go on with the agent's own parameters and these over them; what of it is refused."""
        errors = [
            f"stream {self._stream.id} has no detector {kind!r}; it has: "
            f"{', '.join(self._watchers) or 'none'}"
            for kind in commanded
            if kind not in self._watchers
        ]
        for kind, watcher in self._watchers.items():
            errors += self._use(kind, watcher, commanded.get(kind, {}))
        return errors

    def look(self, look: Look, at: datetime) -> list[Entry]:
        """Look at a place again with the next frames; what can be answered at once."""
        watcher = self._watchers.get(look.kind)
        if watcher is None:
            why = f"stream {self._stream.id} has no detector {look.kind!r} any more"
        else:
            why = watcher.fault or self._looking.begin(look)
        return [cannot_tell(look, why, at)] if why else []

    def known(self) -> dict[str, KnownScene]:
        """The scenes that the detectors have learnt, for a later start."""
        return {
            key: scene
            for key, background in self._backgrounds()
            if (scene := background.known()) is not None
        }

    def resume(self, known: Mapping[str, KnownScene]) -> None:
        """Hand the detectors the scenes of an earlier start. Before the first frame."""
        for key, background in self._backgrounds():
            if key in known:
                background.resume(known[key])

    def _backgrounds(self) -> Iterator[tuple[str, Background]]:
        for kind, watcher in self._watchers.items():
            if isinstance(watcher.detector, KnowsScenes):
                for number, background in enumerate(watcher.detector.backgrounds()):
                    yield f"{kind}.{watcher.detector.version}.{number}", background

    def manifests(self) -> list[DetectorManifest]:
        """What runs, with what is in force."""
        return [manifest(w.detector) for w in self._watchers.values()]

    def fault(self) -> str:
        """Which detectors were switched off and why, how many scores were left out; "" for none."""
        faults = [w.fault for w in self._watchers.values() if w.fault]
        faults += [f"{k}: {w.zone_fault}" for k, w in self._watchers.items() if w.zone_fault]
        faults += [
            f"{w.left_out} scores of {kind} were not within 0..1 and left out"
            for kind, w in self._watchers.items()
            if w.left_out
        ]
        return "; ".join(faults)

    def camera_state(self) -> CameraState | None:
        """What an open episode of camera_health says of the camera; None: nothing."""
        watcher = self._watchers.get(CAMERA_HEALTH)
        if watcher is not None:
            for (label, _), watched in list(watcher.subjects.items()):
                if watched.episode.active and label in CAMERA_STATES:
                    return CameraState(label)
        return None

    def _look(self, kind: str, watcher: _Watcher, frame: Frame) -> Iterator[Entry]:
        try:
            findings = list(watcher.detector.observe(frame))
        except Exception as e:
            watcher.fault = f"{kind} was switched off: {type(e).__name__}: {e}"
            log.exception("stream %s: %s", self._stream.id, watcher.fault)
            yield from self._end(watcher, frame.captured_at, watcher.fault)
            return
        self._check_zone(kind, watcher, frame)
        self._pass_on(watcher, frame.captured_at)
        yield from self._looking.saw(kind, watcher.detector, findings, frame, self.camera_state)
        for finding in findings:
            if isinstance(finding, Measurement):
                yield from self._measured(kind, finding, frame)
            else:
                yield from self._scored(kind, watcher, finding, frame)

    def _pass_on(self, told: _Watcher, at: datetime) -> None:
        """Tell the others where this detector sees persons and fire."""
        persons = told.tells_persons.persons(at) if told.tells_persons is not None else None
        fires = told.tells_fires.fires(at) if told.tells_fires is not None else None
        if persons is None and fires is None:
            return
        for watcher in self._watchers.values():
            if persons is not None and watcher.hears_persons is not None:
                watcher.hears_persons.hear(persons, at)
            if fires is not None and watcher.hears_fires is not None:
                watcher.hears_fires.hear_of_fires(fires, at)

    def _check_zone(self, kind: str, watcher: _Watcher, frame: Frame) -> None:
        """Say it where a zone does not lie within the picture, once for each size of picture."""
        params = watcher.detector.params
        if watcher.size == (frame.width, frame.height) or not isinstance(params, ZoneParams):
            return
        watcher.size = frame.width, frame.height
        watcher.zone_fault = params.fault(frame.width, frame.height)
        if watcher.zone_fault:
            log.warning("stream %s: %s: %s", self._stream.id, kind, watcher.zone_fault)

    def _measured(self, kind: str, found: Measurement, frame: Frame) -> Iterator[Entry]:
        if not math.isfinite(found.value):
            text = f"stream {frame.stream}: {kind} measured {found.metric} as {found.value!r}"
            if self._said.is_new(text):
                log.warning("%s: such values are left out", text)
            return
        reading = Reading(
            device=frame.stream,
            metric=found.metric,
            value=found.value,
            unit=found.unit,
            captured_at=frame.captured_at,
            place=found.place,
            label=found.label,
        )
        yield Entry(Lane.READING, encode_record(reading), frame.captured_at)

    def _scored(
        self, kind: str, watcher: _Watcher, seen: Observation, frame: Frame
    ) -> Iterator[Entry]:
        if not 0.0 <= seen.score <= 1.0:  # nor is NaN: the hub would refuse it, rules misjudge it
            watcher.left_out += 1
            text = f"stream {frame.stream}: {kind} scored {seen.score!r}, which is not within 0..1"
            if self._said.is_new(text):
                log.warning("%s: such scores are left out", text)
            return
        watched = self._watched(kind, watcher, seen)
        if watched is None:
            return
        sample = Sample(frame.captured_at, seen.score, seen.box, frame.number)
        change = watched.episode.step(sample)
        block = watched.scores.add(sample)
        if block is not None:
            yield block
        if change is not None:
            yield from self._told(watcher, watched, change, frame)

    def _watched(self, kind: str, watcher: _Watcher, seen: Observation) -> _Watched | None:
        key = seen.label, seen.place
        if key not in watcher.subjects:
            rule = watcher.detector.rule()
            if rule is None:
                return None
            subject = Subject(self._agent, self._stream.id, kind, *key)
            episode = Episode(subject, rule, watcher.detector.policy())
            watcher.subjects[key] = _Watched(episode, ScoreLog(subject))
        return watcher.subjects[key]

    def _told(
        self, watcher: _Watcher, watched: _Watched, change: EpisodeChange, frame: Frame | None
    ) -> Iterator[Entry]:
        """The detection, the picture that shows it, and the scores around it."""
        picture = self._picture(watched, change, frame)
        yield self._detection(watcher, watched, change, picture)
        if change.phase is Phase.RAISED:
            self._raised(change.at, change.episode)
        if picture is not None:
            yield from picture.entries()
        if change.phase is not Phase.UPDATED:
            block = watched.scores.flush()
            if block is not None:
                yield block

    def _picture(
        self, watched: _Watched, change: EpisodeChange, frame: Frame | None
    ) -> Evidence | None:
        if frame is None:
            return None
        if change.phase is Phase.CLEARED:  # the same place, without it: evidence that it is done
            caption = f"{change.subject.label} gone  {frame.captured_at:%H:%M:%S} UTC"
            return take_picture(frame, watched.where, caption, self._stream.privacy, "after")
        raised = change.phase is Phase.RAISED
        clearer = change.phase is Phase.UPDATED and change.score >= watched.pictured + CLEARER
        if not (raised or clearer):
            return None
        watched.pictured, watched.where = change.score, change.box
        caption = f"{change.subject.label} {change.score:.2f}  {frame.captured_at:%H:%M:%S} UTC"
        return take_picture(frame, change.box, caption, self._stream.privacy)

    def _detection(
        self,
        watcher: _Watcher,
        watched: _Watched,
        change: EpisodeChange,
        picture: Evidence | None,
    ) -> Entry:
        return detection(
            change,
            watched.episode.rule,
            watcher.detector.version,
            (self._stream.position, ""),
            evidence=picture.reference() if picture is not None else None,
        )

    def _end(self, watcher: _Watcher, at: datetime, reason: str) -> Iterator[Entry]:
        for watched in watcher.subjects.values():
            change = watched.episode.end(at, reason)
            if change is not None:
                yield from self._told(watcher, watched, change, None)
            block = watched.scores.flush()
            if block is not None:
                yield block

    def _use(self, kind: str, watcher: _Watcher, commanded: Mapping[str, Any]) -> list[str]:
        where = f"{kind} of stream {self._stream.id}"
        wanted, errors = adopt(type(watcher.detector).Params, watcher.own_values, commanded, where)
        if wanted is not None and wanted != watcher.detector.params:
            try:
                watcher.detector.use(wanted)
                watcher.size, watcher.zone_fault = (0, 0), ""
            except Exception as e:
                log.exception("%s goes on with the parameters it had", where)
                return [*errors, f"{where}: not in force: {type(e).__name__}: {e}"]
            for watched in watcher.subjects.values():
                rule = watcher.detector.rule()
                if rule is not None:
                    watched.episode.use_rule(rule)
                    watched.episode.policy = watcher.detector.policy()
        return errors
