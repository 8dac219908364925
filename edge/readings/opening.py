"""From the settings of a sensor to the source that gives its readings."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from edge.mqtt import MqttTransport
from edge.readings.adapters import build_adapter
from edge.readings.intake import Intake
from edge.readings.modbus import ModbusSource
from edge.readings.mqtt_source import MqttSource
from edge.readings.settings import ModbusSensor, MqttSensor, SimulatedSensors
from edge.readings.simulated import Fault, SimulatedSensor, SimulatedSource
from edge.readings.source import ReadingSource
from edge.settings import SensorSettings


def open_source(
    sensor: SensorSettings, client_id: str, now: Callable[[], datetime]
) -> ReadingSource:
    """The source, not yet begun. client_id: of its own MQTT session, unique on its broker."""
    fields = sensor.fields
    if isinstance(fields, MqttSensor) and sensor.broker is not None:
        intake = Intake(sensor.id, (build_adapter(sensor),), now(), fields.also_listen)
        return MqttSource(sensor.id, intake, MqttTransport(sensor.broker, client_id), now)
    if isinstance(fields, ModbusSensor):
        return ModbusSource(fields, now)
    if isinstance(fields, SimulatedSensors):
        return SimulatedSource(fields.id, _series(fields), now(), math.inf, now)
    raise AssertionError(f"no source for a {fields.kind} sensor")


def _series(fields: SimulatedSensors) -> list[SimulatedSensor]:
    return [
        SimulatedSensor(
            device=s.device,
            metric=s.metric,
            unit=s.unit,
            level=s.level,
            daily=s.daily,
            noise=s.noise,
            step_s=s.step_s,
            seed=s.seed,
            faults=tuple(Fault(f.kind, f.start_s, f.end_s, f.size) for f in s.fault),
            repeat_s=s.repeat_s,
        )
        for s in fields.series
    ]
