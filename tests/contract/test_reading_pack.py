from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.envelope import Identity, build, encode_record, read_identity, read_record
from contract.errors import ContractError
from contract.messages import Lost, Reading
from contract.reading_pack import EPOCH, PackReader, ReadingPack, Series, _Plain
from contract.taxonomy import Lane

AT = datetime(2026, 3, 1, 8, 15, 30, 120_000, UTC)
WHO = Identity("north", "yard-02", "b7f3", Lane.READING, 17)


def reading(**changes: Any) -> Reading:
    return Reading(
        **{"device": "m-1", "metric": "rain", "value": 1.5, "captured_at": AT, **changes}
    )


def message(*records: Reading | Lost) -> bytes:
    return build(WHO, [encode_record(r) for r in records], AT)


def read(raw: bytes) -> ReadingPack | None:
    return PackReader().read("north", "yard-02", raw)


def read_with_care(raw: bytes) -> tuple[Identity, list[Reading]] | None:
    """The readings if every one is in order."""
    try:
        found = read_identity(Lane.READING, raw)
        records = [read_record(Lane.READING, r) for r in found.records]
    except ContractError:
        return None
    if not all(isinstance(r, Reading) for r in records):
        return None
    return found.identity, [r for r in records if isinstance(r, Reading)]


def test_a_message_of_readings_is_read_at_once() -> None:
    later = AT + timedelta(microseconds=1)

    pack = read(message(reading(), reading(unit="mm", value=-2, captured_at=later)))

    assert pack is not None
    assert pack.identity == WHO
    assert pack.series == [
        Series("yard-02", "m-1", "rain", "", "", "1"),
        Series("yard-02", "m-1", "rain", "", "", "mm"),
    ]
    assert [EPOCH + timedelta(microseconds=us) for us in pack.captured_us] == [AT, later]
    assert pack.values == [1.5, -2.0]


def test_the_quick_way_knows_every_field_of_a_reading() -> None:
    def fields(kind: type) -> dict[str, tuple[object, object]]:
        described = msgspec.structs.fields(kind)
        return {f.name: (f.default, f.required) for f in described}

    assert fields(_Plain) == fields(Reading)


_texts = st.sampled_from(["", "a", "A b", "x" * 17, "x" * 65, "é", "a\x00", "a\n", "\\u0061", "1"])
_names = st.one_of(st.just("a"), st.just("b1"), _texts)
_values = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans(), st.none()
)
_times = st.sampled_from(
    [
        "2026-03-01T08:15:30.12Z",
        "2026-03-01T16:15:30+08:00",
        "2014-12-31T23:59:59.999999Z",
        "2015-01-01T00:00:00Z",
        "2098-12-31T23:59:59.999999Z",
        "2099-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-03-01T08:15:30",
        "soon",
        1_700_000_000,
    ]
)
_times = st.one_of(st.just("2026-03-01T08:15:30.12Z"), _times)
_records = st.fixed_dictionaries(
    {"device": _names, "metric": _names, "value": _values, "captured_at": _times},
    optional={
        "unit": _names,
        "place": _names,
        "label": _names,
        "record": st.sampled_from(["lost", "reading", 1]),
        "colour": _texts,
        "first": st.just(1),
        "last": st.just(3),
        "reason": st.just("gone"),
    },
)
_attributes = st.fixed_dictionaries(
    {},
    optional={
        "specversion": st.sampled_from(["1.0", "0.3", 1]),
        "id": st.sampled_from(["b7f3/reading/17", "b7f3/reading/18"]),
        "source": st.sampled_from(["/north/yard-02", "/north/yard-03", "north/yard-02"]),
        "type": st.sampled_from(["org.gridwarden.reading.v1", "org.gridwarden.reading.v2"]),
        "boot": st.sampled_from(["b7f3", "", "b\n"]),
        "lane": st.sampled_from(["reading", "score"]),
        "seq": st.sampled_from(["17", "017", "0", "-1", 17, "9" * 19, "²"]),
        "more": _texts,
    },
)


@settings(max_examples=400)
@given(st.lists(_records, max_size=3), _attributes, st.booleans())
@example(
    [{"device": "a", "metric": "a", "value": 1, "captured_at": "2026-03-01T08:15:30Z"}], {}, True
)
def test_what_is_read_at_once_is_what_is_read_with_care(
    records: list[dict[str, Any]], attributes: dict[str, Any], ascii_only: bool
) -> None:
    envelope = json.loads(message(reading()))
    envelope |= attributes
    envelope["data"]["records"] = records
    raw = json.dumps(envelope, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    pack, careful = read(raw), read_with_care(raw)

    if pack is not None:
        assert careful is not None
        identity, found = careful
        assert pack.identity == identity
        assert [
            (s.device, s.metric, s.label, s.place, s.unit, EPOCH + timedelta(microseconds=us), v)
            for s, us, v in zip(pack.series, pack.captured_us, pack.values, strict=True)
        ] == [(r.device, r.metric, r.label, r.place, r.unit, r.captured_at, r.value) for r in found]
    elif careful is not None:  # it may only be unsure where it must be
        assert careful[0].agent != "yard-02" or b"\\" in raw or b'"record"' in raw


def test_a_record_of_a_loss_is_left_to_be_read_with_care() -> None:
    assert read(message(reading(), Lost(first=2, last=9, reason="evicted"))) is None


def test_a_series_that_was_refused_is_refused_again() -> None:
    reader = PackReader()
    for _ in range(2):
        assert reader.read("north", "yard-02", message(reading(metric="No Metric"))) is None
