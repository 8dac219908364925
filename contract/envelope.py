"""The envelope: CloudEvents 1.0, structured JSON, at most 64 KiB.

Reading has two steps. `read_identity` finds who says what under which sequence numbers, tolerant
of unknown attributes; `read_record` then checks each record strictly. So a record that is refused
still has a sequence number and counts as received.

Evidence travels as two bytes of header length (big endian), the same envelope, then the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec

from contract.errors import ContractError, EnvelopeError, RecordError, TopicError
from contract.fields import Name
from contract.messages import RECORDS, EvidenceChunk, Looked, Lost, Record
from contract.taxonomy import Lane
from contract.topics import check_name

MAX_MESSAGE = 64 * 1024  # bytes
MAX_CHUNK = 48 * 1024  # bytes of evidence in one message
MAX_RECORDS = 500  # records in one message
TYPE_PREFIX = "org.gridwarden."
TYPE_SUFFIX = ".v1"

_LENGTH = struct.Struct(">H")
_encoder = msgspec.json.Encoder()


class Identity(NamedTuple):
    """Who sent a message and which sequence numbers it carries: seq, seq + 1, ..."""

    station: str
    agent: str
    boot: str
    lane: Lane
    seq: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose identity is known and whose records are not yet checked."""

    identity: Identity
    records: tuple[msgspec.Raw, ...]
    payload: bytes = b""  # the bytes of an evidence chunk


class _Data(msgspec.Struct):
    records: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MAX_RECORDS)]


class _Envelope(msgspec.Struct):
    specversion: str
    id: str
    source: str
    type: str
    boot: Name
    lane: Lane
    seq: Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,18}$(?!\n)")]
    data: _Data


class _Tag(msgspec.Struct):
    record: str = ""


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_tag = msgspec.json.Decoder(_Tag).decode
_decode_lost = msgspec.json.Decoder(Lost).decode
_decode_looked = msgspec.json.Decoder(Looked).decode
_decode_record = {lane: msgspec.json.Decoder(kind).decode for lane, kind in RECORDS.items()}


def encode_record(record: Record | Lost) -> bytes:
    """A record as JSON, as it is spooled."""
    return _encoder.encode(record)


def build(
    identity: Identity, records: Sequence[bytes], captured_at: datetime, payload: bytes = b""
) -> bytes:
    """The message that carries already encoded `records` from `identity.seq` on.

    Raises EnvelopeError where it would be larger than MAX_MESSAGE.
    """
    head: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"{identity.boot}/{identity.lane}/{identity.seq}",
        "source": f"/{identity.station}/{identity.agent}",
        "type": f"{TYPE_PREFIX}{identity.lane}{TYPE_SUFFIX}",
        "time": captured_at,
        "datacontenttype": "application/json",
        "boot": identity.boot,
        "lane": identity.lane,
        "seq": str(identity.seq),
        "data": {"records": [msgspec.Raw(r) for r in records]},
    }
    message = _encoder.encode(head)
    if identity.lane is Lane.EVIDENCE:
        message = _LENGTH.pack(len(message)) + message + payload
    if len(message) > MAX_MESSAGE:
        raise EnvelopeError(
            f"message {head['id']} has {len(message)} bytes, at most {MAX_MESSAGE} may travel: "
            "pack fewer records"
        )
    return message


def read_identity(lane: Lane, message: bytes) -> Message:
    """The identity of a message that arrived on the topic of `lane`, and its raw records.

    Raises EnvelopeError where there is none to be read.
    """
    if len(message) > MAX_MESSAGE:
        raise EnvelopeError(f"message has {len(message)} bytes, at most {MAX_MESSAGE} may travel")
    payload = b""
    if lane is Lane.EVIDENCE:
        message, payload = _split(message)
    try:
        envelope = _decode_envelope(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise EnvelopeError(f"no readable envelope: {e}") from None
    if envelope.specversion != "1.0":
        raise EnvelopeError(f"specversion {envelope.specversion[:200]!r} is not 1.0")
    if envelope.lane is not lane:
        raise EnvelopeError(f"lane {envelope.lane} arrived on the topic of lane {lane}")
    if envelope.type != f"{TYPE_PREFIX}{lane}{TYPE_SUFFIX}":
        raise EnvelopeError(f"type {envelope.type[:200]!r} is not known for lane {lane}")
    station, agent = _read_source(envelope.source)
    if envelope.id != f"{envelope.boot}/{envelope.lane}/{envelope.seq}":
        raise EnvelopeError(
            f"id {envelope.id[:200]!r} does not say boot/lane/seq as the attributes do"
        )
    if int(envelope.seq) + len(envelope.data.records) - 1 >= 2**63:
        raise EnvelopeError(f"seq {envelope.seq} does not fit 63 bits")
    return Message(
        Identity(station, agent, envelope.boot, lane, int(envelope.seq)),
        tuple(envelope.data.records),
        payload,
    )


def read_record(lane: Lane, raw: msgspec.Raw | bytes, payload: bytes = b"") -> Record | Lost:
    """The checked record in `raw`; `payload` are the bytes of an evidence chunk.

    Raises RecordError that says what is wrong and where.
    """
    try:
        tag = _decode_tag(raw).record
        if tag == "lost":
            return _checked_lost(_decode_lost(raw))
        if tag == "looked" and lane is Lane.DETECTION:
            return _decode_looked(raw)
        record = _decode_record[lane](raw)
    except ContractError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as e:
        raise RecordError(f"{lane} record refused: {e}") from None
    if isinstance(record, EvidenceChunk) and not 0 < len(payload) <= min(
        MAX_CHUNK, record.total - record.offset
    ):
        raise RecordError(
            f"evidence record refused: {len(payload)} bytes at offset {record.offset} of "
            f"{record.total}"
        )
    return record  # type: ignore[no-any-return]


def _checked_lost(lost: Lost) -> Lost:
    if lost.last < lost.first:
        raise RecordError(f"lost range [{lost.first}, {lost.last}] ends before it begins")
    return lost


def _read_source(source: str) -> tuple[str, str]:
    """The names of station and agent; what follows from an envelope names files and topics."""
    root, _, path = source.partition("/")
    station, _, agent = path.partition("/")
    try:
        if root:
            raise TopicError("it does not begin with a slash")
        return check_name("station", station), check_name("agent", agent)
    except TopicError:
        raise EnvelopeError(f"source {source[:200]!r} is not /station/agent") from None


def _split(message: bytes) -> tuple[bytes, bytes]:
    if len(message) < _LENGTH.size:
        raise EnvelopeError("evidence message is shorter than its two bytes of header length")
    (length,) = _LENGTH.unpack_from(message)
    head = message[_LENGTH.size : _LENGTH.size + length]
    if len(head) < length:
        raise EnvelopeError(f"evidence header says {length} bytes, {len(head)} are there")
    return head, message[_LENGTH.size + length :]
