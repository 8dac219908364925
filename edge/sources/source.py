"""The seam of picture sources: files, cameras, webcams, rendered scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from contract.taxonomy import CameraState
from detectors.kit.types import Frame, Image

Tell = Callable[[CameraState, str], None]  # the state of the source, and a word on why
Canvas = Callable[[int, int], Image | None]
# (height, width) -> where to put the next picture; None: nobody has room, leave this one out


class FrameSource(Protocol):
    """Gives the frames of one stream in their time. Iterated by one thread, once.

    It reconnects by itself: a lost camera is a state that it tells, not an exception. The
    iteration ends only where a file or scene was to be played once.
    """

    def frames(self) -> Iterator[Frame]:
        """Frames, `captured_at` never going back, `number` counting those left out too."""


def own_canvas(height: int, width: int) -> Image:
    """A picture of its own for each frame."""
    return np.empty((height, width, 3), np.uint8)
