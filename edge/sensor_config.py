"""The [[sensor]] blocks of an agent's settings: read, checked, and told again with their layer."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from contract.errors import ContractError, GridwardenError
from contract.geometry import Point
from contract.topics import check_name
from detectors.kit.params import ParameterError, build
from detectors.kit.reading_registry import parameters_of
from detectors.kit.registry import UnknownDetectorError
from edge import layers
from edge.errors import ConfigError
from edge.layers import Setting
from edge.readings import adapters
from edge.readings.metrics import known
from edge.readings.settings import KINDS, Device, MqttSensor, Place, Sensor, Watch
from edge.settings import (
    BrokerSettings,
    DetectorSettings,
    DeviceSettings,
    SensorSettings,
    WatchSettings,
)

MAX_SENSORS = 16  # each has a connection and a thread of its own, and a part of each heartbeat
MAX_DEVICES = 1000  # with a name or place; their list is part of the birth
MAX_WATCHES = 200
_METRIC = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class FoundSensor:
    """One [[sensor]] as it was found, its variables filled in."""

    where: str  # "sensor yard"
    layer: str
    values: dict[str, Any]
    given: Mapping[str, Setting]  # every value that was written, by its path


def find_sensors(entries: object, layer: str, environ: Mapping[str, str]) -> list[FoundSensor]:
    """The [[sensor]] blocks of one layer; raises ConfigError."""
    if not isinstance(entries, list):
        raise ConfigError(f"{layer}: sensors are written [[sensor]], with two brackets")
    found = []
    for entry in entries:
        table = layers.table(entry, "[[sensor]]", layer)
        if not isinstance(entry.get("id"), str):
            raise ConfigError(f"{layer}: a [[sensor]] has no id: every source needs a name")
        where = f"sensor {entry['id']}"
        given: dict[str, Setting] = {}
        plain = {
            name: _filled(s.value, name, where, layer, environ, given) for name, s in table.items()
        }
        found.append(FoundSensor(where, layer, plain, given))
    return found


def _filled(
    value: Any,
    path: str,
    where: str,
    layer: str,
    environ: Mapping[str, str],
    given: dict[str, Setting],
) -> Any:
    """The value with every ${VARIABLE} in it filled in; notes each leaf in `given`."""
    if isinstance(value, Mapping) and value:
        return {
            k: _filled(v, f"{path}.{k}", where, layer, environ, given) for k, v in value.items()
        }
    if isinstance(value, list) and any(isinstance(v, Mapping) for v in value):
        return [
            _filled(v, f"{path}[{i}]", where, layer, environ, given) for i, v in enumerate(value)
        ]
    setting = layers.fill_in(f"{where}: {path}", Setting(value, layer), environ)
    given[path] = setting
    return setting.value


def check_sensors(
    found: Iterable[FoundSensor], agents_own: BrokerSettings
) -> tuple[SensorSettings, ...]:
    """The sensors, checked; raises ConfigError with one line that names the setting."""
    sensors = tuple(_check(one, agents_own) for one in found)
    for what, names, most in (
        ("sensors", [s.fields.id for s in sensors], MAX_SENSORS),
        ("watches", [w.id for s in sensors for w in s.watches], MAX_WATCHES),
        ("devices", [d.id for s in sensors for d in s.devices], MAX_DEVICES),
    ):
        twice = next((n for n in names if names.count(n) > 1), None) if len(names) <= most else None
        if twice is not None:
            raise ConfigError(f"two {what} are called {twice!r}: give one another id")
        if len(names) > most:
            raise ConfigError(
                f"{len(names)} {what} are more than one agent takes ({most}): "
                "run a second agent with its own name and data_dir"
            )
    return sensors


def explain_sensor(found: FoundSensor, sensor: SensorSettings) -> list[str]:
    """Each setting in force and its layer, a line each; secrets are masked."""
    lines: list[str] = []
    whole = msgspec.to_builtins(sensor.fields)
    for path, value in _leaves(whole, ""):
        setting = found.given.get(path)
        if setting is None and (value in ("", None) or value == [] or value == {}):
            continue  # hundreds of lines of what is not set would hide what is
        layer = setting.layer if setting else "default"
        hidden = (setting is not None and setting.secret) or path.endswith("password")
        shown = "***" if hidden and value else _shown(value)
        lines.append(f"sensor.{sensor.fields.id}.{path} = {shown}  ({layer})")
    if sensor.broker is not None:
        lines.append(f"sensor.{sensor.fields.id} listens to {sensor.broker!r}")
        for topic in adapters.build_adapter(sensor).filters:
            lines.append(f"sensor.{sensor.fields.id} subscribes to {topic!r}")
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(v, Mapping) for v in value):
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{i}]")
    else:
        yield path, value


def _check(found: FoundSensor, agents_own: BrokerSettings) -> SensorSettings:
    where = f"{found.layer}: {found.where}"
    kind = found.values.get("kind")
    if kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f" (there are: {', '.join(KINDS)})"
        told = "has no kind" if kind is None else f"has no kind {kind!r:.60}"
        raise ConfigError(f"{where} {told}{hint}")
    fields = _convert(KINDS[kind], found.values, where)
    _name(where, "sensor", fields.id)
    broker = None
    if isinstance(fields, MqttSensor):
        broker = agents_own
        if fields.broker is not None:
            broker = _build(BrokerSettings, fields.broker, f"{where}: broker")
    sensor = SensorSettings(
        fields=fields,
        broker=broker,
        position=_position(fields.position, where),
        devices=tuple(_device(d, fields, where) for d in fields.device),
        watches=tuple(_watch(w, fields, where) for w in fields.watch),
    )
    try:
        adapters.check(sensor)
    except GridwardenError as e:
        raise ConfigError(f"{where}: {e}") from None
    return sensor


def _convert(kind: type[Sensor], values: Mapping[str, Any], where: str) -> Sensor:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as e:
        text = str(e)
        unknown = _UNKNOWN.search(text)
        if unknown is not None and " - at " not in text:
            known_keys = [f.encode_name for f in msgspec.structs.fields(kind)]
            near = difflib.get_close_matches(unknown[1], known_keys, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(known_keys)}"
            text = f"a {kind.kind} sensor has no {unknown[1]!r:.60}; {hint}"
        raise ConfigError(f"{where}: {text}".replace("\n", " ")) from None


def _build(kind: type[S], values: Mapping[str, Any], where: str) -> S:
    try:
        return build(kind, values, where)
    except ParameterError as e:
        raise ConfigError(str(e)) from None


def _name(where: str, what: str, name: str) -> None:
    try:
        check_name(what, name)
    except ContractError as e:
        raise ConfigError(f"{where}: {e}") from None


def _device(device: Device, sensor: Sensor, where: str) -> DeviceSettings:
    """A device; one without a place of its own stands where its sensor does."""
    own = device.position is not None or device.cell
    place = device if own else sensor
    position = _position(place.position, f"{where}: device {device.id}")
    return DeviceSettings(device.id, device.name, position, "" if position else place.cell)


def _watch(watch: Watch, sensor: Sensor, where: str) -> WatchSettings:
    metric = known(watch.metric)
    name = metric.name if metric else watch.metric
    if not _METRIC.fullmatch(name):
        raise ConfigError(
            f"{where}: watch has no metric {watch.metric!r:.80}: small letters, digits, '_' and '.'"
        )
    id = watch.id or f"{sensor.id}.{name}"
    _name(where, "watch", id)
    if not watch.detectors:
        raise ConfigError(
            f"{where}: watch {id} has no detectors: write [sensor.watch.detectors.reading_limit]"
        )
    chosen = []
    for kind, values in watch.detectors.items():
        try:
            params = parameters_of(kind)
        except UnknownDetectorError as e:
            raise ConfigError(f"{where}: watch {id}: {e}") from None
        _build(params, values, f"{where}: {kind} of watch {id}")
        chosen.append(DetectorSettings(kind, values))
    return WatchSettings(id, name, watch.device, tuple(chosen))


def _position(place: Place | None, where: str) -> Point | None:
    try:
        return None if place is None else Point(*place)
    except ValueError as e:
        raise ConfigError(f"{where}: position: {e}") from None
