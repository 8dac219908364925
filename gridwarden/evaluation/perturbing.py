"""Clips as another camera might have shown them: darker, mirrored, at another rate, compressed.

A detector that tells an event only in the very form it was filmed in will miss the next one. Each
perturbation changes the frames of a clip and what its label says of them, so that the same events
are judged by the same rules.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.kit.lanes import read_lanes
from detectors.kit.registry import available
from detectors.kit.types import Frame, Image
from gridwarden.evaluation.errors import EvaluationError
from gridwarden.evaluation.labels import DRAWN, ClipLabel, truth

CROP = 0.8  # share of width and height that is left
SLOW_FPS = 15.0
LOOP_S = 60.0  # s that a shorter clip is repeated for
NOISE = 5.0  # 0..255, deviation: a sensor at dusk
SWAY, SWAY_S = 0.004, 1.7  # of the width, and s: a mast in the wind
QUALITY = 20  # quantiser of MPEG-4, 1 to 31: blocks can be seen

Open = Callable[[], Iterable[Frame]]  # the frames of a clip, from its beginning
Point = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One way in which a clip might have looked otherwise."""

    text: str
    frames: Callable[[Open], Iterator[Frame]]
    label: Callable[[ClipLabel], ClipLabel] = lambda label: label


def find(name: str) -> Perturbation:
    """The perturbation of that name; raises EvaluationError with those there are."""
    if name not in PERTURBATIONS:
        raise EvaluationError(f"no perturbation {name!r}; there are: {', '.join(PERTURBATIONS)}")
    return PERTURBATIONS[name]


def chosen(text: str | None) -> tuple[str, ...]:
    """The names in `mirror,dark`, each checked; `all` is every one. Raises EvaluationError."""
    if text is None:
        return ()
    names = tuple(PERTURBATIONS) if text == "all" else tuple(n.strip() for n in text.split(","))
    for name in names:
        find(name)
    return tuple(dict.fromkeys(names))


def _each(change: Callable[[Image], Image]) -> Callable[[Open], Iterator[Frame]]:
    """The same change to every picture."""

    def frames(clip: Open) -> Iterator[Frame]:
        for frame in clip():
            yield dataclasses.replace(frame, image=change(frame.image))

    return frames


def _mirrored(image: Image) -> Image:
    return np.asarray(cv2.flip(image, 1), np.uint8)


def _cropped(image: Image) -> Image:
    height, width = image.shape[:2]
    rows, columns = round(height * CROP), round(width * CROP)
    top, left = (height - rows) // 2, (width - columns) // 2
    return np.ascontiguousarray(image[top : top + rows, left : left + columns])


def _halved(image: Image) -> Image:
    height, width = (max(1, n // 2) for n in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _light(curve: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Callable[[Image], Image]:
    """Each value 0..1 by a curve; what is too bright is cut off, as a sensor does."""
    values = np.clip(curve(np.arange(256) / 255.0), 0.0, 1.0)
    table = np.rint(values * 255.0).astype(np.uint8)
    return lambda image: np.asarray(cv2.LUT(image, table), np.uint8)


def _slow(clip: Open) -> Iterator[Frame]:
    """No more than `SLOW_FPS`: those between are not there."""
    due = None
    step = timedelta(seconds=1.0 / SLOW_FPS)
    for frame in clip():
        if due is None or frame.captured_at >= due - step / 10:
            due = step + (frame.captured_at if due is None else max(due, frame.captured_at - step))
            yield frame


def _noisy(clip: Open) -> Iterator[Frame]:
    """The noise of a sensor that has too little light, another in each picture."""
    cv2.setRNGSeed(11)  # the same on every run: a clip has a process of its own
    for frame in clip():
        noise = np.empty(frame.image.shape, np.int16)
        cv2.randn(noise, np.zeros(3), np.full(3, NOISE))
        image = np.asarray(cv2.add(frame.image, noise, dtype=cv2.CV_8U), np.uint8)
        yield dataclasses.replace(frame, image=image)


def _swaying(clip: Open) -> Iterator[Frame]:
    """A mast in the wind: sideways and, half as far, up and down."""
    begun = None
    for frame in clip():
        begun = begun or frame.captured_at
        turn = 2.0 * math.pi * (frame.captured_at - begun).total_seconds() / SWAY_S
        reach = SWAY * frame.width
        shift = np.array(
            ((1.0, 0.0, reach * math.sin(turn)), (0.0, 1.0, reach / 2 * math.sin(1.3 * turn)))
        )
        size = frame.width, frame.height
        moved = cv2.warpAffine(frame.image, shift, size, borderMode=cv2.BORDER_REPLICATE)
        yield dataclasses.replace(frame, image=np.asarray(moved, np.uint8))


def _compressed(clip: Open) -> Iterator[Frame]:
    """Through MPEG-4 with a coarse quantiser: blocks, and a picture that is mended piecewise."""
    import av

    stream = iter(clip())
    first = next(stream, None)
    if first is None:
        return
    encoder = av.CodecContext.create("mpeg4", "w")
    encoder.width, encoder.height = first.width // 2 * 2, first.height // 2 * 2
    encoder.pix_fmt, encoder.gop_size = "yuv420p", 50
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qmin": str(QUALITY), "qmax": str(QUALITY)}
    decoder = av.CodecContext.create("mpeg4", "r")
    waiting = []
    for frame in itertools.chain((first,), stream):
        waiting.append(frame)
        even = np.ascontiguousarray(frame.image[: encoder.height, : encoder.width])
        picture = av.VideoFrame.from_ndarray(even, format="bgr24")
        yield from _decoded(decoder, encoder.encode(picture), waiting)
    yield from _decoded(decoder, (*encoder.encode(None), None), waiting)


def _decoded(decoder: Any, packets: Iterable[Any], waiting: list[Frame]) -> Iterator[Frame]:
    """What comes out of the decoder, in the place of the frames that went in."""
    for packet in packets:
        for picture in decoder.decode(packet):
            image = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
            yield dataclasses.replace(waiting.pop(0), image=image)


def _looped(clip: Open) -> Iterator[Frame]:
    """Again and again for a minute: each return is a cut, as of a recorder that changes cameras."""
    number, begun, later = 0, None, timedelta()
    while True:
        last = None
        for frame in clip():
            begun = begun or frame.captured_at
            at = frame.captured_at + later
            if later and (at - begun).total_seconds() > LOOP_S:
                return
            last = dataclasses.replace(frame, captured_at=at, number=number)
            number += 1
            yield last
        if last is None or begun is None:
            return
        later = last.captured_at - begun + timedelta(seconds=1.0 / SLOW_FPS)


def _label_mirrored(label: ClipLabel) -> ClipLabel:
    """What was on the left is on the right, and drives the other way."""
    drawn = _redrawn(label, lambda x, y: (1.0 - x, y))
    lanes = "; ".join(
        f"{lane.name}:{(360.0 - lane.bearing_deg) % 360.0:g}="
        + " ".join(f"{x:g},{y:g}" for x, y in lane.corners)
        for lane in read_lanes(drawn.lanes)
    )
    return msgspec.structs.replace(drawn, lanes=lanes, left=label.right, right=label.left)


def _label_cropped(label: ClipLabel) -> ClipLabel:
    """What is drawn keeps its place; who crosses the line out of sight cannot be counted."""
    return msgspec.structs.replace(_redrawn(label, _in_crop), count=None)


def _in_crop(x: float, y: float) -> tuple[float, float]:
    near, far = (min(1.0, max(0.0, (v - (1.0 - CROP) / 2.0) / CROP)) for v in (x, y))
    return near, far


def _redrawn(label: ClipLabel, to: Point) -> ClipLabel:
    """Every point that is drawn, elsewhere."""

    def moved(point: re.Match[str]) -> str:
        x, y = to(float(point[1]), float(point[2]))
        return f"{x:g},{y:g}"

    line = label.count_line()
    if line is not None:
        axis, at = line
        x, y = to(at, at)
        label = msgspec.structs.replace(
            label, line=f"y={y:.4f}" if axis == "horizontal" else f"x={x:.4f}"
        )
    zones = {kind: tuple(to(x, y) for x, y in zone) for kind, zone in label.zones.items()}
    texts = {name: _POINT.sub(moved, getattr(label, name)) for name in DRAWN}
    return msgspec.structs.replace(label, zones=zones, **texts)


_POINT = re.compile(r"(?<![\d.,>-])(\d*\.?\d+),(\d*\.?\d+)(?![\d.,])")  # no metres after >


def _label_looped(label: ClipLabel) -> ClipLabel:
    """What occurs occurs again at times that no label has: only what does not is judged."""
    occurs = tuple(kind for kind in available() if truth(label, kind).events)
    return msgspec.structs.replace(
        label, unjudged=tuple(dict.fromkeys((*label.unjudged, *occurs))), count=None
    )


PERTURBATIONS = {
    "mirror": Perturbation("left and right exchanged", _each(_mirrored), _label_mirrored),
    "crop": Perturbation("the middle 80 % of the picture", _each(_cropped), _label_cropped),
    "half": Perturbation("half as many pixels each way", _each(_halved)),
    "dark": Perturbation("0.7 of the light", _each(_light(lambda v: v * 0.7))),
    "bright": Perturbation("1.4 of the light, cut off at white", _each(_light(lambda v: v * 1.4))),
    "gamma": Perturbation("shades pulled down, gamma 1.6", _each(_light(lambda v: v**1.6))),
    "slow": Perturbation("at most 15 frames a second", _slow),
    "noisy": Perturbation("noise of deviation 5", _noisy),
    "compressed": Perturbation("MPEG-4 at quantiser 20", _compressed),
    "sway": Perturbation("a mast that sways by 0.4 % of the width", _swaying),
    "loop": Perturbation("repeated for a minute, with cuts", _looped, _label_looped),
}
