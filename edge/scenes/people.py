"""People on foot, as a camera on a pole sees them: upright, walking, with a shadow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detectors.kit.types import Image
from edge.scenes.camera import Camera
from edge.scenes.drawing import Colour, ellipse, polygon, shaded

COATS: tuple[Colour, ...] = (
    (120, 74, 40),
    (58, 60, 70),
    (62, 58, 128),
    (96, 118, 74),
    (150, 150, 152),
    (60, 96, 120),
    (112, 96, 60),
)
SKIN: Colour = (132, 158, 196)
STRIDES_HZ = 0.95  # full strides a second at an ordinary pace


@dataclass(frozen=True, slots=True)
class Person:
    """What somebody looks like."""

    coat: Colour
    trousers: Colour = (54, 48, 46)
    height_m: float = 1.72


def draw(
    picture: Image,
    camera: Camera,
    person: Person,
    x_m: float,
    z_m: float,
    stride: float,
    way: float,
) -> None:
    """Somebody at a place. stride: full strides so far; way: -1 to the left .. 1 to the right."""
    m = camera.focal / z_m
    x, y = camera.point(x_m, 0.0, z_m)
    tall = person.height_m * m
    if tall < 3.0:
        return
    swing = math.sin(stride * 2.0 * math.pi)
    spread = (0.22 * swing * max(0.35, abs(way))) * m
    half = 0.17 * m
    hip, shoulder = y - 0.5 * tall, y - 0.83 * tall
    shade = np.array([(x - half, y), (x + half, y), (x + 1.1 * m, y - 0.24 * m)])
    polygon(picture, np.vstack((shade, shade[2:] + np.array((0.25 * m, -0.02 * m)))), (66, 66, 66))
    for step, tone in ((-spread, 0.8), (spread, 1.0)):
        leg = np.array(
            [
                (x - half * 0.75, hip),
                (x + half * 0.75, hip),
                (x + step + half * 0.55, y),
                (x + step - half * 0.45, y),
            ]
        )
        polygon(picture, leg, shaded(person.trousers, tone))
    body = np.array(
        [
            (x - half * 1.15, shoulder),
            (x + half * 1.15, shoulder),
            (x + half * 0.95, hip + 0.06 * tall),
            (x - half * 0.95, hip + 0.06 * tall),
        ]
    )
    polygon(picture, body, person.coat)
    lit = body.copy()
    lit[1:3, 0] = x - half * 0.1
    polygon(picture, lit, shaded(person.coat, 1.22))
    hand = x - spread * 0.8
    arm = np.array(
        [
            (x - half * 0.3, shoulder + 0.02 * tall),
            (x + half * 0.3, shoulder + 0.02 * tall),
            (hand + half * 0.25, hip + 0.02 * tall),
            (hand - half * 0.25, hip + 0.02 * tall),
        ]
    )
    polygon(picture, arm, shaded(person.coat, 0.78))
    ellipse(picture, x + 0.02 * m * way, y - 0.91 * tall, 0.058 * tall, 0.072 * tall, SKIN)
    ellipse(picture, x - 0.02 * m * way, y - 0.94 * tall, 0.06 * tall, 0.05 * tall, (34, 34, 38))
