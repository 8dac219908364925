"""Home Assistant MQTT discovery: configurations say which topics carry what; states are read there.

Format: home-assistant.io, "MQTT Discovery" (with abbreviations, base topic `~` and device-based
configurations). Of the components `sensor` and `binary_sensor` are read. From a configuration:
state_topic, value_template (the subset in `value_template`), unit_of_measurement, device_class,
payload_on, payload_off, expire_after (told by gaps, not used), device.identifiers, object_id or
unique_id. An empty configuration forgets the entity.

The reading's device is the first identifier of the device, its metric the device class (or the
entity's id), its label the entity's id, so that two temperatures of one device stay apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from contract.messages import Reading
from edge.readings.adapter import LEFT_OUT, NOTHING, AdapterError, Decoded, read_object
from edge.readings.metrics import Metric, known, measured, ucum
from edge.readings.names import device_name, label, metric_name
from edge.readings.value_template import Template, compile_template

MAX_ENTITIES = 5000

_LONG = {
    "stat_t": "state_topic", "val_tpl": "value_template", "unit_of_meas": "unit_of_measurement",
    "dev_cla": "device_class", "pl_on": "payload_on", "pl_off": "payload_off",
    "obj_id": "object_id", "uniq_id": "unique_id", "dev": "device", "cmps": "components",
    "p": "platform",
}  # fmt: skip
_READ = ("sensor", "binary_sensor")
_NOT_NUMERIC = frozenset({"timestamp", "date", "enum"})


@dataclass(frozen=True, slots=True)
class _Entity:
    """One entity as its configuration describes it."""

    state_topic: str
    device: str
    metric: Metric
    unit: str | None  # UCUM, None: none given
    entity: str
    template: Template | None
    words: Mapping[str, float]  # payloads of a binary sensor


class HomeAssistantDiscovery:
    """Every sensor and binary sensor that announces itself below one discovery prefix."""

    def __init__(self, discovery_prefix: str = "homeassistant", prefix: str = "") -> None:
        self.discovery_prefix = discovery_prefix
        self.prefix = prefix
        self._entities: dict[str, _Entity] = {}  # by configuration topic and component
        self._by_state: dict[str, list[_Entity]] = {}

    @property
    def filters(self) -> tuple[str, ...]:
        """The configuration topics, and every state topic learnt so far."""
        base = self.discovery_prefix
        return (f"{base}/+/+/config", f"{base}/+/+/+/config", *sorted(self._by_state))

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """What a configuration (nothing to record) or a state says; raises AdapterError."""
        levels = topic.removeprefix(f"{self.discovery_prefix}/").split("/")
        if topic.startswith(f"{self.discovery_prefix}/") and levels[-1] == "config":
            if len(levels) in (3, 4):
                return self._configure(topic, levels, payload)
            return LEFT_OUT
        readings = [
            reading
            for entity in self._by_state.get(topic, ())
            for reading in _state(entity, payload, received_at)
        ]
        if not readings and topic in self._by_state:
            raise AdapterError(f"state {payload[:60]!r} gives no number by its templates")
        return Decoded(tuple(readings)) if topic in self._by_state else NOTHING

    def _configure(self, topic: str, levels: list[str], payload: bytes) -> Decoded:
        kept = {k: e for k, e in self._entities.items() if k.split(" ")[0] != topic}
        notes: list[str] = []
        if payload:
            for key, component, settings in _components(topic, levels, read_object(payload)):
                if component not in _READ or settings.get("device_class") in _NOT_NUMERIC:
                    continue
                try:
                    kept[f"{topic} {key}"] = self._entity(component, key, settings)
                except AdapterError as e:
                    notes.append(f"{key}: {e}")
        if len(kept) > MAX_ENTITIES:
            raise AdapterError(f"more than {MAX_ENTITIES} entities: give this source less to read")
        known_topics = set(self._by_state)
        self._entities = kept
        self._by_state = {}
        for entity in kept.values():
            self._by_state.setdefault(entity.state_topic, []).append(entity)
        new = tuple(sorted(set(self._by_state) - known_topics))
        return Decoded(notes=tuple(notes), wants=new)

    def _entity(self, component: str, key: str, settings: Mapping[str, Any]) -> _Entity:
        state_topic = settings.get("state_topic")
        if not isinstance(state_topic, str) or set("+#\0") & set(state_topic) or not state_topic:
            raise AdapterError(f"state_topic {state_topic!r} is not a topic")
        template = settings.get("value_template")
        given_unit = settings.get("unit_of_measurement")
        unit = ucum(given_unit) if isinstance(given_unit, str) else None
        device_class = settings.get("device_class")
        named = known(device_class) if isinstance(device_class, str) else None
        metric = named or known(key)
        if metric is None:
            metric = Metric(metric_name(str(device_class or key)), unit or "1")
        words: dict[str, float] = {}
        if component == "binary_sensor":
            on, off = settings.get("payload_on", "ON"), settings.get("payload_off", "OFF")
            words = {str(on): 1.0, str(off): 0.0}
            if isinstance(template, str) and template:
                raise AdapterError("a binary_sensor with a value_template is beyond the subset")
        return _Entity(
            state_topic=state_topic,
            device=device_name(_identifier(settings) or key, self.prefix),
            metric=named
            or known(key)
            or Metric(metric_name(str(device_class or key)), unit or "1"),
            unit=unit,
            entity=key,
            template=compile_template(template) if isinstance(template, str) and template else None,
            words=words,
        )


def _components(
    topic: str, levels: list[str], document: dict[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(entity id, component, settings) for each entity of a configuration."""
    settings = _expanded(document)
    component, object_id = levels[0], levels[-2]
    if component != "device":
        yield str(settings.get("object_id") or object_id), component, settings
        return
    shared = {k: v for k, v in settings.items() if k in ("device", "state_topic")}
    components = settings.get("components")
    if not isinstance(components, dict):
        raise AdapterError(f"{topic} is a device configuration without components")
    for key, part in components.items():
        if isinstance(part, dict):
            own = shared | _expanded(part, settings.get("~"))
            yield str(key), str(own.get("platform", "")), own


def _expanded(document: dict[str, Any], base: object = None) -> dict[str, Any]:
    """The settings with their long names and the base topic put in."""
    settings = {_LONG.get(key, key): value for key, value in document.items()}
    base = settings.get("~", base)
    state_topic = settings.get("state_topic")
    if isinstance(base, str) and isinstance(state_topic, str):
        if state_topic.startswith("~"):
            settings["state_topic"] = base + state_topic[1:]
        elif state_topic.endswith("~"):
            settings["state_topic"] = state_topic[:-1] + base
    return settings


def _identifier(settings: Mapping[str, Any]) -> str | None:
    device = settings.get("device")
    if not isinstance(device, dict):
        return None
    identifiers = device.get("identifiers", device.get("ids"))
    if isinstance(identifiers, list):
        identifiers = identifiers[0] if identifiers else None
    return str(identifiers or device.get("name") or "") or None


def _state(entity: _Entity, payload: bytes, received_at: datetime) -> Iterator[Reading]:
    text = payload.decode("utf-8", "replace").strip()
    value = entity.words.get(text)
    if value is None and not entity.words:
        try:
            document: Any = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError):
            document = text
        template = entity.template or _PLAIN
        value = template(document)
    if value is None:
        return
    value, unit = measured(entity.metric, value, entity.unit)
    yield Reading(
        device=entity.device,
        metric=entity.metric.name,
        value=value,
        unit=unit,
        captured_at=received_at,
        label=label(entity.entity),
    )


_PLAIN = compile_template("{{ value }}")
