"""Payloads as https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html has them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from edge.readings.adapter import NOTHING, AdapterError
from edge.readings.zigbee2mqtt import Zigbee2Mqtt
from tests.edge.readings.builders import AT, readings, values

Z2M = Zigbee2Mqtt()


def test_a_temperature_and_humidity_sensor_gives_both() -> None:
    decoded = Z2M.decode(
        "zigbee2mqtt/yard/north",
        b'{"temperature": 27.34, "humidity": 44.72, "pressure": 1002.1, "battery": 97,'
        b' "voltage": 2995, "linkquality": 99}',
        AT,
    )
    assert values(decoded) == {
        "temperature": (27.34, "Cel"),
        "humidity": (44.72, "%"),
        "pressure": (1002.1, "hPa"),
        "battery": (97.0, "%"),
        "voltage": (2995.0, "mV"),
        "link_quality": (99.0, "1"),
    }
    assert readings(decoded)[0].device.startswith("yard-north-")


def test_yes_and_no_become_one_and_zero() -> None:
    decoded = Z2M.decode(
        "zigbee2mqtt/hall", b'{"occupancy": true, "water_leak": false, "contact": false}', AT
    )
    assert values(decoded) == {
        "occupancy": (1.0, "1"),
        "water_leak": (0.0, "1"),
        "contact": (0.0, "1"),
    }


@pytest.mark.parametrize("last_seen", ['"2026-03-01T07:59:20.000Z"', "1772351960000"])
def test_last_seen_is_when_the_reading_was_taken(last_seen: str) -> None:
    decoded = Z2M.decode(
        "zigbee2mqtt/hall", b'{"temperature": 1, "last_seen": %s}' % last_seen.encode(), AT
    )
    assert [r.captured_at for r in readings(decoded)] == [AT - timedelta(seconds=40)]


def test_settings_of_a_lamp_are_not_measurements() -> None:
    decoded = Z2M.decode(
        "zigbee2mqtt/lamp", b'{"state": "ON", "brightness": 215, "color_temp": 325}', AT
    )
    assert decoded.records == ()
    assert decoded.unmapped == ()


def test_a_value_in_no_table_is_told_by_name() -> None:
    decoded = Z2M.decode("zigbee2mqtt/x", b'{"temperature": 1, "siphon_depth": 4}', AT)
    assert decoded.unmapped == ("siphon_depth",)
    assert len(decoded.records) == 1


@pytest.mark.parametrize(("payload", "value"), [(b'{"state":"online"}', 1.0), (b"offline", 0.0)])
def test_availability_is_a_reading(payload: bytes, value: float) -> None:
    decoded = Z2M.decode("zigbee2mqtt/yard/north/availability", payload, AT)
    assert values(decoded) == {"online": (value, "1")}


@pytest.mark.parametrize(
    "topic",
    ["zigbee2mqtt/bridge/devices", "zigbee2mqtt/lamp/set", "zigbee2mqtt/lamp/get", "other/lamp"],
)
def test_bridge_topics_and_commands_are_none_of_our_business(topic: str) -> None:
    assert Z2M.decode(topic, b'{"temperature": 1}', AT) == NOTHING


def test_a_deleted_retained_state_says_nothing() -> None:
    assert Z2M.decode("zigbee2mqtt/lamp", b"", AT) == NOTHING


@pytest.mark.parametrize("payload", [b"21.5", b"[1]", b"{", b"\xff"])
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(AdapterError):
        Z2M.decode("zigbee2mqtt/hall", payload, AT)


def test_a_prefix_keeps_two_networks_apart() -> None:
    north = Zigbee2Mqtt(prefix="north.")
    (reading,) = readings(north.decode("zigbee2mqtt/hall", b'{"temperature": 1}', AT))
    assert reading.device == "north.hall"


def test_a_name_without_letters_of_ours_is_unmapped_and_costs_the_others_nothing() -> None:
    decoded = Z2M.decode("zigbee2mqtt/hall", '{"湿度": 40, "temperature": 21}'.encode(), AT)
    assert values(decoded) == {"temperature": (21.0, "Cel")}
    assert decoded.unmapped == ("湿度",)
