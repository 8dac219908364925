"""The settings files of a demo's parts, written into its data folder at every start."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gridwarden import assets, demo_sensors
from gridwarden.cameras import DETECTORS, Camera
from gridwarden.datafolder import DataFolder
from gridwarden.demo_sensors import DemoSensor
from gridwarden.district import write_district
from gridwarden.ports import LOOPBACK

STATION, AGENT = "demo", "demo-01"
HUB_SETTINGS = "hub.toml"  # in the run folder


def write_hub_settings(
    folder: DataFolder, database_url: str, broker_port: int, http_port: int
) -> Path:
    """The hub's settings and the district beside them; the file names a password."""
    district = folder.run / "district.geojson"
    write_district(district)
    site: dict[str, object] = {
        "data_dir": str(folder.hub),
        "stations": [STATION],
        "district_file": str(district),
    }
    if assets.is_complete(assets.default_folder()):
        site["assets_dir"] = str(assets.default_folder())
    return _write(
        folder.run / HUB_SETTINGS,
        _table("database", {"url": database_url}),
        _table("broker", {"host": LOOPBACK, "port": broker_port}),
        _table("http", {"host": LOOPBACK, "port": http_port}),
        _table("hub", site),
    )


def write_edge_settings(
    folder: DataFolder,
    broker_port: int,
    cameras: Sequence[Camera],
    sensors: Sequence[DemoSensor] = (),
) -> Path:
    """The agent's settings; addresses of cameras may name passwords."""
    tables = [
        _table("agent", {"name": AGENT, "station": STATION, "data_dir": str(folder.edge)}),
        _table("broker", {"host": LOOPBACK, "port": broker_port}),
    ]
    for camera in cameras:
        stream: dict[str, object] = {
            "id": camera.stream,
            "name": camera.name,
            "source": camera.source,
            "loop": camera.loop,
            "position": [camera.position.lon, camera.position.lat],
        }
        tables.append(_table("stream", stream, "[[{}]]"))
        for kind in dict.fromkeys((*DETECTORS, *camera.parameters)):
            tables.append(_table(f"stream.detectors.{kind}", camera.parameters.get(kind, {})))
    for heading, values in demo_sensors.tables(sensors):
        tables.append(_table("", values, heading))
    return _write(folder.run / "edge.toml", *tables)


def _table(name: str, values: Mapping[str, object], heading: str = "[{}]") -> str:
    lines = [heading.format(name)]
    lines += [f"{key} = {_value(value)}" for key, value in values.items()]
    return "\n".join(lines)


def _value(value: object) -> str:
    """A TOML value. JSON's text is TOML's, but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write(path: Path, *tables: str) -> Path:
    path.unlink(missing_ok=True)
    text = "# Written by `gridwarden demo` at every start: changes are lost.\n\n"
    text += "\n\n".join(tables) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as f:
        f.write(text)
    return path
