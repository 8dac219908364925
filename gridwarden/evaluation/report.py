"""The report over a set of recordings: figures per detector and split, sweeps, what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from detectors.kit.registry import detector
from gridwarden.evaluation.recorder import Chosen
from gridwarden.evaluation.recording import Recording
from gridwarden.evaluation.replaying import Alarm, alarms, can_change, replay
from gridwarden.evaluation.scoring import (
    ClipVerdict,
    CountFigures,
    KindFigures,
    Verdict,
    counting,
    figures,
    judge,
)
from gridwarden.evaluation.splits import Split

VERSION = 1  # of the keys of the JSON
ALL = "all clips"
SWEEP = tuple(round(0.05 * n, 2) for n in range(1, 20))


@dataclass(frozen=True, slots=True)
class Point:
    """The figures at one threshold."""

    threshold: float
    figures: KindFigures


@dataclass(frozen=True, slots=True)
class Sweep:
    """The figures of one detector over thresholds; `refused` says why there are none."""

    kind: str
    points: tuple[Point, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class SplitFigures:
    """The figures of one part of the clips."""

    split: str
    clips: int
    hours: float
    kinds: tuple[KindFigures, ...]
    counting: CountFigures


@dataclass(frozen=True, slots=True)
class Report:
    """Everything `gridwarden evaluate` and `gridwarden replay` tell."""

    report: int
    changed: Chosen  # parameters over those recorded
    splits: tuple[SplitFigures, ...]
    verdicts: tuple[ClipVerdict, ...]
    sweeps: tuple[Sweep, ...]
    peak_memory_mib: float  # 0: the platform does not tell
    not_measured: dict[str, str] = field(default_factory=dict)  # clip: why


def build(
    recordings: Sequence[Recording],
    changed: Chosen,
    split: Split | None = None,
    not_measured: Mapping[str, str] | None = None,
    sweep: bool = True,
) -> Report:
    """The report; replays every recording. Raises as `replay` does."""
    found = {r.header.clip: _alarms(r, changed) for r in recordings}
    verdicts = [
        judge(r, note.kind, found[r.header.clip])
        for r in recordings
        for note in r.header.detectors
        if not note.fault and _alarming(note.kind)
    ]
    parts: dict[str, list[Recording]] = {ALL: list(recordings)}
    if split is not None:
        for recording in recordings:
            parts.setdefault(split(recording.header.label), []).append(recording)
    failed = {
        r.header.clip: "; ".join(faults)
        for r in recordings
        if (faults := [note.fault for note in r.header.detectors if note.fault])
    }
    return Report(
        report=VERSION,
        changed=changed,
        splits=tuple(_split(name, part, verdicts) for name, part in parts.items()),
        verdicts=tuple(verdicts),
        sweeps=tuple(_sweep(kind, recordings, changed) for kind in _kinds(recordings))
        if sweep
        else (),
        peak_memory_mib=max((r.header.peak_memory for r in recordings), default=0) / 2**20,
        not_measured={**failed, **(not_measured or {})},
    )


def to_json(report: Report) -> bytes:
    """The report for programs, indented."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm that one run has and the other has not."""

    clip: str
    gained: bool
    alarm: Alarm
    verdict: Verdict


def changes(before: Report, after: Report) -> list[Change]:
    """Alarms gained and lost, by clip. The same alarm may come some frames earlier or later."""
    found: list[Change] = []
    there_is = {(verdict.clip, verdict.kind): verdict for verdict in after.verdicts}
    for old in before.verdicts:
        new = there_is.get((old.clip, old.kind))
        if new is None:  # it could not be measured the second time
            continue
        for here, there, gained in ((old, new, False), (new, old, True)):
            found += [
                Change(here.clip, gained, judged.alarm, judged.verdict)
                for judged in here.alarms
                if not any(_same(judged.alarm, other.alarm) for other in there.alarms)
            ]
    return found


def _same(one: Alarm, other: Alarm) -> bool:
    """Whether two alarms of one clip are of one subject and overlap in time."""
    return (one.kind, one.label, one.place) == (other.kind, other.label, other.place) and (
        one.raised_s <= other.cleared_s and other.raised_s <= one.cleared_s
    )


def _alarms(recording: Recording, changed: Chosen) -> list[Alarm]:
    kinds = {note.kind for note in recording.header.detectors}
    here = {kind: values for kind, values in changed.items() if kind in kinds}
    return alarms(recording, replay(recording, here))


def _alarming(kind: str) -> bool:
    """Whether a detector raises alarms at all; one that only measures has no rule."""
    found = detector(kind)
    return found(found.Params()).rule() is not None


def _kinds(recordings: Iterable[Recording]) -> list[str]:
    kinds = dict.fromkeys(note.kind for r in recordings for note in r.header.detectors)
    return [kind for kind in kinds if _alarming(kind)]


def _split(
    name: str, recordings: Sequence[Recording], verdicts: Sequence[ClipVerdict]
) -> SplitFigures:
    clips = {r.header.clip for r in recordings}
    kinds = dict.fromkeys(note.kind for r in recordings for note in r.header.detectors)
    return SplitFigures(
        split=name,
        clips=len(recordings),
        hours=sum(r.duration_s for r in recordings) / 3600.0,
        kinds=tuple(
            figures(kind, [v for v in verdicts if v.kind == kind and v.clip in clips], recordings)
            for kind in kinds
        ),
        counting=counting(recordings),
    )


def _sweep(kind: str, recordings: Sequence[Recording], changed: Chosen) -> Sweep:
    scored = [
        r for r in recordings if any(n.kind == kind and not n.fault for n in r.header.detectors)
    ]
    notes = [n for r in scored for n in r.header.detectors if n.kind == kind]
    if not all("threshold" in note.parameters for note in notes):
        return Sweep(kind, refused="it has no threshold")
    if not all(can_change(note, "threshold") for note in notes):
        return Sweep(kind, refused="its threshold is part of its scores: evaluate at each instead")
    points = []
    for threshold in SWEEP:
        at = {kind: {**changed.get(kind, {}), "threshold": threshold}}
        verdicts = [judge(r, kind, alarms(r, replay(r, at, only=kind))) for r in scored]
        points.append(Point(threshold, figures(kind, verdicts)))
    return Sweep(kind, tuple(points))
