"""Zigbee2MQTT: `zigbee2mqtt/FRIENDLY_NAME` with a JSON object, and `.../availability`.

Format: zigbee2mqtt.io, "MQTT Topics and Messages" (version 1.17 and later, output `json`).
Friendly names may contain `/`. `last_seen` is used where it is set to ISO_8601 or epoch. The output
`attribute` (one topic for each value) is not read: set `output: json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contract.messages import Reading
from edge.readings.adapter import (
    LEFT_OUT,
    NOTHING,
    AdapterError,
    Decoded,
    number,
    read_json,
    read_object,
)
from edge.readings.json_values import read_time
from edge.readings.metrics import known, measured
from edge.readings.names import device_name
from edge.readings.times import taken_at, wrong_clock

# states and settings of lights, switches and valves, not measurements
_SETTINGS = frozenset({
    "state", "brightness", "color_temp", "color", "color_mode", "action", "update", "device",
    "last_seen", "power_on_behavior", "update_available", "elapsed", "click",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Zigbee2Mqtt:
    """Every sensor of one Zigbee2MQTT."""

    base: str = "zigbee2mqtt"  # its base topic
    prefix: str = ""  # before device names, where two networks have the same

    @property
    def filters(self) -> tuple[str, ...]:
        """Everything below the base topic."""
        return (f"{self.base}/#",)

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """A reading for each value in the table of metrics; raises AdapterError."""
        name = topic.removeprefix(f"{self.base}/")
        if name == topic:
            return NOTHING
        if name.startswith("bridge/") or name.endswith(("/set", "/get")):
            return LEFT_OUT
        if name.endswith("/availability"):
            return self._availability(name.removesuffix("/availability"), payload, received_at)
        if not payload:
            return LEFT_OUT  # a retained state was deleted
        values = read_object(payload)
        device = device_name(name, self.prefix)
        device_at = read_time(values.get("last_seen"))
        captured_at = taken_at(device_at, received_at)
        readings, unmapped = [], []
        for key, value in values.items():
            measured_value = number(value)
            if measured_value is None or key in _SETTINGS:
                continue
            metric = known(key)
            # battery voltage comes in mV, mains voltage in V; "Exposes" of the devices say so
            unit = "mV" if key == "voltage" and "battery" in values else None
            if metric is None:
                unmapped.append(key)
                continue
            measured_value, unit = measured(metric, measured_value, unit)
            readings.append(
                Reading(
                    device=device,
                    metric=metric.name,
                    value=measured_value,
                    unit=unit,
                    captured_at=captured_at,
                )
            )
        told = wrong_clock(device, device_at, received_at)
        return Decoded((*readings, *told), tuple(unmapped))

    def _availability(self, name: str, payload: bytes, received_at: datetime) -> Decoded:
        # 1.x says online / offline as plain text in its legacy mode, JSON since
        text = payload.strip()
        if text.startswith(b"{"):
            document = read_json(payload)
            state = document.get("state") if isinstance(document, dict) else None
        else:
            state = text.decode("utf-8", "replace")
        if state not in ("online", "offline"):
            raise AdapterError(f"availability {payload[:40]!r} is neither online nor offline")
        return Decoded(
            (
                Reading(
                    device=device_name(name, self.prefix),
                    metric="online",
                    value=float(state == "online"),
                    captured_at=received_at,
                ),
            )
        )
