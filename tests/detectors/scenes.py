"""Small scenes drawn for tests, with exact truth: a road with cars, a flame, things like a flame.

Every picture has sensor noise of its own, so nothing is bit-identical by accident; each scene is
the same on every run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from detectors.kit.types import Frame, Image

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
Painter = Callable[[Image, float], None]  # draws onto the picture at a second
SPARE = 64  # pixels by which the noise is larger than a picture, to be shifted about


def street(width: int = 320, height: int = 180, seed: int = 1) -> Image:
    """An empty street: grey, with texture, kerbs and markings that do not move."""
    random = np.random.default_rng(seed)
    coarse = random.integers(70, 130, (max(1, height // 12), max(1, width // 12)), np.uint8)
    grey = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    image = np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=2)
    for share in (0.06, 0.94):  # kerbs
        image[:, round(share * width) : round((share + 0.012) * width)] = 190
    for top in range(0, height, max(1, height // 8)):  # dashes between the lanes
        image[top : top + height // 16, round(0.39 * width) : round(0.40 * width)] = 200
    return image


def film(
    seconds: float,
    *painters: Painter,
    fps: float = 10.0,
    scene: Image | None = None,
    noise: float = 2.0,
    shake: float = 0.0,
    seed: int = 7,
) -> Iterator[Frame]:
    """Frames of a scene with painters over it. noise: deviation; shake: pixels of camera motion."""
    random = np.random.default_rng(seed)
    base = street() if scene is None else scene
    height, width = base.shape[:2]
    if noise:
        wide = random.normal(0, noise, (height + SPARE, width + SPARE, 3))
        grain = np.floor(wide).astype(np.int16)
    for number in range(round(seconds * fps)):
        second = number / fps
        image = base.copy()
        for paint in painters:
            paint(image, second)
        if shake:
            shift = np.eye(2, 3, dtype=np.float64)
            shift[:, 2] = random.normal(0, shake, 2)
            moved = cv2.warpAffine(image, shift, (width, height), borderMode=cv2.BORDER_REFLECT)
            image = np.asarray(moved, np.uint8)
        if noise:
            top, left = random.integers(0, SPARE, 2)
            here = grain[top : top + height, left : left + width]
            image = np.asarray(cv2.add(image, here, dtype=cv2.CV_8U), np.uint8)
        yield Frame(image, START + timedelta(seconds=second), "scene", number)


def car(
    lane: float,
    path: Callable[[float], float],
    colour: tuple[int, int, int] = (200, 190, 60),
    size: tuple[float, float] = (0.14, 0.20),
    across: bool = False,
) -> Painter:
    """A car whose centre is at share `path(second)` of the height, in a lane at share of the width.

    across: it drives left and right instead. size: its share of width and height.
    """

    def paint(image: Image, second: float) -> None:
        height, width = image.shape[:2]
        x, y = (path(second), lane) if across else (lane, path(second))
        half_w, half_h = size[0] * width / 2, size[1] * height / 2
        left, top = round(x * width - half_w), round(y * height - half_h)
        right, bottom = round(x * width + half_w), round(y * height + half_h)
        cv2.rectangle(image, (left, top), (right, bottom), colour, -1)
        third = (bottom - top) // 3
        cv2.rectangle(image, (left + 3, top + 3), (right - 3, top + third), (40, 35, 30), -1)

    return paint


def flame(
    x: float = 0.5, y: float = 0.7, size: float = 0.16, begin: float = 0.0, seed: int = 3
) -> Painter:
    """A flame at one place from second `begin` on: pale core, red rim, tongues that never rest."""
    random = np.random.default_rng(seed)

    def paint(image: Image, second: float) -> None:
        if second < begin:
            return
        height, width = image.shape[:2]
        base = size * min(width, height)
        blobs = []
        for _ in range(9):
            rise = float(random.uniform(0.2, 1.6)) * base
            aside = float(random.normal(0, 0.35)) * base
            centre = (round(x * width + aside), round(y * height - rise / 2))
            axes = (
                max(1, round(base * float(random.uniform(0.12, 0.3)))),
                max(1, round(rise / 2)),
            )
            blobs.append((centre, axes))
        blur = max(1, round(base * 0.08)) * 2 + 1
        # beyond the blobs and their blur nothing glows: only there is drawn
        left = max(0, min(c[0] - a[0] for c, a in blobs) - blur)
        top = max(0, min(c[1] - a[1] for c, a in blobs) - blur)
        part = image[
            top : max(c[1] + a[1] for c, a in blobs) + blur + 1,
            left : max(c[0] + a[0] for c, a in blobs) + blur + 1,
        ]
        layer = np.zeros(part.shape[:2], np.float32)
        for centre, axes in blobs:
            blob = np.zeros_like(layer)
            cv2.ellipse(blob, (centre[0] - left, centre[1] - top), axes, 0, 0, 360, 1.0, -1)
            layer += blob
        heat = np.asarray(cv2.GaussianBlur(layer, (blur, blur), 0))
        heat = np.clip(heat / 4.0, 0.0, 1.0)[..., None]
        rim, core = np.array([20.0, 70.0, 235.0]), np.array([120.0, 235.0, 255.0])
        colour = rim + (core - rim) * heat
        share = np.clip(heat * 6.0, 0.0, 1.0)
        part[:] = (part * (1.0 - share) + colour * share).astype(np.uint8)

    return paint


def lamp(x: float = 0.5, y: float = 0.5, radius: float = 0.08) -> Painter:
    """A sodium lamp: orange, bright, graded, and quite still."""

    def paint(image: Image, second: float) -> None:
        height, width = image.shape[:2]
        centre = (round(x * width), round(y * height))
        for share, colour in ((1.0, (30, 110, 235)), (0.6, (90, 190, 255)), (0.3, (150, 240, 255))):
            cv2.circle(image, centre, round(radius * share * height), colour, -1)

    return paint


def beacon(x: float = 0.5, y: float = 0.5, side: float = 0.12, hertz: float = 2.0) -> Painter:
    """A flat orange panel that switches on and off."""

    def paint(image: Image, second: float) -> None:
        height, width = image.shape[:2]
        if int(second * hertz * 2) % 2:
            return
        half = side / 2
        cv2.rectangle(
            image,
            (round((x - half) * width), round((y - half) * height)),
            (round((x + half) * width), round((y + half) * height)),
            (20, 120, 250),
            -1,
        )

    return paint


def exposure(begin: float, gain: float) -> Painter:
    """Auto-exposure that changes at a second and stays."""

    def paint(image: Image, second: float) -> None:
        if second >= begin:
            image[:] = np.clip(image * gain, 0, 255).astype(np.uint8)

    return paint


def flash(begin: float, seconds: float = 0.2) -> Painter:
    """All white for a moment."""

    def paint(image: Image, second: float) -> None:
        if begin <= second < begin + seconds:
            image[:] = 250

    return paint
