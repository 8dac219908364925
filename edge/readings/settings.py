"""What a [[sensor]] of the settings may say, kind by kind. Checked by msgspec; unknown keys are
refused. `configs/edge/site.example.toml` and docs/sensors.md show each.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from edge.readings.frigate import KINDS_TAKEN
from edge.readings.json_values import Value
from edge.readings.simulated import FaultKind

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Place = tuple[float, float]  # longitude, latitude
Cell = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{6}|[0-9]{12}|[0-9]{15})?$")]
Seconds = Annotated[float, msgspec.Meta(gt=0.0, le=86400.0)]
Topic = Annotated[str, msgspec.Meta(max_length=500)]


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device by the name its readings carry: what people call it and where it stands."""

    id: Name
    name: str = ""
    position: Place | None = None
    cell: Cell = ""  # where only the grid cell is known


class Watch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Detectors over one metric of the devices that fit a pattern (`*`, `?`, `[abc]`)."""

    metric: str
    device: str = "*"
    id: str = ""  # how it is tuned; "": sensor.metric
    detectors: dict[str, dict[str, Any]] = {}  # kind -> parameters


class Sensor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every kind has."""

    kind: ClassVar[str]

    id: Name
    name: str = ""
    prefix: str = ""  # before the names of its devices
    position: Place | None = None  # of devices that have none of their own
    cell: Cell = ""
    device: list[Device] = []
    watch: list[Watch] = []


class MqttSensor(Sensor, frozen=True, kw_only=True):
    """What every kind has that listens to a broker."""

    broker: dict[str, Any] | None = None  # as [broker]; None: the agent's own
    also_listen: list[Topic] = []  # filters whose topics are listed although nothing reads them


class NumberSensor(MqttSensor, frozen=True, kw_only=True, tag_field="kind", tag="number"):
    """A topic with a plain number."""

    kind: ClassVar[str] = "number"
    topic: Topic
    device_name: str = ""
    metric: str = ""
    unit: str = ""  # as the sender spells it


class JsonSensor(MqttSensor, frozen=True, kw_only=True, tag_field="kind", tag="json"):
    """A topic with a JSON document."""

    kind: ClassVar[str] = "json"
    topic: Topic
    values: dict[str, Value]  # path -> metric, unit, place
    device_name: str = ""
    device_path: str = ""
    time: str = ""  # path of the device's time


class Zigbee2MqttSensor(MqttSensor, frozen=True, kw_only=True, tag_field="kind", tag="zigbee2mqtt"):
    """A Zigbee2MQTT."""

    kind: ClassVar[str] = "zigbee2mqtt"
    topic: Topic = "zigbee2mqtt"  # its base topic


class TasmotaSensor(MqttSensor, frozen=True, kw_only=True, tag_field="kind", tag="tasmota"):
    """Tasmota devices."""

    kind: ClassVar[str] = "tasmota"
    topic: Topic = "tele/{device}/SENSOR"
    time_zone: str = ""  # of the devices; "": the time of arrival counts


class ChirpStackSensor(MqttSensor, frozen=True, kw_only=True, tag_field="kind", tag="chirpstack"):
    """A ChirpStack v4."""

    kind: ClassVar[str] = "chirpstack"
    application: str = "+"
    values: dict[str, Value] = {}


class HomeAssistantSensor(
    MqttSensor, frozen=True, kw_only=True, tag_field="kind", tag="home_assistant"
):
    """Whatever announces itself by Home Assistant's MQTT discovery."""

    kind: ClassVar[str] = "home_assistant"
    topic: Topic = "homeassistant"  # the discovery prefix


class SparkplugSensor(MqttSensor, frozen=True, kw_only=True, tag_field="kind", tag="sparkplug"):
    """Sparkplug B edge nodes of one group."""

    kind: ClassVar[str] = "sparkplug"
    group: str = "+"
    values: dict[str, Value] = {}
    ask_rebirth: bool = True


class FrigateView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A camera of Frigate's: the size of its `detect` stream, and where it stands."""

    stream: str = ""  # what we call it; "": as Frigate does
    width: Annotated[int, msgspec.Meta(ge=0, le=16384)] = 0
    height: Annotated[int, msgspec.Meta(ge=0, le=16384)] = 0
    position: Place | None = None


class FrigateSensor(MqttSensor, frozen=True, kw_only=True, tag_field="kind", tag="frigate"):
    """A Frigate: its events and reviews become detections."""

    kind: ClassVar[str] = "frigate"
    topic: Topic = "frigate"  # its topic_prefix
    kinds: dict[str, Name] = msgspec.field(default_factory=lambda: dict(KINDS_TAKEN))
    reviews: list[Literal["alert", "detection"]] = []
    snapshots: bool = True
    cameras: dict[str, FrigateView] = {}


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value of a Modbus device. value = raw * scale + offset."""

    metric: str
    address: Annotated[int, msgspec.Meta(ge=0, le=65535)]  # as in the protocol, from 0
    table: Literal["holding", "input", "coil", "discrete"] = "holding"
    type: Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"] = (
        "uint16"
    )
    word_order: Literal["big", "little"] = "big"
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    place: str = ""

    @property
    def words(self) -> int:
        """16-bit registers it takes."""
        return int(self.type[-2:]) // 16


class ModbusSensor(Sensor, frozen=True, kw_only=True, tag_field="kind", tag="modbus"):
    """One slave behind Modbus TCP."""

    kind: ClassVar[str] = "modbus"
    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 502
    slave: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    device_name: str = ""  # "": the sensor's id
    poll_s: Seconds = 10.0
    timeout_s: Seconds = 3.0
    retry_max_s: Seconds = 300.0
    register: Annotated[list[Register], msgspec.Meta(min_length=1, max_length=500)]


class FaultSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault of a simulated series."""

    kind: FaultKind
    start_s: Annotated[float, msgspec.Meta(ge=0.0)]
    end_s: Annotated[float, msgspec.Meta(gt=0.0)]
    size: float = 0.0


class Series(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A simulated series."""

    device: Name
    metric: str
    unit: str = "1"  # UCUM
    level: float = 0.0
    daily: float = 0.0
    noise: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    step_s: Seconds = 10.0
    seed: int = 0
    repeat_s: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0  # the faults begin anew; 0: never
    fault: list[FaultSettings] = []


class SimulatedSensors(Sensor, frozen=True, kw_only=True, tag_field="kind", tag="simulated"):
    """Sensors that are not there, for trying limits."""

    kind: ClassVar[str] = "simulated"
    series: Annotated[list[Series], msgspec.Meta(min_length=1, max_length=5000)]


KINDS: dict[str, type[Sensor]] = {
    kind.kind: kind
    for kind in (
        NumberSensor,
        JsonSensor,
        Zigbee2MqttSensor,
        TasmotaSensor,
        ChirpStackSensor,
        HomeAssistantSensor,
        SparkplugSensor,
        FrigateSensor,
        ModbusSensor,
        SimulatedSensors,
    )
}
