"""ChirpStack v4: `application/ID/device/DevEUI/event/up` (and `status`) as JSON.

Format: chirpstack.io, "Event types" of the MQTT integration with JSON encoding. The values are in
`object`, which the codec of the device profile makes: without a codec there is nothing to read,
and that is told. A name the codec uses is looked up in `values` of the settings, then in the table;
nested objects join their keys with dots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contract.messages import Reading
from edge.readings.adapter import NOTHING, AdapterError, Decoded, number, read_object
from edge.readings.json_values import Value
from edge.readings.metrics import Metric, known, measured, ucum
from edge.readings.names import device_name, label, metric_name
from edge.readings.times import from_iso, taken_at, wrong_clock
from edge.readings.topics import TopicPattern

_UP = TopicPattern("application/{application}/device/{device}/event/up")
_STATUS = TopicPattern("application/{application}/device/{device}/event/status")
_MAX_DEPTH = 6
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")  # Python's times end at microseconds


@dataclass(frozen=True)
class ChirpStack:
    """Every device of one ChirpStack (or of one application). The device is its DevEUI."""

    application: str = "+"  # application id, "+" for all
    values: Mapping[str, Value] = field(default_factory=dict)  # name of the codec -> metric
    prefix: str = ""

    @property
    def filters(self) -> tuple[str, ...]:
        """The up and status events of the application."""
        return tuple(
            f"application/{self.application}/device/+/event/{kind}" for kind in ("up", "status")
        )

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """A reading for each known value; raises AdapterError."""
        up = _UP.match(topic)
        named = up or _STATUS.match(topic)
        if named is None or self.application not in ("+", named["application"]):
            return NOTHING
        event = read_object(payload)
        info = event.get("deviceInfo")
        eui = info.get("devEui") if isinstance(info, dict) else None
        if not isinstance(eui, str) or eui.lower() != named["device"].lower():
            raise AdapterError(f"deviceInfo.devEui {eui!r} is not the topic's {named['device']!r}")
        device = device_name(eui, self.prefix)
        device_at = from_iso(_NANOSECONDS.sub(r"\1", str(event.get("time", ""))))
        captured_at = taken_at(device_at, received_at)
        readings, unmapped, notes = [], [], []
        for name, value in _link(event) if up else _status(event):
            metric = Metric(name, _LINK[name])
            readings.append(_reading(device, metric, value, metric.unit, captured_at))
        if up:
            if not isinstance(event.get("object"), dict):
                notes.append(f"{device} sends no object: give its device profile a codec")
            for name, value in _leaves(event.get("object"), "", 0):
                wanted = self.values.get(name)
                found = known(name.rsplit(".", 1)[-1])
                if wanted is not None:
                    unit = ucum(wanted.unit) if wanted.unit else None
                    metric = known(wanted.metric) or Metric(metric_name(wanted.metric), unit or "1")
                    value, kept = measured(metric, value, unit)
                    place = wanted.place
                elif found is not None:
                    metric, kept, place = found, found.unit, name.rpartition(".")[0]
                else:
                    unmapped.append(name)
                    continue
                readings.append(_reading(device, metric, value, kept, captured_at, place))
        told = wrong_clock(device, device_at, received_at)
        return Decoded((*readings, *told), tuple(unmapped), tuple(notes))


_LINK = {"rssi": "dB[mW]", "snr": "dB", "battery": "%", "link_margin": "dB"}


def _link(event: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Signal strength and noise distance at the gateway that heard it best."""
    heard = event.get("rxInfo")
    gateways = [g for g in heard if isinstance(g, dict)] if isinstance(heard, list) else []
    for name in ("rssi", "snr"):
        values = [v for v in (number(g.get(name)) for g in gateways) if v is not None]
        if values:
            yield name, max(values)


def _status(event: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for key, name in (("batteryLevel", "battery"), ("margin", "link_margin")):
        value = number(event.get(key))
        if value is not None:
            yield name, value


def _leaves(node: object, path: str, depth: int) -> Iterator[tuple[str, float]]:
    if isinstance(node, dict) and depth < _MAX_DEPTH:
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key), depth + 1)
        return
    value = number(node)
    if value is not None and path:
        yield path, value


def _reading(
    device: str, metric: Metric, value: float, unit: str, captured_at: datetime, place: str = ""
) -> Reading:
    return Reading(
        device=device,
        metric=metric.name,
        value=value,
        unit=unit,
        captured_at=captured_at,
        place=label(place),
    )
