"""Camera shake taken out, and a camera that turns away told: by phase correlation.

A picture is compared with the view as it was learnt (Kuglin and Hines, 1975; OpenCV's
`phaseCorrelate`). A small shift is a mast that sways: the picture is moved back. A large one is a
camera that somebody turns: until it rests nothing can be said, and what was learnt of the old view
is void. A shift counts only where it makes the pictures more alike: a lorry moves as well.

Whoever feeds several detectors steadies each picture once for all of them (`kit/beat.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, TypeVar, runtime_checkable

import cv2
import numpy as np

from detectors.kit.median import median
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Frame, Image, Plane

A = TypeVar("A")

LONG_SIDE = 128  # pixels of the copy that is compared; a shift is found to about a tenth of one
DEAD = 0.15  # of such a pixel: less is noise, and moving pictures about costs sharpness
SAME = 0.4  # of such a pixel: a view that lies further off is another one after a restart
REACH = 0.04  # of the longer side: a mast sways less
SEEN = 0.3  # response of the correlation below which it found nothing
BETTER = 0.85  # a shift that leaves more of the difference than this explains nothing
CLIP = 24.0  # 0..255: what differs more is a thing that moved, and no more different than that
SWAYS = 2.0  # pixels of the copy from where it came to rest: more, and it turns on
REST_S = 1.0  # s without motion after which a turned camera has come to rest
FOLLOW_S = 60.0  # s, time constant at which the learnt view follows the light
MAX_GAP_S = 5.0  # s without a picture after which the view is learnt anew
LOST_S = 2.0  # s in which nothing of the view is found: it is taken anew
SURE_S = 0.25  # s for which every picture must show a turn: less may be a lorry before the lens


@dataclass(frozen=True, slots=True)
class Steadied:
    """One picture's thumbnail, put where the learnt view is."""

    small: Image  # the thumbnail as it came
    turning: bool  # the camera moves: the picture says nothing of the scene
    view: int  # which view it shows: with another number all that was learnt is void
    shift: tuple[float, float] = (0.0, 0.0)  # pixels of it to the right and down, taken out
    _made: dict[Callable[..., Any], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def image(self) -> Image:
        """Itself where it need not be moved. Nobody writes to it."""
        if not any(self.shift):
            return self.small
        found: Image | None = self._made.get(moved)
        if found is None:
            found = self._made[moved] = moved(self.small, -self.shift[0], -self.shift[1])
        return found

    def once(self, make: Callable[[Image], A]) -> A:
        """`make(image)`, made once for all detectors. Nobody writes to it either."""
        found: A | None = self._made.get(make)
        if found is None:
            found = self._made[make] = make(self.image)
        return found


@runtime_checkable
class StandsOnView(Protocol):
    """A detector that looks at steadied pictures: it is shown those on the stream's beat."""

    stands_on_view: ClassVar[Literal[True]]


class Steadying:
    """The view of one camera. Feed it pictures in order."""

    def __init__(self) -> None:
        self._number = 0
        self.reset()

    def reset(self) -> None:
        """Forget the view."""
        self._view: Plane | None = None
        self._window: Plane | None = None
        self._at: datetime | None = None
        self._far_since: datetime | None = None  # from when on all lie far from the view
        self._still_since: datetime | None = None
        self._lost_since: datetime | None = None
        self._turning = False
        self._rest: Plane | None = None  # where a turning camera was when it last came to rest
        self._held = (0.0, 0.0)  # where the view lay last, pixels of the copy

    def of(self, frame: Frame) -> Steadied:
        """This picture steadied: as the stream did it, where it did."""
        return self.step(frame) if frame.steadied is None else frame.steadied

    def step(self, frame: Frame) -> Steadied:
        """This picture's thumbnail, moved back by what the camera shook."""
        image, small, at = frame.once(thumbnail), frame.once(coarse, thumbnail), frame.captured_at
        gap_s = (at - self._at).total_seconds() if self._at is not None else 0.0
        self._at = at
        if (
            self._view is None
            or self._view.shape != small.shape
            or min(small.shape) < 8
            or not 0.0 <= gap_s <= MAX_GAP_S
        ):
            self._begin(small)
            return Steadied(image, turning=False, view=self._number)
        if self._turning:
            return Steadied(image, turning=self._settle(small, at), view=self._number)
        found = self._compare(self._view, small)
        if found is None:
            return self._steady(image, small, self._held, gap_s)
        x, y, response = found
        if response < SEEN:  # a flash, a cut or darkness: whoever learns the scene sees to it
            self._lost(small, at)
            return self._steady(image, small, self._held, 0.0)
        self._lost_since = None
        if math.hypot(x, y) > REACH * max(small.shape):
            self._turn(small, at)
            return Steadied(image, turning=True, view=self._number)
        self._far_since = None
        self._held = x, y
        return self._steady(image, small, self._held, gap_s)

    def _turn(self, small: Plane, at: datetime) -> None:
        """The picture lies far from the view: after a while of them the camera turns."""
        self._far_since = self._far_since or at
        if (at - self._far_since).total_seconds() >= SURE_S:
            self._turning, self._still_since, self._rest = True, None, small

    def _begin(self, small: Plane) -> None:
        self._view = small.copy()  # the picture is others' too
        rows, columns = small.shape
        self._window = None
        if min(rows, columns) >= 8:
            self._window = np.asarray(cv2.createHanningWindow((columns, rows), cv2.CV_32F))
        self._turning, self._held, self._rest = False, (0.0, 0.0), None
        self._far_since, self._still_since, self._lost_since = None, None, None

    def _lost(self, small: Plane, at: datetime) -> None:
        """Nothing of the view is found: after a while there is another view."""
        if self._lost_since is None:
            self._lost_since = at
        elif (at - self._lost_since).total_seconds() >= LOST_S:
            self._begin(small)

    def _compare(self, before: Plane, now: Plane) -> tuple[float, float, float] | None:
        """(right, down, response): where `now` lies against `before`, pixels of the copy.

        None: a shift was found that does not make them more alike.
        """
        if _is_blank(before) or _is_blank(now):
            return 0.0, 0.0, 0.0  # a blank picture lies nowhere
        assert self._window is not None
        # given the window, OpenCV would multiply it into the planes themselves
        (x, y), response = cv2.phaseCorrelate(before * self._window, now * self._window)
        if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(response)):
            return 0.0, 0.0, 0.0
        if response >= SEEN and math.hypot(x, y) >= DEAD and not _explains(before, now, x, y):
            return None  # a lorry that drives through, or a pattern that repeats
        return x, y, response

    def _steady(
        self, image: Image, small: Plane, shift: tuple[float, float], gap_s: float
    ) -> Steadied:
        assert self._view is not None
        if math.hypot(*shift) < DEAD:
            cv2.accumulateWeighted(small, self._view, 1.0 - math.exp(-gap_s / FOLLOW_S))
            return Steadied(image, turning=False, view=self._number)
        scale = image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]
        way = shift[0] * scale[0], shift[1] * scale[1]
        return Steadied(image, turning=False, view=self._number, shift=way)

    def _settle(self, small: Plane, at: datetime) -> bool:
        """Whether it still turns: until it stays where it is, but for what a mast sways."""
        assert self._rest is not None
        x, y, response = self._compare(self._rest, small) or (0.0, 0.0, 0.0)
        found = response >= SEEN
        if self._still_since is None or (found and math.hypot(x, y) > SWAYS):
            self._rest, self._still_since = small, at
        elif (at - self._still_since).total_seconds() >= REST_S:
            self._begin(small)
            self._number += 1
            return False
        elif not found:
            self._rest = small
        return True


def same_view(before: cv2.typing.MatLike, now: cv2.typing.MatLike) -> bool:
    """Whether two pictures of luma, of one size, surely show one view from one place."""
    one, two = _shrunk(before), _shrunk(now)
    if min(one.shape) < 8 or _is_blank(one) or _is_blank(two):
        return False
    rows, columns = one.shape
    window: Plane = np.asarray(cv2.createHanningWindow((columns, rows), cv2.CV_32F), np.float32)
    (x, y), response = cv2.phaseCorrelate(one * window, two * window)
    return bool(response >= SEEN and math.hypot(x, y) <= SAME)


def _is_blank(plane: Plane) -> bool:
    """Whether there is nothing in it that could be found elsewhere."""
    _, deviation = cv2.meanStdDev(plane)
    return bool(deviation[0, 0] < 1.0)


def _explains(before: Plane, now: Plane, right: float, down: float) -> bool:
    """Whether the pictures are more alike once the shift is taken out than before, and than once
    the same is put on top: both of these are smoothed alike.
    """
    height, width = before.shape
    aside, above = math.ceil(abs(right)), math.ceil(abs(down))
    if 2 * aside >= width or 2 * above >= height:
        return False
    inner = np.s_[above : height - above, aside : width - aside]
    out = _difference(before[inner], _shifted(now, -right, -down)[inner])
    again = _difference(before[inner], _shifted(now, right, down)[inner])
    return out < BETTER * again and out < _difference(before[inner], now[inner])


def _shifted(plane: Plane, right: float, down: float) -> Plane:
    """Between pixels linear; what came in at the edge repeats it."""
    height, width = plane.shape
    middle = (width - 1) / 2.0 - right, (height - 1) / 2.0 - down
    return np.asarray(cv2.getRectSubPix(plane, (width, height), middle), np.float32)


def moved(picture: Image, right: float, down: float) -> Image:
    """The same for a whole picture, to the nearest of 0..255: two weighted sums, one for each way,
    cost less than half of a general warp.
    """
    height, width = picture.shape[:2]
    aside, above = math.floor(right), math.floor(down)
    left, top = abs(aside) + 1, abs(above) + 1
    wide = cv2.copyMakeBorder(picture, top, top, left, left, cv2.BORDER_REPLICATE)
    first, share = left - aside, right - aside
    near, far = wide[:, first : first + width], wide[:, first - 1 : first - 1 + width]
    across = cv2.addWeighted(near, 1.0 - share, far, share, 0.0)
    first, share = top - above, down - above
    near, far = across[first : first + height], across[first - 1 : first - 1 + height]
    return np.asarray(cv2.addWeighted(near, 1.0 - share, far, share, 0.0), np.uint8)


def _difference(one: Plane, other: Plane) -> float:
    off = one - other
    off -= np.float32(median(off[::4, ::4]))  # light
    np.minimum(np.abs(off, out=off), np.float32(CLIP), out=off)
    return float(off.mean())


def coarse(image: Image) -> Plane:
    """The copy of a picture that is compared: luma, `LONG_SIDE` pixels long at most."""
    return _shrunk(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def _shrunk(grey: cv2.typing.MatLike) -> Plane:
    height, width = grey.shape[:2]
    scale = min(1.0, LONG_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
