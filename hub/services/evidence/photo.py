"""A photo that somebody hands in, looked at before it is kept: what it is, and what it tells.

Only its head is decoded, never its picture.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError
from PIL.Image import DecompressionBombError

from hub.domain.errors import InvalidError
from hub.domain.photo_metadata import PhotoError, strip_jpeg, strip_png, strip_webp

MAX_PIXELS = 80_000_000  # a camera of 64 megapixels and some
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
# what Pillow raises at a damaged head
_DAMAGED = (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, struct.error)
_ORIENTATION, _EXIF_IFD, _TAKEN = 0x0112, 0x8769, 0x9003  # Exif 2.32, tags


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it may be kept: without place, owner and device."""

    data: bytes
    media_type: str
    width: int
    height: int


def looked_at(data: bytes) -> Photo:
    """The photo these bytes are, whatever the sender called them.

    Which way is up, and when it was taken, stay. Raises InvalidError where it is no whole JPEG,
    PNG or WebP, or too large a picture.
    """
    try:
        with Image.open(io.BytesIO(data), formats=list(_TYPES)) as image:
            kind, (width, height) = str(image.format), image.size
            exif = _needed(image) if kind == "JPEG" else b""
    except DecompressionBombError:
        raise _too_large() from None
    except UnidentifiedImageError:
        raise InvalidError(
            "this is no photo: JPEG, PNG and WebP are taken", field="photo"
        ) from None
    except _DAMAGED as e:
        raise InvalidError(f"the photo cannot be read: {e}", field="photo") from None
    if width * height > MAX_PIXELS:
        raise _too_large()
    try:
        match kind:
            case "JPEG":
                clean = strip_jpeg(data, exif)
            case "PNG":
                clean = strip_png(data)
            case _:
                clean = strip_webp(data)
    except PhotoError as e:
        raise InvalidError(f"the photo cannot be read: {e}", field="photo") from None
    return Photo(clean, _TYPES[kind], width, height)


def _needed(image: Image.Image) -> bytes:
    """What of the Exif data stays: which way is up, and when it was taken."""
    told, kept = image.getexif(), Image.Exif()
    orientation = told.get(_ORIENTATION)
    if isinstance(orientation, int) and 2 <= orientation <= 8:
        kept[_ORIENTATION] = orientation
    taken = told.get_ifd(_EXIF_IFD).get(_TAKEN)
    if isinstance(taken, str) and len(taken) <= 20 and taken.isascii():
        kept.get_ifd(_EXIF_IFD)[_TAKEN] = taken
    return kept.tobytes() if len(kept) or taken else b""


def _too_large() -> InvalidError:
    return InvalidError(
        f"the picture has more than {MAX_PIXELS // 1_000_000} megapixels: send a smaller one",
        field="photo",
    )
