"""Recorded scores through rules and episodes again: no picture, seconds, exactly as live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.episode import Episode, EpisodeChange, Sample, Subject
from contract.geometry import Box
from contract.messages import Detection
from contract.taxonomy import Phase
from detectors.kit.params import build
from detectors.kit.protocol import Detector
from detectors.kit.registry import detector
from gridwarden.evaluation.errors import RecordingError
from gridwarden.evaluation.recorder import AGENT, ENDED, STREAM, Chosen
from gridwarden.evaluation.recording import DetectorNote, Recording


@dataclass(frozen=True, slots=True)
class Alarm:
    """One episode of one clip."""

    kind: str
    label: str
    place: str
    raised_frame: int
    raised_s: float
    cleared_s: float
    peak_score: float
    reason: str


def replay(recording: Recording, changed: Chosen, only: str | None = None) -> list[EpisodeChange]:
    """The changes of all episodes, in the order of the live run.

    changed: parameters by kind, over those recorded. only: this kind, None for all. A detector
    that failed while it was recorded gives none. Raises
    RecordingError where a parameter changes the scores themselves, ParameterError where it does
    not fit.
    """
    noted = {note.kind: note for note in recording.header.detectors}
    for kind in changed:
        if kind not in noted:
            raise RecordingError(
                f"{recording.header.clip} has no scores of {kind!r}; it has: {', '.join(noted)}"
            )
    rules = {kind: _rules(note, changed.get(kind, {})) for kind, note in noted.items()}
    episodes: list[Episode | None] = []
    for subject in recording.header.subjects:
        ruled = rules[subject.kind]
        wanted = only in (None, subject.kind) and not noted[subject.kind].fault
        rule = ruled.rule() if wanted else None
        about = Subject(AGENT, STREAM, subject.kind, subject.label, subject.place)
        episodes.append(None if rule is None else Episode(about, rule, ruled.policy()))
    changes = [c for c in _steps(recording, episodes) if c is not None]
    last = recording.at(len(recording.frame_us) - 1)
    for kind in noted:  # as `StreamWatch.end`: detector by detector
        for episode in episodes:
            if episode is not None and episode.subject.kind == kind:
                change = episode.end(last, ENDED)
                if change is not None:
                    changes.append(change)
    return changes


def can_change(note: DetectorNote, name: str) -> bool:
    """Whether a parameter may be changed in a replay."""
    return name in note.parameters and name not in note.looks_at


def alarms(recording: Recording, changes: Iterable[EpisodeChange]) -> list[Alarm]:
    """The episodes that were raised, in time order."""
    raised: dict[str, EpisodeChange] = {}
    last: dict[str, EpisodeChange] = {}
    for change in changes:
        if change.phase is Phase.RAISED:
            raised[change.episode] = change
        last[change.episode] = change
    begin = recording.at(0)
    found = [
        Alarm(
            kind=change.subject.kind,
            label=change.subject.label,
            place=change.subject.place,
            raised_frame=change.raised_frame,
            raised_s=(change.raised_at - begin).total_seconds(),
            cleared_s=(last[episode].at - begin).total_seconds(),
            peak_score=last[episode].peak_score,
            reason=change.reason,
        )
        for episode, change in raised.items()
    ]
    return sorted(found, key=lambda a: (a.raised_frame, a.kind, a.label))


def difference(changes: Sequence[EpisodeChange], told: Sequence[Detection]) -> str:
    """Where a replay is not what the agent told, in words; "" where both are the same."""
    if len(changes) != len(told):
        return f"{len(changes)} changes replayed, {len(told)} told"
    for change, detection in zip(changes, told, strict=True):
        ours, theirs = _facts(change), _told_facts(detection)
        for name, value in ours.items():
            if theirs[name] != value:
                return f"{name} of frame {change.frame}: {value!r} replayed, {theirs[name]!r} told"
    return ""


def _rules(note: DetectorNote, changed: Mapping[str, Any]) -> Detector:
    found = detector(note.kind)
    build(found.Params, changed, note.kind)  # a misspelt name is refused by its name
    for name, value in changed.items():
        if not can_change(note, name) and value != note.parameters.get(name):
            raise RecordingError(
                f"{note.kind}.{name} changes the scores themselves: run `gridwarden evaluate "
                f"--param {note.kind}.{name}={value}` over the video"
            )
    if found.version != note.version:
        raise RecordingError(
            f"{note.kind} is version {found.version} now, the scores are of version "
            f"{note.version}: evaluate anew"
        )
    return found(build(found.Params, {**note.parameters, **changed}, note.kind))


def _steps(
    recording: Recording, episodes: Sequence[Episode | None]
) -> Iterable[EpisodeChange | None]:
    at = [recording.at(n) for n in range(len(recording.frame_us))]
    rows = zip(
        recording.score_subject.tolist(),
        recording.score_frame.tolist(),
        recording.score.tolist(),
        recording.box.tolist(),
        strict=True,
    )
    for subject, frame, score, box in rows:
        episode = episodes[subject]
        if episode is not None:
            where = Box(*box) if box[0] == box[0] else None  # NaN is not itself
            yield episode.step(Sample(at[frame], score, where, frame))


def _facts(c: EpisodeChange) -> dict[str, object]:
    return {
        "episode": c.episode,
        "revision": c.revision,
        "phase": c.phase,
        "kind": c.subject.kind,
        "label": c.subject.label,
        "place": c.subject.place,
        "started_at": c.started_at,
        "raised_at": c.raised_at,
        "captured_at": c.at,
        "frame": c.frame,
        "raised_frame": c.raised_frame,
        "score": c.score,
        "peak_score": c.peak_score,
        "box": c.box,
        "reason": c.reason,
        "scores": [
            (round((s.at - c.raised_at).total_seconds(), 3), round(s.score, 4)) for s in c.series
        ],
    }


def _told_facts(d: Detection) -> dict[str, object]:
    same_name = [name for name in Detection.__struct_fields__ if name not in ("rule", "scores")]
    facts: dict[str, object] = {name: getattr(d, name) for name in same_name}
    return facts | {"reason": d.rule.reason, "scores": list(d.scores)}
