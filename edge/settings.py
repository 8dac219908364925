"""The sections of an agent's settings: each field with its default, unit, range and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from contract.geometry import Point
from contract.messages import GroundPoint
from contract.taxonomy import Lane
from detectors.kit.params import param
from edge.privacy import Polygon
from edge.readings.settings import Sensor


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Who the agent is and where it keeps its things."""

    name: str = param("", text="Name of this agent: part of its topics and its MQTT user name")
    station: str = param("", text="Station the agent belongs to: part of its topics")
    data_dir: str = param("", text="Folder of the spool, the last command and status.json")
    workers: int = param(
        0, minimum=0, maximum=256, text="Threads that run detectors; 0: one a core"
    )
    scenes_every_s: float = param(
        600.0,
        minimum=0.0,
        maximum=86400.0,
        unit="s",
        text="Time between two savings of the learnt scenes; 0: every start learns them anew",
    )

    @property
    def folder(self) -> Path:
        """`data_dir` as a path."""
        return Path(self.data_dir).expanduser()


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How to reach the MQTT broker."""

    host: str = param("127.0.0.1", text="Name or address of the broker")
    port: int = param(1883, minimum=1, maximum=65535, text="TCP port of the broker")
    username: str = param("", text="MQTT user name; empty: none")
    password: str = param("", text="MQTT password, as ${VARIABLE}")
    tls: bool = param(False, text="Whether to speak TLS; always verified")
    ca_file: str = param("", text="Certificates to trust (PEM); empty: the system's")
    cert_file: str = param("", text="The agent's own certificate (PEM), in place of a password")
    key_file: str = param("", text="The private key of that certificate (PEM)")

    def __repr__(self) -> str:
        return f"BrokerSettings({self.username or '-'}@{self.host}:{self.port}, tls={self.tls})"


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """How cameras are read."""

    open_timeout_s: float = param(
        10.0, minimum=0.5, maximum=120.0, unit="s", text="Give up opening a camera after"
    )
    read_timeout_s: float = param(
        10.0, minimum=0.5, maximum=120.0, unit="s", text="Give up waiting for a frame after"
    )
    retry_min_s: float = param(
        0.5, minimum=0.05, maximum=60.0, unit="s", text="First wait before a camera is tried again"
    )
    retry_max_s: float = param(
        30.0, minimum=0.05, maximum=3600.0, unit="s", text="Longest wait before it is tried again"
    )
    stale_after_s: float = param(
        5.0,
        minimum=0.5,
        maximum=600.0,
        unit="s",
        text="No frame for this long: the camera is stale",
    )


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Room on the disk and time for what the hub has not yet committed, per lane."""

    detection_mb: int = param(256, minimum=1, maximum=1_000_000, unit="MBy", text="Detections")
    evidence_mb: int = param(
        2048, minimum=1, maximum=1_000_000, unit="MBy", text="Pictures and clips"
    )
    reading_mb: int = param(512, minimum=1, maximum=1_000_000, unit="MBy", text="Readings")
    score_mb: int = param(256, minimum=1, maximum=1_000_000, unit="MBy", text="Scores")
    health_mb: int = param(64, minimum=1, maximum=1_000_000, unit="MBy", text="Heartbeats")
    detection_days: int = param(
        365, minimum=1, maximum=3650, unit="d", text="Detections older than this go"
    )
    evidence_days: int = param(
        30, minimum=1, maximum=3650, unit="d", text="Pictures and clips older than this go"
    )
    reading_days: int = param(
        90, minimum=1, maximum=3650, unit="d", text="Readings older than this go"
    )
    score_days: int = param(14, minimum=1, maximum=3650, unit="d", text="Scores older than this go")
    health_days: int = param(
        30, minimum=1, maximum=3650, unit="d", text="Heartbeats older than this go"
    )
    reserve_mb: int = param(
        16, minimum=8, maximum=10_000, unit="MBy", text="Kept free to write down losses"
    )

    def budgets(self) -> dict[Lane, int]:
        """Bytes per lane."""
        return {lane: getattr(self, f"{lane}_mb") * 1_000_000 for lane in Lane}

    def ages_s(self) -> dict[Lane, float]:
        """Seconds per lane."""
        return {lane: getattr(self, f"{lane}_days") * 86400.0 for lane in Lane}


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """The clips that follow raised detections."""

    fps: float = param(
        4.0, minimum=0.0, maximum=15.0, unit="1/s", text="Pictures a second; 0: no clips are made"
    )
    before_s: float = param(
        10.0, minimum=1.0, maximum=30.0, unit="s", text="Of a clip, before the alarm"
    )
    after_s: float = param(
        10.0, minimum=1.0, maximum=30.0, unit="s", text="Of a clip, after the alarm"
    )
    queue: int = param(
        8, minimum=1, maximum=100, text="Clips that may wait to be encoded; one more is left out"
    )


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What networks may cost, of all cameras together."""

    budget_ms: float = param(
        500.0,
        minimum=1.0,
        maximum=1_000_000.0,
        unit="ms",
        text="Of each second, for the networks of all cameras together: they take turns",
    )


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """How the spool is drained. The hub may change the window by a `flow` message."""

    window_records: int = param(
        5000, minimum=1, maximum=1_000_000, text="Records under way and not yet committed"
    )
    window_bytes: int = param(
        4_000_000, minimum=65536, maximum=1_000_000_000, unit="By", text="The same in bytes"
    )
    resend_after_s: float = param(
        10.0, minimum=0.2, maximum=600.0, unit="s", text="No commit for this long: send one again"
    )
    probe_max_s: float = param(
        60.0, minimum=0.2, maximum=3600.0, unit="s", text="Longest wait between two such probes"
    )
    heartbeat_s: float = param(
        10.0, minimum=0.5, maximum=3600.0, unit="s", text="Time between two heartbeats"
    )


@dataclass(frozen=True, slots=True)
class DailyTestSettings:
    """The test detection that each camera sends every day, to see that the way is open."""

    at: str = param("04:00", text="Time of day, as HH:MM; empty: no tests")
    time_zone: str = param("", text="Whose clock, such as Asia/Shanghai; empty: the machine's")

    @property
    def time(self) -> time | None:
        """`at`, None for no tests; raises ValueError where it is no time of day."""
        return datetime.strptime(self.at, "%H:%M").time() if self.at else None

    @property
    def zone(self) -> ZoneInfo | None:
        """`time_zone`, None for the machine's; raises ValueError or KeyError for an unknown one."""
        return ZoneInfo(self.time_zone) if self.time_zone else None


@dataclass(frozen=True, slots=True)
class StreamFields:
    """The plain fields of a [[stream]]."""

    id: str = param("", text="Name of the camera: part of its records")
    name: str = param("", text="What people call it")
    source: str = param(
        "", text="scene:fire, a path, stills:FOLDER, rtsp://..., http://... or webcam:0"
    )
    loop: bool = param(True, text="Files and scenes begin again at their end; false: play once")
    pace: str = param("paced", text="Files: paced by their own time, or fast: every frame at once")
    order: str = param(
        "name", text="Pictures of a folder: in order of their name, or of their time"
    )


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """A detector on one stream: its kind and the settings that differ from its defaults."""

    kind: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """One camera."""

    id: str
    name: str
    source: str = field(repr=False)  # may name a password
    loop: bool
    position: Point | None
    detectors: tuple[DetectorSettings, ...]
    privacy: tuple[Polygon, ...] = ()  # painted over in everything that leaves the agent
    pace: str = "paced"
    order: str = "name"
    footprint: tuple[Point, ...] = ()  # the ground it sees, corner by corner
    ground: tuple[GroundPoint, ...] = ()  # points of the picture whose place is known


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """A device whose readings are passed on: its name for people and its place."""

    id: str
    name: str
    position: Point | None
    cell: str


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Detectors over one metric of the devices that fit `device`, a pattern of the shell's kind."""

    id: str
    metric: str
    device: str
    detectors: tuple[DetectorSettings, ...]


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """One source of readings."""

    fields: Sensor = field(repr=False)  # may name a password
    broker: BrokerSettings | None  # None: it listens to none
    position: Point | None
    devices: tuple[DeviceSettings, ...]
    watches: tuple[WatchSettings, ...]

    @property
    def id(self) -> str:
        """Its name: part of its client id and of its heartbeats."""
        return self.fields.id


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """Everything an agent is told before it starts; checked."""

    agent: AgentSettings
    broker: BrokerSettings
    capture: CaptureSettings
    spool: SpoolSettings
    publish: PublishSettings
    streams: tuple[StreamSettings, ...]
    clip: ClipSettings = ClipSettings()
    daily_test: DailyTestSettings = DailyTestSettings()
    sensors: tuple[SensorSettings, ...] = ()
    models: ModelSettings = ModelSettings()


SECTIONS: dict[str, type[Any]] = {
    "agent": AgentSettings,
    "broker": BrokerSettings,
    "capture": CaptureSettings,
    "spool": SpoolSettings,
    "publish": PublishSettings,
    "clip": ClipSettings,
    "daily_test": DailyTestSettings,
    "models": ModelSettings,
}
