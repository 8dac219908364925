"""Sparkplug B: births name metrics and aliases, data messages use them, deaths end them.

Topics `spBv1.0/GROUP/{NBIRTH|NDATA|NDEATH|DBIRTH|DDATA|DDEATH}/NODE[/DEVICE]`
(Eclipse Sparkplug 3.0 specification, chapters 4 to 6).

Births are not retained, so an adapter that comes late knows no alias: it then asks for a rebirth
(NCMD `Node Control/Rebirth`), at most once a minute and node; the same after a gap in the sequence
numbers. A death whose bdSeq is not the birth's is an older one, overtaken by a reconnect, and is
left out. Births and deaths become readings `online` 1 and 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contract.messages import Reading
from edge.readings.adapter import NOTHING, AdapterError, Decoded
from edge.readings.json_values import Value
from edge.readings.metrics import Metric, known, measured, ucum
from edge.readings.names import device_name, label, metric_name
from edge.readings.sparkplug_payload import (
    SparkplugMetric,
    SparkplugPayload,
    read_payload,
    rebirth_command,
)
from edge.readings.times import from_epoch_ms, taken_at, wrong_clock

NAMESPACE = "spBv1.0"
REBIRTH_AFTER = timedelta(minutes=1)  # between two requests to one node
MAX_NODES = 1000
_CONTROL = ("bdSeq", "Node Control/", "Device Control/", "Node Info/", "Device Info/")


@dataclass(frozen=True, slots=True)
class _Known:
    """What a birth said of a metric."""

    name: str
    datatype: int
    unit: str


@dataclass(slots=True)
class _Node:
    """One edge node since its last birth. Aliases are unique within a node, devices included."""

    born: bool = False
    bd_seq: int | None = None
    next_seq: int | None = None
    devices: set[str] = field(default_factory=set)
    aliases: dict[int, _Known] = field(default_factory=dict)
    names: dict[tuple[str, str], _Known] = field(default_factory=dict)  # (device, metric name)
    asked_at: datetime | None = None


class Sparkplug:
    """Every edge node and device of one group, or of all."""

    def __init__(
        self,
        group: str = "+",
        values: Mapping[str, Value] | None = None,
        prefix: str = "",
        ask_rebirth: bool = True,
    ) -> None:
        self.group = group
        self.values = dict(values or {})  # full metric name -> metric
        self.prefix = prefix
        self.ask_rebirth = ask_rebirth
        self._nodes: dict[tuple[str, str], _Node] = {}

    @property
    def filters(self) -> tuple[str, ...]:
        """Births, data and deaths of nodes and devices; not the commands."""
        node = [f"{NAMESPACE}/{self.group}/{kind}/+" for kind in ("NBIRTH", "NDATA", "NDEATH")]
        device = [f"{NAMESPACE}/{self.group}/{kind}/+/+" for kind in ("DBIRTH", "DDATA", "DDEATH")]
        return (*node, *device)

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """What a birth, data or death message says; raises AdapterError."""
        levels = topic.split("/")
        if levels[0] != NAMESPACE or len(levels) not in (4, 5):
            return NOTHING
        _, group, kind, name, *rest = levels
        if self.group not in ("+", group):
            return NOTHING
        device = rest[0] if rest else ""
        node = self._node(group, name)
        if (kind[:1] == "D") != bool(device) or kind[1:] not in ("BIRTH", "DATA", "DEATH"):
            return NOTHING
        message = read_payload(payload)
        own_name = self._device(group, name, device)
        if kind == "NDEATH":
            gone = [own_name, *(self._device(group, name, d) for d in sorted(node.devices))]
            return self._node_death(node, message, gone, received_at)
        notes, replies = self._follow(node, kind, message, f"{group}/{name}", received_at)
        if kind == "DDEATH":
            node.devices.discard(device)
            return Decoded((_online(own_name, False, received_at),), (), notes, replies)
        if kind[1:] == "BIRTH":
            self._learn(node, device, message)
        decoded = self._read(node, device, message, own_name, received_at)
        records = decoded.records
        if kind[1:] == "BIRTH":
            records = (_online(own_name, True, received_at), *records)
        if decoded.notes and not replies:  # unknown aliases
            replies = self._rebirth(node, f"{group}/{name}", received_at)
        return Decoded(records, decoded.unmapped, (*notes, *decoded.notes), replies)

    def _device(self, group: str, node: str, device: str) -> str:
        return device_name(".".join(filter(None, (group, node, device))), self.prefix)

    def _node(self, group: str, name: str) -> _Node:
        key = (group, name)
        if key not in self._nodes:
            if len(self._nodes) >= MAX_NODES:
                raise AdapterError(
                    f"more than {MAX_NODES} Sparkplug edge nodes: give this source one group"
                )
            self._nodes[key] = _Node()
        return self._nodes[key]

    def _follow(
        self, node: _Node, kind: str, message: SparkplugPayload, name: str, received_at: datetime
    ) -> tuple[tuple[str, ...], tuple[tuple[str, bytes], ...]]:
        """Keep the sequence: (notes, replies)."""
        if message.seq is None or not 0 <= message.seq <= 255:
            raise AdapterError(f"{kind} of {name} has seq {message.seq}, it must be 0 to 255")
        expected, node.next_seq = node.next_seq, (message.seq + 1) % 256
        if kind == "NBIRTH":
            return (), ()
        if not node.born:
            note = f"{kind} of {name} before its NBIRTH"
        elif message.seq != expected:
            note = f"sequence gap at {name}: {expected} was due, {message.seq} came"
        else:
            return (), ()
        return (note,), self._rebirth(node, name, received_at)

    def _rebirth(
        self, node: _Node, name: str, received_at: datetime
    ) -> tuple[tuple[str, bytes], ...]:
        recently = node.asked_at is not None and received_at - node.asked_at < REBIRTH_AFTER
        if not self.ask_rebirth or recently:
            return ()
        node.asked_at = received_at
        group, _, edge_node = name.partition("/")
        return ((f"{NAMESPACE}/{group}/NCMD/{edge_node}", rebirth_command(received_at)),)

    def _learn(self, node: _Node, device: str, message: SparkplugPayload) -> None:
        if not device:  # a node's birth ends everything before it
            node.born, node.bd_seq = True, _bd_seq(message)
            node.aliases.clear()
            node.names.clear()
            node.devices.clear()
        else:
            node.devices.add(device)
        for metric in message.metrics:
            known_as = _Known(metric.name, metric.datatype, metric.unit)
            node.names[device, metric.name] = known_as
            if metric.alias is not None:
                node.aliases[metric.alias] = known_as

    def _node_death(
        self, node: _Node, message: SparkplugPayload, gone: list[str], received_at: datetime
    ) -> Decoded:
        if node.bd_seq is not None and _bd_seq(message) != node.bd_seq:
            return Decoded(
                notes=(
                    f"{gone[0]}: NDEATH with bdSeq {_bd_seq(message)}, the birth in force has "
                    f"{node.bd_seq}: left out",
                )
            )
        node.born, node.next_seq = False, None
        node.devices.clear()
        return Decoded(tuple(_online(name, False, received_at) for name in gone))

    def _read(
        self,
        node: _Node,
        device: str,
        message: SparkplugPayload,
        own_name: str,
        received_at: datetime,
    ) -> Decoded:
        readings: list[Reading] = []
        unmapped: list[str] = []
        unknown = 0
        wrong_at: datetime | None = None
        for metric in message.metrics:
            known_as = self._known_as(node, device, metric)
            if known_as is None:
                unknown += 1
                continue
            value = metric.value(metric.datatype or known_as.datatype)
            if value is None or known_as.name.startswith(_CONTROL):
                continue
            ours = self._metric(known_as)
            if ours is None:
                unmapped.append(known_as.name)
                continue
            named, unit, place = ours
            value, unit = measured(named, value, unit)
            device_at = from_epoch_ms(
                metric.timestamp_ms if metric.timestamp_ms is not None else message.timestamp_ms
            )
            captured_at = taken_at(device_at, received_at)
            wrong_at = device_at if captured_at != device_at else wrong_at
            readings.append(
                Reading(
                    device=own_name,
                    metric=named.name,
                    value=value,
                    unit=unit,
                    captured_at=captured_at,
                    place=label(place),
                )
            )
        note = f"{unknown} metrics of {own_name} with an alias no birth has told"
        return Decoded(
            (*readings, *wrong_clock(own_name, wrong_at, received_at)),
            tuple(unmapped),
            (note,) if unknown else (),
        )

    @staticmethod
    def _known_as(node: _Node, device: str, metric: SparkplugMetric) -> _Known | None:
        if metric.name:
            return node.names.get((device, metric.name)) or _Known(
                metric.name, metric.datatype, metric.unit
            )
        return node.aliases.get(metric.alias) if metric.alias is not None else None

    def _metric(self, metric: _Known) -> tuple[Metric, str | None, str] | None:
        """(metric, unit of the sender in UCUM, place), None where nothing says what it is."""
        unit = ucum(metric.unit) if metric.unit else None
        wanted = self.values.get(metric.name)
        if wanted is not None:
            unit = ucum(wanted.unit) if wanted.unit else unit
            named = known(wanted.metric) or Metric(metric_name(wanted.metric), unit or "1")
            return named, unit, wanted.place
        place, _, last = metric.name.rpartition("/")
        named_by_table = known(last)
        if named_by_table is not None:
            return named_by_table, unit, place
        if unit is not None:  # the sender says what it measures, the table has no name for it
            return Metric(metric_name(last), unit), unit, place
        return None


def _bd_seq(message: SparkplugPayload) -> int | None:
    for metric in message.metrics:
        if metric.name == "bdSeq" and isinstance(metric.raw, int):
            return int(metric.raw)
    return None


def _online(device: str, is_online: bool, at: datetime) -> Reading:
    return Reading(device=device, metric="online", value=float(is_online), captured_at=at)
