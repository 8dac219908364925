"""Messages built byte by byte as the Sparkplug 3.0 specification lays them out.

https://sparkplug.eclipse.org/specification/, chapter 6; the field numbers are those of
`sparkplug_b/sparkplug_b.proto` of eclipse/tahu.
"""

from __future__ import annotations

import contextlib
import struct
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readings.adapter import NOTHING, AdapterError
from edge.readings.json_values import Value
from edge.readings.sparkplug import Sparkplug
from edge.readings.sparkplug_payload import read_payload
from tests.edge.readings.builders import AT, readings, values

INT32, UINT32, INT64, FLOAT, DOUBLE, BOOLEAN, STRING = 3, 7, 4, 9, 10, 11, 12
NOW_MS = int(AT.timestamp() * 1000)
NBIRTH, NDATA, NDEATH = (f"spBv1.0/Plant/{kind}/gw1" for kind in ("NBIRTH", "NDATA", "NDEATH"))
DBIRTH, DDATA, DDEATH = (f"spBv1.0/Plant/{kind}/gw1/pump" for kind in ("DBIRTH", "DDATA", "DDEATH"))


def varint(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def field(number: int, value: int | bytes | float, kind: int = 0) -> bytes:
    if isinstance(value, bytes):
        return varint(number * 8 + 2) + varint(len(value)) + value
    if isinstance(value, float):
        packed = struct.pack("<f" if kind == FLOAT else "<d", value)
        return varint(number * 8 + (5 if kind == FLOAT else 1)) + packed
    return varint(number * 8) + varint(value)


def metric(
    name: str = "",
    value: int | float | str | None = None,
    datatype: int = 0,
    alias: int | None = None,
    unit: str = "",
    at_ms: int = NOW_MS,
) -> bytes:
    out = field(1, name.encode()) if name else b""
    out += field(2, alias) if alias is not None else b""
    out += field(3, at_ms)
    out += field(4, datatype) if datatype else b""
    if unit:
        prop = field(1, STRING) + field(8, unit.encode())
        out += field(9, field(1, b"engUnit") + field(2, prop))
    if value is None:
        return field(2, out + field(7, 1))
    if isinstance(value, str):
        return field(2, out + field(15, value.encode()))
    if isinstance(value, float):
        return field(2, out + field(12 if datatype == FLOAT else 13, value, datatype))
    if datatype in (INT64,):
        return field(2, out + field(11, value % 2**64))
    return field(2, out + field(14 if datatype == BOOLEAN else 10, value % 2**32))


def message(seq: int | None, *metrics: bytes) -> bytes:
    return field(1, NOW_MS) + b"".join(metrics) + (field(3, seq) if seq is not None else b"")


def born(bd_seq: int = 7) -> Sparkplug:
    adapter = Sparkplug()
    adapter.decode(
        NBIRTH,
        message(
            0,
            metric("bdSeq", bd_seq, INT64),
            metric("Node Control/Rebirth", 0, BOOLEAN),
            metric("Cabinet/Temperature", 21.5, FLOAT, alias=1, unit="°C"),
        ),
        AT,
    )
    return adapter


def test_a_birth_says_the_node_is_online_and_brings_its_values() -> None:
    adapter = Sparkplug()
    decoded = adapter.decode(
        NBIRTH,
        message(0, metric("bdSeq", 7, INT64), metric("Cabinet/Temperature", 21.5, FLOAT, alias=1)),
        AT,
    )
    assert values(decoded) == {"online": (1.0, "1"), "temperature": (21.5, "Cel")}
    assert {r.device for r in readings(decoded)} == {"Plant.gw1"}
    assert {r.place for r in readings(decoded)} == {"", "Cabinet"}


def test_data_is_read_by_the_alias_and_type_the_birth_told() -> None:
    adapter = born()
    adapter.decode(
        DBIRTH,
        message(
            1,
            metric("flow", 1.5, DOUBLE, alias=10, unit="m³/h"),
            metric("steps", -3, INT32, alias=11, unit="steps"),
        ),
        AT,
    )
    at_ms = NOW_MS - 5000
    decoded = adapter.decode(
        DDATA,
        message(2, metric("", 2.5, DOUBLE, 10, at_ms=at_ms), metric("", -40, 0, 11, at_ms=at_ms)),
        AT,
    )
    assert values(decoded) == {"flow": (2.5, "m3/h"), "steps": (-40.0, "{steps}")}
    assert {r.device for r in readings(decoded)} == {"Plant.gw1.pump"}
    assert {r.captured_at for r in readings(decoded)} == {AT - timedelta(seconds=5)}


def test_a_gap_in_the_sequence_is_told_and_a_rebirth_is_asked_for_once_a_minute() -> None:
    adapter = born()
    gap = adapter.decode(NDATA, message(5, metric("", 22.0, FLOAT, alias=1)), AT)
    assert values(gap) == {"temperature": (22.0, "Cel")}
    assert "1 was due, 5 came" in gap.notes[0]
    ((topic, command),) = gap.replies
    assert topic == "spBv1.0/Plant/NCMD/gw1"
    (asked,) = read_payload(command).metrics
    assert (asked.name, asked.datatype, asked.raw) == ("Node Control/Rebirth", BOOLEAN, True)
    again = adapter.decode(NDATA, message(9, metric("", 22.0, FLOAT, alias=1)), AT)
    assert (again.replies, len(again.notes)) == ((), 1)
    later = AT + timedelta(minutes=1)
    assert adapter.decode(NDATA, message(20), later).replies != ()


def test_the_sequence_goes_from_255_to_0_without_a_gap() -> None:
    adapter = born()
    for seq in (*range(1, 256), 0, 1):
        assert adapter.decode(NDATA, message(seq), AT).notes == ()


def test_data_before_any_birth_asks_for_one() -> None:
    decoded = Sparkplug().decode(NDATA, message(3, metric("", 22.0, FLOAT, alias=1)), AT)
    assert decoded.records == ()
    assert any("before its NBIRTH" in note for note in decoded.notes)
    assert [topic for topic, _ in decoded.replies] == ["spBv1.0/Plant/NCMD/gw1"]


def test_a_listener_that_may_not_command_asks_for_nothing() -> None:
    decoded = Sparkplug(ask_rebirth=False).decode(NDATA, message(3), AT)
    assert decoded.replies == ()


def test_the_death_of_a_node_takes_its_devices_offline() -> None:
    adapter = born(bd_seq=7)
    adapter.decode(DBIRTH, message(1, metric("flow", 1.5, DOUBLE, alias=10)), AT)
    decoded = adapter.decode(NDEATH, message(None, metric("bdSeq", 7, INT64)), AT)
    assert [(r.device, r.metric, r.value) for r in readings(decoded)] == [
        ("Plant.gw1", "online", 0.0),
        ("Plant.gw1.pump", "online", 0.0),
    ]


def test_the_death_of_an_earlier_life_takes_nothing_offline() -> None:
    decoded = born(bd_seq=7).decode(NDEATH, message(None, metric("bdSeq", 6, INT64)), AT)
    assert decoded.records == ()
    assert "bdSeq 6" in decoded.notes[0]


def test_the_death_of_a_device_is_its_own() -> None:
    adapter = born()
    adapter.decode(DBIRTH, message(1), AT)
    decoded = adapter.decode(DDEATH, message(2), AT)
    assert [(r.device, r.value) for r in readings(decoded)] == [("Plant.gw1.pump", 0.0)]


def test_an_alias_of_an_earlier_birth_is_not_believed() -> None:
    adapter = born()
    adapter.decode(NBIRTH, message(0, metric("bdSeq", 8, INT64)), AT)
    decoded = adapter.decode(NDATA, message(1, metric("", 22.0, FLOAT, alias=1)), AT)
    assert decoded.records == ()
    assert "alias" in decoded.notes[0]


def test_a_null_value_a_text_and_a_value_in_no_table_are_no_readings() -> None:
    adapter = born()
    decoded = adapter.decode(
        NDATA,
        message(
            1,
            metric("temperature", None, FLOAT),
            metric("mode", "auto", STRING),
            metric("Gizmo/Flux", 1.0, DOUBLE),
        ),
        AT,
    )
    assert (decoded.records, decoded.unmapped) == ((), ("Gizmo/Flux",))


def test_the_settings_map_a_full_metric_name() -> None:
    adapter = Sparkplug(values={"Gizmo/Flux": Value("flux", "m³/h", "east")})
    decoded = adapter.decode(NBIRTH, message(0, metric("Gizmo/Flux", 1.0, DOUBLE)), AT)
    assert values(decoded)["flux"] == (1.0, "m3/h")


@pytest.mark.parametrize("payload", [b"\xff", b"\x12\x05ab", b"\x0b", b"\x08" + b"\xff" * 11])
def test_bytes_that_are_no_protobuf_are_refused(payload: bytes) -> None:
    with pytest.raises(AdapterError, match="not Sparkplug B"):
        born().decode(NDATA, payload, AT)


def test_a_message_without_a_sequence_number_is_refused() -> None:
    with pytest.raises(AdapterError, match="seq None"):
        born().decode(NDATA, message(None), AT)


def test_commands_and_host_states_are_none_of_our_business() -> None:
    assert Sparkplug().decode("spBv1.0/Plant/NCMD/gw1", b"", AT) is NOTHING
    assert Sparkplug().decode("spBv1.0/STATE/host", b"{}", AT) is NOTHING


@given(st.binary(max_size=200))
def test_no_bytes_bring_the_reader_down(payload: bytes) -> None:
    adapter = born()
    for topic in (NBIRTH, NDATA, NDEATH, DBIRTH, DDATA, DDEATH):
        with contextlib.suppress(ValueError):
            adapter.decode(topic, payload, AT)
