"""A street of four lanes with traffic in two directions, seen from a pole beside its middle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from detectors.kit.types import Image
from edge.scenes import buildings, people, vehicle_shapes, vehicles
from edge.scenes.camera import Camera
from edge.scenes.drawing import HEIGHT, WIDTH, Noise, reduced
from edge.scenes.ground import Ground, blank, sky
from edge.scenes.people import COATS, Person
from edge.scenes.truth import Crossing, Direction, Span, Truth
from edge.scenes.vehicles import PAINTS, Look, Pose

LINE = 0.6  # of the height: where crossings are counted
CAMERA = Camera(focal=760.0, height_m=6.2, horizon=118.0, centre=450.0)
AXIS_M = -0.6  # the middle of the road, right of the camera
LANE_M = 3.4
NEAR_M, FAR_M = 6.0, 130.0  # a vehicle comes and goes out of sight here
CLEAR_M = 62.0  # nearer than this the road is empty at the beginning
BLINK_HZ = 1.5
PULL_OVER_S, STAND_S = 5.0, 22.0
PULL_OVER_M = 3.2  # to the right


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle of a cycle."""

    look: Look
    enters_s: float
    x_m: float  # its lane
    speed: float  # m/s along the street, above 0 away from the camera
    stands_at_m: float = 0.0  # where it pulls over and stops; 0: it does not

    def pose(self, age_s: float) -> Pose:
        """Where it is `age_s` after it came into sight."""
        heading = 0.0 if self.speed > 0 else math.pi
        start_m = NEAR_M if self.speed > 0 else FAR_M
        if not self.stands_at_m:
            return Pose(self.x_m, start_m + self.speed * age_s, heading)
        brakes_s = self.brakes_s
        stands_s, goes_s = brakes_s + PULL_OVER_S, brakes_s + PULL_OVER_S + STAND_S
        aside = _smooth((age_s - brakes_s) / PULL_OVER_S) - _smooth((age_s - goes_s) / PULL_OVER_S)
        slope = _slope((age_s - brakes_s) / PULL_OVER_S) - _slope((age_s - goes_s) / PULL_OVER_S)
        if age_s < brakes_s:
            z_m = start_m + self.speed * age_s
        elif age_s < stands_s:
            share = (age_s - brakes_s) / PULL_OVER_S
            z_m = self.stands_at_m - self.speed * PULL_OVER_S / 2.0 * (1.0 - share) ** 2
        else:
            gone_s = max(0.0, age_s - goes_s)
            reached_s = min(gone_s, PULL_OVER_S)
            z_m = self.stands_at_m + self.speed * reached_s**2 / (2.0 * PULL_OVER_S)
            z_m += self.speed * max(0.0, gone_s - PULL_OVER_S)
        turned = math.atan2(slope * PULL_OVER_M / PULL_OVER_S, self.speed) * 0.8
        signals = brakes_s - 1.5 < age_s < goes_s + PULL_OVER_S
        return Pose(
            self.x_m + PULL_OVER_M * aside,
            z_m,
            heading + turned,
            braking=brakes_s < age_s < stands_s + 1.0,
            blinking=signals and (age_s * BLINK_HZ) % 1.0 < 0.5,
        )

    @property
    def brakes_s(self) -> float:
        """Its age when it begins to brake."""
        return (self.stands_at_m - self.speed * PULL_OVER_S / 2.0 - NEAR_M) / self.speed

    @property
    def age_s(self) -> float:
        """How long it is in sight."""
        way_s = (FAR_M - NEAR_M) / abs(self.speed)
        return way_s + STAND_S + PULL_OVER_S if self.stands_at_m else way_s


class OnTheRoad(Protocol):
    """A vehicle as a street draws it."""

    @property
    def look(self) -> Look:
        """What it looks like."""

    @property
    def enters_s(self) -> float:
        """When it comes into sight, scene time."""

    @property
    def speed(self) -> float:
        """m/s along the street where it drives freely, above 0 away from the camera."""

    @property
    def age_s(self) -> float:
        """How long it is in sight."""

    def pose(self, age_s: float) -> Pose:
        """Where it is `age_s` after it came into sight."""


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody on the pavement, there and back within a cycle."""

    person: Person
    x_m: float
    from_m: float
    to_m: float
    begins: float  # share of the way at second 0

    def place(self, t_s: float, cycle_s: float) -> tuple[float, float]:
        """(distance from the camera, strides so far)."""
        share = (self.begins + t_s / cycle_s) % 1.0
        there = 2.0 * share if share < 0.5 else 2.0 - 2.0 * share
        return self.from_m + (self.to_m - self.from_m) * there, t_s * people.STRIDES_HZ


class Street:
    """Traffic that begins again without a seam, one car of which pulls over and stands."""

    fps = 12.5
    size = (HEIGHT, WIDTH)
    duration_s = 72.0

    def __init__(self, seed: int = 1) -> None:
        chance = np.random.default_rng(seed)
        self.vehicles: tuple[OnTheRoad, ...] = tuple(self._traffic(chance))
        self._walkers = tuple(_walkers(chance))
        self._empty = _background(chance)
        self._dim = cv2.convertScaleAbs(self._empty, alpha=0.55)
        self._noise = Noise(chance)

    def _traffic(self, chance: np.random.Generator) -> Sequence[OnTheRoad]:
        """Who drives here in a cycle."""
        return _traffic(chance, self.duration_s)

    def shown_s(self, t_s: float) -> float:
        """Every moment shows itself."""
        return t_s

    def draw(self, t_s: float, canvas: Image) -> None:
        """The street at that moment."""
        np.copyto(canvas, self._empty)
        seen = [(v.look, pose) for v in self.vehicles if (pose := self.pose(v, t_s)) is not None]
        seen.sort(key=lambda one: -one[1].z_m)
        for look, pose in seen:
            vehicles.draw_shadow(canvas, np.asarray(self._dim, np.uint8), CAMERA, look, pose)
        for walker in self._walkers:
            z_m, stride = walker.place(t_s, self.duration_s)
            people.draw(canvas, CAMERA, walker.person, walker.x_m, z_m, stride, 0.3)
        for look, pose in seen:
            vehicles.draw(canvas, CAMERA, look, pose)
        self._noise.add(canvas, round(t_s * self.fps))

    def pose(self, vehicle: OnTheRoad, t_s: float) -> Pose | None:
        """Where one of its vehicles is at that moment; None while it is out of sight."""
        age_s = (t_s - vehicle.enters_s) % self.duration_s
        return vehicle.pose(age_s) if age_s < vehicle.age_s else None

    def truth(self) -> Truth:
        """Every crossing of the line, and the car that stands."""
        spans = []
        for vehicle in self.vehicles:
            if isinstance(vehicle, Vehicle) and vehicle.stands_at_m:
                start_s = vehicle.enters_s + vehicle.brakes_s + PULL_OVER_S
                where = vehicles.box(
                    CAMERA, vehicle.look, vehicle.pose(vehicle.brakes_s + PULL_OVER_S)
                )
                spans.append(Span("stopped_vehicle", start_s, start_s + STAND_S, where))
        crossings = sorted((self._crossing(v) for v in self.vehicles), key=lambda c: c.at_s)
        return Truth(crossings=tuple(crossings), spans=tuple(spans))

    def _crossing(self, vehicle: OnTheRoad) -> Crossing:
        """When the middle of its outline is on the line, by halving the time."""
        towards = vehicle.speed < 0

        def beyond(age_s: float) -> bool:
            _, top, _, bottom = vehicles.outline(CAMERA, vehicle.look, vehicle.pose(age_s))
            return bool((top + bottom) / 2.0 > LINE * HEIGHT) is towards

        # a vehicle that comes into sight below the camera has no outline yet
        early = 0.0 if towards else 3.5 / vehicle.speed
        late = vehicle.age_s - 3.5 / abs(vehicle.speed) if towards else vehicle.age_s
        for _ in range(40):
            middle = (early + late) / 2.0
            early, late = (early, middle) if beyond(middle) else (middle, late)
        at_s = (vehicle.enters_s + late) % self.duration_s
        direction = Direction.DOWN if towards else Direction.UP
        return Crossing(math.ceil(at_s * self.fps), at_s, direction)


def _smooth(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3.0 - 2.0 * share)


def _slope(share: float) -> float:
    return 6.0 * share * (1.0 - share) if 0.0 < share < 1.0 else 0.0


def _traffic(chance: np.random.Generator, cycle_s: float) -> list[Vehicle]:
    """Vehicles that keep their lane's speed, so that nobody drives into another."""
    found = []
    for lane, speed in ((-1.5, -11.0), (-0.5, -13.0), (0.5, 13.0), (1.5, 10.5)):
        at_s = float(chance.uniform(0.0, 2.0))
        while at_s < cycle_s - 3.4:
            shape = str(chance.choice(vehicle_shapes.SHAPES, p=(0.5, 0.28, 0.14, 0.08)))
            if shape == "bus" and abs(lane) < 1.0:
                shape = "sedan"
            paint = PAINTS[int(chance.integers(len(PAINTS)))]
            x_m = AXIS_M + lane * LANE_M + float(chance.uniform(-0.2, 0.2))
            found.append(Vehicle(Look(shape, paint), at_s, x_m, speed))
            at_s += float(chance.uniform(4.5, 12.0)) * (1.2 if abs(lane) < 1.0 else 1.0)
    stops_s = 10.0
    kept = [
        v
        for v in found
        if (v.speed != 10.5 or not stops_s - 4.5 < v.enters_s < stops_s + 4.5)
        and not _is_near(v.pose(cycle_s - v.enters_s).z_m)
    ]
    x_m = AXIS_M + 1.5 * LANE_M
    kept.append(Vehicle(Look("suv", (150, 96, 40)), stops_s, x_m, 10.5, stands_at_m=47.0))
    return kept


def _is_near(z_m: float) -> bool:
    """Whether it would stand in the first picture, which a detector learns as the empty road."""
    return NEAR_M - 4.0 < z_m < CLEAR_M


def _walkers(chance: np.random.Generator) -> list[Walker]:
    found = []
    for x_m in (-12.6, -11.7, 11.4, 12.2, 12.9):
        person = Person(COATS[int(chance.integers(len(COATS)))], height_m=chance.uniform(1.6, 1.8))
        near, far = float(chance.uniform(30.0, 38.0)), float(chance.uniform(64.0, 80.0))
        found.append(Walker(person, x_m, near, far, float(chance.uniform(0.0, 1.0))))
    return sorted(found, key=lambda w: -w.from_m)


def _background(chance: np.random.Generator) -> Image:
    picture = blank()
    camera = CAMERA.fine
    horizon = round(CAMERA.horizon)
    sky(picture, horizon + 10, (206, 168, 128), (222, 214, 204), chance)
    for west, wide, tall, z in (
        (-90.0, 46, 26, 230),
        (-34, 24, 34, 260),
        (2, 30, 22, 250),
        (44, 60, 30, 220),
    ):
        texture = buildings.facade(wide, tall, chance, shops=False)
        hazy = cv2.addWeighted(texture, 0.4, np.full_like(texture, 205), 0.6, 0.0)
        buildings.across(picture, camera, west, z, np.asarray(hazy, np.uint8))
    ground = Ground(picture, CAMERA, horizon + 2, chance)
    _pave(ground)
    ground.finish((204, 204, 200), 420.0)
    for side in (-1.0, 1.0):
        for near, far, tall in (
            (112, 160, 24),
            (84, 110, 17),
            (60, 82, 22),
            (36, 58, 14),
            (12, 34, 19),
        ):
            texture = buildings.facade(far - near, tall, chance, shops=True)
            dimmed = cv2.convertScaleAbs(texture, alpha=0.98 if side > 0 else 0.78)
            x_m = AXIS_M + side * 15.5
            buildings.along(picture, camera, x_m, near, far, np.asarray(dimmed, np.uint8))
            end = buildings.facade(14.0, tall, chance, shops=False)
            plain = cv2.convertScaleAbs(end, alpha=0.85)
            left = x_m if side > 0 else x_m - 14.0
            buildings.across(picture, camera, left, near, np.asarray(plain, np.uint8))
    for z_m in (104.0, 84.0, 66.0, 50.0, 37.0, 26.0):
        for x_m in (AXIS_M - 10.4, AXIS_M + 12.4):
            crown = float(chance.uniform(5.5, 7.5))
            buildings.tree(picture, camera, x_m, z_m, crown, chance)
    for z_m in (96.0, 58.0, 31.0):
        buildings.lamp_post(picture, camera, AXIS_M - 9.6, z_m, 2.2)
    return reduced(picture)


def _pave(ground: Ground) -> None:
    left, right = AXIS_M - 2 * LANE_M - 0.6, AXIS_M + 2 * LANE_M + 3.0
    ground.fill((148, 152, 154))  # pavements
    kerbs = (ground.x > left - 5.8) & (ground.x < right + 5.8)
    ground.joints(kerbs & ((ground.x < left) | (ground.x > right)), 0.8, 0.72, 55.0)
    ground.strip(left, right, (98, 97, 96))
    ground.strip(right - 2.9, right, (92, 92, 92))  # where one may stop
    for lane in (-1.5, -0.5, 0.5, 1.5):  # tyres leave two darker tracks in each lane
        for track in (-0.8, 0.8):
            middle = AXIS_M + lane * LANE_M + track
            ground.light(1.0 - 0.09 * np.exp(-(((ground.x - middle) / 0.35) ** 2)))
    ground.grain(6.0)
    white = (206, 210, 210)
    for lane in (-1.0, 1.0):
        ground.dashes(AXIS_M + lane * LANE_M, white, 3.0, 8.0)
    for aside in (-0.16, 0.16):
        middle = AXIS_M + aside
        ground.strip(middle - 0.07, middle + 0.07, (92, 178, 204))
    ground.strip(left + 0.35, left + 0.5, white)
    ground.strip(right - 3.05, right - 2.9, white)
    for edge, inner in ((left, left - 0.32), (right, right + 0.32)):
        ground.strip(min(edge, inner), max(edge, inner), (176, 180, 182))
        ground.strip(edge - 0.05, edge + 0.05, (88, 88, 88))
    crossing = (ground.z > 66.0) & (ground.z < 71.0) & (ground.x > left) & (ground.x < right)
    ground.fill(white, crossing & (ground.x % 1.1 < 0.55))
