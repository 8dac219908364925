"""Sensors at work: a thread for each source, one for the detectors over readings and the spool.

A source's thread decodes and hands its records over through a queue of QUEUE records; where the
spool or the detectors are slow it waits, and what arrives meanwhile is up to the source (an MQTT
source keeps its newest 10,000 messages and counts the rest).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from contract.envelope import encode_record
from contract.messages import (
    Detection,
    DeviceManifest,
    SensorHealth,
    SensorManifest,
    StreamManifest,
)
from contract.taxonomy import CameraState, Lane, SensorState
from edge.evidence import Evidence
from edge.readings.adapter import Record
from edge.readings.settings import ModbusSensor
from edge.readings.source import ReadingSource, SourceStatus
from edge.readings.watch import SensorWatch
from edge.settings import SensorSettings
from edge.spool import Entry

log = logging.getLogger(__name__)

QUEUE = 2000  # records between the sources and the detectors
BATCH = 500  # records taken into the spool in one transaction, and packed into one message
TICK_S = 0.5  # how often is looked whether something did not come
STOP_S = 2.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A record and when it came."""

    record: Record
    at: datetime


class TunedWatch:
    """A watch with the lock that guards it."""

    def __init__(self, watch: SensorWatch) -> None:
        self.watch = watch
        self.lock = threading.Lock()

    def use(self, commanded: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Go on with these parameters; what of it is refused. Any thread."""
        with self.lock:
            return self.watch.use(commanded)


class Sensing:
    """All sensors of an agent."""

    def __init__(
        self,
        agent: str,
        sensors: Sequence[SensorSettings],
        open_source: Callable[[SensorSettings], ReadingSource],
        take: Callable[[Sequence[Entry]], None],
        now: Callable[[], datetime],
    ) -> None:
        """take: puts entries into the spool; what cannot be taken it counts."""
        self._sensors = tuple(sensors)
        self._sources = {s.id: open_source(s) for s in sensors}
        self._take = take
        self._now = now
        self.watches = {
            w.id: TunedWatch(SensorWatch(agent, s, w)) for s in sensors for w in s.watches
        }
        self._of_sensor = {s.id: [self.watches[w.id] for w in s.watches] for s in sensors}
        self._queue: queue.Queue[tuple[str, Heard]] = queue.Queue(QUEUE)
        self._stop = threading.Event()
        self._faults: dict[str, str] = {}
        self._away: set[str] = set()  # sensors whose broker is not to be reached
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin; does nothing where there are no sensors."""
        for name in self._sources:
            self._begin(f"sensor-{name}", self._read, name)
        if self._sources:
            self._begin("readings", self._work)

    def stop(self) -> None:
        """Close the sources, take what is still queued, tell the scores gathered so far."""
        for source in self._sources.values():
            source.close()
        self._stop.set()
        deadline = time.monotonic() + STOP_S  # of all: a dead slave may hold its own for longer
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._take_all(list(self._queued()))
        for tuned in self.watches.values():
            with tuned.lock:
                self._take(tuned.watch.flush())

    def manifests(self) -> list[SensorManifest]:
        """What is listened to and watched. Any thread."""
        return [self._manifest(sensor) for sensor in self._sensors]

    def health(self, told: int) -> list[SensorHealth]:
        """How each source fares. told: names and topics at the most, the most frequent first."""
        return [self._health(s, self._sources[s.id].status(), told) for s in self._sensors]

    def _begin(self, name: str, target: Callable[..., None], *args: str) -> None:
        thread = threading.Thread(target=target, args=args, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read(self, name: str) -> None:
        """One source, until it is closed."""
        try:
            for record in self._sources[name].readings():
                while not self._stop.is_set():
                    try:
                        self._queue.put((name, Heard(record, self._now())), timeout=TICK_S)
                        break
                    except queue.Full:
                        continue
        except Exception as e:  # one source may not cost the agent the others
            self._faults[name] = f"switched off: {type(e).__name__}: {e}"[:500]
            log.exception("sensor source %s was switched off", name)

    def _work(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            batch = []
            try:
                batch.append(self._queue.get(timeout=TICK_S))
            except queue.Empty:
                pass
            else:
                batch += self._queued(BATCH - 1)
            self._take_all(batch)
            if time.monotonic() >= due:
                due = time.monotonic() + TICK_S
                for sensor in self._sensors:
                    self._tick(sensor, self._now())

    def _tick(self, sensor: SensorSettings, now: datetime) -> None:
        """Look at what did not come. While its broker is away no device is silent."""
        name = sensor.id
        state = self._sources[name].status().state
        away = sensor.broker is not None and state is not SensorState.ONLINE
        for tuned in self._of_sensor[name]:
            with tuned.lock:
                if name in self._away and not away:
                    tuned.watch.resume(now)
                entries = [] if away else tuned.watch.idle(now)
            self._take(entries)
        (self._away.add if away else self._away.discard)(name)

    def _queued(self, most: int = QUEUE) -> Iterator[tuple[str, Heard]]:
        for _ in range(most):
            try:
                yield self._queue.get_nowait()
            except queue.Empty:
                return

    def _take_all(self, batch: Sequence[tuple[str, Heard]]) -> None:
        entries: list[Entry] = []
        for name, heard in batch:
            entries += self._entries(name, heard)
        self._take(entries)

    def _entries(self, name: str, heard: Heard) -> Iterator[Entry]:
        record = heard.record
        if isinstance(record, Evidence):
            yield from record.entries()
        elif isinstance(record, Detection):
            yield Entry(Lane.DETECTION, encode_record(record), record.captured_at)
        else:
            yield Entry(Lane.READING, encode_record(record), record.captured_at)
            for tuned in self._of_sensor[name]:
                if tuned.watch.wants(record):
                    with tuned.lock:
                        yield from tuned.watch.observe(record, heard.at)

    def _manifest(self, sensor: SensorSettings) -> SensorManifest:
        watches, schemas = [], {}
        for tuned in self._of_sensor[sensor.id]:
            settings = tuned.watch.settings
            with tuned.lock:
                detectors = tuned.watch.manifests()
            schemas.update({d.kind: d.schema for d in detectors})
            devices = "" if settings.device == "*" else f" ({settings.device})"
            watches.append(
                StreamManifest(
                    stream=settings.id,
                    name=f"{sensor.fields.name or sensor.id}: {settings.metric}{devices}",
                    state=CameraState.ONLINE,
                    detectors=[msgspec.structs.replace(d, schema={}) for d in detectors],
                )
            )
        return SensorManifest(
            sensor=sensor.id,
            name=sensor.fields.name or sensor.id,
            kind=sensor.fields.kind,
            source=_source(sensor),
            position=sensor.position,
            cell=sensor.fields.cell,
            devices=[
                DeviceManifest(device=d.id, name=d.name, position=d.position, cell=d.cell)
                for d in sensor.devices
            ],
            watches=watches,
            schemas=schemas,
        )

    def _health(self, sensor: SensorSettings, s: SourceStatus, told: int) -> SensorHealth:
        faults = [t.watch.fault() for t in self._of_sensor[sensor.id]]
        detail = [self._faults.get(sensor.id, ""), s.detail, *faults]
        return SensorHealth(
            sensor=sensor.id,
            state=s.state,
            since=s.since,
            messages=s.messages,
            records=s.records,
            refused=s.refused,
            retained=s.retained,
            overrun=s.overrun,
            devices=s.devices,
            last_refusal=_cut(s.last_refusal, 300),
            last_example=_cut(s.last_example, 200),
            unmapped=_most(s.unmapped, told),
            topics=_most(s.topics, told),
            wrong_clocks=dict(sorted(s.wrong_clocks.items(), key=lambda i: -abs(i[1]))[:told]),
            detail=_cut("; ".join(d for d in detail if d), 400),
        )


def _most(counts: Mapping[str, int], told: int) -> dict[str, int]:
    most = sorted(counts.items(), key=lambda item: -item[1])[:told]
    return {_cut(name, 80): n for name, n in most}


def _cut(text: str, size: int) -> str:
    """At most `size` bytes, none of which JSON would write as six: a heartbeat has 64 KiB."""
    plain = "".join(c if c.isprintable() and c not in '"\\' else "?" for c in text)
    return plain.encode()[:size].decode(errors="ignore")


def _source(sensor: SensorSettings) -> str:
    """Where it listens, without credentials."""
    if sensor.broker is not None:
        return f"mqtt://{sensor.broker.host}:{sensor.broker.port}"
    if isinstance(sensor.fields, ModbusSensor):
        return f"modbus://{sensor.fields.host}:{sensor.fields.port}/{sensor.fields.slave}"
    return ""
