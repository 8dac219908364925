"""Ingestion of the stations this hub holds: three connections, each with its own worker.

detections   their own connection and transactions: a fire waits behind nothing
bulk         readings, scores, evidence, health, and whatever else is said
control      births and deaths in; acknowledgements and commands out
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection

from contract.topics import PREFIX, Up, all_up
from hub.ingest.control import ControlWorker
from hub.ingest.downlink import Downlink
from hub.ingest.mqtt import BrokerConnection
from hub.ingest.stations import StationLocks
from hub.ingest.worker import Worker
from hub.services.context import Hub

LOOK_S = 1.0  # how often the locks of the stations are looked after

_log = logging.getLogger(__name__)
_ELSEWHERE = tuple(f"/{kind}" for kind in (Up.DETECTION, Up.BIRTH, Up.DEATH))


def run_ingest(hub: Hub, stop: threading.Event) -> None:
    """Ingest every station that is free, until `stop` is set; wait as stand-by for the others.

    Raises what a thread of ingestion failed by.
    """
    locks = StationLocks(hub.config, hub.config.hub.stations)
    running: Ingestion | None = None
    stations: frozenset[str] = frozenset()
    waiting = False
    try:
        while not stop.is_set():
            held = locks.refresh()
            if held != stations:
                if running is not None:
                    running.stop()
                running = Ingestion(hub, held) if held else None
                stations = held
                if running is not None:
                    running.start()
                    _log.info("ingesting %s", ", ".join(sorted(held)))
            if running is not None and running.failure is not None:
                raise running.failure
            missing = set(hub.config.hub.stations) - held
            if missing and not waiting:
                _log.info("standing by for %s", ", ".join(sorted(missing)))
            waiting = bool(missing)
            stop.wait(LOOK_S)
    finally:
        if running is not None:
            running.stop()
        locks.release()


class Ingestion:
    """The connections and workers of some stations."""

    def __init__(self, hub: Hub, stations: Collection[str]) -> None:
        self._stations = sorted(stations)
        size = hub.config.ingest.queue_messages
        broker = hub.config.broker
        self._detections = BrokerConnection("detections", broker, size, on_connect=self._greet)
        self._bulk = BrokerConnection("bulk", broker, size, on_connect=self._greet)
        self._control = BrokerConnection("control", broker, size, on_connect=self._greet)
        self._downlink = Downlink(
            hub, self._control, (self._detections, self._bulk), self._stations
        )
        self._workers = (
            Worker(hub, self._detections, self._downlink.committed),
            Worker(hub, self._bulk, self._downlink.committed, ignore=_taken_elsewhere),
            ControlWorker(hub, self._control, self._downlink.born),
        )

    @property
    def failure(self) -> Exception | None:
        """What one of its threads ended by, None while all are well."""
        threads = (*self._workers, self._downlink)
        return next((t.failure for t in threads if t.failure is not None), None)

    def start(self) -> None:
        """Connect and begin; a broker that is away is waited for."""
        for worker in self._workers:
            worker.start()
        self._downlink.start()
        self._control.start(
            [all_up(s, kind) for s in self._stations for kind in (Up.BIRTH, Up.DEATH)]
        )
        self._detections.start([all_up(s, Up.DETECTION) for s in self._stations])
        self._bulk.start([f"{PREFIX}/{s}/up/#" for s in self._stations])

    def stop(self) -> None:
        """End: workers first, so that what they committed is still acknowledged."""
        stopping = [threading.Thread(target=w.stop, name="ingest-stop") for w in self._workers]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        self._downlink.stop()
        for connection in (self._detections, self._bulk, self._control):
            connection.stop()

    def _greet(self) -> None:
        self._downlink.wake()


def _taken_elsewhere(topic: str) -> bool:
    """Whether another connection takes this topic, so that the bulk connection need not."""
    return topic.endswith(_ELSEWHERE) and topic.count("/") == 5
