"""What a photo tells beside its picture is taken out: place, owner, device, thumbnails, comments.

Lossless: the coded picture is copied as it is. Anything that is not known to be needed to show the
picture goes, and so does everything after its end, where telephones hide second pictures and films
with a position of their own.
"""

from __future__ import annotations

import struct
import zlib

_PNG = b"\x89PNG\r\n\x1a\n"
# what is needed to show a PNG (https://www.w3.org/TR/png-3/ section 11)
_PNG_KEPT = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT")
)
_WEBP_KEPT = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_WEBP_TELLS = 0x08 | 0x04  # flags of VP8X: has Exif, has XMP
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_RST = range(0xD0, 0xD8)
_APP = range(0xE0, 0xF0)
_COM = 0xFE
# JFIF; colour profile; Adobe's note on the colour transform, without which CMYK looks wrong
_APP_KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}


class PhotoError(ValueError):
    """The bytes are no whole photo of the kind they seem to be."""


def strip_jpeg(data: bytes, exif: bytes = b"") -> bytes:
    """The JPEG without metadata, with `exif` (beginning `Exif\\0\\0`) in its place if any.

    Raises PhotoError.
    """
    if data[:2] != b"\xff\xd8":
        raise PhotoError("it does not begin as a JPEG does")
    head = bytearray(data[:2])
    if exif:
        head += b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    body, at, scanned = bytearray(), 2, False
    while True:
        marker, at = _marker(data, at)
        if marker == _EOI:
            if not scanned:
                raise PhotoError("the JPEG has no picture")
            return bytes(head + body + b"\xff\xd9")
        if marker in _RST or marker in (_TEM, _SOI):
            raise PhotoError(f"the JPEG has a marker {marker:#x} out of place")
        (length,) = struct.unpack(">H", _part(data, at, 2))
        segment = _part(data, at, length)
        if length < 2:
            raise PhotoError("the JPEG has a segment without a length")
        at += length
        if not _is_told(marker, segment[2:]):
            body += bytes((0xFF, marker)) + segment
        if marker == _SOS:
            scanned = True
            end = _scan_end(data, at)
            body += data[at:end]
            at = end


def strip_png(data: bytes) -> bytes:
    """The PNG without metadata. Raises PhotoError."""
    if not data.startswith(_PNG):
        raise PhotoError("it does not begin as a PNG does")
    out, at = bytearray(_PNG), len(_PNG)
    while True:
        length, kind = struct.unpack(">I4s", _part(data, at, 8))
        chunk = _part(data, at, 12 + length)
        if zlib.crc32(chunk[4:-4]) != struct.unpack(">I", chunk[-4:])[0]:
            raise PhotoError("a part of the PNG is damaged")
        if kind in _PNG_KEPT:
            out += chunk
        at += len(chunk)
        if kind == b"IEND":
            return bytes(out)


def strip_webp(data: bytes) -> bytes:
    """The WebP without metadata. Raises PhotoError."""
    riff, size, webp = struct.unpack("<4sI4s", _part(data, 0, 12))
    if riff != b"RIFF" or webp != b"WEBP":
        raise PhotoError("it does not begin as a WebP does")
    out, at, end = bytearray(), 12, 8 + size
    _part(data, 0, end)  # all of it is here
    while at < end:
        kind, length = struct.unpack("<4sI", _part(data, at, 8))
        chunk = bytearray(_part(data, at, 8 + length + length % 2))
        at += len(chunk)
        if kind == b"VP8X":
            if length < 10:
                raise PhotoError("the WebP's head is too short")
            chunk[8] &= ~_WEBP_TELLS & 0xFF
        if kind in _WEBP_KEPT:
            out += chunk
    if not out:
        raise PhotoError("the WebP has no picture")
    return struct.pack("<4sI4s", b"RIFF", 4 + len(out), b"WEBP") + bytes(out)


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at `at`, which may have fill bytes before it, and where it ends."""
    if _part(data, at, 1) != b"\xff":
        raise PhotoError("the JPEG is damaged: a marker is missing")
    while _part(data, at, 1) == b"\xff":
        at += 1
    return data[at], at + 1


def _is_told(marker: int, content: bytes) -> bool:
    """Whether a segment tells something that is not needed to show the picture."""
    if marker == _COM:
        return True
    if marker not in _APP:
        return False
    kept = _APP_KEPT.get(marker)
    return kept is None or not content.startswith(kept)


def _scan_end(data: bytes, at: int) -> int:
    """Where the coded data that begins at `at` ends: at a marker that belongs to the file."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise PhotoError("the JPEG ends within its picture")
        follows = data[at + 1]
        if follows == 0xFF:
            at += 1  # a fill byte
        elif follows == 0x00 or follows in _RST:
            at += 2
        else:
            return at


def _part(data: bytes, at: int, length: int) -> bytes:
    part = data[at : at + length]
    if len(part) != length:
        raise PhotoError("it ends too soon: it was not sent whole")
    return part
