"""What goes into a detector and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from contract.geometry import Box

if TYPE_CHECKING:
    from detectors.kit.steadying import Steadied

A = TypeVar("A")
Image = NDArray[np.uint8]
Plane = NDArray[np.float32]  # (height, width), one value a pixel


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a stream. Nobody writes to `image`.

    image: (height, width, 3) uint8, BGR. captured_at: aware UTC, from the stream's clock; it
    never goes back within a stream. number: from 0, counts every frame the source gave,
    the dropped ones too. steadied: where whoever feeds the detectors steadied it for all of them.
    """

    image: Image
    captured_at: datetime
    stream: str
    number: int
    steadied: Steadied | None = None
    _made: dict[tuple[Callable[[Image], Any], Callable[[Image], Image] | None], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def once(self, make: Callable[[Image], A], of: Callable[[Image], Image] | None = None) -> A:
        """`make(image)`, made once for all detectors of the stream. Nobody writes to it either.

        of: what `make` is given in place of the image, itself made once.
        """
        found: A | None = self._made.get((make, of))
        if found is None:
            found = make(self.image if of is None else self.once(of))
            self._made[make, of] = found
        return found

    def standing(self, steadied: Steadied) -> Frame:
        """The same frame, steadied, with all that was made of it."""
        frame = replace(self, steadied=steadied)
        frame._made.update(self._made)
        return frame

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.image.shape[1])


@dataclass(frozen=True, slots=True)
class Observation:
    """What a detector thinks of one frame: a score, no decision taken.

    A detector gives one observation per subject (label, place) for every frame it scored, a
    score of 0 included, so that the series of scores is complete.
    """

    label: str
    score: float  # 0..1, higher is more certain
    box: Box | None = None
    place: str = ""  # zone or line the subject is in, "" for the whole picture
    features: dict[str, float] = field(default_factory=dict)  # what the score was made of


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value a detector measured, complete in itself: one crossing, one level."""

    metric: str  # "vehicle_crossing"
    value: float
    unit: str = "1"  # UCUM
    label: str = ""  # direction and the like
    place: str = ""


Finding = Observation | Measurement
