"""Merging the changes of one episode, in whatever order and however often they arrive.

`merge` is commutative, associative and idempotent: the highest revision speaks, what only ever
grows is the extreme of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contract.geometry import Box, Point
from contract.messages import Detection
from hub.domain.history import canonical

_PHASES = ("raised", "updated", "cleared")


@dataclass(frozen=True, slots=True)
class EpisodeState:
    """An episode as the changes seen so far tell it."""

    episode: str
    station: str
    agent: str
    boot: str
    stream: str
    kind: str
    label: str
    place: str
    phase: str
    revision: int
    started_at: datetime
    raised_at: datetime
    raised_frame: int
    captured_at: datetime
    score: float
    peak_score: float
    box: tuple[float, float, float, float] | None
    position: Point | None  # as the edge told it; None: where the device stands
    rule: dict[str, Any]
    scores: tuple[tuple[float, float], ...]
    detector_version: str
    received_at: datetime  # of the first change that arrived
    test: bool


def from_record(
    record: Detection, station: str, agent: str, boot: str, received_at: datetime
) -> EpisodeState:
    """The episode as one change tells it."""
    return EpisodeState(
        episode=record.episode,
        station=station,
        agent=agent,
        boot=boot,
        stream=record.stream,
        kind=record.kind,
        label=record.label,
        place=record.place,
        phase=str(record.phase),
        revision=record.revision,
        started_at=record.started_at,
        raised_at=record.raised_at,
        raised_frame=record.raised_frame,
        captured_at=record.captured_at,
        score=record.score,
        peak_score=max(record.peak_score, record.score),
        box=_box(record.box),
        position=record.position,
        rule={
            "name": record.rule.name,
            "threshold": record.rule.threshold,
            "reason": record.rule.reason,
        },
        scores=tuple((float(t), float(s)) for t, s in record.scores),
        detector_version=record.detector_version,
        received_at=received_at,
        test=record.test,
    )


def merge(a: EpisodeState, b: EpisodeState) -> EpisodeState:
    """What both tell together."""
    latest = max(a, b, key=_rank)
    return replace(
        latest,
        started_at=min(a.started_at, b.started_at),
        raised_at=min(a.raised_at, b.raised_at),
        raised_frame=min(a.raised_frame, b.raised_frame),
        peak_score=max(a.peak_score, b.peak_score),
        received_at=min(a.received_at, b.received_at),
    )


def _rank(e: EpisodeState) -> tuple[Any, ...]:
    """Revision first; two changes that claim one revision are told apart by their content."""
    return (
        e.revision,
        _PHASES.index(e.phase),
        e.captured_at,
        e.score,
        e.boot,
        e.stream,
        e.kind,
        e.label,
        e.place,
        e.box or (),
        (e.position.lon, e.position.lat) if e.position else (),
        canonical(e.rule),
        e.scores,
        e.detector_version,
        e.test,
    )


def _box(box: Box | None) -> tuple[float, float, float, float] | None:
    return None if box is None else (box.x, box.y, box.w, box.h)
