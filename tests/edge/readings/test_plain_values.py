"""Plain numbers and plain JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from edge.readings.adapter import NOTHING, AdapterError
from edge.readings.json_values import JsonValues, Value
from edge.readings.number import PlainNumber
from edge.readings.topics import TopicPattern
from tests.edge.readings.builders import AT, readings, values

NUMBER = PlainNumber(TopicPattern("yard/{device}/{metric}"))


@pytest.mark.parametrize(
    ("payload", "value"), [(b"21.4", 21.4), (b" -3 ", -3.0), (b"ON", 1.0), (b"closed", 0.0)]
)
def test_a_number_or_a_switch_word_is_a_reading_at_the_time_of_arrival(
    payload: bytes, value: float
) -> None:
    (reading,) = readings(NUMBER.decode("yard/north/temperature", payload, AT))
    assert (reading.device, reading.metric, reading.value, reading.unit, reading.captured_at) == (
        "north",
        "temperature",
        value,
        "Cel",
        AT,
    )


@pytest.mark.parametrize("payload", [b"", b"nan", b"inf", b"1e999", b"1_000", b"warm", b"\xff\xfe"])
def test_a_payload_that_is_no_finite_number_is_refused_with_the_payload(payload: bytes) -> None:
    with pytest.raises(AdapterError, match="payload"):
        NUMBER.decode("yard/north/temperature", payload, AT)


def test_a_number_on_another_topic_is_not_ours() -> None:
    assert NUMBER.decode("park/north/temperature", b"1", AT) is NOTHING


def test_a_number_whose_pattern_names_no_device_is_refused_when_it_is_set_up() -> None:
    with pytest.raises(AdapterError, match=r"no \{device\}"):
        PlainNumber(TopicPattern("yard/temperature"), metric="temperature")


def test_a_number_in_fahrenheit_is_kept_in_celsius() -> None:
    adapter = PlainNumber(TopicPattern("roof"), device="roof", metric="temperature", unit="°F")
    assert values(adapter.decode("roof", b"212", AT)) == {"temperature": (100.0, "Cel")}


WEATHER = JsonValues(
    TopicPattern("weather/{device}/state"),
    {
        "air.t": Value("temperature", "°F"),
        "air.rh": Value("humidity"),
        "rain.0.mm": Value("rain", "mm", "gauge 1"),
        "misery": Value("misery_index"),
    },
    time_path="ts",
)


def test_paths_into_a_json_document_become_metrics_with_the_device_s_time() -> None:
    taken = AT - timedelta(seconds=30)
    decoded = WEATHER.decode(
        "weather/roof/state",
        b'{"ts": %d, "air": {"t": 50, "rh": 81}, "rain": [{"mm": 0.2}], "misery": 7}'
        % int(taken.timestamp() * 1000),
        AT,
    )
    assert values(decoded) == {
        "temperature": (10.0, "Cel"),
        "humidity": (81.0, "%"),
        "rain": (0.2, "mm"),
        "misery_index": (7.0, "1"),
    }
    assert {r.captured_at for r in readings(decoded)} == {taken}
    assert [r.place for r in readings(decoded) if r.metric == "rain"] == ["gauge 1"]


@pytest.mark.parametrize("ts", ["0", '"1970-01-01T00:00:00Z"', str(2**70), "4102444800"])
def test_a_device_with_a_wrong_clock_keeps_its_reading_and_its_clock_is_told(ts: str) -> None:
    decoded = WEATHER.decode("weather/roof/state", b'{"ts":%s,"air":{"rh":5}}' % ts.encode(), AT)
    (humidity, *clock) = readings(decoded)
    assert humidity.captured_at == AT
    assert [c.metric for c in clock] == ([] if ts == str(2**70) else ["clock_offset"])


def test_a_time_without_a_zone_is_not_believed() -> None:
    decoded = WEATHER.decode(
        "weather/roof/state", b'{"ts": "2026-03-01T07:00:00", "air": {"rh": 5}}', AT
    )
    assert [r.captured_at for r in readings(decoded)] == [AT]


def test_a_time_with_a_zone_is_kept_in_utc() -> None:
    decoded = WEATHER.decode(
        "weather/roof/state", b'{"ts": "2026-03-01T15:59:00+08:00", "air": {"rh": 5}}', AT
    )
    assert [r.captured_at for r in readings(decoded)] == [datetime(2026, 3, 1, 7, 59, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"air": {"t": "hot", "rh": null}}', "none of the paths"),
        (b'{"air": {"t": NaN}}', "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b'{"air": {"rh": 1%s}}' % (b"0" * 400), "none of the paths|not JSON"),
    ],
)
def test_a_document_that_gives_nothing_is_refused_with_the_reason(
    payload: bytes, reason: str
) -> None:
    with pytest.raises(AdapterError, match=reason):
        WEATHER.decode("weather/roof/state", payload, AT)


def test_the_device_can_stand_in_the_document() -> None:
    adapter = JsonValues(TopicPattern("in"), {"v": Value("voltage")}, device_path="meta.id")
    (reading,) = readings(adapter.decode("in", b'{"meta": {"id": 17}, "v": 3}', AT))
    assert reading.device == "17"
