"""What a monitoring system is told: figures read from the database when it asks.

So they are the same whichever process is asked, and no process has to remember anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest

from hub.api.deps import reading
from hub.domain.daily_test import Daily
from hub.services.context import Hub
from hub.services.watch_expiry import broker_certificate_ends_at
from hub.store import daily_tests, views
from hub.store.part import Part
from hub.store.view_rows import AgentView, LaneView

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_DAY = timedelta(days=1)
_FLOODING = 200  # devices that are told of
_LANE = ["agent", "lane"]
_LANES = {
    "received": "Record numbers of the agent's present boot the hub has a word on",
    "stored": "Records of the agent's present boot in the database",
    "missing": "Records in holes: neither here nor declared lost",
    "lost_count": "Records the edge declared lost",
    "quarantined": "Records that were refused and not taken after all",
    "discarded": "Records beyond the limit of their device",
}


def metrics(hub: Hub) -> bytes:
    """Every figure, in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(hub))
    return generate_latest(registry)


class _Figures:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        hub = self._hub
        with reading(hub) as conn:
            agents, lanes = views.agents(conn), views.completeness(conn, present=True)
            waiting = {c.fault: c for c in views.quarantine_counts(conn)}
            flooding = views.flooding(conn, hub.now() - _DAY, Part(_FLOODING))
            tests = daily_tests.last_tests(conn)
            ingested, queue = views.stations_ingested(conn), views.queue_size(conn)
        yield _one("stations_ingested", "Stations that some hub ingests now", ingested)
        yield _one("events_waiting", "Grid events that wait for an operator's decision", queue)
        missing = sum(x.state(hub.now()) is Daily.MISSING for x in tests)
        yield _one("daily_tests_missing", "Cameras whose daily test did not come", missing)
        broker_ends_at = broker_certificate_ends_at(hub)
        if broker_ends_at is not None:
            yield _one(
                "broker_certificate_ends_timestamp_seconds",
                "When the broker's certificate ends, in seconds since 1970",
                broker_ends_at.timestamp(),
            )
        quarantine = _family("quarantine_waiting", "Entries nobody has settled", ["fault"])
        for fault in ("sender", "hub"):
            quarantine.add_metric([fault], waiting[fault].n if fault in waiting else 0)
        yield quarantine
        yield from _of_lanes(lanes)
        yield from _of_agents(agents)
        flood = _family(
            "device_discarded",
            "Records discarded of devices that flooded within a day",
            ["agent", "lane", "device"],
        )
        for f in flooding:
            flood.add_metric([f.agent, f.lane, f.device], f.n)
        yield flood


def _of_lanes(lanes: list[LaneView]) -> Iterator[Metric]:
    for name, told in _LANES.items():
        family = _family(f"lane_{name.removesuffix('_count')}", told, _LANE)
        for x in lanes:
            family.add_metric([x.agent, x.lane], getattr(x, name))
        yield family


def _of_agents(agents: list[AgentView]) -> Iterator[Metric]:
    online = _family("agent_online", "1 while its connection lives", ["agent"])
    offset = _family("agent_clock_offset_seconds", "Hub's clock minus the agent's", ["agent"])
    spooled = _family("agent_spooled", "Records that wait at the edge", _LANE)
    for a in agents:
        online.add_metric([a.agent], float(a.online))
        if a.clock_offset_s is not None:
            offset.add_metric([a.agent], a.clock_offset_s)
        for lane, n in sorted(a.spooled.items()):
            spooled.add_metric([a.agent, lane], n)
    return iter((online, offset, spooled))


def _family(name: str, told: str, labels: list[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"gridwarden_{name}", told, labels=labels)


def _one(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"gridwarden_{name}", told, value=value)
