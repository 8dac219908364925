"""Topics with a JSON payload: paths in it become metrics, one line of settings for each.

[[sensor]]
id = "weather"
kind = "json"
topic = "weather/{device}/state"
time = "ts"                                      # optional path of the device's time
values = { "air.t" = { metric = "temperature", unit = "°C" }, "air.rh" = { metric = "humidity" } }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from contract.messages import Reading
from edge.readings.adapter import NOTHING, AdapterError, Decoded, number, read_json
from edge.readings.metrics import Metric, known, measured, ucum
from edge.readings.names import device_name, label, metric_name
from edge.readings.times import from_epoch_ms, from_epoch_s, from_iso, taken_at, wrong_clock
from edge.readings.topics import TopicPattern

_MS_SINCE = 1e11  # a number above it cannot be seconds: it would be the year 5138


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one path of the document is. unit: as the sender spells it, "" for the table's."""

    metric: str
    unit: str = ""
    place: str = ""


@dataclass(frozen=True)
class JsonValues:
    """Reads the configured paths; a path is keys and list positions joined by dots.

    The device is the pattern's {device}, else the text at `device_path`, else `device`.
    """

    pattern: TopicPattern
    values: Mapping[str, Value] = field(default_factory=dict)
    device: str = ""
    device_path: str = ""
    time_path: str = ""
    prefix: str = ""

    def __post_init__(self) -> None:
        if not (self.device or self.device_path or "device" in self.pattern.names):
            raise AdapterError(
                f"topic pattern {self.pattern.text!r} has no {{device}}: write it into the "
                "pattern or give device or device_path"
            )
        if not self.values:
            raise AdapterError(f"{self.pattern.text!r} has no values: name at least one path")

    @property
    def filters(self) -> tuple[str, ...]:
        """The filter of the pattern."""
        return (self.pattern.filter,)

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """A reading for each configured path that is there; raises AdapterError where none is."""
        named = self.pattern.match(topic)
        if named is None:
            return NOTHING
        document = read_json(payload)
        device = device_name(self._device(named, document), self.prefix)
        device_at = read_time(at_path(document, self.time_path)) if self.time_path else None
        captured_at = taken_at(device_at, received_at)
        readings = []
        for path, wanted in self.values.items():
            value = number(at_path(document, path))
            if value is None:
                continue
            unit = ucum(wanted.unit) if wanted.unit else None
            metric = known(wanted.metric) or Metric(metric_name(wanted.metric), unit or "1")
            value, kept = measured(metric, value, unit)
            readings.append(
                Reading(
                    device=device,
                    metric=metric.name,
                    value=value,
                    unit=kept,
                    captured_at=captured_at,
                    place=label(wanted.place),
                )
            )
        if not readings:
            raise AdapterError(f"none of the paths {', '.join(self.values)} holds a number")
        return Decoded((*readings, *wrong_clock(device, device_at, received_at)))

    def _device(self, named: Mapping[str, str], document: object) -> str:
        if "device" in named:
            return named["device"]
        if not self.device_path:
            return self.device
        found = at_path(document, self.device_path)
        if not isinstance(found, str | int):
            raise AdapterError(f"no device at path {self.device_path!r}")
        return str(found)


def at_path(document: Any, path: str) -> Any:
    """What stands at `path` ("a.b.0"), None where nothing does."""
    for step in path.split("."):
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


def read_time(value: object) -> datetime | None:
    """The time in ISO 8601 text with a zone, or in seconds or milliseconds since 1970."""
    if isinstance(value, int | float) and abs(value) >= _MS_SINCE:
        return from_epoch_ms(value)
    return from_epoch_s(value) or from_iso(value)
