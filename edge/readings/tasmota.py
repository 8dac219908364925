"""Tasmota: `tele/<topic>/SENSOR` with a JSON object for each sensor.

Format: tasmota.github.io/docs, "MQTT" and "JSON Status Responses":

    {"Time": "2018-03-02T18:25:03", "AM2301": {"Temperature": 22.6, "Humidity": 32.4},
     "TempUnit": "C"}

`Time` is local and names no zone, so it is used only where the device's zone is configured. Energy
meters of several phases send lists: the phase's number stands in the reading's label.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from contract.messages import Reading
from edge.readings.adapter import NOTHING, AdapterError, Decoded, number, read_object
from edge.readings.metrics import known, measured, ucum
from edge.readings.names import device_name, label
from edge.readings.times import taken_at, wrong_clock
from edge.readings.topics import TopicPattern

_UNIT_KEYS = {"temperature": "TempUnit", "dew_point": "TempUnit", "pressure": "PressureUnit",
              "sea_pressure": "PressureUnit", "wind_speed": "SpeedUnit"}  # fmt: skip
_ENERGY = {"Total": "energy", "Power": "power", "ApparentPower": "apparent_power",
           "ReactivePower": "reactive_power", "Factor": "power_factor", "Voltage": "voltage",
           "Current": "current", "Frequency": "frequency"}  # fmt: skip
_NOT_MEASURED = frozenset({"Id", "Yesterday", "Today", "Period", "TotalTariff"})


@dataclass(frozen=True)
class Tasmota:
    """Every sensor of every Tasmota device whose topic fits the pattern."""

    pattern: TopicPattern = field(default_factory=lambda: TopicPattern("tele/{device}/SENSOR"))
    prefix: str = ""
    time_zone: str = ""  # of the devices ("Asia/Shanghai"); "": use the time of arrival

    @property
    def filters(self) -> tuple[str, ...]:
        """The filter of the pattern."""
        return (self.pattern.filter,)

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """A reading for each value in the table of metrics; raises AdapterError."""
        named = self.pattern.match(topic)
        if named is None:
            return NOTHING
        document = read_object(payload)
        if "Time" not in document:
            raise AdapterError("no Time: this is not a SENSOR message of Tasmota")
        device = device_name(named.get("device", ""), self.prefix)
        device_at = self._time(document["Time"])
        captured_at = taken_at(device_at, received_at)
        readings: list[Reading] = []
        unmapped: list[str] = []
        for sensor, values in document.items():
            if not isinstance(values, dict):
                continue
            for key, value in values.items():
                if key in _NOT_MEASURED:
                    continue
                name = str(_ENERGY.get(key, key) if sensor == "ENERGY" else key)
                for phase, single in _phases(value):
                    found = number(single)
                    if found is None:
                        continue
                    metric = known(name)
                    if metric is None:
                        unmapped.append(f"{sensor}.{key}")
                        continue
                    unit = document.get(_UNIT_KEYS.get(metric.name, ""))
                    found, kept = measured(
                        metric, found, ucum(unit) if isinstance(unit, str) else None
                    )
                    readings.append(
                        Reading(
                            device=device,
                            metric=metric.name,
                            value=found,
                            unit=kept,
                            captured_at=captured_at,
                            place=label(sensor),
                            label=phase,
                        )
                    )
        told = wrong_clock(device, device_at, received_at)
        return Decoded((*readings, *told), tuple(dict.fromkeys(unmapped)))

    def _time(self, text: object) -> datetime | None:
        if not self.time_zone or not isinstance(text, str):
            return None
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            return None
        zone = ZoneInfo(self.time_zone)
        return local.replace(tzinfo=local.tzinfo or zone).astimezone(UTC)


def _phases(value: object) -> list[tuple[str, object]]:
    if isinstance(value, list):
        return [(str(k), single) for k, single in enumerate(value[:8], 1)]
    return [("", value)]
