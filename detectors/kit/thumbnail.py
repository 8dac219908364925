"""A small copy of a picture: detectors look at shapes, not at pixels, and 4K costs as 720p does."""

from __future__ import annotations

import cv2

from detectors.kit.types import Image

LONG_SIDE = 320  # pixels; 320 x 180 for 16:9, a car 60 m away is still 10 pixels wide


def thumbnail(image: Image, long_side: int = LONG_SIDE) -> Image:
    """The picture scaled so that its longer side is at most `long_side`; never enlarged.

    Halves by 2 x 2 means first, which costs less than areas in one step. A new array, or the
    picture itself where it is small enough: not to be written to.
    """
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1.0:
        return image
    target = max(1, round(width * scale)), max(1, round(height * scale))
    while min(width // 2, height // 2) >= 1 and max(width, height) >= 2 * long_side:
        width, height = width // 2, height // 2
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    if (width, height) == target:
        return image
    return cv2.resize(image, target, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
