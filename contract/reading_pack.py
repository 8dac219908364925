"""A message of readings read at once: the quick way for what is in order.

`PackReader` says None to anything it is not sure of: what is refused, and why, is for
`read_identity` and `read_record` to say. What it does read, they would have read the same, but for
a key that stands twice: here its last word counts, there every one has to be in order.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Annotated, NamedTuple

import msgspec

from contract.envelope import MAX_MESSAGE, MAX_RECORDS, TYPE_PREFIX, TYPE_SUFFIX, Identity
from contract.fields import EARLIEST, LARGEST, LATEST, At
from contract.messages import Reading
from contract.taxonomy import Lane
from contract.topics import check_name

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's: its times are microseconds since then
MAX_KNOWN = 50_000  # series whose names were checked; beyond that they are checked anew

_TYPE = f"{TYPE_PREFIX}{Lane.READING}{TYPE_SUFFIX}"
_SEQ = re.compile(r"[1-9][0-9]{0,17}")


class Series(NamedTuple):
    """What a value is one of."""

    agent: str
    device: str
    metric: str
    label: str
    place: str
    unit: str


Names = tuple[str, str, str, str, str]  # those of a series but the agent


class ReadingPack(NamedTuple):
    """The readings of one message as columns, in the order of their sequence numbers."""

    identity: Identity
    series: list[Series]
    captured_us: list[int]  # since EPOCH
    values: list[float]

    def readings(self) -> list[Reading]:
        """The same as records."""
        return [
            Reading(
                device=of.device,
                metric=of.metric,
                value=value,
                unit=of.unit,
                captured_at=EPOCH + timedelta(microseconds=at),
                place=of.place,
                label=of.label,
            )
            for of, at, value in zip(self.series, self.captured_us, self.values, strict=True)
        ]


class _Plain(msgspec.Struct, gc=False):
    """The fields of a `Reading`, types checked, names and ranges not."""

    device: str
    metric: str
    value: float
    captured_at: At
    unit: str = "1"
    place: str = ""
    label: str = ""


class _Data(msgspec.Struct, gc=False):
    records: Annotated[list[_Plain], msgspec.Meta(min_length=1, max_length=MAX_RECORDS)]


class _Envelope(msgspec.Struct, gc=False):
    specversion: str
    id: str
    source: str
    type: str
    boot: str
    lane: str
    seq: str
    data: _Data


_names = attrgetter(*Series._fields[1:])
_decode = msgspec.json.Decoder(_Envelope).decode


def microseconds(at: datetime) -> int:
    """An aware time as microseconds since EPOCH."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


_FIRST, _END = microseconds(EARLIEST), microseconds(LATEST)


class PackReader:
    """Reads packs and remembers which names are in order. Not thread-safe."""

    def __init__(self) -> None:
        self._known: dict[str, dict[Names, Series]] = {}  # by agent
        self._count = 0

    def read(self, station: str, agent: str, message: bytes) -> ReadingPack | None:
        """The readings that `agent` of `station` sent; None: to be read with care."""
        # a record may say that it is a loss; names may be written with escapes
        if len(message) > MAX_MESSAGE or b'"record"' in message or b"\\" in message:
            return None
        try:
            envelope = _decode(message)
            identity = _identity(envelope, station, agent)
            return self._columns(identity, envelope.data.records) if identity else None
        except (msgspec.DecodeError, ValueError, RecursionError, OverflowError):
            return None

    def _columns(self, identity: Identity, records: list[_Plain]) -> ReadingPack | None:
        known = self._known.get(identity.agent, {})
        names = [_names(r) for r in records]
        try:
            series = [known[n] for n in names]
        except KeyError:
            series = [known.get(n) or self._check(identity.agent, n) for n in names]
        since = [r.captured_at - EPOCH for r in records]
        times = [(d.days * 86_400 + d.seconds) * 1_000_000 + d.microseconds for d in since]
        values = [r.value for r in records]
        if min(times) < _FIRST or max(times) >= _END:
            return None
        if min(values) <= -LARGEST or max(values) >= LARGEST:
            return None
        return ReadingPack(identity, series, times, values)

    def _check(self, agent: str, names: Names) -> Series:
        """Those names, if a `Reading` may have them; raises msgspec.ValidationError."""
        series = Series(agent, *names)
        told = series._asdict()
        del told["agent"]
        msgspec.convert({**told, "value": 0.0, "captured_at": EARLIEST}, Reading)
        if self._count >= MAX_KNOWN:
            self._known.clear()
            self._count = 0
        self._known.setdefault(agent, {})[names] = series
        self._count += 1
        return series


def _identity(e: _Envelope, station: str, agent: str) -> Identity | None:
    """Who says this, None where the envelope is not as it should be. Raises TopicError."""
    if (
        e.specversion != "1.0"
        or e.type != _TYPE
        or e.lane != "reading"
        or e.source != f"/{station}/{agent}"
        or e.id != f"{e.boot}/reading/{e.seq}"
        or not _SEQ.fullmatch(e.seq)
    ):
        return None
    check_name("boot", e.boot)
    return Identity(station, agent, e.boot, Lane.READING, int(e.seq))
