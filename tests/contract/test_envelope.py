from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.envelope import (
    MAX_MESSAGE,
    Identity,
    build,
    encode_record,
    read_identity,
    read_record,
)
from contract.errors import EnvelopeError, RecordError
from contract.messages import EvidenceChunk, Reading
from contract.taxonomy import Lane

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHO = Identity("north", "gate-1", "b0a1", Lane.READING, 41)
RAW = encode_record(Reading(device="cam-1", metric="level", value=0.5, captured_at=NOON))
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)


def envelope(**changes: Any) -> bytes:
    decoded = msgspec.json.decode(build(WHO, [RAW, RAW], NOON))
    return msgspec.json.encode(decoded | changes)


@given(names, names, names, st.integers(1, 2**62), st.integers(1, 5))
def test_a_message_that_is_built_and_read_says_the_same(
    station: str, agent: str, boot: str, seq: int, count: int
) -> None:
    identity = Identity(station, agent, boot, Lane.READING, seq)
    message = read_identity(Lane.READING, build(identity, [RAW] * count, NOON))
    assert message.identity == identity
    assert [bytes(r) for r in message.records] == [RAW] * count


@given(st.binary(min_size=1, max_size=2000))
def test_evidence_travels_byte_by_byte(payload: bytes) -> None:
    chunk = EvidenceChunk(
        digest="ab" * 32,
        media_type="image/jpeg",
        offset=0,
        total=len(payload),
        captured_at=NOON,
        stream="cam-1",
    )
    identity = Identity("north", "gate-1", "b0a1", Lane.EVIDENCE, 1)
    message = read_identity(Lane.EVIDENCE, build(identity, [encode_record(chunk)], NOON, payload))
    assert message.payload == payload
    assert read_record(Lane.EVIDENCE, message.records[0], message.payload) == chunk


def test_it_is_a_cloud_event_any_consumer_can_read() -> None:
    event = msgspec.json.decode(build(WHO, [RAW], NOON))
    assert (event["specversion"], event["id"], event["source"], event["type"], event["seq"]) == (
        "1.0",
        "b0a1/reading/41",
        "/north/gate-1",
        "org.gridwarden.reading.v1",
        "41",
    )


def test_an_attribute_we_do_not_know_is_tolerated() -> None:
    assert read_identity(Lane.READING, envelope(traceparent="00-abc")).identity == WHO


def test_a_bad_record_keeps_its_identity_and_so_its_sequence_number() -> None:
    message = read_identity(Lane.READING, build(WHO, [RAW, b'{"value": "much"}'], NOON))
    assert len(message.records) == 2
    read_record(Lane.READING, message.records[0])
    with pytest.raises(RecordError):
        read_record(Lane.READING, message.records[1])


def test_a_message_too_large_to_travel_is_not_built() -> None:
    with pytest.raises(EnvelopeError, match="pack fewer records"):
        build(WHO, [RAW] * 1000, NOON)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"type": "org.gridwarden.reading.v2"}, "type"),
        ({"lane": "detection"}, "lane"),
        ({"lane": "gossip"}, "lane"),
        ({"source": "north/gate-1"}, "source"),
        ({"source": "//gate-1"}, "source"),
        ({"source": "/north/gate-1/x"}, "source"),
        ({"source": "/north/gate 1"}, "source"),
        ({"source": "/north/gate-1\n"}, "source"),
        ({"source": "/no\x00rth/gate-1"}, "source"),
        ({"source": "/" + "n" * 5000 + "/gate-1"}, "source"),
        ({"boot": "b 1", "id": "b 1/reading/41"}, "boot"),
        ({"boot": "b0a1\n", "id": "b0a1\n/reading/41"}, "boot"),
        ({"seq": "0", "id": "b0a1/reading/0"}, "seq"),
        ({"seq": "041", "id": "b0a1/reading/041"}, "seq"),
        ({"seq": "41\n", "id": "b0a1/reading/41\n"}, "seq"),
        ({"seq": "-1", "id": "b0a1/reading/-1"}, "seq"),
        ({"seq": "9" * 19, "id": "b0a1/reading/" + "9" * 19}, "63 bits"),
        ({"seq": 41}, "seq"),
        ({"id": "b0a1/reading/42"}, "id"),
        ({"data": {"records": []}}, "records"),
        ({"data": {"records": [{}] * 501}}, "records"),
        ({"data": None}, "data"),
    ],
)
def test_an_envelope_without_a_readable_identity_is_refused_by_name(
    changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(EnvelopeError, match=named) as refused:
        read_identity(Lane.READING, envelope(**changes))
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe\x00",
        "{}".encode("utf-16"),
        b"[" * 60_000,
        b'{"specversion":' * 4000,
        b'{"specversion": "1.0", "specversion": 1}',
        b"x" * (MAX_MESSAGE + 1),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("lane", [Lane.READING, Lane.EVIDENCE])
def test_hostile_bytes_are_refused(lane: Lane, message: bytes) -> None:
    with pytest.raises(EnvelopeError):
        read_identity(lane, message)


def test_deep_nesting_inside_a_record_is_refused() -> None:
    deep = b'{"device":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    message = build(WHO, [deep], NOON)

    def read() -> None:
        read_record(Lane.READING, read_identity(Lane.READING, message).records[0])

    with pytest.raises((EnvelopeError, RecordError)):
        read()


@given(st.sampled_from(list(Lane)), st.binary(max_size=400))
def test_any_bytes_are_refused_and_nothing_else_happens(lane: Lane, message: bytes) -> None:
    with pytest.raises(EnvelopeError):
        read_identity(lane, message)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_one_broken_byte_is_read_or_refused(position: int, value: int) -> None:
    message = bytearray(envelope())
    message[position % len(message)] = value
    with contextlib.suppress(EnvelopeError, RecordError):
        for record in read_identity(Lane.READING, bytes(message)).records:
            read_record(Lane.READING, record)


def test_an_evidence_header_longer_than_the_message_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="header says 65535 bytes, 1 are there"):
        read_identity(Lane.EVIDENCE, b"\xff\xffx")
