"""Frigate: `frigate/events` and `frigate/reviews` become our detections.

Format: docs.frigate.video, "MQTT" (0.14 and later; events since 0.8). An existing Frigate so feeds
the closed loop without a camera of ours:

- an event is a tracked object. Only labels in `kinds` are taken: every passing car would otherwise
  be a suspected event. `new` raises, `update` updates, `end` clears.
- a review item bundles what Frigate thinks a person should look at; `reviews` says which severities
  are taken. Frigate gives it no score: alert counts 1, detection 0.5.

- a snapshot (`frigate/CAMERA/LABEL/snapshot`, JPEG) is the picture of the event of that camera and
  label that is open, or ended a moment ago. The topic names no event: of two objects of one label
  the later one gets it.

The episode is named by Frigate's own id, the revision by the time within it, so that a redelivered
or overtaken message changes nothing. Frigate sends no frame numbers: they are 0.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from contract.geometry import Box, Point
from contract.messages import Detection, RuleNote
from contract.taxonomy import Phase
from edge.evidence import STILL, Evidence
from edge.readings.adapter import LEFT_OUT, NOTHING, AdapterError, Decoded, number, read_object
from edge.readings.names import device_name, label
from edge.readings.times import from_epoch_s, is_sane, taken_at

_NAMESPACE = uuid.UUID("d7b0d3f0-6b0c-5b32-8d5f-0a4f5b1f1a57")
_PHASES = {"new": Phase.RAISED, "update": Phase.UPDATED, "end": Phase.CLEARED}
KINDS_TAKEN: Mapping[str, str] = {"fire": "flame", "flame": "flame", "smoke": "smoke"}
MAX_EVENTS = 256  # whose pictures are waited for
AFTER_END = timedelta(seconds=15)  # the best picture is published again when an object is gone
BETWEEN = timedelta(seconds=10)  # two pictures of one event
_JPEG = b"\xff\xd8\xff"
_LAST_REVISION = 2**31 - 1
_REVIEW_SCORES = {"alert": 1.0, "detection": 0.5}


@dataclass(frozen=True, slots=True)
class FrigateCamera:
    """What we call a camera of Frigate's, and where it stands.

    width, height: of its `detect` stream in pixels, 0 where unknown: then boxes are left out.
    """

    stream: str
    width: int = 0
    height: int = 0
    position: Point | None = None


@dataclass(slots=True)
class _Event:
    """An event whose pictures are wanted."""

    episode: str
    stream: str
    started_at: datetime
    ended_at: datetime | None = None
    pictured_at: datetime | None = None


@dataclass
class Frigate:
    """One Frigate. kinds: its label -> our detector kind."""

    topic_prefix: str = "frigate"
    kinds: Mapping[str, str] = field(default_factory=lambda: KINDS_TAKEN)
    reviews: tuple[str, ...] = ()  # of "alert", "detection"
    cameras: Mapping[str, FrigateCamera] = field(default_factory=dict)
    snapshots: bool = True  # pictures of events that are open, where Frigate publishes them
    position: Point | None = None  # of cameras that are not in `cameras`
    _events: dict[tuple[str, str], _Event] = field(default_factory=dict, init=False)

    @property
    def filters(self) -> tuple[str, ...]:
        """Events, and reviews and snapshots where they are wanted."""
        wanted = [f"{self.topic_prefix}/events"]
        if self.reviews:
            wanted.append(f"{self.topic_prefix}/reviews")
        if self.snapshots:
            wanted.append(f"{self.topic_prefix}/+/+/snapshot")
        return tuple(wanted)

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """One change of one detection, or a picture of one; raises AdapterError."""
        levels = topic.removeprefix(f"{self.topic_prefix}/").split("/")
        if self.snapshots and len(levels) == 3 and levels[2] == "snapshot":
            return self._snapshot(levels[0], levels[1], payload, received_at)
        reader = {
            f"{self.topic_prefix}/events": self._event,
            f"{self.topic_prefix}/reviews": self._review,
        }.get(topic)
        if reader is None:
            return NOTHING
        message = read_object(payload)
        phase = _PHASES.get(str(message.get("type")))
        after = message.get("after")
        if phase is None or not isinstance(after, dict):
            raise AdapterError(f"type {message.get('type')!r} with no usable 'after'")
        for name in ("id", "camera"):
            if not isinstance(after.get(name), str) or not after[name]:
                raise AdapterError(f"{name} {after.get(name)!r} is not a text")
        return reader(phase, after, received_at)

    def _event(self, phase: Phase, after: dict[str, Any], received_at: datetime) -> Decoded:
        name = str(after.get("label", ""))
        kind = self.kinds.get(name)
        if after.get("false_positive") is True:
            return LEFT_OUT
        if kind is None:
            return Decoded(unmapped=(name,))
        started_at, seen_at = _times(after, "frame_time", received_at)
        self._follow(phase, after, name, received_at)
        score = _share(after, "score")
        top = max(score, _share(after, "top_score"))
        camera = self._camera(after["camera"])
        return self._detection(
            phase,
            after,
            kind=kind,
            label_=label(name),
            place=_first(after.get("current_zones") or after.get("entered_zones")),
            times=(started_at, seen_at),
            scores=(score, top),
            box=_box(after.get("box"), camera),
            reason=f"Frigate tracks a {name}, no longer a false positive to it",
        )

    def _review(self, phase: Phase, after: dict[str, Any], received_at: datetime) -> Decoded:
        severity = str(after.get("severity"))
        if severity not in self.reviews:
            return Decoded(unmapped=(f"review {severity}",))
        data = after.get("data")
        data = data if isinstance(data, dict) else {}
        started_at, seen_at = _times(after, "end_time", received_at)
        objects = data.get("objects")
        what = ", ".join(map(str, objects)) if isinstance(objects, list) else ""
        score = _REVIEW_SCORES.get(severity, 0.5)
        return self._detection(
            phase,
            after,
            kind="frigate_review",
            label_=label(severity),
            place=_first(data.get("zones")),
            times=(started_at, seen_at),
            scores=(score, score),
            box=None,
            reason=f"Frigate's review: {severity} for {what or 'activity'}"[:2000],
        )

    def _follow(
        self, phase: Phase, after: dict[str, Any], name: str, received_at: datetime
    ) -> None:
        """Remember which event a picture of this camera and label belongs to."""
        key, episode = (after["camera"], name), self._episode(after)
        known = self._events.get(key)
        if phase is Phase.CLEARED:
            if known is not None and known.episode == episode:
                known.ended_at = received_at
        elif known is None or known.episode != episode:
            if len(self._events) >= MAX_EVENTS:
                del self._events[next(iter(self._events))]
            self._events.pop(key, None)
            self._events[key] = _Event(episode, self._camera(after["camera"]).stream, received_at)

    def _snapshot(self, camera: str, name: str, payload: bytes, received_at: datetime) -> Decoded:
        event = self._events.get((camera, name))
        if event is None or not _is_fresh(event, received_at):
            return LEFT_OUT
        if not payload.startswith(_JPEG):
            raise AdapterError(f"snapshot of {camera} is no JPEG: it begins {payload[:8]!r}")
        event.pictured_at = received_at
        return Decoded(
            (
                Evidence(
                    payload,
                    STILL,
                    captured_at=received_at,
                    stream=event.stream,
                    episodes=(event.episode,),
                ),
            )
        )

    def _episode(self, after: dict[str, Any]) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self.topic_prefix}\x1f{after['id']}"))

    def _camera(self, name: str) -> FrigateCamera:
        known = self.cameras.get(name)
        return known or FrigateCamera(device_name(name), position=self.position)

    def _detection(
        self,
        phase: Phase,
        after: dict[str, Any],
        *,
        kind: str,
        label_: str,
        place: str,
        times: tuple[datetime, datetime],
        scores: tuple[float, float],
        box: Box | None,
        reason: str,
    ) -> Decoded:
        started_at, seen_at = times
        camera = self._camera(after["camera"])
        return Decoded(
            (
                Detection(
                    episode=self._episode(after),
                    revision=_revision(phase, started_at, seen_at),
                    phase=phase,
                    stream=camera.stream,
                    kind=kind,
                    label=label_,
                    place=place,
                    started_at=started_at,
                    raised_at=started_at,
                    captured_at=seen_at,
                    frame=0,
                    raised_frame=0,
                    score=scores[0],
                    peak_score=scores[1],
                    box=box,
                    position=camera.position,
                    detector_version="frigate",
                    rule=RuleNote("frigate", 0.0, reason),
                ),
            )
        )


def _is_fresh(event: _Event, at: datetime) -> bool:
    """Whether another picture is wanted: while it is open and just after, and not too often."""
    if event.ended_at is not None and at - event.ended_at > AFTER_END:
        return False
    return event.pictured_at is None or at - event.pictured_at >= BETWEEN


def _times(after: dict[str, Any], seen: str, received_at: datetime) -> tuple[datetime, datetime]:
    """(start, time of this change): Frigate's where they can be true."""
    started = from_epoch_s(after.get("start_time"))
    if started is None:
        raise AdapterError(f"start_time {after.get('start_time')!r} is not a time")
    candidates = [from_epoch_s(after.get(key)) for key in (seen, "end_time")]
    known = [at for at in candidates if at is not None]
    seen_at = taken_at(max(known) if known else received_at, received_at)
    return (started if is_sane(started, received_at) and started <= seen_at else seen_at), seen_at


def _revision(phase: Phase, started_at: datetime, seen_at: datetime) -> int:
    """Half milliseconds into the episode: later ones are higher, the end is the highest."""
    if phase is Phase.RAISED:
        return 1
    ended = phase is Phase.CLEARED
    half_ms = int((seen_at - started_at).total_seconds() * 1000) * 2 + ended
    return min(max(half_ms, 2 + ended), _LAST_REVISION - 1 + ended)


def _share(after: dict[str, Any], name: str) -> float:
    value = number(after.get(name))
    if value is None:
        return 0.0
    if not 0.0 <= value <= 1.0:
        raise AdapterError(f"{name} {value:g} does not lie in 0..1")
    return value


def _box(corners: object, camera: FrigateCamera) -> Box | None:
    """Frigate's box: left, top, right, bottom in pixels of the detect stream."""
    if not (camera.width and camera.height and isinstance(corners, list) and len(corners) == 4):
        return None
    numbers = [number(c) for c in corners]
    x0, y0, x1, y1 = (n if n is not None else 0.0 for n in numbers)
    if None in numbers or x1 <= x0 or y1 <= y0:
        return None
    return Box.from_pixels(x0, y0, x1 - x0, y1 - y0, camera.width, camera.height)


def _first(zones: object) -> str:
    return label(str(zones[0])) if isinstance(zones, list) and zones else ""
