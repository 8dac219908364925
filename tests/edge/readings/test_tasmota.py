"""Payloads as Tasmota sends them; the AM2301's as https://tasmota.github.io/docs/AM2301 has it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from edge.readings.adapter import NOTHING, AdapterError
from edge.readings.tasmota import Tasmota
from edge.readings.topics import TopicPattern
from tests.edge.readings.builders import AT, readings, values

TASMOTA = Tasmota()


def test_a_temperature_sensor_gives_its_values_with_the_sensor_as_place() -> None:
    decoded = TASMOTA.decode(
        "tele/TH16/SENSOR",
        b'{"Time":"2026-03-01T16:00:00","AM2301":{"Temperature":22.6,"Humidity":32.4,'
        b'"DewPoint":5.1},"TempUnit":"C"}',
        AT,
    )
    assert values(decoded) == {
        "temperature": (22.6, "Cel"),
        "humidity": (32.4, "%"),
        "dew_point": (5.1, "Cel"),
    }
    assert {(r.device, r.place, r.captured_at) for r in readings(decoded)} == {
        ("TH16", "AM2301", AT)
    }


def test_fahrenheit_and_millimetres_of_mercury_are_converted() -> None:
    decoded = TASMOTA.decode(
        "tele/a/SENSOR",
        b'{"Time":"2026-03-01T16:00:00","BME280":{"Temperature":50.0,"Pressure":750.0},'
        b'"PressureUnit":"mmHg","TempUnit":"F"}',
        AT,
    )
    assert values(decoded)["temperature"] == (10.0, "Cel")
    assert round(values(decoded)["pressure"][0], 1) == 999.9


def test_an_energy_meter_gives_power_and_total() -> None:
    decoded = TASMOTA.decode(
        "tele/plug/SENSOR",
        b'{"Time":"2026-03-01T16:00:00","ENERGY":{"TotalStartTime":"2020-10-21T22:15:00",'
        b'"Total":3.705,"Yesterday":0.028,"Today":0.026,"Period":1,"Power":5,"ApparentPower":6,'
        b'"ReactivePower":0,"Factor":1.00,"Voltage":233,"Current":0.021}}',
        AT,
    )
    assert values(decoded) == {
        "energy": (3.705, "kW.h"),
        "power": (5.0, "W"),
        "apparent_power": (6.0, "V.A"),
        "reactive_power": (0.0, "V.A{reactive}"),
        "power_factor": (1.0, "1"),
        "voltage": (233.0, "V"),
        "current": (0.021, "A"),
    }
    assert decoded.unmapped == ()


def test_the_phases_of_a_three_phase_meter_stay_apart() -> None:
    decoded = TASMOTA.decode(
        "tele/m/SENSOR", b'{"Time":"2026-03-01T16:00:00","ENERGY":{"Power":[5,6,7]}}', AT
    )
    assert [(r.label, r.value) for r in readings(decoded)] == [("1", 5.0), ("2", 6.0), ("3", 7.0)]


def test_two_sensors_of_one_kind_stay_apart() -> None:
    decoded = TASMOTA.decode(
        "tele/m/SENSOR",
        b'{"Time":"2026-03-01T16:00:00","DS18B20-1":{"Id":"01","Temperature":20.1},'
        b'"DS18B20-2":{"Id":"02","Temperature":null}}',
        AT,
    )
    assert [(r.place, r.value) for r in readings(decoded)] == [("DS18B20-1", 20.1)]


def test_the_local_time_counts_where_the_zone_is_configured() -> None:
    shanghai = Tasmota(time_zone="Asia/Shanghai")
    decoded = shanghai.decode(
        "tele/m/SENSOR", b'{"Time":"2026-03-01T15:59:00","A":{"Temperature":1}}', AT
    )
    assert readings(decoded)[0].captured_at == datetime(2026, 3, 1, 7, 59, tzinfo=UTC)


def test_a_device_without_network_time_is_told_by_its_clock() -> None:
    decoded = Tasmota(time_zone="UTC").decode(
        "tele/m/SENSOR", b'{"Time":"1970-01-01T00:00:12","A":{"Temperature":1}}', AT
    )
    temperature, clock = readings(decoded)
    assert temperature.captured_at == AT
    assert (clock.metric, clock.unit) == ("clock_offset", "s")


def test_another_full_topic_is_a_pattern() -> None:
    home = Tasmota(TopicPattern("home/{device}/tele/SENSOR"))
    decoded = home.decode(
        "home/roof/tele/SENSOR", b'{"Time":"2026-03-01T16:00:00","A":{"Temperature":1}}', AT
    )
    assert readings(decoded)[0].device == "roof"
    assert home.decode("tele/roof/SENSOR", b"{}", AT) is NOTHING


def test_a_message_without_time_is_not_tasmota_s() -> None:
    with pytest.raises(AdapterError, match="no Time"):
        TASMOTA.decode("tele/m/SENSOR", b'{"A":{"Temperature":1}}', AT)
