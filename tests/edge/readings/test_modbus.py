"""Modbus TCP against pymodbus' own server."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from contract.messages import Reading
from contract.taxonomy import SensorState
from edge.readings.modbus import ModbusSource, Request, decode, plan
from edge.readings.settings import ModbusSensor, Register
from gridwarden.ports import choose
from tests.edge.builders import eventually, now
from tests.edge.readings.modbus_slave import SLAVE, slave

FLOAT = list(struct.unpack(">2H", struct.pack(">f", 12.5)))
NAN = [0x7FC0, 0]
REGISTERS = [65526, *FLOAT, *reversed(FLOAT), 0, 0, 2, 0xFFFF, *NAN, 7]


def settings(port: int, *registers: Register, **changed: Any) -> ModbusSensor:
    usual: dict[str, Any] = {"poll_s": 0.05, "timeout_s": 0.3, "retry_max_s": 0.2, "slave": SLAVE}
    return ModbusSensor(
        id="pump", host="127.0.0.1", port=port, register=list(registers), **usual | changed
    )


@contextmanager
def polling(source: ModbusSource) -> Iterator[list[Reading]]:
    heard: list[Reading] = []

    def collect() -> None:
        for record in source.readings():
            if isinstance(record, Reading):
                heard.append(record)

    thread = threading.Thread(target=collect, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        source.close()
        thread.join(5)
        assert not thread.is_alive()


def last(heard: list[Reading], metric: str) -> tuple[float, str] | None:
    found = [r for r in heard if r.metric == metric]
    return (found[-1].value, found[-1].unit) if found else None


def test_registers_are_read_by_type_scale_unit_and_word_order() -> None:
    registers = (
        Register("temperature", 0, type="int16", scale=0.1, unit="°C"),
        Register("flow", 1, type="float32"),
        Register("level", 3, type="float32", word_order="little", unit="cm", offset=1.0),
        Register("energy", 5, type="uint64", table="input", unit="Wh"),
        Register("pump_on", 1, table="coil"),
        Register("door", 0, table="discrete"),
    )
    port = choose(15_020)
    source = ModbusSource(settings(port, *registers), now)
    with slave(port, REGISTERS, [False, True]), polling(source) as heard:
        eventually(lambda: last(heard, "door") is not None)
        assert last(heard, "temperature") == (-1.0, "Cel")
        assert last(heard, "flow") == (12.5, "m3/h")
        assert last(heard, "level") == (13.5, "cm")
        assert last(heard, "energy") == (196.607, "kW.h")  # 0x2ffff W.h
        assert last(heard, "pump_on") == (1.0, "1")
        assert last(heard, "door") == (0.0, "1")
        assert last(heard, "online") == (1.0, "1")
        assert {r.device for r in heard} == {"pump"}
        assert source.status().state is SensorState.ONLINE


def test_a_dead_slave_is_a_state_and_comes_back_by_itself() -> None:
    port = choose(15_040)
    source = ModbusSource(settings(port, Register("temperature", 0)), now)
    with polling(source) as heard:
        eventually(lambda: last(heard, "online") == (0.0, "1"))
        assert source.status().state is SensorState.LOST
        assert f"127.0.0.1:{port} cannot be reached" in source.status().detail
        with slave(port, REGISTERS):
            eventually(lambda: last(heard, "online") == (1.0, "1"))
            eventually(lambda: last(heard, "temperature") is not None)
        eventually(lambda: last(heard, "online") == (0.0, "1"))
        online = [r.value for r in heard if r.metric == "online"]
        assert online == [0.0, 1.0, 0.0]  # told when it changes, not at every attempt


def test_a_gateway_that_cannot_reach_the_slave_says_so_and_the_slave_is_lost() -> None:
    port = choose(15_060)
    source = ModbusSource(settings(port, Register("temperature", 0)), now)
    with slave(port, REGISTERS, exception=0x0B), polling(source):
        eventually(lambda: source.status().state is SensorState.LOST)
        assert "cannot reach slave 3" in source.status().detail


def test_a_register_that_is_refused_is_counted_and_the_others_are_read() -> None:
    port = choose(15_080)
    registers = (
        Register("temperature", 0),
        Register("pressure", 500),
        Register("tilt", 9, type="float32"),
    )
    source = ModbusSource(settings(port, *registers), now)
    with slave(port, REGISTERS), polling(source) as heard:
        eventually(lambda: source.status().refused >= 2)
        assert last(heard, "temperature") is not None
        assert last(heard, "pressure") is None
        assert last(heard, "tilt") is None  # not a number
        assert source.status().state is SensorState.ONLINE


def test_neighbours_are_read_at_once_and_no_gap_is_read_over() -> None:
    a, b, c = Register("a", 0, type="float32"), Register("b", 2), Register("c", 4)
    d, e = Register("d", 0, table="input"), Register("e", 0, table="coil")
    assert plan([c, a, b, d, e]) == [
        Request("coil", 0, 1, (e,)),
        Request("holding", 0, 3, (a, b)),
        Request("holding", 4, 1, (c,)),
        Request("input", 0, 1, (d,)),
    ]
    many = [Register("m", k) for k in range(300)]
    assert [r.count for r in plan(many)] == [125, 125, 50]


@pytest.mark.parametrize(
    ("type_", "words", "value"),
    [
        ("int16", [0xFFFF], -1.0),
        ("uint32", [0x0001, 0x0000], 65536.0),
        ("int32", [0xFFFF, 0xFFFE], -2.0),
        ("int64", [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD], -3.0),
        ("float64", list(struct.unpack(">4H", struct.pack(">d", 0.25))), 0.25),
    ],
)
def test_both_word_orders_of_every_type(type_: Any, words: list[int], value: float) -> None:
    assert decode(Register("m", 0, type=type_), words) == value
    assert decode(Register("m", 0, type=type_, word_order="little"), words[::-1]) == value
