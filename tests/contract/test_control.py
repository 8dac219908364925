from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.control import ControlMessage, encode_control, read_control
from contract.errors import EnvelopeError
from contract.messages import (
    Ack,
    Command,
    Death,
    DetectorManifest,
    Flow,
    LaneAck,
    Limited,
    Manifest,
    Nack,
    StreamManifest,
)
from contract.taxonomy import Lane

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FLAME = DetectorManifest(kind="flame", version="1", parameters={"threshold": 0.5})
MESSAGES: list[ControlMessage] = [
    Manifest(
        boot="b1",
        started_at=NOON,
        published_at=NOON,
        software="0.1.0",
        streams=[StreamManifest(stream="cam-1", name="东大街 \\u0000 北口", detectors=[FLAME])],
    ),
    Death(boot="b1", published_at=NOON),
    Ack(epoch="e1", hub_time=NOON, boot="b1", lanes={Lane.SCORE: LaneAck(7, [(9, 12)])}),
    Nack(boot="b1", lanes={Lane.SCORE: [(8, 8)]}, digests=["ab" * 32]),
    Flow(records=500, bytes=1_000_000),
    Flow(
        records=500,
        bytes=1_000_000,
        limited=[Limited(lane=Lane.READING, device="meter-9", per_minute=6000, discarded=12)],
    ),
    Command(
        version=3,
        issued_at=NOON,
        issued_by="li",
        parameters={"cam-1": {"flame": {"threshold": 0.4}}},
    ),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_control_message_that_is_written_and_read_is_the_same(message: ControlMessage) -> None:
    assert read_control(type(message), encode_control(message)) == message  # type: ignore[type-var]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_field_of_a_newer_side_is_left_out(message: ControlMessage) -> None:
    values = msgspec.json.decode(encode_control(message)) | {"invented_later": [1]}
    assert read_control(type(message), msgspec.json.encode(values)) == message  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Flow, {"records": 0}),
        (Flow, {"bytes": 10}),
        (Command, {"version": 0}),
        (Command, {"parameters": {"cam-1": {"flame": 0.4}}}),
        (Command, {"issued_at": "now"}),
        (Ack, {"lanes": {"gossip": {"watermark": 1}}}),
        (Ack, {"lanes": {"score": {"watermark": -1}}}),
        (Nack, {"digests": ["short"]}),
        (Death, {"boot": "../b"}),
        (Manifest, {"streams": [{"stream": "cam 1"}]}),
        (Manifest, {"published_at": "0001-01-01T00:00:00+14:00"}),
        (Manifest, {"started_at": "9999-12-31T23:59:59-14:00"}),
    ],
)
def test_a_value_out_of_its_range_is_refused(kind: type[Any], change: dict[str, Any]) -> None:
    message = next(m for m in MESSAGES if type(m) is kind)
    values = msgspec.json.decode(encode_control(message)) | change
    with pytest.raises(EnvelopeError, match=kind.__name__.lower()):
        read_control(kind, msgspec.json.encode(values))


def test_a_birth_before_the_clock_of_the_device_is_set_is_read() -> None:
    unset = msgspec.structs.replace(
        MESSAGES[0], published_at=datetime(1970, 1, 1, 0, 0, 4, tzinfo=UTC)
    )
    assert read_control(Manifest, encode_control(unset)) == unset


def test_a_character_that_no_database_can_hold_is_refused_wherever_it_hides() -> None:
    """PostgreSQL keeps no U+0000, in JSON neither; a manifest carries free JSON."""
    schema = {"title": "a\x00b"}
    hiding = Manifest(
        boot="b1",
        started_at=NOON,
        published_at=NOON,
        software="0.1.0",
        streams=[
            StreamManifest(
                stream="cam-1", detectors=[DetectorManifest(kind="x", version="1", schema=schema)]
            )
        ],
    )
    with pytest.raises(EnvelopeError, match=r"U\+0000"):
        read_control(Manifest, encode_control(hiding))


@given(st.sampled_from([type(m) for m in MESSAGES]), st.binary(max_size=300))
def test_any_bytes_are_refused(kind: type[Any], payload: bytes) -> None:
    with pytest.raises(EnvelopeError):
        read_control(kind, payload)


@pytest.mark.parametrize("payload", [b"[" * 60_000, b'{"boot":' * 10_000, b"\xff" * 100])
def test_hostile_bytes_are_refused(payload: bytes) -> None:
    for message in MESSAGES:
        with pytest.raises(EnvelopeError):
            read_control(type(message), payload)  # type: ignore[type-var]


def test_an_unknown_field_that_is_not_utf_8_is_refused_too() -> None:
    """The reader passes over such a field; whoever keeps the whole text would stumble over it."""
    for message in MESSAGES:
        spoilt = encode_control(message)[:-1] + b',"colour":"\xf6"}'
        with pytest.raises(EnvelopeError, match="utf-8"):
            read_control(type(message), spoilt)  # type: ignore[type-var]
