"""Sparkplug B payloads: metrics with their values, out of bytes and, for a command, into bytes.

Field numbers and data types: Eclipse Sparkplug 3.0 specification, chapter 6 ("Payloads").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from edge.readings import protobuf
from edge.readings.adapter import AdapterError, number
from edge.readings.protobuf import FIXED32, FIXED64, LENGTH, VARINT

BOOLEAN = 11
_INTEGER_BITS = {1: 8, 2: 16, 3: 32, 4: 64}  # Int8 .. Int64 travel as two's complement
_NUMERIC = frozenset(range(1, 12))  # Int8 .. UInt64, Float, Double, Boolean
_MAX_METRICS = 5000


@dataclass(frozen=True, slots=True)
class SparkplugMetric:
    """One metric as it was sent; what a data message leaves out is 0, "" or None."""

    name: str = ""
    alias: int | None = None
    timestamp_ms: int | None = None
    datatype: int = 0
    is_null: bool = False
    unit: str = ""  # property engUnit
    raw: int | float | bool | None = None  # None: text, a data set, or nothing

    def value(self, datatype: int) -> float | None:
        """The number it carries when it is of `datatype`, None where it carries none."""
        if self.is_null or datatype not in _NUMERIC or self.raw is None:
            return None
        bits = _INTEGER_BITS.get(datatype)
        if bits is not None and isinstance(self.raw, int):
            return float(protobuf.signed(self.raw, bits))
        return number(self.raw)


@dataclass(frozen=True, slots=True)
class SparkplugPayload:
    """A whole message."""

    timestamp_ms: int | None
    metrics: tuple[SparkplugMetric, ...]
    seq: int | None


def read_payload(data: bytes) -> SparkplugPayload:
    """The payload in `data`; raises AdapterError saying what is wrong."""
    timestamp = seq = None
    metrics: list[SparkplugMetric] = []
    try:
        for field, kind, value in protobuf.fields(data):
            if field == 1 and kind == VARINT and isinstance(value, int):
                timestamp = value
            elif field == 2 and kind == LENGTH and isinstance(value, bytes):
                metrics.append(_metric(value))
                if len(metrics) > _MAX_METRICS:
                    raise AdapterError(f"more than {_MAX_METRICS} metrics in one message")
            elif field == 3 and kind == VARINT and isinstance(value, int):
                seq = value
    except (protobuf.WireError, UnicodeDecodeError) as e:
        raise AdapterError(f"payload is not Sparkplug B: {e}") from None
    return SparkplugPayload(timestamp, tuple(metrics), seq)


def rebirth_command(at: datetime) -> bytes:
    """The payload of an NCMD that asks an edge node for its births again."""
    ms = int(at.timestamp() * 1000)
    metric = (
        protobuf.put_bytes(1, b"Node Control/Rebirth")
        + protobuf.put_varint(3, ms)
        + protobuf.put_varint(4, BOOLEAN)
        + protobuf.put_varint(14, 1)
    )
    return protobuf.put_varint(1, ms) + protobuf.put_bytes(2, metric)


_VALUES: dict[tuple[int, int], Callable[[int | bytes], int | float | bool]] = {
    (10, VARINT): int,
    (11, VARINT): int,
    (12, FIXED32): lambda raw: protobuf.single(bytes(raw)),
    (13, FIXED64): lambda raw: protobuf.double(bytes(raw)),
    (14, VARINT): bool,
}


def _metric(data: bytes) -> SparkplugMetric:
    name, unit = "", ""
    alias = timestamp = None
    datatype, is_null = 0, False
    raw: int | float | bool | None = None
    for field, kind, value in protobuf.fields(data):
        if field == 1 and isinstance(value, bytes):
            name = value.decode()
        elif kind == VARINT and isinstance(value, int) and field in (2, 3, 4, 7):
            if field == 2:
                alias = value
            elif field == 3:
                timestamp = value
            elif field == 4:
                datatype = value
            else:
                is_null = bool(value)
        elif field == 9 and isinstance(value, bytes):
            unit = _property(value, "engUnit")
        elif (field, kind) in _VALUES:
            raw = _VALUES[field, kind](value)
    return SparkplugMetric(name, alias, timestamp, datatype, is_null, unit, raw)


def _property(data: bytes, wanted: str) -> str:
    """The text of one property of a property set, "" where it is not there."""
    keys: list[str] = []
    values: list[str] = []
    for field, kind, value in protobuf.fields(data):
        if kind != LENGTH or not isinstance(value, bytes):
            continue
        if field == 1:
            keys.append(value.decode())
        elif field == 2:
            texts = [
                v for f, k, v in protobuf.fields(value) if f == 8 and k == LENGTH
            ]  # string_value
            values.append(
                bytes(texts[-1]).decode() if texts and isinstance(texts[-1], bytes) else ""
            )
    return dict(zip(keys, values, strict=False)).get(wanted, "")
