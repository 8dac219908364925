"""What shows a detection: a still with the box drawn, a clip; cut into chunks for the spool.

What must never be seen outside (`edge/privacy.py`) is painted over here for stills, and in
`edge/sources/keeping.py` for the frames of clips: always before encoding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np

from contract.envelope import MAX_CHUNK, encode_record
from contract.fields import EvidenceRole
from contract.geometry import Box
from contract.messages import EvidenceChunk, EvidenceRef
from contract.taxonomy import Lane
from detectors.kit.types import Frame, Image
from edge.errors import SourceError
from edge.privacy import Polygon, paint
from edge.spool import Entry

LONG_SIDE = 1280  # pixels
SIZE = 120_000  # bytes; a larger picture is encoded more coarsely
QUALITIES = (85, 75, 62, 48, 35)
STILL, CLIP = "image/jpeg", "video/webm"
FRAME, DARK, LIGHT = (40, 60, 255), (20, 20, 20), (255, 255, 255)  # blue, green, red


@dataclass(frozen=True, slots=True)
class Evidence:
    """A picture or clip ready to travel."""

    data: bytes
    media_type: str
    captured_at: datetime  # of a clip: of its first frame
    stream: str
    role: EvidenceRole = "box"
    episodes: tuple[str, ...] = ()  # that it shows, where their detections could not say so

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes: its name."""
        return hashlib.sha256(self.data).hexdigest()

    def reference(self) -> EvidenceRef:
        """What a detection says of it."""
        return EvidenceRef(
            digest=self.digest,
            media_type=self.media_type,
            size=len(self.data),
            captured_at=self.captured_at,
            role=self.role,
        )

    def entries(self) -> Iterator[Entry]:
        """Its chunks, for the evidence lane; the first one names the episodes."""
        digest = self.digest
        for offset in range(0, len(self.data), MAX_CHUNK):
            header = EvidenceChunk(
                digest=digest,
                media_type=self.media_type,
                offset=offset,
                total=len(self.data),
                captured_at=self.captured_at,
                stream=self.stream,
                role=self.role,
                episodes=list(self.episodes) if offset == 0 else [],
            )
            payload = self.data[offset : offset + MAX_CHUNK]
            yield Entry(Lane.EVIDENCE, encode_record(header), self.captured_at, payload)


def take_picture(
    frame: Frame,
    box: Box | None,
    caption: str,
    privacy: Sequence[Polygon] = (),
    role: EvidenceRole = "box",
    episodes: tuple[str, ...] = (),
) -> Evidence:
    """The frame, painted over where it is private, with the box and an ASCII caption drawn.

    episodes: that it shows, where no detection names it.
    """
    image = _scaled(frame.image)
    paint(image, privacy)
    _draw(image, box, caption)
    return Evidence(_encode(image), STILL, frame.captured_at, frame.stream, role, episodes)


def _scaled(image: Image) -> Image:
    """A copy, its longer side at most LONG_SIDE."""
    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    if scale >= 1.0:
        return image.copy()
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _draw(image: Image, box: Box | None, caption: str) -> None:
    height, width = image.shape[:2]
    line = max(2, round(max(height, width) / 400))
    size = max(height, width) / 1280 + 0.15
    (text_w, text_h), below = cv2.getTextSize(caption, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    x, y, w, h = (0, 0, width, height) if box is None else box.to_pixels(width, height)
    if box is not None:
        for colour, thickness in ((DARK, line + 2), (FRAME, line)):
            cv2.rectangle(image, (x, y), (x + w, y + h), colour, thickness)
    bar = text_h + below + 6
    left = min(max(0, x), max(0, width - text_w - 8))
    top = y - bar if y >= bar else min(y + h, height - bar)
    if box is None:
        top = 0
    cv2.rectangle(image, (left, top), (left + text_w + 8, top + bar), FRAME, -1)
    at = (left + 4, top + text_h + 3)
    cv2.putText(image, caption, at, cv2.FONT_HERSHEY_SIMPLEX, size, LIGHT, 1, cv2.LINE_AA)


def _encode(image: Image) -> bytes:
    jpeg = b""
    for quality in QUALITIES:
        done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise SourceError(f"a picture of {image.shape} cannot be encoded as JPEG")
        jpeg = data.tobytes()
        if len(jpeg) <= SIZE:
            break
    return jpeg
