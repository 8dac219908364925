"""Runs the agent's own `StreamWatch` over one clip as fast as possible and notes every score.

The detectors are the real ones; a subclass listens at the door. So what is measured is what runs
beside the cameras: the same sampling, the same rules, the same episodes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from contract.envelope import read_record
from contract.messages import Detection
from contract.taxonomy import CameraState, Lane
from detectors.kit.protocol import Detector
from detectors.kit.registry import detector
from detectors.kit.types import Finding, Frame, Measurement, Observation
from edge.settings import DetectorSettings, StreamSettings
from edge.sources.opening import SourceSettings
from edge.sources.source import own_canvas
from edge.sources.video import VideoSource, probe
from edge.watching import StreamWatch
from gridwarden.evaluation.errors import EvaluationError
from gridwarden.evaluation.labels import ClipLabel
from gridwarden.evaluation.recording import (
    EPOCH,
    FORMAT,
    MICROSECOND,
    DetectorNote,
    Header,
    Recording,
    Subject,
)

AGENT = "evaluate"
STREAM = "clip"
ENDED = "the video was played to its end"
Chosen = Mapping[str, Mapping[str, Any]]  # parameters by detector kind


@dataclass(slots=True)
class _Notes:
    """Everything heard so far."""

    looks_at: dict[str, set[str]] = field(default_factory=dict)
    scores: list[tuple[Subject, int, Observation]] = field(default_factory=list)
    measured: list[tuple[int, Measurement]] = field(default_factory=list)
    costs: list[tuple[str, float]] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)  # by kind: why it was switched off
    scoring: str = ""  # the detector that is at work now


def record_frames(
    stream: Iterable[Frame], label: ClipLabel, chosen: Chosen
) -> tuple[Recording, list[Detection]]:
    """What the detectors say of frames, timed from `EPOCH` on, and the detections an agent would
    have told.

    A detector that fails is noted with its fault, and nothing of it is told: what it did not see
    cannot be judged. Raises EvaluationError where there is no frame, ParameterError for a wrong
    parameter.
    """
    notes = _Notes()
    settings = settings_of(chosen)
    watch = StreamWatch(AGENT, settings, lambda kind: _listening(detector(kind), notes))
    told: list[Detection] = []
    frame_at: list[datetime] = []
    for frame in stream:
        while len(frame_at) <= frame.number:  # one that was grabbed and not decoded, too
            frame_at.append(frame.captured_at)
        told += detections(watch.observe(frame))
    if not frame_at:
        raise EvaluationError(f"{label.file} holds no frame: check it with another player")
    told += detections(watch.end(frame_at[-1], ENDED))
    told = [d for d in told if d.kind not in notes.faults]
    return _recording(notes, watch, label, chosen, frame_at), told


def settings_of(chosen: Chosen) -> StreamSettings:
    """The settings of a stream with these detectors."""
    asked = tuple(DetectorSettings(kind, values) for kind, values in chosen.items())
    return StreamSettings(STREAM, STREAM, "", False, None, asked)


def detections(entries: Iterable[Any]) -> Iterator[Detection]:
    """Those of the spool's entries that are detections."""
    for entry in entries:
        if entry.lane is Lane.DETECTION:
            found = read_record(entry.lane, entry.record, entry.payload)
            assert isinstance(found, Detection)
            yield found


def frames(path: Path) -> Iterator[Frame]:
    """All frames of a file, timed as the agent times them. Raises EvaluationError."""
    if not path.is_file():
        raise EvaluationError(f"clip {path} is not there: check `file` in the labels")
    probe(str(path))

    def tell(state: CameraState, detail: str) -> None:
        if state is CameraState.LOST:
            raise EvaluationError(f"{path}: {detail}")

    source = SourceSettings(STREAM, str(path), loop=False)
    return VideoSource(source, tell, own_canvas, lambda: EPOCH, lambda _: None).frames()


def _listening(built: type[Detector], notes: _Notes) -> type[Detector]:
    """The detector, its scores and the parameters it scores by noted."""
    kind = built.kind
    looks_at = notes.looks_at.setdefault(kind, set())
    names = frozenset(f.name for f in fields(built.Params))

    def get(params: Any, name: str) -> Any:
        if notes.scoring == kind and name in names:
            looks_at.add(name)
        return object.__getattribute__(params, name)

    def begin(self: Any, params: Any) -> None:
        notes.scoring = kind
        try:
            built.__init__(self, params)
        finally:
            notes.scoring = ""

    def observe(self: Any, frame: Frame) -> list[Finding]:
        notes.scoring = kind
        begun = time.perf_counter()
        try:
            findings = list(built.observe(self, frame))
        except Exception as e:
            notes.faults[kind] = f"{kind} was switched off: {type(e).__name__}: {e}"
            raise
        finally:
            notes.scoring = ""
            notes.costs.append((kind, (time.perf_counter() - begun) * 1e3))
        for finding in findings:
            if isinstance(finding, Measurement):
                notes.measured.append((frame.number, finding))
            else:
                subject = Subject(kind, finding.label, finding.place)
                notes.scores.append((subject, frame.number, finding))
        return findings

    params = type("Noted", (built.Params,), {"__slots__": (), "__getattribute__": get})
    return type(built.__name__, (built,), {"Params": params, "__init__": begin, "observe": observe})


def _recording(
    notes: _Notes, watch: StreamWatch, label: ClipLabel, chosen: Chosen, frame_at: list[datetime]
) -> Recording:
    subjects = list(dict.fromkeys(subject for subject, _, _ in notes.scores))
    subject_at = {subject: n for n, subject in enumerate(subjects)}
    what = [(m.metric, m.label, m.place) for _, m in notes.measured]
    measured = list(dict.fromkeys(what))
    kinds = list(chosen)
    detectors = tuple(
        DetectorNote(
            manifest.kind,
            manifest.version,
            dict(manifest.parameters),
            tuple(sorted(notes.looks_at[manifest.kind])),
            notes.faults.get(manifest.kind, ""),
        )
        for manifest in watch.manifests()
    )
    header = Header(
        FORMAT, label.file, label, detectors, tuple(subjects), tuple(measured), peak_memory()
    )
    nowhere = (np.nan,) * 4
    boxes = [
        nowhere if o.box is None else (o.box.x, o.box.y, o.box.w, o.box.h)
        for _, _, o in notes.scores
    ]
    return Recording(
        header,
        frame_us=np.array([(at - EPOCH) // MICROSECOND for at in frame_at], np.int64),
        score_subject=np.array([subject_at[s] for s, _, _ in notes.scores], np.int32),
        score_frame=np.array([n for _, n, _ in notes.scores], np.int64),
        score=np.array([o.score for _, _, o in notes.scores], np.float64),
        box=np.array(boxes, np.float64).reshape(-1, 4),
        measured_what=np.array([measured.index(w) for w in what], np.int32),
        measured_frame=np.array([n for n, _ in notes.measured], np.int64),
        measured_value=np.array([m.value for _, m in notes.measured], np.float64),
        cost_kind=np.array([kinds.index(kind) for kind, _ in notes.costs], np.int32),
        cost_ms=np.array([ms for _, ms in notes.costs], np.float32),
    )


def peak_memory() -> int:
    """The most memory this process ever had in use, bytes; 0 where the platform does not tell."""
    status = Path("/proc/self/status")  # getrusage's figure may be that of before exec
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
