from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.envelope import encode_record, read_record
from contract.errors import RecordError
from contract.geometry import Box, Point
from contract.messages import (
    Detection,
    EvidenceChunk,
    EvidenceRef,
    Health,
    Looked,
    Lost,
    Reading,
    Record,
    RuleNote,
    ScoreBlock,
    StreamHealth,
)
from contract.taxonomy import CameraState, Lane, Phase

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DIGEST = "0123456789abcdef" * 4

DETECTION = Detection(
    episode="8c5b7c4e-5d5e-5b6f-9a59-0d8c7b6f4b11",
    revision=2,
    phase=Phase.UPDATED,
    stream="cam-1",
    kind="flame",
    label="flame",
    started_at=NOON,
    raised_at=NOON + timedelta(seconds=2),
    captured_at=NOON + timedelta(seconds=7),
    frame=210,
    raised_frame=60,
    score=0.8,
    peak_score=0.93,
    box=Box(0.1, 0.2, 0.3, 0.4),
    position=Point(113.65, 34.76),
    rule=RuleNote("k_of_n", 0.5, "20 of the last 25 samples"),
    scores=[(-1.0, 0.1), (0.0, 0.8)],
    evidence=[EvidenceRef(DIGEST, "image/jpeg", 40_000, NOON)],
)
READING = Reading(device="cam-1", metric="vehicle_crossing", value=1.0, captured_at=NOON)
SCORES = ScoreBlock(
    stream="cam-1",
    kind="flame",
    label="flame",
    started_at=NOON,
    offsets_ms=[0, 100, 200],
    scores=[0.0, 0.5, 1.0],
)
HEALTH = Health(
    captured_at=NOON,
    uptime_s=60.0,
    streams=[StreamHealth(stream="cam-1", state=CameraState.ONLINE, since=NOON)],
    spooled={Lane.DETECTION: 3},
)
CHUNK = EvidenceChunk(
    digest=DIGEST, media_type="image/jpeg", offset=0, total=4, captured_at=NOON, stream="cam-1"
)
LOOKED = Looked(
    look="l-1",
    stream="cam-1",
    outcome="seen",
    reason="flame 0.91 >= 0.50 in 5 frames",
    captured_at=NOON,
    score=0.91,
    threshold=0.5,
    frames=5,
    evidence=EvidenceRef(DIGEST, "image/jpeg", 40_000, NOON),
)
EXAMPLES: list[tuple[Lane, Record]] = [
    (Lane.DETECTION, DETECTION),
    (Lane.DETECTION, LOOKED),
    (Lane.READING, READING),
    (Lane.SCORE, SCORES),
    (Lane.HEALTH, HEALTH),
    (Lane.EVIDENCE, CHUNK),
]
PAYLOAD = {Lane.EVIDENCE: b"JPEG"}


def fields(record: Record) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(encode_record(record))
    return decoded


def read(lane: Lane, values: dict[str, Any]) -> Record | Lost:
    return read_record(lane, msgspec.json.encode(values), PAYLOAD.get(lane, b""))


@pytest.mark.parametrize(("lane", "record"), EXAMPLES)
def test_a_record_that_is_written_and_read_is_the_same_record(lane: Lane, record: Record) -> None:
    assert read_record(lane, encode_record(record), PAYLOAD.get(lane, b"")) == record


@pytest.mark.parametrize(("lane", "record"), EXAMPLES)
def test_a_field_of_a_newer_edge_is_left_out(lane: Lane, record: Record) -> None:
    assert read(lane, fields(record) | {"invented_later": {"a": [1, 2]}}) == record


REQUIRED = [
    (lane, record, field.name)
    for lane, record in EXAMPLES
    for field in msgspec.structs.fields(type(record))
    if field.required
]


@pytest.mark.parametrize(("lane", "record", "name"), REQUIRED)
def test_a_required_field_that_is_missing_is_named(lane: Lane, record: Record, name: str) -> None:
    less = fields(record)
    del less[name]
    with pytest.raises(RecordError, match=name):
        read(lane, less)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"score": 7}, "score"),
        ({"score": -0.1}, "score"),
        ({"score": "high"}, "score"),
        ({"peak_score": 1.5}, "peak_score"),
        ({"revision": 0}, "revision"),
        ({"revision": 2**31}, "revision"),
        ({"phase": "burning"}, "phase"),
        ({"episode": "no-uuid"}, "episode"),
        ({"episode": "-" * 36}, "episode"),
        ({"episode": "8c5b7c4e-5d5e-5b6f-9a59-0d8c7b6f4b11\n"}, "episode"),
        ({"stream": "cam 1"}, "stream"),
        ({"stream": "cam-1\n"}, "stream"),
        ({"stream": "../cam"}, "stream"),
        ({"label": "x" * 65}, "label"),
        ({"label": "fl\x00ame"}, "label"),
        ({"rule": {"name": "k", "threshold": 0.5, "reason": "a\x00b"}}, "reason"),
        ({"frame": -1}, "frame"),
        ({"frame": 2**60}, "frame"),
        ({"captured_at": "1970-01-01T00:00:00Z"}, "captured_at"),
        ({"raised_at": "2100-01-01T00:00:00Z"}, "raised_at"),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, "started_at"),
        ({"captured_at": "2026-03-01T12:00:00"}, "captured_at"),
        ({"captured_at": "yesterday"}, "captured_at"),
        ({"box": [0.5, 0.5, 0.9, 0.1]}, "box"),
        ({"box": [0.5, 0.5]}, "box"),
        ({"position": [34.76, 113.65]}, "position"),
        ({"scores": [[0.0, 0.5]] * 257}, "scores"),
        ({"scores": [[0.0, 1.5]]}, "scores"),
    ],
)
def test_a_detection_with_a_value_out_of_its_range_is_refused_by_name(
    change: dict[str, Any], named: str
) -> None:
    with pytest.raises(RecordError, match=named):
        read(Lane.DETECTION, fields(DETECTION) | change)


def test_evidence_of_a_detection_needs_a_digest_and_a_possible_time() -> None:
    ref = fields(DETECTION)["evidence"][0]
    for change in (
        {"digest": DIGEST.upper()},
        {"digest": DIGEST + "\n"},
        {"size": -1},
        {"role": "portrait"},
        {"captured_at": "1970-01-01T00:00:00Z"},
    ):
        with pytest.raises(RecordError, match="evidence"):
            read(Lane.DETECTION, fields(DETECTION) | {"evidence": [ref | change]})


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "Vehicle Crossing"},
        {"metric": "flow\n"},
        {"value": 1e308},
        {"value": "1"},
        {"value": None},
        {"unit": "m" * 17},
        {"unit": "m\x00"},
        {"device": ""},
    ],
)
def test_a_reading_that_says_no_number_of_a_thing_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RecordError):
        read(Lane.READING, fields(READING) | change)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 5000])
def test_a_number_that_is_none_in_json_or_too_large_is_refused(number: str) -> None:
    raw = encode_record(READING).replace(b'"value":1.0', b'"value":' + number.encode())
    assert number.encode() in raw
    with pytest.raises(RecordError):
        read_record(Lane.READING, raw)


def test_a_score_block_needs_a_score_for_each_offset() -> None:
    with pytest.raises(RecordError, match="as many offsets as scores"):
        read(Lane.SCORE, fields(SCORES) | {"scores": [0.5]})


def test_a_score_block_cannot_reach_further_than_an_hour() -> None:
    with pytest.raises(RecordError, match="offsets_ms"):
        read(Lane.SCORE, fields(SCORES) | {"offsets_ms": [0, 1, 2**40]})


def test_a_heartbeat_with_an_impossible_since_is_refused() -> None:
    stream = fields(HEALTH)["streams"][0] | {"since": "0001-01-01T00:00:00+14:00"}
    with pytest.raises(RecordError, match="since"):
        read(Lane.HEALTH, fields(HEALTH) | {"streams": [stream]})


@pytest.mark.parametrize("payload", [b"", b"x" * 5, b"x" * 49_153])
def test_a_chunk_carries_some_bytes_and_not_more_than_there_are(payload: bytes) -> None:
    with pytest.raises(RecordError, match="bytes at offset 0 of 4"):
        read_record(Lane.EVIDENCE, encode_record(CHUNK), payload)


def test_a_chunk_beyond_the_end_is_refused() -> None:
    with pytest.raises(RecordError, match="lies beyond the total"):
        read(Lane.EVIDENCE, fields(CHUNK) | {"offset": 4})


@pytest.mark.parametrize("lane", list(Lane))
def test_a_loss_may_be_declared_in_every_lane(lane: Lane) -> None:
    lost = Lost(first=3, last=7, reason="spool full")
    assert read_record(lane, encode_record(lost)) == lost


def test_the_answer_to_a_look_travels_in_the_detection_lane_alone() -> None:
    for lane in set(Lane) - {Lane.DETECTION}:
        with pytest.raises(RecordError):
            read_record(lane, encode_record(LOOKED))
    for change in ({"outcome": "perhaps"}, {"score": 1.1}, {"frames": -1}, {"look": ""}):
        with pytest.raises(RecordError):
            read(Lane.DETECTION, fields(LOOKED) | change)


@pytest.mark.parametrize(
    "change", [{"first": 0}, {"first": 8}, {"last": 2**63}, {"first": "3"}, {"reason": "\x00"}]
)
def test_a_loss_that_is_no_range_is_refused(change: dict[str, Any]) -> None:
    lost = {"record": "lost", "first": 3, "last": 7, "reason": "spool full"}
    with pytest.raises(RecordError):
        read(Lane.DETECTION, lost | change)


@given(st.sampled_from(list(Lane)), st.binary(max_size=300))
def test_any_bytes_are_a_record_or_refused_as_one(lane: Lane, raw: bytes) -> None:
    with pytest.raises(RecordError):
        read_record(lane, raw)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.sampled_from(EXAMPLES), st.data())
def test_any_value_in_any_field_is_taken_or_refused_and_never_a_crash(
    example: tuple[Lane, Record], data: st.DataObject
) -> None:
    lane, record = example
    values = fields(record)
    name = data.draw(st.sampled_from(sorted(values)))
    values[name] = data.draw(json)
    try:
        taken = read_record(lane, msgspec.json.encode(values), PAYLOAD.get(lane, b""))
    except RecordError:
        return
    assert read_record(lane, encode_record(taken), PAYLOAD.get(lane, b"")) == taken
