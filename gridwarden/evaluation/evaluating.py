"""`gridwarden evaluate`: from a folder and its labels to a report."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from detectors.kit.params import build
from detectors.kit.registry import available, detector
from gridwarden.evaluation import labels as labelling
from gridwarden.evaluation import perturbing, report
from gridwarden.evaluation import recording as recordings
from gridwarden.evaluation.errors import (
    EvaluationError,
    LabelError,
    NothingToDoError,
    RecordingError,
)
from gridwarden.evaluation.labels import ClipLabel, Labels
from gridwarden.evaluation.recording import Recording
from gridwarden.evaluation.report import Report
from gridwarden.evaluation.running import Progress, Task, record_all
from gridwarden.evaluation.scoring import COUNTER
from gridwarden.evaluation.splits import choose

SUFFIX = ".npz"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured."""

    folder: Path
    recordings: Path
    labels: Path | None = None
    clips: str | None = None  # glob
    detectors: tuple[str, ...] = ()  # none: all
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    jobs: int | None = None  # None: one a core
    split: str | None = None
    perturbed: str = ""  # how the clips are changed; the recordings then lie beside `recordings`

    @property
    def kept_in(self) -> Path:
        """The folder of the recordings."""
        ending = f"-{self.perturbed}" if self.perturbed else ""
        return self.recordings.with_name(self.recordings.name + ending)


def evaluate(asked: Asked, progress: Progress) -> tuple[Report, list[Recording], Path]:
    """The report, its recordings, and the folder that clips are relative to.

    Raises GridwardenError where labels, detectors or parameters do not fit. A clip that cannot be
    measured is told in the report.
    """
    split = choose(asked.split)
    path = asked.labels or labelling.nearest(asked.folder)
    if path is None:
        raise LabelError(
            f"no {labelling.NAME} in {asked.folder} or above it: write one "
            "(docs/evaluation.md), or name it with --labels"
        )
    labels = labelling.read(path)
    clips = _clips(labels, asked)
    if asked.perturbed:
        clips = [perturbing.find(asked.perturbed).label(clip) for clip in clips]
    kinds = asked.detectors or tuple(k for k in available() if _is_ready(k, asked))
    for kind, values in asked.parameters.items():
        build(detector(kind).Params, values, kind)
        if kind not in kinds:
            raise EvaluationError(f"--param is for {kind}, which does not run: --detector {kind}")
    tasks = [
        Task(
            str(labels.folder / clip.file),
            clip,
            chosen,
            str(_target(asked.kept_in, clip)),
            asked.perturbed,
        )
        for clip in clips
        if (chosen := {k: _values(k, clip, asked) for k in map(_known, kinds) if _runs(k, clip)})
    ]
    if not tasks:
        raise NothingToDoError(f"no clip has anything for {', '.join(kinds)} to do")
    jobs = asked.jobs or _cores()
    faults = {t.label.file: why for t, why in record_all(tasks, jobs, progress) if why}
    found = [recordings.load(Path(t.target)) for t in tasks if t.label.file not in faults]
    return report.build(found, {}, split, faults), found, labels.folder


def parameters(pairs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """["flame.threshold=0.4"] -> {"flame": {"threshold": 0.4}}; raises EvaluationError."""
    values: dict[str, dict[str, Any]] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        kind, dot, parameter = name.partition(".")
        if not (equals and dot and kind and parameter):
            raise EvaluationError(f"--param {pair!r} must be KIND.NAME=VALUE: flame.threshold=0.4")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        values.setdefault(kind, {})[parameter] = value
    return values


def load_all(path: Path) -> list[Recording]:
    """A recording, or all in a folder and below it; raises RecordingError."""
    files = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
    if not files:
        raise RecordingError(f"no recording in {path}: `gridwarden evaluate` writes them")
    found: dict[str, Recording] = {}
    for file in files:
        recording = recordings.load(file)
        clip = recording.header.clip
        if clip in found:
            raise RecordingError(f"{file} is a second recording of {clip}: take one of them away")
        found[clip] = recording
    return list(found.values())


def check_recorded(found: Sequence[Recording], changed: Mapping[str, object]) -> None:
    """Raises RecordingError where a detector was recorded in none of these."""
    kinds = {note.kind for r in found for note in r.header.detectors}
    for kind in changed:
        if kind not in kinds:
            raise RecordingError(f"no scores of {kind!r} are recorded; of: {', '.join(kinds)}")


def progress_to_stderr(done: int, of: int, clip: str) -> None:
    """One line that is written over, on a terminal; else a line a clip."""
    redraws = sys.stderr.isatty()
    before = "\r\x1b[K" if redraws else ""
    after = "" if redraws and done < of else "\n"
    print(f"{before}{done} of {of}  {clip}", end=after, file=sys.stderr, flush=True)


def _cores() -> int:
    """The cores we may use, where the platform tells; else those there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _known(kind: str) -> str:
    return detector(kind).kind


def _clips(labels: Labels, asked: Asked) -> list[ClipLabel]:
    folder = asked.folder.resolve()
    if not folder.is_dir():
        raise EvaluationError(f"{asked.folder} is no folder")
    clips = [
        clip
        for clip in labels.clips.values()
        if (labels.folder / clip.file).resolve().is_relative_to(folder)
        and (asked.clips is None or fnmatch(clip.file, asked.clips))
    ]
    if not clips:
        which = f" that fits {asked.clips!r}" if asked.clips else ""
        raise EvaluationError(f"{labels.path} labels no clip in {asked.folder}{which}")
    return clips


def _is_ready(kind: str, asked: Asked) -> bool:
    """One that needs a model of the operator's says nothing without it."""
    needs = getattr(detector(kind).Params(), "model", None) == ""
    return not needs or "model" in asked.parameters.get(kind, {})


def _runs(kind: str, clip: ClipLabel) -> bool:
    """Counting needs a line, which the label gives; without one it would measure nothing."""
    return kind != COUNTER or (clip.count is not None and clip.line is not None)


def _values(kind: str, clip: ClipLabel, asked: Asked) -> dict[str, Any]:
    return {**_drawn(kind, clip), **asked.parameters.get(kind, {})}


def _drawn(kind: str, clip: ClipLabel) -> dict[str, Any]:
    """What is drawn into the clip's picture, as parameters of a detector kind."""
    known = {f.name for f in fields(detector(kind).Params)}
    values: dict[str, Any] = {
        name: text for name in labelling.DRAWN if name in known and (text := getattr(clip, name))
    }
    if kind in clip.zones:
        if "zone_corners" not in known:
            raise LabelError(f"{clip.file}: zone {kind!r}: {kind} watches the whole picture")
        values["zone_corners"] = " ".join(f"{x},{y}" for x, y in clip.zones[kind])
    if kind == COUNTER and (line := clip.count_line()) is not None:
        values |= {"axis": line[0], "line": line[1]}
    return values


def _target(folder: Path, clip: ClipLabel) -> Path:
    name = clip.file.replace("/", "__").replace("\\", "__").lstrip(".")
    return (folder / f"{name}{SUFFIX}").absolute()
