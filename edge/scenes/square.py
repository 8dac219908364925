"""A square with a tram, whose camera freezes: for a while every picture is the same, bit by bit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detectors.kit.types import Image
from edge.scenes import buildings, people
from edge.scenes.camera import Camera
from edge.scenes.drawing import (
    HEIGHT,
    WIDTH,
    Colour,
    Noise,
    ellipse,
    line,
    polygon,
    reduced,
    shaded,
)
from edge.scenes.ground import Ground, blank, sky
from edge.scenes.people import COATS, Person
from edge.scenes.truth import Span, Truth

CAMERA = Camera(focal=800.0, height_m=6.0, horizon=130.0)
TRACK_M = 24.0  # the nearer tram track's middle
TRAM_M, GAUGE_M = 28.0, 1.44
TRAM: Colour = (64, 108, 52)
CREAM: Colour = (196, 214, 222)
FREEZES_S, RECOVERS_S = 8.0, 32.0


@dataclass(frozen=True, slots=True)
class Passer:
    """Somebody who crosses the square on one straight way, again and again."""

    person: Person
    start: tuple[float, float]  # x, z in metres
    way: tuple[float, float]  # m/s
    every_s: float  # one round
    walks_s: float  # of which they are to be seen
    begins_s: float

    def place(self, t_s: float) -> tuple[float, float] | None:
        """(x, z) metres, None while they are out of sight."""
        age_s = (t_s + self.begins_s) % self.every_s
        if age_s >= self.walks_s:
            return None
        return self.start[0] + self.way[0] * age_s, self.start[1] + self.way[1] * age_s


@dataclass(frozen=True, slots=True)
class TramRun:
    """One tram through the picture."""

    enters_s: float
    speed: float  # m/s, above 0 to the right
    z_m: float

    def x_m(self, t_s: float) -> float:
        """Its middle, right of the axis."""
        begin = -38.0 if self.speed > 0 else 38.0
        return begin + self.speed * (t_s - self.enters_s)


class FrozenSquare:
    """Lively, then frozen from second 8 to second 32, then lively again."""

    fps = 12.5
    size = (HEIGHT, WIDTH)
    duration_s = 60.0

    def __init__(self, seed: int = 4) -> None:
        chance = np.random.default_rng(seed)
        self._empty = _square(chance)
        self._passers = tuple(_passers(chance))
        self._trams = (
            TramRun(1.0, 7.5, TRACK_M),
            TramRun(34.0, -8.5, TRACK_M + 3.6),
            TramRun(47.0, 8.0, TRACK_M),
        )
        self._birds = chance.uniform(0.0, 1.0, (7, 3))
        self._noise = Noise(chance)

    def shown_s(self, t_s: float) -> float:
        """The moment that the picture of moment `t_s` shows: the first frozen one while frozen."""
        return FREEZES_S if FREEZES_S <= t_s < RECOVERS_S else t_s

    def draw(self, t_s: float, canvas: Image) -> None:
        """What the camera shows at that moment."""
        shown_s = self.shown_s(t_s)
        np.copyto(canvas, self._empty)
        self._fly(canvas, shown_s)
        placed = [(p, *at) for p in self._passers if (at := p.place(shown_s)) is not None]
        placed.sort(key=lambda one: -one[2])
        trams = sorted(self._trams, key=lambda one: -one.z_m)
        for passer, x_m, z_m in placed:
            while trams and trams[0].z_m > z_m:
                _draw_tram(canvas, trams.pop(0), shown_s)
            stride = (shown_s + passer.begins_s) * people.STRIDES_HZ
            way = passer.way[0] / math.hypot(*passer.way)
            people.draw(canvas, CAMERA, passer.person, x_m, z_m, stride, way)
        for tram in trams:
            _draw_tram(canvas, tram, shown_s)
        self._noise.add(canvas, round(shown_s * self.fps))

    def truth(self) -> Truth:
        """When it is frozen."""
        return Truth(spans=(Span("frozen", FREEZES_S, RECOVERS_S),))

    def _fly(self, canvas: Image, t_s: float) -> None:
        """Pigeons over the roofs."""
        for lane, start, pace in self._birds:
            share = (start + t_s * (0.03 + 0.03 * pace)) % 1.0
            x, y = -40 + share * (WIDTH + 80), 30 + 80 * lane + 8 * math.sin(t_s * 2 + lane * 9)
            flap = 5.0 * math.sin(t_s * 22.0 + start * 40.0)
            wings = np.array([(x - 7, y - flap), (x, y), (x + 7, y - flap)])
            line(canvas, wings, (70, 66, 62), 2)


def _passers(chance: np.random.Generator) -> list[Passer]:
    """People on all sides; over the tracks only where no tram comes."""
    found: list[Passer] = []
    for enters_s in (-4.6, -3.9, -4.2, 40.3, 41.2, 41.9):  # between the trams
        away = len(found) % 2 == 0
        pace = float(chance.uniform(1.3, 1.5))
        before_m = 8.3 if away else 3.4  # to the edge of the tracks
        start = (float(chance.uniform(2.6, 5.6)), 12.5 if away else 34.0)
        begins_s = before_m / pace - enters_s
        way = (0.08, pace if away else -pace)
        found.append(Passer(_somebody(chance), start, way, 60.0, 21.5 / pace, begins_s % 60.0))
    for number in range(11):  # along the pavements on both sides of the tracks
        right = number % 2 == 0
        z_m = float(chance.choice((14.5, 16.0, 17.5, 32.0, 34.0)))
        reach = 0.62 * z_m + 1.0
        every_s = 20.0 if z_m < 20.0 else 30.0  # a whole number of rounds in a cycle
        pace = 2.0 * reach / every_s
        start = (-reach if right else reach, z_m)
        way = (pace if right else -pace, float(chance.uniform(-0.05, 0.05)))
        begins_s = float(chance.uniform(0.0, every_s))
        found.append(Passer(_somebody(chance), start, way, every_s, every_s, begins_s))
    return found


def _somebody(chance: np.random.Generator) -> Person:
    coat = COATS[int(chance.integers(len(COATS)))]
    return Person(coat, height_m=float(chance.uniform(1.55, 1.85)))


def _draw_tram(canvas: Image, tram: TramRun, t_s: float) -> None:
    """A tram of three cars from the side: body, windows, doors, roof, bogies."""
    middle = tram.x_m(t_s)
    left, right = middle - TRAM_M / 2, middle + TRAM_M / 2
    near, far = tram.z_m - 1.2, tram.z_m + 1.2
    reach = WIDTH / 2 * near / CAMERA.focal + 2.0
    if right < -reach or left > reach:
        return

    def side(x0: float, x1: float, low: float, high: float, colour: Colour) -> None:
        corners = np.array([(x0, low, near), (x0, high, near), (x1, high, near), (x1, low, near)])
        polygon(canvas, CAMERA.project(corners), colour)

    def level(x0: float, x1: float, z0: float, z1: float, y: float, colour: Colour) -> None:
        corners = np.array([(x0, y, z0), (x0, y, z1), (x1, y, z1), (x1, y, z0)])
        polygon(canvas, CAMERA.project(corners), colour)

    level(left + 0.3, right + 1.4, near - 0.15, far, 0.0, (52, 52, 52))
    for end, in_sight in ((left, left > 0.0), (right, right < 0.0)):
        if not in_sight:
            continue
        corners = np.array([(end, 0.3, near), (end, 3.3, near), (end, 3.3, far), (end, 0.3, far)])
        polygon(canvas, CAMERA.project(corners), shaded(TRAM, 0.7))
    level(left + 0.2, right - 0.2, near, far, 3.35, (172, 174, 172))
    for roof in np.arange(left + 3.0, right - 3.0, 5.5):
        level(float(roof), float(roof) + 2.6, near + 0.6, far - 0.5, 3.55, (142, 146, 146))
    side(left, right, 0.35, 3.35, TRAM)
    side(left, right, 1.35, 2.85, CREAM)
    side(left, right, 0.35, 0.55, shaded(TRAM, 0.6))
    step = TRAM_M / 14.0
    for number in range(14):
        x0 = left + number * step
        if number % 5 == 2:  # a door
            side(x0 + 0.15, x0 + step - 0.15, 0.5, 2.9, shaded(CREAM, 0.9))
            side(x0 + 0.28, x0 + step / 2 - 0.06, 0.75, 2.75, (88, 76, 62))
            side(x0 + step / 2 + 0.06, x0 + step - 0.28, 0.75, 2.75, (88, 76, 62))
        else:
            side(x0 + 0.14, x0 + step - 0.14, 1.5, 2.72, (82, 70, 58))
            side(x0 + 0.14, x0 + step - 0.14, 2.3, 2.72, (118, 104, 88))
    for share in (1 / 3, 2 / 3):
        x = left + TRAM_M * share
        side(x - 0.22, x + 0.22, 0.4, 3.2, (46, 46, 46))
    for share in (0.1, 0.42, 0.58, 0.9):
        for aside in (-0.6, 0.6):
            x, y = CAMERA.point(left + TRAM_M * share + aside, 0.3, near)
            radius = 0.3 * CAMERA.focal / near
            ellipse(canvas, x, y, radius, radius, (34, 34, 34))
    lamp = right if tram.speed > 0 else left
    side(lamp - 0.25, lamp + 0.05, 0.75, 1.0, (222, 236, 240))


def _square(chance: np.random.Generator) -> Image:
    picture = blank()
    camera = CAMERA.fine
    sky(picture, 165, (214, 176, 134), (226, 218, 208), chance)
    ground = Ground(picture, CAMERA, 158, chance)
    _pave(ground)
    ground.finish((206, 206, 202), 900.0)
    left = -46.0
    while left < 46.0:
        wide = float(chance.uniform(11.0, 17.0))
        tall = float(chance.uniform(9.5, 14.5))
        texture = buildings.facade(wide, tall, chance, shops=True)
        buildings.across(picture, camera, left, 52.0, texture)
        left += wide
    _tower(picture, camera, chance)
    for x_m, z_m in (
        (-17.0, 46.0),
        (-9.0, 46.0),
        (9.5, 46.0),
        (17.5, 46.0),
        (25.0, 46.0),
        (-25, 46),
    ):
        buildings.tree(picture, camera, x_m, z_m, float(chance.uniform(5.0, 6.5)), chance)
    _wires(picture, camera)
    _fountain(picture, camera)
    for x_m in (-9.6, 10.4):
        buildings.lamp_post(picture, camera, x_m, 38.0, 1.2)
    return reduced(picture)


def _pave(ground: Ground) -> None:
    x, z = ground.x, np.broadcast_to(ground.z, ground.x.shape)
    ground.fill((158, 166, 172))
    ring = np.hypot(x + 6.0, (z - 36.0) * 1.0)
    ground.fill((140, 150, 160), (ring % 3.0 < 0.7) & (ring < 12.0))
    everywhere = np.ones_like(x, np.bool_)
    ground.joints(everywhere, 1.0, 0.74, 70.0)
    near, far = TRACK_M - 3.2, TRACK_M + 6.6
    ground.fill((104, 104, 102), (z > near) & (z < far))
    for edge in (near, far):
        ground.fill((186, 190, 192), np.abs(z - edge) < 0.22)
    ground.grain(6.0)
    for middle in (TRACK_M, TRACK_M + 3.6):
        bed = np.abs(z - middle) < GAUGE_M / 2 + 0.5
        ground.light(np.where(bed, 0.9, 1.0).astype(np.float32))
        for rail in (middle - GAUGE_M / 2, middle + GAUGE_M / 2):
            ground.fill((66, 66, 66), np.abs(z - rail) < 0.14)
            ground.fill((168, 170, 172), np.abs(z - rail) < 0.07)
    stripes = (z > near + 0.5) & (z < far - 0.5) & (x > 2.0) & (x < 6.4)
    ground.fill(
        (214, 218, 218),
        stripes
        & (x % 1.1 < 0.55)
        & (np.abs(z - TRACK_M) > 1.0)
        & (np.abs(z - TRACK_M - 3.6) > 1.0),
    )


def _tower(picture: Image, camera: Camera, chance: np.random.Generator) -> None:
    """A tower with a clock that has stopped, as on most squares."""
    shaft = buildings.brick(5.0, 15.0, chance, (112, 132, 152))
    m = buildings.PX_M
    for y in (4.5, 8.0, 11.0):
        shaft[round(y * m) : round((y + 1.6) * m), round(2.1 * m) : round(2.9 * m)] = (70, 62, 56)
    buildings.across(picture, camera, -3.5, 50.0, shaft)
    x, y = camera.point(-1.0, 13.0, 50.0)
    r = 1.4 * camera.focal / 50.0
    ellipse(picture, x, y, r * 1.12, r * 1.12, (70, 78, 84))
    ellipse(picture, x, y, r, r, (226, 232, 232))
    for angle, reach in ((2.2, 0.6), (-0.6, 0.85)):
        hand = np.array(
            [(x, y), (x + math.sin(angle) * r * reach, y - math.cos(angle) * r * reach)]
        )
        line(picture, hand, (40, 40, 40), 3)
    roof = np.array([(-3.9, 15.0, 50.0), (-1.0, 18.6, 50.0), (1.9, 15.0, 50.0)])
    polygon(picture, camera.project(roof), (84, 88, 78))


def _wires(picture: Image, camera: Camera) -> None:
    """Masts and wires over the tracks."""
    for x_m in (-14.0, 14.5):
        post = np.array([(x_m, 0.0, TRACK_M + 6.2), (x_m, 6.6, TRACK_M + 6.2), (x_m, 6.4, TRACK_M)])
        line(picture, camera.project(post), (92, 96, 92), 7)
    for z_m in (TRACK_M, TRACK_M + 3.6):
        wire = np.array([(-22.0, 5.6, z_m), (0.0, 5.5, z_m), (22.0, 5.6, z_m)])
        line(picture, camera.project(wire), (84, 84, 82), 2)


def _fountain(picture: Image, camera: Camera) -> None:
    z, x0 = 36.0, -6.0
    x, y = camera.point(x0, 0.0, z)
    m = camera.focal / z
    ellipse(picture, x + 0.5 * m, y, 2.9 * m, 0.5 * m, (120, 124, 126))
    ellipse(picture, x, y, 2.6 * m, 0.46 * m, (132, 138, 142))
    polygon(
        picture,
        np.array(
            [
                (x - 2.6 * m, y - 0.5 * m),
                (x + 2.6 * m, y - 0.5 * m),
                (x + 2.6 * m, y),
                (x - 2.6 * m, y),
            ]
        ),
        (150, 156, 160),
    )
    ellipse(picture, x, y - 0.5 * m, 2.6 * m, 0.44 * m, (182, 188, 190))
    ellipse(picture, x, y - 0.5 * m, 2.3 * m, 0.36 * m, (150, 134, 108))
    polygon(
        picture,
        np.array(
            [
                (x - 0.2 * m, y - 2.0 * m),
                (x + 0.2 * m, y - 2.0 * m),
                (x + 0.3 * m, y - 0.5 * m),
                (x - 0.3 * m, y - 0.5 * m),
            ]
        ),
        (160, 166, 168),
    )
    ellipse(picture, x, y - 2.0 * m, 0.9 * m, 0.2 * m, (176, 182, 184))
    for share in (-0.7, -0.35, 0.0, 0.35, 0.7):
        arc = np.array(
            [
                (
                    x + share * t * 1.3 * m,
                    y - 2.1 * m - 0.5 * m * math.sin(t * 3.0) + t * t * 1.2 * m,
                )
                for t in np.linspace(0, 1.1, 9)
            ]
        )
        line(picture, arc, (214, 212, 204), 2)
