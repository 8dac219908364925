"""From the settings of a sensor to the adapter that reads its messages."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contract.geometry import Point
from edge.readings.adapter import Adapter, AdapterError
from edge.readings.chirpstack import ChirpStack
from edge.readings.frigate import Frigate, FrigateCamera
from edge.readings.home_assistant import HomeAssistantDiscovery
from edge.readings.json_values import JsonValues
from edge.readings.names import device_name, metric_name
from edge.readings.number import PlainNumber
from edge.readings.settings import (
    ChirpStackSensor,
    FrigateSensor,
    FrigateView,
    HomeAssistantSensor,
    JsonSensor,
    ModbusSensor,
    MqttSensor,
    NumberSensor,
    SparkplugSensor,
    TasmotaSensor,
    Zigbee2MqttSensor,
)
from edge.readings.sparkplug import Sparkplug
from edge.readings.tasmota import Tasmota
from edge.readings.topics import TopicPattern, covers, overlap
from edge.readings.zigbee2mqtt import Zigbee2Mqtt
from edge.settings import SensorSettings


def check(sensor: SensorSettings) -> None:
    """Refuse settings that no adapter can work with; raises AdapterError or PatternError."""
    fields = sensor.fields
    if isinstance(fields, MqttSensor):
        wanted = list(build_adapter(sensor).filters)
        for topic in fields.also_listen:
            _check_filter(topic)
            for other in wanted:
                if overlap(topic, other) and not (covers(topic, other) or covers(other, topic)):
                    raise AdapterError(
                        f"also_listen {topic!r} and {other!r} share topics, which a broker may "
                        "deliver twice: write a filter that covers the other, such as '#'"
                    )
            wanted.append(topic)
    if isinstance(fields, TasmotaSensor) and fields.time_zone:
        _check_zone(fields.time_zone)
    if isinstance(fields, ModbusSensor):
        for register in fields.register:
            metric_name(register.metric)
            size = 1 if register.table in ("coil", "discrete") else register.words
            if register.address + size > 65536:
                raise AdapterError(f"register {register.metric}: it ends beyond address 65535")


def build_adapter(sensor: SensorSettings) -> Adapter:
    """The adapter of a sensor that listens to a broker; raises AdapterError or PatternError."""
    f = sensor.fields
    match f:
        case NumberSensor():
            return PlainNumber(TopicPattern(f.topic), f.device_name, f.metric, f.unit, f.prefix)
        case JsonSensor():
            return JsonValues(
                TopicPattern(f.topic), f.values, f.device_name, f.device_path, f.time, f.prefix
            )
        case Zigbee2MqttSensor():
            return Zigbee2Mqtt(f.topic, f.prefix)
        case TasmotaSensor():
            return Tasmota(TopicPattern(f.topic), f.prefix, f.time_zone)
        case ChirpStackSensor():
            return ChirpStack(f.application, f.values, f.prefix)
        case HomeAssistantSensor():
            return HomeAssistantDiscovery(f.topic, f.prefix)
        case SparkplugSensor():
            return Sparkplug(f.group, f.values, f.prefix, f.ask_rebirth)
        case FrigateSensor():
            cameras = {name: _camera(name, view, sensor) for name, view in f.cameras.items()}
            return Frigate(
                f.topic, f.kinds, tuple(f.reviews), cameras, f.snapshots, sensor.position
            )
        case _:
            raise AdapterError(f"a {f.kind} sensor listens to no broker")


def _camera(name: str, view: FrigateView, sensor: SensorSettings) -> FrigateCamera:
    position = Point(*view.position) if view.position else sensor.position
    return FrigateCamera(view.stream or device_name(name), view.width, view.height, position)


def _check_filter(topic: str) -> None:
    levels = topic.split("/")
    for k, level in enumerate(levels):
        if (level == "#" and k < len(levels) - 1) or (len(level) > 1 and set("+#") & set(level)):
            raise AdapterError(f"also_listen {topic!r}: '+' stands for a level, '#' for the rest")
    if not topic or "\0" in topic:
        raise AdapterError(f"also_listen {topic!r} is no topic filter")


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise AdapterError(
            f"time_zone {name!r:.100} is not known here: use a name such as 'Asia/Shanghai'"
        ) from None
