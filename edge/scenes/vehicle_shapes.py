"""What a car, a van or a bus is made of: faces in metres around its middle, lit by the sun."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge.scenes.camera import Metres
from edge.scenes.drawing import Colour, shaded

SUN = np.array((-0.55, 0.75, -0.36))  # where the light comes from: left, above, behind the camera
CORNERS = 8  # of a face at most; faces with fewer repeat their last one
GLASS: Colour = (74, 62, 52)
TYRE: Colour = (26, 25, 25)

# (z, y, half width) in metres along the roof line, from the foot of the rear to that of the front,
# and what each stretch between two of them is made of
_SHAPES: dict[str, tuple[tuple[tuple[float, float, float], ...], str]] = {
    "sedan": (
        (
            (-2.2, 0.28, 0.88),
            (-2.26, 0.92, 0.89),
            (-1.75, 1.02, 0.88),
            (-1.05, 1.42, 0.66),
            (0.35, 1.45, 0.66),
            (1.15, 0.99, 0.86),
            (2.08, 0.80, 0.87),
            (2.28, 0.60, 0.86),
            (2.22, 0.24, 0.86),
        ),
        "bpgpgppb",
    ),
    "suv": (
        (
            (-2.25, 0.34, 0.92),
            (-2.3, 1.05, 0.93),
            (-2.1, 1.66, 0.72),
            (0.35, 1.72, 0.72),
            (1.05, 1.16, 0.90),
            (2.12, 1.0, 0.91),
            (2.3, 0.72, 0.9),
            (2.24, 0.3, 0.9),
        ),
        "bgpgppb",
    ),
    "van": (
        (
            (-2.5, 0.34, 0.95),
            (-2.55, 1.15, 0.95),
            (-2.48, 2.0, 0.86),
            (1.35, 2.05, 0.86),
            (2.15, 1.18, 0.93),
            (2.5, 0.92, 0.94),
            (2.5, 0.3, 0.94),
        ),
        "bgpgpb",
    ),
    "bus": (
        (
            (-5.4, 0.36, 1.24),
            (-5.45, 1.3, 1.25),
            (-5.4, 2.9, 1.2),
            (-5.2, 3.05, 1.15),
            (5.2, 3.05, 1.15),
            (5.4, 2.9, 1.2),
            (5.48, 1.1, 1.25),
            (5.4, 0.32, 1.24),
        ),
        "bgbpbgb",
    ),
}
SHAPES = tuple(_SHAPES)


@dataclass(frozen=True, slots=True)
class _Face:
    corners: tuple[tuple[float, float, float], ...]
    colour: Colour
    rank: int  # 0: sides, drawn first; 1: along the roof line
    parent: int  # faces of one parent follow each other
    lamp: str = ""


@dataclass(frozen=True, slots=True)
class Solid:
    """The faces of a vehicle, ready to be placed."""

    corners: Metres  # (faces, CORNERS, 3)
    colours: tuple[Colour, ...]
    lamps: tuple[str, ...]
    ranks: NDArray[np.int64]
    parents: NDArray[np.int64]


def length_m(shape: str) -> float:
    """From bumper to bumper."""
    along = [z for z, _, _ in _SHAPES[shape][0]]
    return max(along) - min(along)


@lru_cache(maxsize=len(_SHAPES))
def extent(shape: str) -> Metres:
    """The outermost points of a shape."""
    line = _SHAPES[shape][0]
    return np.array(
        [(side * w, y, z) for z, y, w in line for side in (-1, 1)]
        + [
            (side * line[0][2], 0.02, z * 0.72)
            for z in (line[0][0], line[-1][0])
            for side in (-1, 1)
        ]
    )


def half_width(shape: str) -> float:
    """From the middle to the widest point of a side."""
    return max(w for _, _, w in _SHAPES[shape][0])


@lru_cache(maxsize=64)
def solid(shape: str, paint: Colour, away: bool) -> Solid:
    """The faces of a vehicle, lit for a heading away from the camera or towards it."""
    line, made_of = _SHAPES[shape]
    faces: list[_Face] = []
    for number in range(len(line) - 1):
        (z0, y0, w0), (z1, y1, w1) = line[number], line[number + 1]
        corners = ((-w0, y0, z0), (-w1, y1, z1), (w1, y1, z1), (w0, y0, z0))
        base = GLASS if made_of[number] == "g" else paint
        parent = len(faces)
        faces.append(_Face(corners, base, 1, parent))
        if made_of[number] == "g":
            faces.append(_Face(_inset(corners), shaded(base, 1.35), 1, parent))
    faces.extend(_ends(shape, line, faces))
    sides = _sides(shape, line, paint, len(faces))
    faces.extend(sides)
    forward = 1.0 if away else -1.0
    colours = tuple(
        f.colour if f.lamp else shaded(f.colour, _light(f.corners, forward)) for f in faces
    )
    padded = [f.corners + (f.corners[-1],) * (CORNERS - len(f.corners)) for f in faces]
    return Solid(
        np.array(padded),
        colours,
        tuple(f.lamp for f in faces),
        np.array([f.rank for f in faces]),
        np.array([f.parent for f in faces]),
    )


def _light(corners: tuple[tuple[float, float, float], ...], forward: float) -> float:
    points = np.array(corners)
    normal = np.cross(points[1] - points[0], points[2] - points[1])
    length = float(np.linalg.norm(normal))
    if length == 0.0:
        return 1.0
    normal *= (-1.0 if normal[1] < 0.0 else 1.0) / length
    if abs(normal[0]) > 0.8:  # a side: which one is lit depends on the heading
        normal *= np.sign(points[0, 0]) * np.sign(normal[0])
    if abs(normal[2]) > 0.8:
        normal *= np.sign(points[:, 2].mean()) * np.sign(normal[2])
    turned = normal * (forward, 1.0, forward)
    return 0.62 + 0.48 * max(0.0, float(turned @ SUN)) + 0.08 * float(turned[1])


def _inset(
    corners: tuple[tuple[float, float, float], ...],
) -> tuple[tuple[float, float, float], ...]:
    """A smaller face within: the lighter upper part of a window, which mirrors the sky."""
    points = np.array(corners)
    middle = points.mean(axis=0)
    high = int(points[:, 1].argmax())
    pulled = middle + (points - middle) * 0.8 + (points[high] - middle) * (0.0, 0.08, 0.0)
    return tuple((float(x), float(y), float(z)) for x, y, z in pulled)


def _ends(
    shape: str, line: tuple[tuple[float, float, float], ...], faces: list[_Face]
) -> list[_Face]:
    """Lamps, number plates and bumpers of front and rear."""
    added: list[_Face] = []
    parents = [f.parent for f in faces if f.rank == 1]
    for (z0, y0, w0), (z1, y1, _), parent, front in (
        (line[0], line[1], parents[0], False),
        (line[-1], line[-2], parents[-1], True),
    ):
        rise = y1 - y0

        def at(
            x: float,
            share: float,
            z0: float = z0,
            z1: float = z1,
            y0: float = y0,
            rise: float = rise,
        ) -> tuple[float, float, float]:
            return x, y0 + share * rise, z0 + (z1 - z0) * share + (0.02 if z0 > 0 else -0.02)

        def patch(
            left: float,
            right: float,
            low: float,
            high: float,
            colour: Colour,
            lamp: str = "",
            front: bool = front,
            parent: int = parent,
        ) -> None:
            corners = (at(left, low), at(left, high), at(right, high), at(right, low))
            if front:
                corners = corners[::-1]
            added.append(_Face(corners, colour, 1, parent, lamp))

        patch(-w0 * 0.98, w0 * 0.98, 0.0, 0.22, (44, 43, 42))
        patch(-0.27, 0.27, 0.28, 0.48, (176, 96, 40) if shape != "bus" else (40, 180, 220))
        lamp: Colour = (232, 240, 240) if front else (36, 30, 150)
        kind = "head" if front else "brake"
        for side in (-1.0, 1.0):
            inner, outer = side * w0 * 0.62, side * w0 * 0.96
            patch(min(inner, outer), max(inner, outer), 0.58, 0.88, lamp, kind)
            patch(
                min(side * w0 * 0.86, side * w0 * 0.98),
                max(side * w0 * 0.86, side * w0 * 0.98),
                0.56,
                0.9,
                (40, 170, 255),
                "signal",
            )
    return added


def _sides(
    shape: str, line: tuple[tuple[float, float, float], ...], paint: Colour, first: int
) -> list[_Face]:
    """Flanks, side windows and wheels, left and right."""
    added: list[_Face] = []
    low = [p for p in line if p[2] > 0.8 * half_width(shape)]
    high = [p for p in line if p[2] <= 0.8 * half_width(shape)]
    roofed = [p for p in line if p in high] if high else []
    parent = first
    for side in (-1.0, 1.0):
        flank = [(side * w, y, z) for z, y, w in low]
        added.append(_Face(_turned(flank, side), paint, 0, parent))
        if roofed:
            start = line.index(roofed[0]) - 1
            stop = line.index(roofed[-1]) + 1
            cabin = [(side * w, y, z) for z, y, w in line[start : stop + 1]]
            added.append(_Face(_turned(cabin, side), paint, 0, parent))
            added.append(_Face(_turned(_shrunk(cabin), side), GLASS, 0, parent))
        else:
            added.extend(_row_of_windows(shape, line, side, parent))
        for z in _axles(shape):
            radius = 0.33 if shape != "bus" else 0.48
            for share, colour in ((1.0, TYRE), (0.55, (128, 128, 126))):
                ring = _ring(side * (half_width(shape) + 0.02), radius, z, radius * share)
                added.append(_Face(_turned(ring, side), colour, 0, parent))
    return added


def _row_of_windows(
    shape: str, line: tuple[tuple[float, float, float], ...], side: float, parent: int
) -> list[_Face]:
    start, stop = line[0][0] + 0.5, line[-1][0] - (0.4 if shape == "bus" else 0.9)
    width = half_width(shape)
    height = max(y for _, y, _ in line)
    low, high = height * 0.48, height * 0.84
    count = max(2, round((stop - start) / 1.6))
    step = (stop - start) / count
    panes = []
    for k in range(count):
        a, b = start + k * step + 0.06, start + (k + 1) * step - 0.06
        corners = [
            (side * width, low, a),
            (side * width * 0.97, high, a),
            (side * width * 0.97, high, b),
            (side * width, low, b),
        ]
        panes.append(_Face(_turned(corners, side), GLASS, 0, parent))
    return panes


def _axles(shape: str) -> tuple[float, ...]:
    return (-3.1, 3.4) if shape == "bus" else (-1.36, 1.38)


def _ring(x: float, y: float, z: float, radius: float) -> list[tuple[float, float, float]]:
    angles = np.linspace(0.0, 2.0 * np.pi, CORNERS, endpoint=False)
    return [(x, y - radius * math.cos(a), z - radius * math.sin(a)) for a in angles]


def _shrunk(corners: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    points = np.array(corners)
    middle = points.mean(axis=0)
    inner = middle + (points - middle) * (1.005, 0.74, 0.86)
    return [(float(x), float(y), float(z)) for x, y, z in inner]


def _turned(
    corners: list[tuple[float, float, float]], side: float
) -> tuple[tuple[float, float, float], ...]:
    """In the order that a camera on that side sees clockwise."""
    return tuple(corners if side > 0 else corners[::-1])
