"""From a YOLO network's raw output to boxes: the same for every back end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.geometry import Box
from detectors.models.errors import ModelError
from detectors.models.letterbox import Fit

MOST_BOXES = 300  # of one picture, the surest
MOST_CANDIDATES = 3_000  # before suppression


@dataclass(frozen=True, slots=True)
class Seen:
    """One object in one picture."""

    name: str  # its class
    score: float  # 0..1
    box: Box


def read_boxes(
    raw: NDArray[np.float32], classes: tuple[str, ...], place: Fit, least: float, iou: float
) -> list[Seen]:
    """The objects of one picture, the surest first.

    raw: (4 + classes, anchors) with middle, size and scores, or (boxes, 6) of a network that
    suppresses by itself: corners, score, class. least: lowest score, 0..1. iou: two boxes of one
    class that overlap more are one. Raises ModelError for output of another shape.
    """
    if raw.ndim == 2 and raw.shape[0] == 4 + len(classes):
        corners, scores, numbers = _candidates(raw, least, iou)
    elif raw.ndim == 2 and raw.shape[1] == 6:
        keep = np.isfinite(raw).all(axis=1) & (raw[:, 4] >= least)
        corners, scores, numbers = raw[keep, :4], raw[keep, 4], raw[keep, 5].astype(int)
    else:
        raise ModelError(
            f"a network of {len(classes)} classes gives {4 + len(classes)} rows, this one gives "
            f"{raw.shape}: only models that detect boxes are read"
        )
    order = np.argsort(-scores, kind="stable")[:MOST_BOXES]
    found = []
    for n in order:
        x0, y0, x1, y1 = (float(v) for v in corners[n])
        number = int(numbers[n])
        if not 0 <= number < len(classes):
            continue
        left, top = (x0 - place.left) / place.scale, (y0 - place.top) / place.scale
        width, height = (x1 - x0) / place.scale, (y1 - y0) / place.scale
        box = Box.from_pixels(left, top, width, height, place.width, place.height)
        if box.w > 0.0 and box.h > 0.0:
            found.append(Seen(classes[number], min(1.0, float(scores[n])), box))
    return found


def _candidates(
    raw: NDArray[np.float32], least: float, iou: float
) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]], NDArray[np.integer[Any]]]:
    rows = raw.T
    scores = rows[:, 4:].max(axis=1)
    keep = np.flatnonzero(np.isfinite(rows).all(axis=1) & (scores >= max(least, 1e-6)))
    keep = keep[np.argsort(-scores[keep], kind="stable")[:MOST_CANDIDATES]]
    rows, scores = rows[keep], scores[keep]
    numbers = rows[:, 4:].argmax(axis=1)
    middle, size = rows[:, :2], np.maximum(rows[:, 2:4], 0.0)
    corners = np.concatenate((middle - size / 2.0, middle + size / 2.0), axis=1)
    if not len(keep):
        return corners, scores, numbers
    chosen = cv2.dnn.NMSBoxesBatched(
        np.concatenate((corners[:, :2], size), axis=1).tolist(),
        scores.tolist(),
        numbers.tolist(),
        0.0,
        iou,
    )
    picked = np.asarray(chosen, int).reshape(-1)
    return corners[picked], scores[picked], numbers[picked]
