"""Payloads as ChirpStack documents them for version 4.

https://www.chirpstack.io/docs/chirpstack/integrations/events.html, "up" and "status"; the text is
`src/chirpstack/integrations/events.md` of chirpstack/chirpstack-docs. Its example has no `object`.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from edge.readings.adapter import NOTHING, AdapterError
from edge.readings.chirpstack import ChirpStack
from edge.readings.json_values import Value
from tests.edge.readings.builders import AT, readings, values

APPLICATION = "17c82e96-be03-4f38-aef3-f83d48582d97"
EUI = "0101010101010101"
UP = f"application/{APPLICATION}/device/{EUI}/event/up"


def up(**changes: Any) -> bytes:
    event = {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": "2026-03-01T07:59:15.775023242+00:00",
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "ChirpStack",
            "applicationId": APPLICATION,
            "applicationName": "Water levels",
            "deviceProfileName": "LDDS75",
            "deviceName": "Bridge 4",
            "devEui": EUI,
            "tags": {"key": "value"},
        },
        "devAddr": "00189440",
        "dr": 1,
        "fPort": 2,
        "data": "qg==",
        "object": {"temperature": 21.5, "level": {"water_level": 1.2}, "Bat": 3.3},
        "rxInfo": [
            {"gatewayId": "0016c001f153a14c", "uplinkId": 4217106255, "rssi": -98, "snr": 1.5},
            {"gatewayId": "0016c001f153a14d", "uplinkId": 1, "rssi": -36, "snr": 10.5},
        ],
    }
    return json.dumps(event | changes).encode()


def test_the_decoded_object_becomes_readings_of_the_device_by_its_eui() -> None:
    decoded = ChirpStack().decode(UP, up(), AT)
    assert values(decoded) == {
        "rssi": (-36.0, "dB[mW]"),
        "snr": (10.5, "dB"),
        "temperature": (21.5, "Cel"),
        "water_level": (1.2, "m"),
    }
    assert {r.device for r in readings(decoded)} == {EUI}
    assert decoded.unmapped == ("Bat",)


def test_the_time_of_the_gateway_counts_though_it_has_nanoseconds() -> None:
    taken = readings(ChirpStack().decode(UP, up(), AT))[0].captured_at
    assert taken == AT - timedelta(seconds=44, microseconds=224977)


def test_a_name_of_the_codec_is_mapped_by_the_settings() -> None:
    adapter = ChirpStack(
        values={"Bat": Value("voltage", "V"), "level.water_level": Value("depth", "cm", "pier")}
    )
    decoded = adapter.decode(UP, up(), AT)
    assert values(decoded)["voltage"] == (3.3, "V")
    assert values(decoded)["depth"] == (1.2, "cm")
    assert decoded.unmapped == ()


def test_a_device_profile_without_codec_is_told() -> None:
    decoded = ChirpStack().decode(UP, up(object=None), AT)
    assert set(values(decoded)) == {"rssi", "snr"}
    assert "codec" in decoded.notes[0]


def test_a_status_event_gives_battery_and_margin() -> None:
    payload = up(margin=10, batteryLevel=88.3, object=None, rxInfo=None)
    decoded = ChirpStack().decode(UP.replace("/up", "/status"), payload, AT)
    assert values(decoded) == {"battery": (88.3, "%"), "link_margin": (10.0, "dB")}


def test_other_events_and_other_applications_are_left_alone() -> None:
    assert ChirpStack().decode(UP.replace("/up", "/join"), up(), AT) is NOTHING
    assert ChirpStack(application="other").decode(UP, up(), AT) is NOTHING


def test_a_device_that_speaks_on_another_s_topic_is_refused() -> None:
    with pytest.raises(AdapterError, match="devEui"):
        ChirpStack().decode(UP.replace(EUI, "0202020202020202"), up(), AT)


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"deviceInfo": 4}', b'{"time": 4}'])
def test_an_event_without_a_device_is_refused(payload: bytes) -> None:
    with pytest.raises(AdapterError):
        ChirpStack().decode(UP, payload, AT)


def test_an_object_nested_without_end_is_cut_off() -> None:
    nested: Any = 1.0
    for _ in range(50):
        nested = {"a": nested}
    decoded = ChirpStack().decode(UP, up(object=nested, rxInfo=[]), AT)
    assert decoded.records == ()
