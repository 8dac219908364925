"""What stands beside a street: facades, walls, trees, lamps. Drawn once, into a background."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.kit.types import Image
from edge.scenes.camera import Camera
from edge.scenes.drawing import Colour, ellipse, line, mixed, polygon, shaded, turbulence
from edge.scenes.ground import shadow

PX_M = 26  # texture pixels a metre
FLOOR_M, BAY_M = 3.2, 3.6
PLASTER: tuple[Colour, ...] = (
    (150, 172, 186),
    (176, 186, 190),
    (126, 142, 164),
    (160, 162, 158),
    (142, 158, 176),
    (112, 124, 150),
)
SIGNS: tuple[Colour, ...] = ((122, 60, 32), (54, 92, 44), (60, 52, 128), (96, 84, 40))


def facade(width_m: float, height_m: float, chance: np.random.Generator, shops: bool) -> Image:
    """A texture of windows in plaster, PX_M pixels a metre, with shops on its ground floor."""
    wall = PLASTER[int(chance.integers(len(PLASTER)))]
    shape = (round(height_m * PX_M), round(width_m * PX_M))
    image = np.full((*shape, 3), wall, np.uint8)
    stain = turbulence(chance, 256, (4, 16, 64))
    rough = cv2.resize(stain, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    image[:] = np.clip(image + (np.asarray(rough) * 4.0)[..., None], 0, 255).astype(np.uint8)
    floors = int(height_m / FLOOR_M)
    bays = max(1, int(width_m / BAY_M))
    side = (width_m - bays * BAY_M) / 2
    for floor in range(1 if shops else 0, floors):
        base = height_m - floor * FLOOR_M
        _box(image, 0, base - 0.12, width_m, 0.12, shaded(wall, 0.86))
        for bay in range(bays):
            _pane(image, side + bay * BAY_M + 0.9, base - 2.5, wall, chance)
    if shops:
        _shops(image, width_m, height_m, chance)
    _box(image, 0, 0, width_m, 0.35, shaded(wall, 1.12))
    _box(image, 0, 0.35, width_m, 0.12, shaded(wall, 0.7))
    return image


def brick(
    width_m: float, height_m: float, chance: np.random.Generator, colour: Colour = (74, 88, 122)
) -> Image:
    """A texture of bricks in courses."""
    course, length = 4, 11  # pixels
    h, w = round(height_m * PX_M), round(width_m * PX_M)
    rows, columns = h // course + 1, w // length + 2
    tone = chance.normal(1.0, 0.09, (rows, columns))
    y, x = np.mgrid[0:h, 0:w]
    row = y // course
    shifted = x + (row % 2) * (length // 2)
    light = tone[row, shifted // length]
    light[(y % course == 0) | (shifted % length == 0)] *= 0.86
    stain = turbulence(chance, 256, (3, 9, 27))
    light += cv2.resize(stain, (w, h), interpolation=cv2.INTER_LINEAR) * 0.05
    light *= np.linspace(1.06, 0.86, h)[:, None]
    lit: Image = np.clip(light[..., None] * np.array(colour), 0, 255).astype(np.uint8)
    return lit


def stand(picture: Image, camera: Camera, corners: NDArray[np.float64], texture: Image) -> None:
    """Put a texture on a rectangle of the scene. corners: (4, 3) metres, clockwise from top left.

    picture and camera: of a FINE background.
    """
    h, w = texture.shape[:2]
    flat = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    seen = camera.project(corners).astype(np.float32)
    left, top = np.maximum(np.floor(seen.min(axis=0)).astype(int), 0)
    right, bottom = np.maximum(np.ceil(seen.max(axis=0)).astype(int) + 1, 0)
    part = picture[top:bottom, left:right]
    if part.size == 0:
        return
    here = seen - np.array((left, top), np.float32)
    warped = cv2.warpPerspective(
        texture,
        cv2.getPerspectiveTransform(flat, here),
        (part.shape[1], part.shape[0]),
        flags=cv2.INTER_AREA,
    )
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.round(here * 16).astype(np.int32), 255, cv2.LINE_8, 4)
    cv2.copyTo(warped, mask, part)


def along(
    picture: Image, camera: Camera, x_m: float, near_m: float, far_m: float, texture: Image
) -> None:
    """A facade along the street, at one distance from its axis; as high as the texture says."""
    top = texture.shape[0] / PX_M
    first, second = (far_m, near_m) if x_m > 0 else (near_m, far_m)
    corners = [(x_m, top, first), (x_m, top, second), (x_m, 0.0, second), (x_m, 0.0, first)]
    stand(picture, camera, np.array(corners), texture)


def across(picture: Image, camera: Camera, left_m: float, z_m: float, texture: Image) -> None:
    """A facade that faces the camera, beginning `left_m` right of its axis."""
    top, right = texture.shape[0] / PX_M, left_m + texture.shape[1] / PX_M
    corners = [(left_m, top, z_m), (right, top, z_m), (right, 0.0, z_m), (left_m, 0.0, z_m)]
    stand(picture, camera, np.array(corners), texture)


def tree(
    picture: Image,
    camera: Camera,
    x_m: float,
    z_m: float,
    height_m: float,
    chance: np.random.Generator,
    leaf: Colour = (52, 112, 84),
) -> None:
    """A street tree with its shadow; picture and camera of a FINE background."""
    m = camera.focal / z_m
    x, y = camera.point(x_m, 0.0, z_m)
    crown = height_m * 0.36 * m
    angles = np.linspace(0, 2 * np.pi, 24)
    spot = np.stack((x + 0.9 * crown + np.cos(angles) * crown, y + np.sin(angles) * crown * 0.2), 1)
    shadow(picture, spot, 0.66, max(3, round(0.12 * m)))
    trunk = np.array(
        [
            (x - 0.13 * m, y),
            (x + 0.13 * m, y),
            (x + 0.07 * m, y - height_m * 0.5 * m),
            (x - 0.07 * m, y - height_m * 0.5 * m),
        ]
    )
    polygon(picture, trunk, (46, 58, 70))
    middle = y - height_m * 0.64 * m
    for light, count in ((0.55, 90), (0.8, 150), (1.05, 170), (1.3, 80)):
        for _ in range(count):
            angle, reach = chance.uniform(0, 2 * np.pi), chance.uniform(0, 1) ** 0.6
            shift = (light - 0.8) * 0.35  # lit from the upper left
            px = x + (np.cos(angle) * reach * 0.95 - shift) * crown
            py = middle + (np.sin(angle) * reach * 0.98 - shift) * crown
            size = chance.uniform(0.05, 0.15) * crown * (1.4 - light * 0.5)
            tone = shaded(leaf, light * chance.uniform(0.85, 1.12))
            ellipse(picture, px, py, size, size * 0.75, tone)


def lamp_post(picture: Image, camera: Camera, x_m: float, z_m: float, arm_m: float) -> None:
    """A street lamp, 8 m high, its arm over the road; picture and camera of a FINE background."""
    steel: Colour = (112, 112, 108)
    m = camera.focal / z_m
    thick = max(1, round(0.11 * m))
    post = np.array([(x_m, 0.0, z_m), (x_m, 7.6, z_m), (x_m + arm_m, 8.0, z_m)])
    line(picture, camera.project(post), steel, thick)
    head = np.array([(x_m + arm_m * 0.7, 7.95, z_m), (x_m + arm_m * 1.15, 8.0, z_m)])
    line(picture, camera.project(head), (150, 152, 150), max(2, round(0.2 * m)))


def _pane(image: Image, x: float, y: float, wall: Colour, chance: np.random.Generator) -> None:
    frame = shaded(wall, 1.16)
    _box(image, x - 0.08, y - 0.08, 1.96, 1.76, frame)
    glass = mixed((92, 82, 70), (150, 132, 112), float(chance.uniform(0, 1)))
    _box(image, x, y, 1.8, 1.6, glass)
    _box(image, x, y, 1.8, 0.5, shaded(glass, 0.8))
    _box(image, x + 1.05, y + 0.55, 0.6, 0.85, shaded(glass, 1.18))
    if chance.random() < 0.3:
        _box(image, x, y, float(chance.uniform(0.4, 1.7)), 1.6, (168, 182, 190))  # a curtain
    _box(image, x + 0.86, y, 0.07, 1.6, frame)
    _box(image, x - 0.12, y + 1.64, 2.04, 0.1, shaded(wall, 0.72))
    if chance.random() < 0.22:
        _box(image, x + 1.95, y + 1.0, 0.75, 0.55, (196, 200, 200))  # an air conditioner
        _box(image, x + 2.02, y + 1.08, 0.4, 0.4, (120, 122, 122))


def _shops(image: Image, width_m: float, height_m: float, chance: np.random.Generator) -> None:
    x = 0.0
    while x < width_m - 1.0:
        wide = min(float(chance.uniform(4.0, 7.0)), width_m - x)
        base = height_m
        _box(image, x, base - 3.2, wide, 3.2, (62, 64, 66))
        _box(image, x + 0.2, base - 2.4, wide - 0.4, 2.1, (104, 96, 84))
        _box(image, x + 0.2, base - 1.0, wide - 0.4, 0.7, (78, 72, 64))
        sign = SIGNS[int(chance.integers(len(SIGNS)))]
        _box(image, x + 0.1, base - 3.15, wide - 0.2, 0.72, sign)
        for k in np.arange(x + 0.7, x + wide - 0.9, 0.55):
            _box(image, float(k), base - 2.95, 0.3, 0.34, shaded((225, 228, 230), 0.95))
        _box(image, x + wide * 0.42, base - 2.3, 1.1, 2.3, (56, 52, 48))
        x += wide


def _box(image: Image, x: float, y: float, w: float, h: float, colour: Colour) -> None:
    left, top = round(x * PX_M), round(y * PX_M)
    image[max(0, top) : round((y + h) * PX_M), max(0, left) : round((x + w) * PX_M)] = colour
