"""From a message to entries: its records with their sequence numbers, or why they are refused.

Two steps: first the identity, from an envelope that tolerates unknown attributes; then each
record strictly. A refused record keeps its sequence number and so counts as received.
Readings that are in order, which are most, are read at once and stay together as a `Pack`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from contract.envelope import Identity, Message, encode_record, read_identity, read_record
from contract.errors import ContractError, EnvelopeError, RecordError, TopicError
from contract.messages import Detection, Lost, Record
from contract.reading_pack import PackReader, ReadingPack
from contract.taxonomy import Lane
from contract.topics import Topic, Up
from hub.store.quarantine import Reject

HIGHEST_SEQ = 2**62  # no spool gets there; what lies above cannot be declared lost


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of one message."""

    identity: Identity
    seq: int
    content: Record | Lost | Reject
    topic: str
    raw: bytes  # as it came, for the quarantine
    payload: bytes = b""  # of an evidence chunk


@dataclass(slots=True)
class Pack:
    """The readings of one message, all in order."""

    identity: Identity
    columns: ReadingPack
    topic: str
    raw: bytes  # the message as it came

    @property
    def last(self) -> int:
        """The highest of its sequence numbers; the lowest is that of its identity."""
        return self.identity.seq + len(self.columns.values) - 1

    def entries(self) -> list[Entry]:
        """The same, record by record."""
        found = decode(self.topic, self.raw)
        if isinstance(found, list) and not any(isinstance(e.content, Reject) for e in found):
            return found
        # a key stood twice: what was read as a pack stays so, or its records would be two things
        return [
            Entry(self.identity, seq, record, self.topic, encode_record(record))
            for seq, record in enumerate(self.columns.readings(), self.identity.seq)
        ]


class Decoder:
    """Decodes messages; remembers names that were in order. Not thread-safe."""

    def __init__(self) -> None:
        self._packs = PackReader()

    def decode(self, topic_text: str, payload: bytes) -> list[Entry] | Pack | Reject:
        """What is in a message, or the reject it is as a whole: no readable identity."""
        try:
            topic = _topic(topic_text)
        except TopicError as e:
            return Reject(topic_text, payload, str(e))
        if topic.kind is Up.READING:
            columns = self._packs.read(topic.station, topic.agent, payload)
            if columns is not None:
                return Pack(columns.identity, columns, topic_text, payload)
        return decode(topic_text, payload)


def decode(topic_text: str, payload: bytes) -> list[Entry] | Reject:
    """The entries of a message, or the reject it is as a whole: no readable identity."""
    try:
        topic = _topic(topic_text)
    except TopicError as e:
        return Reject(topic_text, payload, str(e))
    try:
        message = _read(topic, payload)
    except ContractError as e:
        return Reject(topic_text, payload, str(e), station=topic.station, agent=topic.agent)
    return list(_entries(topic_text, message))


def entries_of(item: Entry | Pack) -> Sequence[Entry]:
    """The records of an item, one by one."""
    return item.entries() if isinstance(item, Pack) else (item,)


_topic = lru_cache(maxsize=10_000)(Topic.parse)


def _read(topic: Topic, payload: bytes) -> Message:
    try:
        lane = Lane(topic.kind)
    except ValueError:
        raise TopicError(f"topic {topic} carries no records") from None
    if not isinstance(topic.kind, Up):
        raise TopicError(f"topic {topic} is one the hub sends on")
    message = read_identity(lane, payload)
    who = message.identity
    if (who.station, who.agent) != (topic.station, topic.agent):
        raise EnvelopeError(f"source /{who.station}/{who.agent} does not agree with topic {topic}")
    return message


def decode_record(topic: str, who: Identity, raw: bytes, chunk: bytes) -> Entry:
    """The entry of a record that was taken out of its message. `who.seq`: its own number."""
    (entry,) = _entries(topic, Message(who, (msgspec.Raw(raw),), chunk))
    return entry


def _entries(topic: str, message: Message) -> Iterator[Entry]:
    who = message.identity
    for i, raw in enumerate(message.records):
        seq, content = who.seq + i, _content(topic, message, raw, who.seq + i)
        yield Entry(who, seq, content, topic, bytes(raw), message.payload)


def _content(topic: str, message: Message, raw: msgspec.Raw, seq: int) -> Record | Lost | Reject:
    try:
        record = read_record(message.identity.lane, raw, message.payload)
        if isinstance(record, Detection):
            _check_episode(record)
        if isinstance(record, Lost) and record.last >= HIGHEST_SEQ:
            raise RecordError(f"lost range up to {record.last} is beyond any sequence number")
    except RecordError as e:
        return reject(topic, message.identity, seq, bytes(raw), str(e), message.payload)
    return record


def _check_episode(record: Detection) -> None:
    try:
        canonical = str(uuid.UUID(record.episode))
    except ValueError:
        canonical = ""
    if canonical != record.episode:
        raise RecordError(f"detection record refused: episode {record.episode!r} is not a UUID")


def reject(
    topic: str, who: Identity, seq: int, raw: bytes, reason: str, chunk: bytes = b""
) -> Reject:
    """The reject of a record whose sequence number is known."""
    return Reject(
        topic,
        raw,
        reason,
        who.station,
        who.agent,
        who.boot,
        str(who.lane),
        seq,
        chunk=chunk,
        counted=True,
    )
