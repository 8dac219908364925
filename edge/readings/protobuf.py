"""The protobuf wire format, as much as Sparkplug B needs: fields by number, nothing generated.

Encoding: protobuf.dev/programming-guides/encoding. The two messages that Sparkplug sends have some
twenty fields; the protobuf runtime with generated code would add a dependency of 1 MB for them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5

_DOUBLE = struct.Struct("<d")
_FLOAT = struct.Struct("<f")
_MAX_VARINT = 10  # bytes: 64 bits in groups of seven


class WireError(ValueError):
    """The bytes are not a protobuf message."""


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """(field number, wire type, value) of a message in order; raises WireError.

    value: an integer for a varint, else the raw bytes (8, 4, or as long as it says).
    """
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise WireError(f"field number 0 at byte {at}")
        value: int | bytes
        if kind == VARINT:
            value, at = _varint(data, at)
        else:
            if kind == LENGTH:
                size, at = _varint(data, at)
            elif kind == FIXED64:
                size = 8
            elif kind == FIXED32:
                size = 4
            else:
                raise WireError(f"wire type {kind} of field {number} is not in use")
            if size > end - at:
                raise WireError(f"field {number} says {size} bytes, {end - at} are left")
            value = data[at : at + size]
            at += size
        yield number, kind, value


def double(raw: bytes) -> float:
    """The number in 8 bytes."""
    return float(_DOUBLE.unpack(raw)[0])


def single(raw: bytes) -> float:
    """The number in 4 bytes."""
    return float(_FLOAT.unpack(raw)[0])


def signed(value: int, bits: int) -> int:
    """`value` read as a two's complement of so many bits."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def put_varint(number: int, value: int) -> bytes:
    """Field `number` holding an unsigned integer or a truth value."""
    return _put(number << 3 | VARINT) + _put(value)


def put_bytes(number: int, value: bytes) -> bytes:
    """Field `number` holding bytes, text in UTF-8 or a message."""
    return _put(number << 3 | LENGTH) + _put(len(value)) + value


def _put(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(_MAX_VARINT):
        if at >= len(data):
            raise WireError("the message ends within a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * k)
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise WireError(f"a number of more than {_MAX_VARINT} bytes before byte {at}")
