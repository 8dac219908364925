"""How a detector shows regions of its thumbnails to the verifier, now and a moment before."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from detectors.kit.region import crop, look_of
from detectors.kit.region_track import Spot
from detectors.kit.types import Frame, Image
from detectors.kit.verifier import Verdict, Verifier

AROUND = 1.3  # side of a crop that shows a region and what is beside it, in its lengths
BEFORE_S = 0.8  # s; from how far back the change in time is measured, at most
LOOKS = 9  # pictures kept for that


class Eye:
    """The latest pictures of one camera at the size of crops, and the verifier that judges them."""

    def __init__(self) -> None:
        self._looks: deque[tuple[datetime, Image]] = deque(maxlen=LOOKS)
        self._verifier = Verifier()

    def reset(self) -> None:
        """Forget every picture."""
        self._looks.clear()

    def see(self, frame: Frame) -> None:
        """Keep a picture of the camera, once; those of another size before it are forgotten."""
        look, at = frame.once(look_of), frame.captured_at
        if self._looks and self._looks[-1][0] == at:
            return
        if self._looks and self._looks[-1][1].shape != look.shape:
            self._looks.clear()
        while self._looks and (at - self._looks[0][0]).total_seconds() > BEFORE_S:
            self._looks.popleft()
        self._looks.append((at, look))

    def judge(self, spot: Spot, width: int, mirrored: bool = False) -> Verdict:
        """What the region of the latest picture shows. width: of the thumbnail it lies in.

        mirrored: left and right exchanged, which is another look at the same thing.

        Raises IndexError before the first picture.
        """
        look = self._looks[-1][1]
        before = self._looks[0][1] if len(self._looks) > 1 else None
        scale = look.shape[1] / width
        middle = (spot.x + spot.w / 2.0) * scale, (spot.y + spot.h / 2.0) * scale
        shown = crop(look, before, middle, AROUND * max(spot.w, spot.h) * scale)
        return self._verifier.judge([shown[:, ::-1] if mirrored else shown])[0]
