"""The agent's settings: read, laid over one another, checked once, then frozen.

    [agent]                          name, station, data_dir
    [broker]                         host, port, username, password, tls, ca_file, cert_file,
                                     key_file
    [capture] [spool] [publish] [clip] [daily_test] [models]  see configs/edge/base.toml
    [detectors.flame]                a detector for every stream, and its settings
    [[stream]]                       id, name, source, loop, position = [longitude, latitude],
                                     privacy = [[[x, y], [x, y], [x, y]], ...],
                                     footprint = [[longitude, latitude], ...],
                                     ground = [[x, y, longitude, latitude], ...]
    [stream.detectors.flame]         a detector for this stream; enabled = false takes it away
    [[sensor]]                       a source of readings: see sensor_config

A camera that cannot be opened is no error here: cameras come and go.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from contract.errors import ContractError
from contract.geometry import Point
from contract.topics import check_name
from detectors.kit.params import ParameterError, build
from detectors.kit.registry import UnknownDetectorError, detector
from edge import layers
from edge.errors import ConfigError as ConfigError
from edge.ground import read_footprint, read_ground
from edge.layers import Setting, Table
from edge.privacy import read_polygons
from edge.sensor_config import FoundSensor, check_sensors, explain_sensor, find_sensors
from edge.settings import (
    SECTIONS,
    AgentSettings,
    BrokerSettings,
    CaptureSettings,
    ClipSettings,
    DailyTestSettings,
    DetectorSettings,
    ModelSettings,
    PublishSettings,
    SpoolSettings,
    StreamFields,
    StreamSettings,
)
from edge.settings import EdgeConfig as EdgeConfig
from edge.sources.opening import check_source, is_live

BASE = Path(__file__).parent.parent / "configs" / "edge" / "base.toml"
S = TypeVar("S")


def load(path: Path, environ: Mapping[str, str], base: Path = BASE) -> EdgeConfig:
    """The checked settings in `path`, over those in `base` (where there is one), under those in
    the environment. Raises ConfigError with one line that names the setting and the way out.
    """
    found = _gather(path, environ, base)
    agent = _section(AgentSettings, "agent", found)
    for field in ("name", "station", "data_dir"):
        if not getattr(agent, field):
            raise ConfigError(f"{path}: [agent] {field} is missing: every agent needs one")
    _name("agent", agent.name)
    _name("station", agent.station)
    streams = tuple(_stream(found, stream) for stream in found.streams)
    seen: set[str] = set()
    for one in streams:
        if one.id in seen:
            raise ConfigError(f"{path}: two streams are called {one.id!r}: give one another id")
        seen.add(one.id)
    broker = _secured(path, _section(BrokerSettings, "broker", found))
    sensors = check_sensors(found.sensors, broker)
    for device in (d.id for s in sensors for d in s.devices):
        if device in seen:
            raise ConfigError(f"{path}: {device!r} is a stream and a device: give one another id")
    return EdgeConfig(
        agent,
        broker,
        _section(CaptureSettings, "capture", found),
        _section(SpoolSettings, "spool", found),
        _section(PublishSettings, "publish", found),
        streams,
        _section(ClipSettings, "clip", found),
        _timed(path, _section(DailyTestSettings, "daily_test", found)),
        sensors,
        _section(ModelSettings, "models", found),
    )


def _timed(path: Path, test: DailyTestSettings) -> DailyTestSettings:
    """The settings, once it is clear that they name a time of day and a time zone."""
    try:
        _ = test.time
    except ValueError:
        raise ConfigError(
            f"{path}: [daily_test] at must be a time of day as HH:MM, or empty; got {test.at!r}"
        ) from None
    try:
        _ = test.zone
    except (ValueError, KeyError, OSError):
        raise ConfigError(
            f"{path}: [daily_test] time_zone {test.time_zone!r} is not known: write it as "
            "Asia/Shanghai, or leave it out for the machine's"
        ) from None
    return test


def _secured(path: Path, broker: BrokerSettings) -> BrokerSettings:
    """With its files beside the settings where their paths are relative.

    Nobody who names certificates means to speak in clear.
    """
    named = {k: getattr(broker, k) for k in ("ca_file", "cert_file", "key_file")}
    named = {k: value for k, value in named.items() if value}
    if named and not broker.tls:
        raise ConfigError(f"{path}: [broker] {min(named)} is of no use without tls = true: set it")
    if bool(broker.cert_file) != bool(broker.key_file):
        raise ConfigError(f"{path}: [broker] cert_file and key_file belong together: set both")
    here: dict[str, Any] = {
        k: str(path.parent / Path(value).expanduser()) for k, value in named.items()
    }
    return dataclasses.replace(broker, **here)


def explain(path: Path, environ: Mapping[str, str], base: Path = BASE) -> list[str]:
    """Each setting in force and the layer it came from, a line each; secrets are masked.

    Raises ConfigError as `load` does.
    """
    config = load(path, environ, base)
    found = _gather(path, environ, base)
    lines: list[str] = []
    for section, kind in SECTIONS.items():
        lines += _lines(section, kind, found.sections.get(section, {}))
    for stream in found.streams:
        named = f"stream.{stream.fields['id'].value}"
        lines += _lines(named, StreamFields, stream.fields)
        for shape in ("position", "privacy", "footprint", "ground"):
            if shape in stream.fields:
                lines.append(_line(f"{named}.{shape}", stream.fields[shape]))
        for detector_kind, values in _detectors(found, stream).items():
            params = detector(detector_kind).Params
            lines += _lines(f"{named}.detectors.{detector_kind}", params, values)
    for sensor, settings in zip(found.sensors, config.sensors, strict=True):
        lines += explain_sensor(sensor, settings)
    return lines


@dataclass(frozen=True, slots=True)
class _Stream:
    """One [[stream]] as it was found."""

    where: str
    fields: Table
    detectors: dict[str, Table]


@dataclass(frozen=True, slots=True)
class _Found:
    """All layers, laid over one another, with nothing checked but the names of tables."""

    path: Path
    sections: dict[str, Table]
    detectors: dict[str, Table]  # for every stream
    streams: list[_Stream]
    sensors: list[FoundSensor]


def _gather(path: Path, environ: Mapping[str, str], base: Path) -> _Found:
    found = _Found(path, {}, {}, [], [])
    if base.is_file():
        _lay(found, layers.read_toml(base), base, environ)
    _lay(found, layers.read_toml(path), path, environ)
    for where, setting in layers.from_environment(environ):
        _lay_one(found, where, setting)
    for section, values in found.sections.items():
        _fill(section, values, environ)
    for kind, values in found.detectors.items():
        _fill(f"detectors.{kind}", values, environ)
    for stream in found.streams:
        _fill(stream.where, stream.fields, environ)
        for kind, values in stream.detectors.items():
            _fill(f"{stream.where}.detectors.{kind}", values, environ)
    return found


def _lay(found: _Found, tables: Mapping[str, Any], path: Path, environ: Mapping[str, str]) -> None:
    layer = str(path)
    for name, values in tables.items():
        if name in SECTIONS:
            found.sections.setdefault(name, {}).update(layers.table(values, f"[{name}]", layer))
        elif name == "detectors":
            for kind, settings in layers.table(values, "[detectors]", layer).items():
                where = f"[detectors.{kind}]"
                here = layers.table(settings.value, where, layer)
                found.detectors.setdefault(kind, {}).update(here)
        elif name == "stream":
            if not isinstance(values, list):
                raise ConfigError(f"{layer}: streams are written [[stream]], with two brackets")
            found.streams.extend(_found_stream(entry, layer) for entry in values)
        elif name == "sensor":
            found.sensors.extend(find_sensors(values, layer, environ))
        else:
            _refuse(layer, name, (*SECTIONS, "detectors", "stream", "sensor"))


def _found_stream(entry: object, layer: str) -> _Stream:
    fields = layers.table(entry, "[[stream]]", layer)
    if not isinstance(fields.get("id", Setting("", layer)).value, str) or "id" not in fields:
        raise ConfigError(f"{layer}: a [[stream]] has no id: every camera needs a name")
    where = f"stream {fields['id'].value}"
    kinds = layers.table(fields.pop("detectors", Setting({}, layer)).value, where, layer)
    tables = {
        kind: layers.table(setting.value, f"[stream.detectors.{kind}] of {where}", layer)
        for kind, setting in kinds.items()
    }
    return _Stream(where, fields, tables)


def _lay_one(found: _Found, where: list[str], setting: Setting) -> None:
    if len(where) == 2 and where[0] in SECTIONS:
        found.sections.setdefault(where[0], {})[where[1]] = setting
    elif len(where) == 3 and where[0] == "detectors":
        found.detectors.setdefault(where[1], {})[where[2]] = setting
    else:
        raise ConfigError(
            f"{setting.layer} names no setting: it must be {layers.PREFIX}SECTION__KEY with one "
            f"of {', '.join(SECTIONS)}, or {layers.PREFIX}DETECTORS__KIND__PARAMETER"
        )


def _fill(where: str, values: Table, environ: Mapping[str, str]) -> None:
    for name, setting in values.items():
        values[name] = layers.fill_in(f"{where}.{name}", setting, environ)


def _section(kind: type[S], name: str, found: _Found) -> S:
    return _build(kind, found.sections.get(name, {}), f"[{name}]", found.path)


def _build(kind: type[S], values: Table, where: str, path: Path) -> S:
    try:
        return build(kind, layers.plain(kind, values), where)
    except ParameterError as e:
        raise ConfigError(f"{path}: {e}") from None


def _name(what: str, name: str) -> None:
    try:
        check_name(what, name)
    except ContractError as e:
        raise ConfigError(str(e)) from None


def _stream(found: _Found, stream: _Stream) -> StreamSettings:
    fields = dict(stream.fields)
    position = fields.pop("position", None)
    privacy = fields.pop("privacy", None)
    footprint, ground = fields.pop("footprint", None), fields.pop("ground", None)
    plain = _build(StreamFields, fields, stream.where, found.path)
    _name("stream", plain.id)
    if not plain.source:
        raise ConfigError(f"{found.path}: {stream.where} has no source")
    check_source(plain.source, stream.where)
    _one_of("pace", plain.pace, ("paced", "fast"), stream.where)
    _one_of("order", plain.order, ("name", "time"), stream.where)
    if plain.pace == "fast" and (plain.loop or is_live(plain.source)):
        raise ConfigError(
            f"{stream.where}: pace = 'fast' is for a file that is played once: set loop = false"
        )
    chosen = []
    for kind, values in _detectors(found, stream).items():
        params = detector(kind).Params
        _build(params, values, f"{kind} of {stream.where}", found.path)
        chosen.append(DetectorSettings(kind, layers.plain(params, values)))
    return StreamSettings(
        plain.id,
        plain.name or plain.id,
        plain.source,
        plain.loop,
        None if position is None else _position(position.value, stream.where),
        tuple(chosen),
        () if privacy is None else read_polygons(privacy.value, stream.where),
        plain.pace,
        plain.order,
        () if footprint is None else read_footprint(footprint.value, stream.where),
        () if ground is None else read_ground(ground.value, stream.where),
    )


def _one_of(name: str, value: str, known: tuple[str, ...], where: str) -> None:
    if value not in known:
        raise ConfigError(f"{where}: {name} must be {' or '.join(known)}, got {value!r}")


def _detectors(found: _Found, stream: _Stream) -> dict[str, Table]:
    """What runs on this stream: those for all, then its own, less those switched off."""
    out: dict[str, Table] = {}
    for kind in dict.fromkeys((*found.detectors, *stream.detectors)):
        values = {**found.detectors.get(kind, {}), **stream.detectors.get(kind, {})}
        try:
            detector(kind)
        except UnknownDetectorError as e:
            raise ConfigError(f"{found.path}: {stream.where}: {e}") from None
        enabled = values.pop("enabled", Setting(True, "default"))
        on = layers.plain(_Switch, {"enabled": enabled})["enabled"]
        if not isinstance(on, bool):
            raise ConfigError(
                f"{enabled.layer}: enabled of {kind} must be true or false, got {on!r}"
            )
        if on:
            out[kind] = values
    return out


@dataclass(frozen=True, slots=True)
class _Switch:
    enabled: bool = True


def _position(value: object, where: str) -> Point:
    if (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
    ):
        try:
            return Point(float(value[0]), float(value[1]))
        except ValueError as e:
            raise ConfigError(f"{where}: position: {e}") from None
    raise ConfigError(f"{where}: position must be [longitude, latitude], got {value!r}")


def _refuse(layer: str, name: str, known: Iterable[str]) -> None:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean [{near[0]}]?" if near else f" (there are: {', '.join(known)})"
    raise ConfigError(f"{layer}: no section [{name}]{hint}")


def _lines(section: str, kind: type[Any], values: Table) -> list[str]:
    read = layers.plain(kind, values)
    lines = []
    for field in dataclasses.fields(kind):
        setting = values.get(field.name, Setting(field.default, "default"))
        shown = Setting(read.get(field.name, field.default), setting.layer, setting.secret)
        secret = shown.secret or field.name == "password"
        lines.append(_line(f"{section}.{field.name}", shown, secret and shown.value != ""))
    return lines


def _line(name: str, setting: Setting, secret: bool = False) -> str:
    if secret:
        return f"{name} = ***  ({setting.layer})"
    value = setting.value
    if isinstance(value, str):
        value = repr(re.sub(r"//[^/@]*@", "//***@", value))
    elif isinstance(value, bool):
        value = str(value).lower()
    return f"{name} = {value}  ({setting.layer})"
