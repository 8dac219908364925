"""Configurations as Home Assistant documents MQTT discovery.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery: BEDROOM and its state are the first
of "Sensors", with a name.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.readings.adapter import NOTHING, AdapterError
from edge.readings.home_assistant import HomeAssistantDiscovery
from edge.readings.value_template import compile_template
from tests.edge.readings.builders import AT, readings, values

BEDROOM: dict[str, Any] = {
    "device_class": "temperature",
    "name": "Temperature",
    "state_topic": "homeassistant/sensor/sensorBedroom/state",
    "unit_of_measurement": "°C",
    "value_template": "{{ value_json.temperature}}",
    "device": {"identifiers": ["bedroom01ae"], "name": "Bedroom"},
}
CONFIG = "homeassistant/sensor/sensorBedroomT/config"
STATE = "homeassistant/sensor/sensorBedroom/state"


def told(topic: str = CONFIG, **changes: Any) -> HomeAssistantDiscovery:
    adapter = HomeAssistantDiscovery()
    decoded = adapter.decode(topic, json.dumps(BEDROOM | changes).encode(), AT)
    assert decoded.records == ()
    return adapter


def test_a_configuration_teaches_a_state_topic_and_how_to_read_it() -> None:
    adapter = HomeAssistantDiscovery()
    assert STATE not in adapter.filters
    adapter.decode(CONFIG, json.dumps(BEDROOM).encode(), AT)
    assert STATE in adapter.filters
    decoded = adapter.decode(STATE, b'{ "temperature": 23.20, "humidity": 43.70 }', AT)
    (reading,) = readings(decoded)
    assert (reading.device, reading.metric, reading.value, reading.unit, reading.label) == (
        "bedroom01ae",
        "temperature",
        23.2,
        "Cel",
        "sensorBedroomT",
    )


def test_two_entities_on_one_state_topic_are_both_read() -> None:
    adapter = told()
    humidity = BEDROOM | {
        "device_class": "humidity",
        "unit_of_measurement": "%",
        "value_template": "{{ value_json['humidity'] | float }}",
    }
    adapter.decode(CONFIG.replace("T/", "H/"), json.dumps(humidity).encode(), AT)
    decoded = adapter.decode(STATE, b'{ "temperature": 23.20, "humidity": 43.70 }', AT)
    assert values(decoded) == {"temperature": (23.2, "Cel"), "humidity": (43.7, "%")}


def test_abbreviations_and_the_base_topic_are_understood() -> None:
    adapter = HomeAssistantDiscovery()
    short = {
        "~": "tele/plug001",
        "stat_t": "~/SENSOR",
        "val_tpl": "{{value_json['ENERGY']['Power']}}",
        "unit_of_meas": "W",
        "dev_cla": "power",
        "uniq_id": "218FF9_power",
        "dev": {"ids": ["218FF9"]},
    }
    adapter.decode("homeassistant/sensor/218FF9/power/config", json.dumps(short).encode(), AT)
    decoded = adapter.decode("tele/plug001/SENSOR", b'{"ENERGY": {"Power": 12}}', AT)
    assert values(decoded) == {"power": (12.0, "W")}
    assert readings(decoded)[0].device == "218FF9"


def test_a_device_configuration_brings_all_its_components() -> None:
    adapter = HomeAssistantDiscovery()
    device = {
        "dev": {"ids": "ea334450945afc", "name": "Kitchen"},
        "o": {"name": "bla2mqtt"},
        "cmps": {
            "t1": {
                "p": "sensor",
                "device_class": "temperature",
                "unit_of_measurement": "°F",
                "value_template": "{{ value_json.temperature }}",
                "unique_id": "t1",
            },
            "m1": {"p": "binary_sensor", "device_class": "motion", "stat_t": "kitchen/motion"},
            "b1": {"p": "button", "command_topic": "x"},
        },
        "state_topic": "kitchen/state",
    }
    adapter.decode("homeassistant/device/0AFFD2/config", json.dumps(device).encode(), AT)
    assert values(adapter.decode("kitchen/state", b'{"temperature": 50}', AT)) == {
        "temperature": (10.0, "Cel")
    }
    assert values(adapter.decode("kitchen/motion", b"ON", AT)) == {"occupancy": (1.0, "1")}


def test_an_empty_configuration_forgets_the_entity() -> None:
    adapter = told()
    adapter.decode(CONFIG, b"", AT)
    assert STATE not in adapter.filters
    assert adapter.decode(STATE, b'{"temperature": 1}', AT) == NOTHING


def test_a_changed_configuration_takes_the_place_of_the_old_one() -> None:
    adapter = told()
    moved = BEDROOM | {"state_topic": "elsewhere"}
    adapter.decode(CONFIG, json.dumps(moved).encode(), AT)
    assert STATE not in adapter.filters
    assert "elsewhere" in adapter.filters


def test_a_template_beyond_the_subset_is_told_with_its_text_and_hurts_no_other() -> None:
    adapter = HomeAssistantDiscovery()
    config = BEDROOM | {"value_template": "{% if value_json.t %}1{% endif %}"}
    decoded = adapter.decode(CONFIG, json.dumps(config).encode(), AT)
    assert "{% if value_json.t %}" in decoded.notes[0]
    assert STATE not in adapter.filters


def test_a_state_that_gives_no_number_is_refused() -> None:
    with pytest.raises(AdapterError, match="no number"):
        told().decode(STATE, b'{"temperature": "unavailable"}', AT)


def test_a_state_topic_with_wildcards_is_never_subscribed_to() -> None:
    adapter = told(state_topic="#")
    assert "#" not in adapter.filters


@pytest.mark.parametrize(
    ("template", "payload", "expected"),
    [
        ("{{ value }}", 7, 7.0),
        ("{{ value | float }}", "7.5", 7.5),
        ("{{ value_json.a.b }}", {"a": {"b": 2}}, 2.0),
        ("{{ value_json['a'][1] }}", {"a": [1, 5]}, 5.0),
        ('{{ value_json["a b"] | round(1) }}', {"a b": 2.345}, 2.3),
        ("{{ value_json.t | float * 0.1 }}", {"t": "215"}, 21.5),
        ("{{ (value_json.t - 32) * 5 / 9 }}", {"t": 212}, 100.0),
        ("{{ value_json.t / 0 }}", {"t": 1}, None),
        ("{{ value_json.x | float(0) }}", {}, 0.0),
        ("{{ value_json.x | is_defined }}", {}, None),
        ("{{ -value_json.x }}", {"x": 2}, -2.0),
        ("{{- value_json.x | int -}}", {"x": 2.9}, 2.0),
        ("{{ value_json.x | abs }}", {"x": -2.5}, 2.5),
    ],
)
def test_the_templates_of_the_subset(template: str, payload: Any, expected: float | None) -> None:
    found = compile_template(template)(payload)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    "template",
    [
        "",
        "value_json.a",
        "{{ }}",
        "{{ value_json.a if value_json.b else 0 }}",
        "{{ states('sensor.x') }}",
        "{{ value_json.a.__class__() }}",
        "{{ value_json.a | sum }}",
        "{{ range(10000000) }}",
        "{{ value_json.a ** 99999 }}",
        "{{ " + "(" * 400 + " }}",
        "{{ value_json[ }}",
    ],
)
def test_everything_else_is_refused_by_name(template: str) -> None:
    with pytest.raises(AdapterError, match="value_template"):
        compile_template(template)
