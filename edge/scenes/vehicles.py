"""Cars, vans and buses in the picture: drawn face by face, farthest first, over their shadow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.geometry import Box
from detectors.kit.types import Image
from edge.scenes.camera import Camera, Metres
from edge.scenes.drawing import HEIGHT, WIDTH, Colour, polygon
from edge.scenes.vehicle_shapes import CORNERS, SUN, extent, half_width, length_m, solid

PAINTS: tuple[Colour, ...] = (
    (206, 208, 208),
    (58, 56, 54),
    (126, 82, 38),
    (44, 38, 122),
    (226, 228, 228),
    (104, 108, 108),
    (70, 92, 62),
    (150, 146, 138),
)


@dataclass(frozen=True, slots=True)
class Look:
    """What a vehicle looks like."""

    shape: str  # one of vehicle_shapes.SHAPES
    paint: Colour


@dataclass(frozen=True, slots=True)
class Pose:
    """Where it stands and what its lamps do."""

    x_m: float  # its middle, right of the camera's axis
    z_m: float  # its middle, away from the camera
    heading: float = 0.0  # radians; 0 drives away from the camera, pi towards it
    braking: bool = False
    blinking: bool = False  # both sides at once, this very moment


def outline(camera: Camera, look: Look, pose: Pose) -> NDArray[np.float64]:
    """(left, top, right, bottom) of the vehicle in the picture, pixels, not clipped."""
    points = camera.project(_placed(extent(look.shape), pose))
    return np.concatenate((points.min(axis=0), points.max(axis=0)))


def box(camera: Camera, look: Look, pose: Pose) -> Box:
    """Its outline as shares of the picture, clipped to it."""
    left, top, right, bottom = (float(v) for v in outline(camera, look, pose))
    return Box.from_pixels(left, top, right - left, bottom - top, WIDTH, HEIGHT)


def draw_shadow(picture: Image, dim: Image, camera: Camera, look: Look, pose: Pose) -> None:
    """The sun's shadow and the dark below it; `dim` is the same background with little light."""
    outermost = _placed(extent(look.shape), pose)
    if outermost[:, 2].min() < 1.0:
        return
    fallen = outermost - SUN[None, :] * (outermost[:, 1:2] / SUN[1]) * 0.75
    fallen[:, 1] = 0.0
    hull = cv2.convexHull(camera.project(fallen).astype(np.float32))[:, 0]
    left, top = np.floor(hull.min(axis=0)).astype(int) - 1
    right, bottom = np.ceil(hull.max(axis=0)).astype(int) + 2
    left, top = max(0, left), max(0, top)
    right, bottom = min(WIDTH, right), min(HEIGHT, bottom)
    if right - left < 2 or bottom - top < 2:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    polygon(mask, hull.astype(np.float64) - (left, top), (255, 0, 0))
    part = np.s_[top:bottom, left:right]
    cv2.copyTo(dim[part], mask, picture[part])
    below = camera.project(
        _placed(_FOOT * (half_width(look.shape), 1.0, length_m(look.shape)), pose)
    )
    polygon(picture, below, (38, 37, 36))


def draw(picture: Image, camera: Camera, look: Look, pose: Pose) -> None:
    """The vehicle itself, over what is behind it."""
    away = abs(math.cos(pose.heading)) < 0.5 or math.cos(pose.heading) > 0.0
    made = solid(look.shape, look.paint, away)
    points = _placed(made.corners.reshape(-1, 3), pose)
    if points[:, 2].min() < 1.0:
        return
    flat = camera.project(points).reshape(-1, CORNERS, 2)
    around = np.roll(flat, -1, axis=1)
    area = (flat[..., 0] * around[..., 1] - around[..., 0] * flat[..., 1]).sum(axis=1)
    depth = points[:, 2].reshape(-1, CORNERS).mean(axis=1)
    behind = -depth[made.parents]
    fixed = np.round(flat * 16.0).astype(np.int32)
    small = area.max() < 90.0  # pixels; only the large faces of a far vehicle can be told apart
    for index in np.lexsort((made.parents, behind, made.ranks)):
        if area[index] <= (6.0 if small else 1.0):
            continue
        colour = _lit(made.lamps[index], made.colours[index], pose)
        if colour is not None:
            cv2.fillConvexPoly(picture, fixed[index], colour, cv2.LINE_AA, 4)


def _lit(lamp: str, colour: Colour, pose: Pose) -> Colour | None:
    if lamp == "brake":
        return (70, 60, 255) if pose.braking else colour
    if lamp == "signal":
        return (40, 170, 255) if pose.blinking else None
    return colour


_FOOT: Metres = np.array(
    [(-1.0, 0.0, -0.46), (1.0, 0.0, -0.46), (1.0, 0.0, 0.46), (-1.0, 0.0, 0.46)]
)


def _placed(points: Metres, pose: Pose) -> Metres:
    cos, sin = math.cos(pose.heading), math.sin(pose.heading)
    x = points[:, 0] * cos + points[:, 2] * sin + pose.x_m
    z = points[:, 2] * cos - points[:, 0] * sin + pose.z_m
    return np.stack((x, points[:, 1], z), axis=1)
