"""`gridwarden label`: what a person saw in a clip goes into its labels; sheets to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from detectors.kit.types import Frame
from gridwarden.evaluation import labels as labelling
from gridwarden.evaluation.errors import EvaluationError, LabelError
from gridwarden.evaluation.labels import ClipLabel, Labels
from gridwarden.evaluation.recorder import frames
from gridwarden.evaluation.stills import numbered, pick

SIDE = 320  # pixels of a picture on a sheet
ACROSS, DOWN = 5, 5


def labels_of(clip: Path, named: Path | None) -> Labels:
    """The labels file of a clip: named, the nearest, or a new one beside it. Raises LabelError."""
    path = named or labelling.nearest(clip.parent) or clip.parent / labelling.NAME
    return labelling.read(path) if path.exists() else Labels(path, [])


def mark(clip: Path, labels: Labels, fields: Mapping[str, Any]) -> ClipLabel:
    """Set these fields of the clip's entry (None takes one away) and save the file.

    The frames of the clip are counted, so that a frame number beyond its end is refused. Raises
    LabelError with nothing changed.
    """
    place = labels.folder.resolve()
    if not clip.resolve().is_relative_to(place):
        raise LabelError(f"{clip} is not below {place}, where {labels.path.name} is: name --labels")
    file = clip.resolve().relative_to(place).as_posix()
    entry = next((e for e in labels.raw if e.get("file") == file), None)
    fresh: dict[str, Any] = {"file": file} if entry is None else dict(entry)
    fresh |= _measure(clip)
    for name, value in fields.items():
        if value is None:
            fresh.pop(name, None)
        else:
            fresh[name] = value
    checked = labelling.check(fresh, file)
    if entry is None:
        labels.raw.append(fresh)
    else:
        labels.raw[labels.raw.index(entry)] = fresh
    labelling.save(labels)
    return checked


def event(text: str) -> dict[str, Any]:
    """ "kind:from" or "kind:from:to" or "kind/label:from:to" as an entry of `events`."""
    what, *numbers = text.split(":")
    kind, _, label = what.partition("/")
    if not kind or not 1 <= len(numbers) <= 2 or not all(n.isdecimal() for n in numbers):
        raise LabelError(f"event {text!r} must be KIND[/LABEL]:FROM[:TO], as dumping:480:1169")
    found: dict[str, Any] = {"kind": kind, "from": int(numbers[0])}
    if len(numbers) == 2:
        found["to"] = int(numbers[1])
    return found | ({"label": label} if label else {})


def zone(text: str) -> tuple[str, list[list[float]]]:
    """ "name=x,y x,y x,y" as a zone: shares of width and height."""
    name, _, points = text.partition("=")
    try:
        return name, [[float(v) for v in point.split(",")] for point in points.split()]
    except ValueError:
        raise LabelError(f"zone {text!r} must be NAME=x,y x,y x,y, each within 0..1") from None


def sheet(clip: Path, target: Path, around: int | None, step: int) -> tuple[int, int]:
    """Write a PNG of 25 numbered pictures around a frame, or over the whole clip.

    Gives the first and the last frame shown. Raises EvaluationError.
    """
    total = _measure(clip)["frames"]
    many = ACROSS * DOWN
    if around is None:
        wanted = sorted({round(n) for n in np.linspace(0, total - 1, min(many, total))})
    elif not 0 <= around < total:
        raise EvaluationError(f"frame {around} is not within 0 to {total - 1} of {clip}")
    else:
        first = around - (many // 2) * step
        wanted = [n for n in range(first, first + many * step, step) if 0 <= n < total]
    shown = list(pick(frames(clip), wanted))
    if not cv2.imwrite(str(target), _sheet(shown)):
        raise EvaluationError(f"{target} cannot be written: give the name of a .png file")
    return shown[0].number, shown[-1].number


def describe(label: ClipLabel) -> str:
    """The fields of a label that are set, on one line."""
    return msgspec.json.encode(
        {k: v for k, v in msgspec.to_builtins(label).items() if v not in (None, "", [], {}, False)}
    ).decode()


def _measure(clip: Path) -> dict[str, Any]:
    count, last, size = 0, 0.0, (0, 0)
    begin: Frame | None = None
    for frame in frames(clip):
        begin = begin or frame
        count, size = frame.number + 1, (frame.width, frame.height)
        last = (frame.captured_at - begin.captured_at).total_seconds()
    fps = round((count - 1) / last, 3) if last > 0.0 else 0.0
    return {"frames": count, "fps": fps, "w": size[0], "h": size[1]}


def _sheet(shown: Sequence[Frame]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    pictures = [numbered(frame, SIDE) for frame in shown]
    height = max(p.shape[0] for p in pictures)
    width = max(p.shape[1] for p in pictures)
    rows = -(-len(pictures) // ACROSS)
    whole = np.zeros((rows * height, ACROSS * width, 3), np.uint8)
    for n, picture in enumerate(pictures):
        top, left = n // ACROSS * height, n % ACROSS * width
        whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return whole
