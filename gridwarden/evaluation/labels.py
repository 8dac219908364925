"""The labels file: what each clip shows, as a person wrote it down. See docs/evaluation.md.

A field that only people can read (`gt`, `shows`) is never used: what a label does not say in a
field made for it is unknown, and an alarm on the unknown is listed but not judged.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from detectors.kit.calibration import read_calibration
from detectors.kit.gauge import read_gauge
from detectors.kit.lanes import read_lanes
from gridwarden.evaluation.errors import LabelError

NAME = "labels.json"
WINDOW_S = 30.0  # an alarm is right this long after the onset
INCIDENT_WINDOW_S = 10.0  # of traffic incidents
INCIDENTS = frozenset({"stopped_vehicle", "wrong_way", "crash"})
DIRECTIONS = ("up", "down", "left", "right")
DRAWN = {"lanes": read_lanes, "calibration": read_calibration, "gauge": read_gauge}
LINE = re.compile(r"([xy])=(0?\.\d+|1(?:\.0*)?)")


class LabelledEvent(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """Something of one detector kind that lasts from a frame to a frame."""

    kind: str
    first: int
    last: int | None = None  # None: to the end
    label: str = ""  # of the detector, "" for any: camera_health's "frozen"


class ClipLabel(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. Frames are counted from 0 in the order they are decoded."""

    file: str
    cat: str = ""
    kind: str = ""
    source: str = ""
    repo: str = ""  # where it comes from; stands for `source` where that is not given
    frames: int | None = None
    onset_flame: int | None = None
    onset_smoke: int | None = None
    onset: int | None = None
    end: int | None = None
    benign: bool = False
    count: int | None = None
    line: str | None = None
    up: int | None = None
    down: int | None = None
    left: int | None = None
    right: int | None = None
    stopped_from: int | None = None
    crash: int | None = None
    queue: tuple[int, int] | None = None
    events: tuple[LabelledEvent, ...] = ()
    absent: tuple[str, ...] = ()  # kinds that certainly do not occur
    unjudged: tuple[str, ...] = ()  # kinds whose alarms say nothing here
    zones: dict[str, tuple[tuple[float, float], ...]] = {}  # a detector's by its kind
    lanes: str = ""  # these three are written as the parameters of that name
    calibration: str = ""
    gauge: str = ""

    @property
    def origin(self) -> str:
        """What clips of one source share."""
        return self.source or self.repo or self.file

    def directions(self) -> dict[str, int]:
        """The hand count in each direction, as far as it was noted."""
        return {d: n for d in DIRECTIONS if (n := getattr(self, d)) is not None}

    def count_line(self) -> tuple[str, float] | None:
        """(axis, share) of the count line; raises LabelError."""
        if self.line is None:
            return None
        found = LINE.fullmatch(self.line)
        if found is None:
            raise LabelError(f"{self.file}: line {self.line!r} is none: write y=0.60 or x=0.50")
        return ("horizontal" if found[1] == "y" else "vertical"), float(found[2])


@dataclass(frozen=True, slots=True)
class Truth:
    """What a label says of one detector kind."""

    events: tuple[LabelledEvent, ...] = ()
    judged: bool = True  # False: it says too little, alarms are only listed
    benign: bool = False  # a flame nobody needs to be told of: counted apart
    window_s: float = WINDOW_S


_SINGLE = {  # detector kind by the word in `kind`, with the frame in `onset`
    "flood": "ponding",
    "abandoned object": "dumping",
}


def truth(label: ClipLabel, kind: str) -> Truth:
    """What the label says of a detector kind."""
    window_s = INCIDENT_WINDOW_S if kind in INCIDENTS else WINDOW_S
    events = [e for e in label.events if e.kind == kind]
    events += _from_fields(label, kind)
    events.sort(key=lambda e: e.first)
    if kind in label.unjudged:
        return Truth(judged=False, window_s=window_s)
    if events or kind in label.absent:
        return Truth(tuple(events), window_s=window_s)
    if label.benign and kind in ("flame", "smoke"):
        return Truth(judged=False, benign=True, window_s=window_s)
    return Truth(judged=_says_absent(label, kind), window_s=window_s)


def _from_fields(label: ClipLabel, kind: str) -> list[LabelledEvent]:
    first: int | None = None
    last = label.end
    if kind in ("flame", "smoke"):
        first = label.onset_flame if kind == "flame" else label.onset_smoke
    elif kind == "stopped_vehicle":
        first = label.stopped_from
    elif kind == "crash":
        first = label.crash
    elif kind == "congestion" and label.queue is not None:
        first, last = label.queue
    elif kind == "visibility" and label.kind == "low visibility":
        first = label.onset or 0
    elif _SINGLE.get(label.kind) == kind:
        first = label.onset
    return [] if first is None else [LabelledEvent(kind, first, last)]


def _says_absent(label: ClipLabel, kind: str) -> bool:
    """Whether a label without such an event means that there is none."""
    if kind in ("flame", "smoke"):
        burns = label.onset_flame is not None or label.onset_smoke is not None or label.benign
        return bool(label.cat) and label.cat != "fire" and not burns
    if kind in INCIDENTS:
        return label.cat == "traffic" and label.queue is None
    if kind == "camera_health":
        return label.kind != "camera health"
    return False


@dataclass(slots=True)
class Labels:
    """A labels file and the entries in it, unknown fields kept."""

    path: Path
    raw: list[dict[str, Any]]
    clips: dict[str, ClipLabel] = field(default_factory=dict)  # by file

    @property
    def folder(self) -> Path:
        """What the files in it are relative to."""
        return self.path.parent


def read(path: Path) -> Labels:
    """The labels in a file; raises LabelError naming the entry and the field."""
    try:
        raw = msgspec.json.decode(path.read_bytes())
    except OSError as e:
        raise LabelError(
            f"{path} cannot be read ({e.strerror}): name the file with --labels"
        ) from e
    except msgspec.DecodeError as e:
        raise LabelError(f"{path} is no JSON: {e}") from e
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        raise LabelError(f"{path} must hold a list of objects, one for each clip")
    labels = Labels(path, raw)
    for number, entry in enumerate(raw):
        clip = check(entry, f"{path}: entry {number} ({entry.get('file', 'no file')})")
        if clip.file in labels.clips:
            raise LabelError(f"{path}: {clip.file} stands there twice: keep one entry")
        labels.clips[clip.file] = clip
    return labels


def check(entry: Mapping[str, Any], where: str) -> ClipLabel:
    """The entry as a label; raises LabelError."""
    try:
        clip = msgspec.convert(entry, ClipLabel)
    except msgspec.ValidationError as e:
        raise LabelError(f"{where}: {e}") from e
    clip.count_line()
    last = clip.frames - 1 if clip.frames is not None else None
    spans = [(e.first, e.last) for e in clip.events]
    if clip.queue is not None:
        spans.append(clip.queue)
    onsets = (clip.onset_flame, clip.onset_smoke, clip.onset, clip.stopped_from, clip.crash)
    spans += [(frame, clip.end) for frame in onsets if frame is not None]
    for begin, end in spans:
        for frame in (begin, end):
            if frame is not None and (frame < 0 or (last is not None and frame > last)):
                raise LabelError(f"{where}: frame {frame} is not within 0 to {last}")
        if end is not None and end < begin:
            raise LabelError(f"{where}: it ends at frame {end}, before it begins at {begin}")
    for direction, number in {"count": clip.count, **clip.directions()}.items():
        if number is not None and number < 0:
            raise LabelError(f"{where}: {direction} must not be below 0, got {number}")
    for name, points in clip.zones.items():
        if len(points) < 3 or not all(0.0 <= v <= 1.0 for p in points for v in p):
            raise LabelError(f"{where}: zone {name!r} needs 3 points or more, each within 0..1")
    for name, reader in DRAWN.items():
        try:
            reader(getattr(clip, name))
        except ValueError as e:
            raise LabelError(f"{where}: {name}: {e}") from None
    return clip


def nearest(folder: Path) -> Path | None:
    """The labels file of a folder: in it, or in its nearest parent; None where there is none."""
    start = folder.resolve()
    places = (place / NAME for place in (start, *start.parents))
    return next((path for path in places if path.is_file()), None)


def save(labels: Labels) -> None:
    """Replace the file at once; the one before is kept beside it as `labels.json.before`."""
    data = msgspec.json.format(msgspec.json.encode(labels.raw), indent=1) + b"\n"
    path = labels.path
    before, fresh = path.with_name(path.name + ".before"), path.with_name(path.name + ".new")
    fresh.write_bytes(data)
    if path.exists():
        kept = path.with_name(path.name + ".keep")
        kept.write_bytes(path.read_bytes())
        kept.replace(before)
    with fresh.open("rb") as stream:
        os.fsync(stream.fileno())
    fresh.replace(path)


def undo(path: Path) -> None:
    """Change places with the file before; doing it twice changes nothing. Raises LabelError."""
    before = path.with_name(path.name + ".before")
    if not before.is_file():
        raise LabelError(f"{before} is not there: nothing was changed yet, so nothing to undo")
    now = path.with_name(path.name + ".new")
    now.write_bytes(path.read_bytes())
    before.replace(path)
    now.replace(before)
