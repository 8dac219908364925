"""Which alarms are right, and the figures that follow: each with its base and its interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gridwarden.evaluation.labels import INCIDENTS, ClipLabel, LabelledEvent, Truth, truth
from gridwarden.evaluation.recording import Recording
from gridwarden.evaluation.replaying import Alarm
from gridwarden.evaluation.statistics import Quantile, Rate, Share, f1, quantile, rate, share
from gridwarden.evaluation.statistics import poisson_upper as upper

COUNTER, CROSSING = "traffic_flow", "vehicle_crossing"


class Verdict(StrEnum):
    """What an alarm was."""

    RIGHT = "right"
    DUPLICATE = "duplicate"  # the event had been told already
    LATE = "late"  # within the event, after its window: the event stays missed
    FALSE = "false"
    BENIGN = "benign"  # a flame nobody needs to be told of
    UNJUDGED = "unjudged"  # the label says too little


@dataclass(frozen=True, slots=True)
class Judged:
    """An alarm and its verdict."""

    alarm: Alarm
    verdict: Verdict
    delay_s: float | None = None  # from the onset, where it is right and the onset was seen


@dataclass(frozen=True, slots=True)
class Event:
    """A labelled event in seconds of its clip."""

    first_frame: int
    start_s: float
    end_s: float
    told: bool


@dataclass(frozen=True, slots=True)
class ClipVerdict:
    """One clip under one detector."""

    clip: str
    kind: str
    judged: bool
    alarms: tuple[Judged, ...]
    events: tuple[Event, ...]  # in the order they begin
    quiet_s: float  # judged time in which an alarm would be false


@dataclass(frozen=True, slots=True)
class Counting:
    """Crossings of one hand-counted clip."""

    clip: str
    by_hand: int
    counted: int
    error: int  # signed, counted - by hand
    wrong: int  # errors of each direction without their sign, so that they cannot cancel


@dataclass(frozen=True, slots=True)
class KindFigures:
    """What one detector did on a set of clips."""

    kind: str
    clips: int
    judged: int
    alarms: dict[str, int]  # by verdict
    precision: Share
    recall: Share
    f1: Share
    false_clips: Share  # clips without an event that have a false alarm
    false_alarms: Rate  # per camera-hour without an event
    delay_p50_s: Quantile
    delay_p90_s: Quantile
    onset_rmse_s: float | None  # incidents only
    cost_p50_ms: Quantile
    cost_p95_ms: Quantile


@dataclass(frozen=True, slots=True)
class CountFigures:
    """How well crossings were counted."""

    clips: tuple[Counting, ...]
    total: int
    wrong: int
    share: float | None  # wrong / total
    at_most: float | None  # exact Poisson 95 % upper bound of the same


def judge(recording: Recording, kind: str, alarms: Iterable[Alarm]) -> ClipVerdict:
    """The alarms of one detector against the clip's label."""
    said = truth(recording.header.label, kind)
    told: set[int] = set()
    judged = []
    for alarm in alarms:
        if alarm.kind == kind:
            judged.append(_verdict(recording, said, alarm, told))
    events = tuple(
        Event(e.first, *_span(recording, e), told=n in told) for n, e in enumerate(said.events)
    )
    quiet_s = _quiet(recording.duration_s, events, said.window_s) if said.judged else 0.0
    return ClipVerdict(recording.header.clip, kind, said.judged, tuple(judged), events, quiet_s)


def _verdict(recording: Recording, said: Truth, alarm: Alarm, told: set[int]) -> Judged:
    if said.benign:
        return Judged(alarm, Verdict.BENIGN)
    if not said.judged:
        return Judged(alarm, Verdict.UNJUDGED)
    verdict = Verdict.FALSE  # unless an event is found; one that is still untold goes first
    for number, event in enumerate(said.events):
        start_s, end_s = _span(recording, event)
        if event.label not in ("", alarm.label) or alarm.raised_s < start_s:
            continue
        in_window = alarm.raised_s <= start_s + said.window_s
        if in_window and number not in told:
            told.add(number)
            seen_begin = event.first > 0  # what the clip begins with began at some other time
            delay_s = alarm.raised_s - start_s if seen_begin else None
            return Judged(alarm, Verdict.RIGHT, delay_s)
        if in_window or alarm.raised_s <= end_s:
            verdict = Verdict.DUPLICATE if number in told else Verdict.LATE
    return Judged(alarm, verdict)


def _span(recording: Recording, event: LabelledEvent) -> tuple[float, float]:
    end_s = recording.duration_s if event.last is None else recording.second(event.last)
    return recording.second(event.first), end_s


def _quiet(duration_s: float, events: Sequence[Event], window_s: float) -> float:
    """Seconds in which an alarm would be false: outside of events and of their windows."""
    quiet, upto = 0.0, 0.0
    for event in events:
        quiet += max(0.0, event.start_s - upto)
        upto = max(upto, event.end_s, event.start_s + window_s)
    return quiet + max(0.0, duration_s - upto)


def figures(
    kind: str, verdicts: Sequence[ClipVerdict], recordings: Sequence[Recording] = ()
) -> KindFigures:
    """The figures of one detector; recordings give its cost."""
    alarms = {v: sum(j.verdict is v for c in verdicts for j in c.alarms) for v in Verdict}
    right = alarms[Verdict.RIGHT]
    wrong = alarms[Verdict.FALSE] + alarms[Verdict.LATE]
    events = sum(len(c.events) for c in verdicts)
    delays = [j.delay_s for c in verdicts for j in c.alarms if j.delay_s is not None]
    empty = [c for c in verdicts if c.judged and not c.events]
    erring = sum(any(j.verdict is Verdict.FALSE for j in c.alarms) for c in empty)
    costs = [ms for recording in recordings for ms in _costs(recording, kind)]
    incident = kind in INCIDENTS and delays
    return KindFigures(
        kind=kind,
        clips=len(verdicts),
        judged=sum(c.judged for c in verdicts),
        alarms={str(v): n for v, n in alarms.items()},
        precision=share(right, right + wrong),
        recall=share(right, events),
        f1=f1(right, wrong, events - right),
        false_clips=share(erring, len(empty)),
        false_alarms=rate(alarms[Verdict.FALSE], sum(c.quiet_s for c in verdicts) / 3600.0),
        delay_p50_s=quantile(delays, 0.5),
        delay_p90_s=quantile(delays, 0.9),
        onset_rmse_s=math.sqrt(sum(d * d for d in delays) / len(delays)) if incident else None,
        cost_p50_ms=quantile(costs, 0.5),
        cost_p95_ms=quantile(costs, 0.95),
    )


def _costs(recording: Recording, kind: str) -> list[float]:
    kinds = [note.kind for note in recording.header.detectors]
    if kind not in kinds:
        return []
    costs: list[float] = recording.cost_ms[recording.cost_kind == kinds.index(kind)].tolist()
    return costs


def counting(recordings: Iterable[Recording]) -> CountFigures:
    """Crossings against hand counts, over the clips that have one and were counted."""
    clips = tuple(
        _counted(recording)
        for recording in recordings
        if recording.header.label.count is not None
        and recording.header.label.line is not None
        and any(note.kind == COUNTER and not note.fault for note in recording.header.detectors)
    )
    total = sum(c.by_hand for c in clips)
    wrong = sum(c.wrong for c in clips)
    return CountFigures(
        clips,
        total,
        wrong,
        wrong / total if total else None,
        upper(wrong) / total if total else None,
    )


def _counted(recording: Recording) -> Counting:
    label: ClipLabel = recording.header.label
    found: dict[str, int] = {}
    for n, (metric, direction, _) in enumerate(recording.header.measured):
        if metric == CROSSING:
            values = recording.measured_value[recording.measured_what == n]
            found[direction] = found.get(direction, 0) + round(float(np.sum(values)))
    assert label.count is not None
    by_hand = label.directions()
    counted = sum(found.values())
    error = counted - label.count
    wrong = abs(error)
    if sum(by_hand.values()) == label.count:  # every direction was counted by hand
        wrong = sum(abs(found.get(d, 0) - by_hand.get(d, 0)) for d in {*found, *by_hand})
    return Counting(recording.header.clip, label.count, counted, error, wrong)
