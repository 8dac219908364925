from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.taxonomy import SensorState
from edge.readings.adapter import MAX_PAYLOAD
from edge.readings.chirpstack import ChirpStack
from edge.readings.frigate import Frigate
from edge.readings.home_assistant import HomeAssistantDiscovery
from edge.readings.intake import Intake
from edge.readings.number import PlainNumber
from edge.readings.sparkplug import Sparkplug
from edge.readings.tasmota import Tasmota
from edge.readings.topics import TopicPattern
from edge.readings.zigbee2mqtt import Zigbee2Mqtt
from tests.edge.readings.builders import AT


def everything() -> Intake:
    return Intake(
        "all",
        (
            PlainNumber(TopicPattern("yard/{device}/{metric}")),
            Zigbee2Mqtt(),
            Tasmota(),
            ChirpStack(),
            HomeAssistantDiscovery(),
            Sparkplug(),
            Frigate(),
        ),
        AT,
    )


def test_a_message_that_cannot_be_read_is_counted_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    intake = everything()
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert intake.take("zigbee2mqtt/hall", b"{", AT).records == ()
    status = intake.status()
    assert (status.messages, status.refused, status.records) == (5, 5, 0)
    assert "not JSON" in status.last_refusal
    assert len(caplog.records) == 1
    assert "zigbee2mqtt/hall" in caplog.text


def test_a_payload_beyond_all_reason_is_refused_before_it_is_parsed() -> None:
    intake = Intake("z", (Zigbee2Mqtt(),), AT)
    intake.take("zigbee2mqtt/hall", b" " * (MAX_PAYLOAD + 1), AT)
    assert f"{MAX_PAYLOAD + 1} bytes" in intake.status().last_refusal


def test_names_in_no_table_are_counted_for_the_engineer() -> None:
    intake = everything()
    for _ in range(3):
        intake.take("zigbee2mqtt/hall", b'{"temperature": 1, "flux": 2}', AT)
    assert intake.status().unmapped == {"flux": 3}
    assert intake.status().records == 3


def test_a_value_the_contract_refuses_is_a_refusal_and_no_crash() -> None:
    intake = Intake("n", (PlainNumber(TopicPattern("{device}/{metric}")),), AT)
    intake.take("a/" + "é" * 50, b"1", AT)
    assert intake.status().refused == 1


def test_the_state_carries_since_when() -> None:
    intake = everything()
    assert intake.status().state is SensorState.CONNECTING
    intake.moved(SensorState.ONLINE, AT)
    assert (intake.status().state, intake.status().since) == (SensorState.ONLINE, AT)


TOPICS = (
    "yard/a/temperature",
    "zigbee2mqtt/hall",
    "zigbee2mqtt/hall/availability",
    "tele/a/SENSOR",
    "application/1/device/0101010101010101/event/up",
    "homeassistant/sensor/a/config",
    "homeassistant/device/a/config",
    "spBv1.0/g/NBIRTH/n",
    "spBv1.0/g/DDATA/n/d",
    "frigate/events",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            [
                "Time", "type", "after", "id", "camera", "label", "deviceInfo", "devEui", "object",
                "temperature", "state_topic", "components", "device", "score", "box", "start_time",
            ]
        )
        | st.text(max_size=6),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from(TOPICS), st.binary(max_size=64) | JSON.map(lambda d: repr(d).encode()))
@settings(max_examples=150, deadline=None)
def test_no_bytes_bring_the_intake_down(topic: str, payload: bytes) -> None:
    everything().take(topic, payload, AT)


@given(st.sampled_from(TOPICS), JSON)
@settings(max_examples=300, deadline=None)
def test_no_document_brings_the_intake_down(topic: str, document: object) -> None:
    everything().take(topic, json.dumps(document).encode(), AT)
