"""The underpass of the flood scene: where each pixel lies in metres, and what it shows when dry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.types import Image
from edge.scenes import buildings, vehicles
from edge.scenes.camera import Camera
from edge.scenes.drawing import FINE, HEIGHT, WIDTH, Colour, Plane, polygon, reduced, turbulence
from edge.scenes.ground import blank, sky
from edge.scenes.vehicles import Look, Pose

CAMERA = Camera(focal=900.0, height_m=6.0, horizon=95.0)
DIP_FROM_M, DIP_TO_M, DIP_M = 9.0, 45.0, 2.2  # where the road goes down, and how deep
WALL_M = 7.6  # the retaining walls, from the axis
WALL_TOP_M = 0.25
BRIDGE_M = (30.0, 36.0)  # its front and its back, away
SOFFIT_M, DECK_M = 2.6, 4.1  # its underside and its upper edge
GAUGE_M = (6.5, 25.5)  # right of the axis, away
STRANDED = Look("sedan", (128, 84, 40))
STRANDED_AT = Pose(3.2, 26.2)
FIRST_ROW = 190  # nothing above it can get wet


@dataclass(frozen=True, slots=True)
class Underpass:
    """The empty scene."""

    picture: Image
    bare: Image  # without gauge and car: what the water mirrors
    heights: Plane  # (h, w) metres above the level ground, of what each pixel shows
    columns: Plane  # (w,) how far away the walls are under each column, metres


def road_m(z_m: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The height of the road at that distance, metres; level ground is 0."""
    share = np.clip((np.asarray(z_m) - DIP_FROM_M) / (DIP_TO_M - DIP_FROM_M), 0.0, 1.0)
    return np.asarray(-DIP_M * 0.5 * (1.0 - np.cos(2.0 * np.pi * share)), np.float64)


def above_road(z_m: float) -> Camera:
    """The same camera, its height taken from the road at that distance."""
    height_m = CAMERA.height_m - float(road_m(z_m))
    return Camera(CAMERA.focal, height_m, CAMERA.horizon, CAMERA.centre)


def build(chance: np.random.Generator) -> Underpass:
    """Draw it."""
    fine = CAMERA.fine
    picture = blank()
    sky(picture, round(CAMERA.horizon) + 60, (150, 146, 140), (186, 184, 180), chance)
    for left, wide, tall in ((-60, 26, 13), (-31, 22, 17), (-4, 26, 12), (26, 30, 16)):
        texture = buildings.facade(wide, tall, chance, shops=False)
        wet = cv2.addWeighted(texture, 0.42, np.full_like(texture, 168), 0.58, 0.0)
        buildings.across(picture, fine, left, 95.0, np.asarray(wet, np.uint8))
    for x_m in (-19.0, -14.0, 13.5, 18.5):
        buildings.tree(picture, fine, x_m, 52.0, 7.0, chance, (64, 92, 78))
    x, y, z, kind = _cast(fine)
    _surfaces(picture, x, y, z, kind, chance)
    _bridge(picture, fine, chance)
    coarse = np.where(kind == _NOTHING, np.float32(9.0), y).astype(np.float32)
    heights = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    # under the bridge one looks at the road beyond; its face never gets wet
    rows = [round(CAMERA.point(0.0, m, BRIDGE_M[0])[1]) for m in (DECK_M, SOFFIT_M)]
    heights[rows[0] : rows[1]] = 9.0
    small = reduced(picture)
    bare = small.copy()
    plain = np.asarray(heights, np.float32)
    _upright(small, plain, _gauge, GAUGE_M[1])
    _shade(small)
    _upright(small, plain, _stranded, STRANDED_AT.z_m - 2.2)  # its rear
    columns = np.abs(np.arange(WIDTH) + 0.5 - CAMERA.centre)
    away = CAMERA.focal * WALL_M / np.maximum(columns, 1.0)
    return Underpass(small, bare, plain, away.astype(np.float32))


_NOTHING, _ROAD, _WALL = 0, 1, 2


def _cast(camera: Camera) -> tuple[Plane, Plane, Plane, NDArray[np.uint8]]:
    """(x, y, z, kind) of what each pixel's ray meets first: the road or a wall."""
    h, w = HEIGHT * FINE, WIDTH * FINE
    rows = np.arange(h, dtype=np.float64) + 0.5 - camera.horizon
    columns = np.arange(w, dtype=np.float64) + 0.5 - camera.centre
    distances = np.geomspace(3.0, 400.0, 6000).astype(np.float64)
    falls = (camera.height_m - road_m(distances)) * camera.focal / distances  # rows below horizon
    z_road = np.interp(rows, falls[::-1], distances[::-1], left=1e6)
    z_wall = camera.focal * WALL_M / np.maximum(np.abs(columns), 0.5)
    wall = np.broadcast_to(z_wall[None, :], (h, w)) < z_road[:, None]
    z = np.where(wall, z_wall[None, :], z_road[:, None])
    y = camera.height_m - rows[:, None] * z / camera.focal
    x = columns[None, :] * z / camera.focal
    kind = np.where(wall, _WALL, _ROAD).astype(np.uint8)
    kind[wall & ((y > WALL_TOP_M) | (z > 70.0))] = _NOTHING
    kind[~wall & (z > 300.0)] = _NOTHING
    # beyond the top of a wall lies the level ground outside
    outside = wall & (y > WALL_TOP_M) & (rows[:, None] > 0.0)
    far = camera.focal * (camera.height_m - WALL_TOP_M) / np.maximum(rows[:, None], 0.5)
    kind[outside & (far < 60.0)] = _GRASS
    return x.astype(np.float32), y.astype(np.float32), z.astype(np.float32), kind


_GRASS = 3


def _surfaces(
    picture: Image,
    x: Plane,
    y: Plane,
    z: Plane,
    kind: NDArray[np.uint8],
    chance: np.random.Generator,
) -> None:
    paint = picture.astype(np.float32)
    field = np.tile(turbulence(chance, 512, (24, 48, 96)), (2, 2))
    stains = np.tile(turbulence(chance, 512, (5, 11)), (2, 2))
    road, wall, grass = kind == _ROAD, kind == _WALL, kind == _GRASS

    def grain(of: Plane, u: Plane, v: Plane) -> Plane:
        at = np.mod(u, 512).astype(np.float32), np.mod(v, 512).astype(np.float32)
        return np.asarray(cv2.remap(of, *at, cv2.INTER_LINEAR), np.float32)

    rough = grain(field, x * 60.0, z * 24.0) * np.clip(14.0 / z, 0.2, 1.0)
    worn = grain(stains, x * 24.0, z * 9.0)
    paint[road] = (86, 86, 85)
    side = road & (np.abs(x) > 6.0)
    paint[side] = (124, 128, 130)
    paint[road & (np.abs(np.abs(x) - 6.0) < 0.12)] = (150, 154, 156)
    paint[road] += (4.0 * rough + 5.0 * worn)[road][:, None]
    paint[road & (np.abs(x) < 0.08) & (z % 6.0 < 3.0)] = (192, 196, 198)
    for edge in (-5.6, 5.6):
        paint[road & (np.abs(x - edge) < 0.08)] = (188, 192, 194)
    down = grain(stains, z * 30.0, y * 6.0)  # streaks run down the concrete
    paint[wall] = (132, 138, 140)
    paint[wall] += (5.0 * grain(field, z * 40.0, y * 40.0) + 7.0 * down)[wall][:, None]
    paint[wall & (z % 4.0 < 0.07)] *= 0.7
    paint[wall & (y < -1.7)] *= 0.9
    paint[wall & (x > 0)] *= 0.86
    paint[wall & (y > WALL_TOP_M - 0.14)] = (168, 172, 172)
    paint[grass] = (70, 96, 84)
    paint[grass] += (7.0 * grain(field, x * 50.0, y * 70.0))[grass][:, None]
    under = (kind > 0) & (z > BRIDGE_M[0] - 0.5) & (z < BRIDGE_M[1] + 4.0) & ~grass
    paint[under] *= 0.55
    picture[:] = np.clip(paint, 0, 255).astype(np.uint8)


def _bridge(picture: Image, camera: Camera, chance: np.random.Generator) -> None:
    """A railway bridge with a girder, its railing and a sign of the clearance."""
    z = BRIDGE_M[0]

    def face(x0: float, x1: float, y0: float, y1: float, colour: Colour) -> None:
        corners = np.array([(x0, y0, z), (x0, y1, z), (x1, y1, z), (x1, y0, z)])
        polygon(picture, camera.project(corners), colour)

    face(-20.0, 20.0, SOFFIT_M, DECK_M, (112, 104, 92))
    face(-20.0, 20.0, SOFFIT_M, SOFFIT_M + 0.18, (74, 68, 60))
    face(-20.0, 20.0, DECK_M - 0.2, DECK_M, (146, 144, 138))
    for post in np.arange(-19.0, 19.5, 1.9):
        face(float(post), float(post) + 0.12, SOFFIT_M + 0.15, DECK_M - 0.2, (88, 82, 72))
        face(float(post), float(post) + 0.06, DECK_M, DECK_M + 1.0, (92, 96, 96))
    for y in (DECK_M + 0.5, DECK_M + 1.0):
        face(-20.0, 20.0, y, y + 0.07, (92, 96, 96))
    for side in (-1.0, 1.0):  # abutments
        inner, outer = side * WALL_M, side * 20.0
        left, right = min(inner, outer), max(inner, outer)
        stone = buildings.brick(right - left, SOFFIT_M - WALL_TOP_M, chance, (104, 114, 120))
        top = np.array(
            [
                (left, SOFFIT_M, z),
                (right, SOFFIT_M, z),
                (right, WALL_TOP_M, z),
                (left, WALL_TOP_M, z),
            ]
        )
        buildings.stand(picture, camera, top, stone)
    face(-3.0, 3.0, SOFFIT_M + 0.3, DECK_M - 0.3, (40, 196, 226))
    for k in range(-6, 6):
        stripe = [(k * 0.5, SOFFIT_M + 0.3), (k * 0.5 + 0.25, SOFFIT_M + 0.3)]
        upper = [(k * 0.5 + 0.5, DECK_M - 0.3), (k * 0.5 + 0.25, DECK_M - 0.3)]
        corners = np.array([(x, y, z) for x, y in stripe + upper])
        polygon(picture, camera.project(corners), (34, 34, 34))
    x, y = camera.point(0.0, (SOFFIT_M + DECK_M) / 2, z)
    r = 0.62 * camera.focal / z
    for radius, colour in ((r, (40, 40, 196)), (r * 0.78, (236, 238, 238))):
        cv2.circle(picture, (round(x), round(y)), round(radius), colour, -1, cv2.LINE_AA)
    at = (round(x - r * 0.66), round(y + r * 0.24))
    cv2.putText(picture, "4.5m", at, cv2.FONT_HERSHEY_DUPLEX, 0.5, (30, 30, 30), 1, cv2.LINE_AA)


def _gauge(picture: Image) -> None:
    """A board with decimetres, red from 0.3 m."""
    x0, z = GAUGE_M
    base = float(road_m(z))

    def patch(left: float, right: float, low: float, high: float, colour: Colour) -> None:
        corners = [(x0 + left, base + low, z), (x0 + left, base + high, z)]
        corners += [(x0 + right, base + high, z), (x0 + right, base + low, z)]
        polygon(picture, CAMERA.project(np.array(corners)), colour)

    patch(-0.55, 0.55, 0.0, 2.34, (60, 62, 62))
    patch(-0.5, 0.5, 0.0, 2.3, (232, 234, 234))
    for step in range(23):
        colour: Colour = (40, 36, 30) if step < 3 else (44, 40, 196)
        if step % 2 == 0:
            patch(-0.5, -0.05 if step % 10 else 0.5, step / 10, step / 10 + 0.1, colour)
    for metre in (1, 2):
        x, y = CAMERA.point(x0 + 0.02, base + metre + 0.14, z)
        at = (round(x), round(y))
        cv2.putText(
            picture, str(metre), at, cv2.FONT_HERSHEY_DUPLEX, 0.5, (30, 30, 30), 1, cv2.LINE_AA
        )


def _stranded(picture: Image) -> None:
    """A car that somebody left at the side of the road."""
    vehicles.draw(picture, above_road(STRANDED_AT.z_m), STRANDED, STRANDED_AT)


def _shade(picture: Image) -> None:
    """The dark below that car; it lies on the road and is as low as the road is."""
    dim = cv2.convertScaleAbs(picture, alpha=0.75)
    low = above_road(STRANDED_AT.z_m)
    vehicles.draw_shadow(picture, np.asarray(dim, np.uint8), low, STRANDED, STRANDED_AT)


def _upright(picture: Image, heights: Plane, draw: Callable[[Image], None], z_m: float) -> None:
    """Draw what stands on the road, and note how high each of its pixels is."""
    before = picture.copy()
    draw(picture)
    changed = (cv2.absdiff(before, picture).max(axis=2) > 0) & (heights < 8.0)
    rows = np.arange(HEIGHT, dtype=np.float32)[:, None] + 0.5
    high = CAMERA.height_m - (rows - CAMERA.horizon) * np.float32(z_m / CAMERA.focal)
    np.copyto(heights, np.broadcast_to(high, heights.shape), where=changed)
