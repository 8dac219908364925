"""Rendered scenes as a source: `scene:street`, `scene:fire`, `scene:water`, `scene:freeze`.

For the demo and for tests: what they show is known exactly (`scene(name).truth()`).
`scene:street?seed=7` draws another street of the same kind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import cv2

from contract.taxonomy import CameraState
from detectors.kit.types import Frame
from edge.errors import SourceError
from edge.sources.drawing.fire import FPS as FIRE_FPS
from edge.sources.drawing.fire import Fire
from edge.sources.drawing.freeze import Freeze
from edge.sources.drawing.paint import HEIGHT, WIDTH, stamp
from edge.sources.drawing.street import FPS as STREET_FPS
from edge.sources.drawing.street import Street
from edge.sources.drawing.truth import Scene
from edge.sources.drawing.water import FPS as WATER_FPS
from edge.sources.drawing.water import Water
from edge.sources.opening import SourceSettings
from edge.sources.source import Canvas, Tell

KINDS: dict[str, tuple[Callable[..., Scene], float]] = {
    "street": (Street, STREET_FPS),
    "fire": (Fire, FIRE_FPS),
    "water": (Water, WATER_FPS),
    "freeze": (Freeze, STREET_FPS),
}
CATCH_UP_S = 1.0  # later than this: leave frames out rather than show them late


def scene(name: str) -> tuple[Scene, float]:
    """A scene and its frames per second. name: "fire", or "fire?seed=7"; raises SourceError."""
    kind, _, query = name.partition("?")
    if kind not in KINDS:
        raise SourceError(f"no scene {kind!r}; there are: {', '.join(KINDS)}")
    build, fps = KINDS[kind]
    if not query:
        return build(), fps
    key, _, number = query.partition("=")
    if key != "seed" or not number.isdecimal():
        raise SourceError(f"scene {name!r}: only ?seed=NUMBER can follow the name")
    return build(seed=int(number)), fps


class SceneSource:
    """Plays a scene in its own time."""

    def __init__(
        self,
        settings: SourceSettings,
        tell: Tell,
        canvas: Canvas,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._canvas = canvas
        self._now = now
        self._sleep = sleep

    def frames(self) -> Iterator[Frame]:
        """Frames until the scene to be played once has ended."""
        cv2.setNumThreads(1)
        name = self._settings.source.removeprefix("scene:")
        drawn, fps = scene(name)
        title = f"CAM {self._settings.stream}"
        frozen: tuple[float, datetime] | None = None
        wall, begun = self._now(), time.monotonic()
        self._tell(CameraState.ONLINE, "")
        number = 0
        while self._settings.loop or number / fps < drawn.period_s:
            late_s = time.monotonic() - begun - number / fps
            if late_s > CATCH_UP_S:
                number += int(late_s * fps)
                continue
            if late_s < 0.0:
                self._sleep(-late_s)
            at = wall + timedelta(seconds=number / fps)
            t = (number / fps) % drawn.period_s
            canvas = self._canvas(HEIGHT, WIDTH)
            if canvas is not None:
                drawn.draw(t, canvas)
                # a frozen camera's clock stands still in its picture
                moment = drawn.shown(t) if isinstance(drawn, Freeze) else t
                frozen = frozen if frozen is not None and frozen[0] == moment else (moment, at)
                stamp(canvas, frozen[1], title)
                yield Frame(canvas, at, self._settings.stream, number)
            number += 1
        self._tell(CameraState.ENDED, "played to its end")
