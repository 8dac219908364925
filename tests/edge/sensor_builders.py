"""What the tests of sensors are made of."""

from __future__ import annotations

from pathlib import Path

import msgspec

from contract.messages import Detection, Reading
from contract.taxonomy import Lane
from edge.config import load
from edge.settings import EdgeConfig, SensorSettings
from edge.spool import Entry

HEAD = """
[agent]
name = "{name}"
station = "{station}"
data_dir = "{data}"
[broker]
port = {port}
[publish]
heartbeat_s = 1.0
"""


def config(
    folder: Path, text: str, *, name: str = "a-1", station: str = "demo", port: int = 1
) -> EdgeConfig:
    """The settings of an agent with these [[sensor]] blocks, read as a site's are."""
    path = folder / f"{name}.toml"
    head = HEAD.format(name=name, station=station, data=folder / f"data-{name}", port=port)
    path.write_text(head + text, encoding="utf-8")
    return load(path, {})


def sensor(folder: Path, text: str) -> SensorSettings:
    (only,) = config(folder, text).sensors
    return only


def detections(entries: list[Entry]) -> list[Detection]:
    found = (e.record for e in entries if e.lane is Lane.DETECTION)
    return [msgspec.json.decode(record, type=Detection) for record in found]


def readings(entries: list[Entry]) -> list[Reading]:
    found = (e.record for e in entries if e.lane is Lane.READING)
    return [msgspec.json.decode(record, type=Reading) for record in found]


def told(entries: list[Entry]) -> list[tuple[str, str, str]]:
    """(device, label, phase) of every detection."""
    return [(d.stream, d.label, str(d.phase)) for d in detections(entries)]
