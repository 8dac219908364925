"""What happens is told by every camera: upright or wide, small or large, at any rate."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import cv2
import numpy as np
import pytest

from contract.episode import EpisodeChange
from contract.taxonomy import Phase
from detectors.kit.params import ParameterError, build
from detectors.kit.registry import detector
from detectors.kit.types import Frame, Image
from detectors.kit.zones import ZoneParams
from detectors.look import Counted, watch
from tests.detectors.scenes import Painter, car, film, street
from tests.detectors.test_edge_cases import sixty

FPS = 10.0
LANES = "in:down=0.2,0.0 0.8,0.0 0.8,1.0 0.2,1.0"
Camera = Callable[[Iterator[Frame]], Iterator[Frame]]


def stops(at_s: float, place: float) -> Callable[[float], float]:
    return lambda second: place - max(0.0, at_s - second) * 0.25


def parcel(from_s: float) -> Painter:
    """A dark parcel that somebody brings, who comes from the left and goes again."""

    def paint(image: Image, second: float) -> None:
        height, width = image.shape[:2]
        if second >= from_s:
            left, side = round(0.5 * width), round(0.1 * max(width, height))
            image[height // 2 : height // 2 + side, left : left + side] = (30, 34, 36)
        away = max(0.0, from_s - 1.0 - second, second - from_s - 2.0) * 0.15
        right = round((0.5 - away) * width)
        part = image[height // 4 : height * 3 // 4, max(0, right - width // 12) : max(0, right)]
        part[:] = (60, 50, 150)

    return paint


def water(from_s: float) -> Painter:
    def paint(image: Image, second: float) -> None:
        part = image[image.shape[0] * 11 // 20 :]
        deep = float(np.clip((second - from_s) / 3.0, 0.0, 0.95))
        part[:] = (part * (1.0 - deep) + 105.0 * deep).astype(np.uint8)

    return paint


def fog(from_s: float) -> Painter:
    def paint(image: Image, second: float) -> None:
        if second >= from_s:
            image[:] = (image * 0.15 + 205 * 0.85).astype(np.uint8)

    return paint


@dataclass(frozen=True)
class Event:
    """Something that happens once, and by when it is told."""

    painters: tuple[Painter, ...]
    seconds: float
    told_from_s: float
    told_to_s: float
    params: dict[str, Any] = dataclasses.field(default_factory=dict)


QUEUE = tuple(
    car(0.5, stops(12.0 + n, 0.85 - 0.25 * n), colour, size=(0.45, 0.2))
    for n, colour in enumerate([(200, 190, 60), (40, 40, 170), (230, 230, 230), (90, 160, 90)])
)
EVENTS = {
    "congestion": Event(QUEUE, 35.0, 20.0, 34.0, {"lanes": LANES}),
    "stopped_vehicle": Event((car(0.5, stops(8.0, 0.5)),), 24.0, 14.0, 22.0),
    "dumping": Event((parcel(8.0),), 30.0, 14.0, 28.0, {"dwell_s": 8.0}),
    "ponding": Event((water(18.0),), 40.0, 20.0, 36.0),
    "visibility": Event((fog(22.0),), 55.0, 30.0, 52.0),
}


def every(step: int) -> Camera:
    return lambda stream: (frame for frame in stream if frame.number % step == 0)


def uneven(stream: Iterator[Frame]) -> Iterator[Frame]:
    """Six pictures of ten, whichever."""
    chance = np.random.default_rng(5)
    return (frame for frame in stream if chance.uniform() < 0.6)


def enlarged(stream: Iterator[Frame]) -> Iterator[Frame]:
    """4K, three pictures a second."""
    for frame in stream:
        if frame.number % 3 == 0:
            large = cv2.resize(frame.image, (3840, 2160), interpolation=cv2.INTER_NEAREST)
            yield dataclasses.replace(frame, image=np.asarray(large, np.uint8))


@pytest.fixture(params=["as it is", "upright", "4K", "5 fps", "60 fps", "uneven"])
def seen(request: pytest.FixtureRequest) -> Callable[..., Iterator[Frame]]:
    """Films the painters as one camera would."""
    cameras: dict[str, Camera] = {
        "4K": enlarged,
        "5 fps": every(2),
        "60 fps": sixty,
        "uneven": uneven,
    }
    size = (135, 240) if request.param == "upright" else (240, 135)

    def show(seconds: float, *painters: Painter) -> Iterator[Frame]:
        stream = film(seconds, *painters, fps=FPS, scene=street(*size))
        return cameras[request.param](stream) if request.param in cameras else stream

    return show


def raised(kind: str, stream: Iterator[Frame], **params: Any) -> list[float]:
    """Seconds from the first picture."""
    first = next(stream)
    found = detector(kind)
    watcher = found(build(found.Params, {**EVENTS[kind].params, **params}, kind))
    return [
        (c.at - first.captured_at).total_seconds()
        for c in watch(chain([first], stream), watcher)
        if isinstance(c, EpisodeChange) and c.phase is Phase.RAISED
    ]


@pytest.mark.parametrize("kind", EVENTS)
def test_what_happens_once_is_told_once_and_in_time(
    seen: Callable[..., Iterator[Frame]], kind: str
) -> None:
    event = EVENTS[kind]
    told = raised(kind, seen(event.seconds, *event.painters))
    assert len(told) == 1
    assert event.told_from_s <= told[0] <= event.told_to_s


ZONED = sorted(kind for kind in EVENTS if issubclass(detector(kind).Params, ZoneParams))


@pytest.mark.parametrize("kind", ZONED)
@pytest.mark.parametrize(
    ("left", "expected"), [(0.1, 1), (1.0, 0)], ids=["reaches beyond", "holds nothing"]
)
def test_a_zone_is_watched_as_far_as_the_picture_goes(
    kind: str, left: float, expected: int
) -> None:
    event = EVENTS[kind]
    stream = film(event.seconds, *event.painters, fps=5.0, scene=street(240, 135))
    zone = {"zone_x": left, "zone_y": 0.0, "zone_w": 1.0, "zone_h": 1.0}
    if kind == "ponding":  # it compares the zone with what is around it
        zone["zone_y"], zone["zone_h"] = 0.5, 0.9
    assert len(raised(kind, stream, **zone)) == expected


@pytest.mark.parametrize("kind", ZONED)
def test_a_corner_outside_the_picture_is_refused_by_name(kind: str) -> None:
    found = detector(kind)
    with pytest.raises(ParameterError, match=rf"{kind}.*0\.4,1\.9 lies outside the picture"):
        build(found.Params, {"zone_corners": "0.1,0.9 0.4,1.9 0.4,0.3"}, f"{kind} of cam-1")


def test_each_car_is_counted_once(seen: Callable[..., Iterator[Frame]]) -> None:
    down = [car(0.25, lambda s, n=n: 0.3 * s - 1.2 - n, size=(0.2, 0.2)) for n in range(3)]  # type: ignore[misc]
    up = [car(0.75, lambda s, n=n: 2.4 + n - 0.3 * s, size=(0.2, 0.2)) for n in range(2)]  # type: ignore[misc]
    found = detector("traffic_flow")
    counted = [
        c.measurement.label
        for c in watch(seen(17.0, *down, *up), found(build(found.Params, {}, "traffic_flow")))
        if isinstance(c, Counted) and c.measurement.metric == "vehicle_crossing"
    ]
    assert sorted(counted) == ["down"] * 3 + ["up"] * 2
