"""How the agent and its cameras fare: heartbeats for the hub, a status file for people."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from contract.envelope import encode_record
from contract.messages import Health, SensorHealth, StreamHealth
from contract.taxonomy import CameraState, Lane, SensorState
from edge.clip_maker import ClipMaker
from edge.errors import SpoolError
from edge.pipeline import Pipeline, Stream, camera_state
from edge.publisher import LinkStatus
from edge.said_once import SaidOnce
from edge.spool import Entry, Spool

log = logging.getLogger(__name__)

STATUS_S = 1.0
SPEEDY_S = 1.0  # at most one heartbeat out of turn in this time
TOLD, ALL = 8, 1000  # names and topics of a sensor in a heartbeat, and in the status file
DETAIL = 1000  # characters


class HealthWatch:
    """Looks every second; writes `status.json`; spools a heartbeat when due or a state changed."""

    def __init__(
        self,
        folder: Path,
        pipeline: Pipeline,
        spool: Spool,
        clips: ClipMaker,
        link: Callable[[], LinkStatus],
        now: Callable[[], datetime],
        heartbeat_s: float,
        sensors: Callable[[int], list[SensorHealth]] = lambda told: [],
    ) -> None:
        """sensors: how each source of readings fares, with so many names of each sort."""
        self._path = folder / "status.json"
        self._pipeline = pipeline
        self._spool = spool
        self._clips = clips
        self._link = link
        self._now = now
        self._heartbeat_s = heartbeat_s
        self._sensors = sensors
        self._begun = time.monotonic()
        self._told_s = -heartbeat_s
        self._states: dict[str, CameraState] = {}
        self._sensor_states: dict[str, SensorState] = {}
        self._since: dict[str, datetime] = {}
        self._said = SaidOnce()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look once more, then no more."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(STATUS_S)
        self._tell(last=True)

    def states(self) -> Mapping[str, CameraState]:
        """The state of each camera as last seen."""
        return dict(self._states)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._tell()
            self._stop.wait(STATUS_S)

    def _tell(self, last: bool = False) -> None:
        """Look; what cannot be told now is tried again with the next look."""
        try:
            self._look(last)
        except SpoolError as e:
            self._complain(f"the spool does not say where it stands: {e}")
        except ValueError as e:  # the contract refuses what a clock set to 1970 shows
            self._complain(f"the state of the agent cannot be told: {e}")

    def _complain(self, text: str) -> None:
        if self._said.is_new(text):
            log.error("%s", text)

    def _look(self, last: bool = False) -> None:
        streams = {name: self._stream(s) for name, s in self._pipeline.streams.items()}
        states = {name: health.state for name, health in streams.items()}
        sensor_states = {s.sensor: s.state for s in self._sensors(0)}
        changed = states != self._states or sensor_states != self._sensor_states
        self._states, self._sensor_states = states, sensor_states
        self._write_status(streams)
        waited_s = time.monotonic() - self._told_s
        if last or waited_s >= self._heartbeat_s or (changed and waited_s >= SPEEDY_S):
            self._told_s = time.monotonic()
            self._pipeline.take([self._heartbeat(streams)])

    def _stream(self, stream: Stream) -> StreamHealth:
        report = stream.camera.report()
        state = camera_state(stream, report.state)
        since = report.since
        if state is not report.state:  # the pictures say more than the connection
            if self._states.get(stream.settings.id) is not state:
                self._since[stream.settings.id] = self._now()
            since = self._since.get(stream.settings.id, since)
        faults = (report.detail, stream.fault(), self._clips.fault(stream.settings.id))
        detail = "; ".join(part for part in faults if part)
        return StreamHealth(
            stream=stream.settings.id,
            state=state,
            since=since,
            frame_age_s=report.frame_age_s,
            frame_hash=report.frame_hash,
            captured=report.captured,
            observed=stream.watch.observed,
            restarts=report.restarts,
            detail=detail[:DETAIL],
        )

    def _heartbeat(self, streams: Mapping[str, StreamHealth]) -> Entry:
        lanes = self._spool.state()
        dropped = self._pipeline.dropped()
        now = self._now()
        health = Health(
            captured_at=now,
            uptime_s=time.monotonic() - self._begun,
            streams=list(streams.values()),
            sensors=self._sensors(TOLD),
            spooled={lane: state.waiting for lane, state in lanes.items()},
            lost={lane: state.lost for lane, state in lanes.items()},
            not_taken={lane: n for lane, n in dropped.items() if n},
            detail=self._spool.fault()[:DETAIL],
            clock_offset_s=self._link().clock_offset_s,
        )
        return Entry(Lane.HEALTH, encode_record(health), now)

    def _write_status(self, streams: Mapping[str, StreamHealth]) -> None:
        link = self._link()
        dropped = self._pipeline.dropped()
        status: dict[str, Any] = {
            "boot": self._spool.boot,
            "written_at": self._now(),
            "connected": link.connected,
            "disconnected_because": link.trouble,
            "limited": link.limited,
            "spool_fault": self._spool.fault(),
            "clock_offset_s": link.clock_offset_s,
            "streams": {
                name: {
                    "state": health.state,
                    "since": health.since,
                    "captured": health.captured,
                    "observed": health.observed,
                    "restarts": health.restarts,
                    # told only once its last detection is in the spool
                    "ended": self._pipeline.streams[name].over,
                    "detail": health.detail,
                }
                for name, health in streams.items()
            },
            "clips": asdict(self._clips.report()),
            "sensors": {s.sensor: s for s in self._sensors(ALL)},
            "lanes": {
                lane: {
                    "next_seq": state.next_seq,
                    "watermark": state.watermark,
                    "waiting": state.waiting,
                    "bytes": state.bytes,
                    "lost": state.lost,
                    "not_taken": dropped[lane],
                }
                for lane, state in self._spool.state().items()
            },
        }
        new = self._path.with_suffix(".new")
        try:
            new.write_bytes(msgspec.json.encode(status))
            new.replace(self._path)
        except OSError as e:
            self._complain(f"status file {self._path} cannot be written: {e}")
