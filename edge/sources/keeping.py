"""Small pictures of a stream for the clips that follow an alarm. Runs in the decoding process."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from detectors.kit.sampling import Sampling
from detectors.kit.types import Frame, Image
from edge.privacy import Polygon, paint
from edge.sources import wire

LINES = 360
QUALITIES = (75, 55, 35)
SIZE = 40_000  # bytes; a larger picture is encoded more coarsely


class Keeper:
    """Picks frames at a steady pace and makes small JPEGs of them, private parts painted over."""

    def __init__(self, fps: float, privacy: Sequence[Polygon]) -> None:
        """fps: pictures a second of the stream's time; 0: none."""
        self._sampling = Sampling(fps)
        self._on = fps > 0.0
        self._privacy = privacy

    def look(self, frame: Frame) -> bytes | None:
        """The picture of this frame, where one is due."""
        if not self._on or not self._sampling.is_due(frame.captured_at):
            return None
        self._sampling.looked(frame.captured_at)
        image = small(frame.image)
        paint(image, self._privacy)
        jpeg = b""
        for quality in QUALITIES:
            done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
            jpeg = data.tobytes() if done else b""
            if len(jpeg) <= SIZE:
                break
        return jpeg if 0 < len(jpeg) <= wire.KEPT else None


def small(image: Image) -> Image:
    """A copy with at most LINES lines, width and height even as video wants them."""
    height, width = image.shape[:2]
    scale = min(1.0, LINES / height)
    size = max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
