"""How soon what is captured is committed: 100 cameras' worth of traffic, alone and in a backlog.

The traffic is that of real agents (spool, publisher, paho) in processes of their own; the time of
a commit is PostgreSQL's own (track_commit_timestamp), of the same machine's clock.
"""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import psycopg

from tests.bench.hub_ingest import PACKED, Run, busy_lines, drained, empty_readings, orders_of
from tests.bench.hub_site import STATION, Sender, Site, site
from tests.bench.processes import Meter, memory_mib

AGENTS, CAMERAS_EACH = 4, 25
ALARMS_A_S = 1.0  # of all agents together; a bad day of a real city is one a minute
LANES = {"detections": "detection_change", "readings": "reading"}
START_S = 2.0  # of the agents and the hub
COMMIT_TIMES = {"track_commit_timestamp": "on"}


@dataclass(frozen=True, slots=True)
class Latency:
    """From capture to commit, ms."""

    n: int
    p50: float
    p99: float
    longest: float

    def __str__(self) -> str:
        return f"{self.p50:.0f}, {self.p99:.0f} (longest {self.longest:.0f}, of {self.n:,})"


@dataclass(slots=True)
class Live:
    """What became of live records in one or several runs."""

    what: str
    of_lane: dict[str, list[Latency]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Rows of a Markdown table: the median run's."""
        rows = [
            f"| {lane}, capture to commit, p50 and p99, {self.what} "
            f"| {sorted(each, key=lambda x: x.p99)[len(each) // 2]} | ms |"
            for lane, each in self.of_lane.items()
        ]
        if not self.runs:
            return rows
        last = self.runs[-1]
        cpu = ", ".join(f"{part} {share:.0%}" for part, share in last.cpu_us.items())
        return [*rows, f"| CPU, {self.what} | {cpu} | of a core |", *busy_lines(self.runs)]


@dataclass(slots=True)
class Backlog:
    """A backlog that drains beside live detections, and they without it."""

    records: int
    alone: Live
    beside: Live
    drained: list[Run] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Rows of a Markdown table."""
        rates = ", ".join(f"{run.rate:,.0f}" for run in self.drained)
        memory = "; ".join(
            ", ".join(f"{mib:.0f}" for mib in run.memory_mib) for run in self.drained
        )
        return [
            f"| backlog of {self.records:,} records drains, 100 a message | {rates} | records/s |",
            f"| hub's memory at rest, halfway, at the end | {memory} | MiB |",
            *self.alone.lines(),
            *self.beside.lines(),
        ]


def measure_latency(runs: int, quick: bool) -> list[Live]:
    """100 cameras, for a minute each time."""
    out = Live("100 cameras")
    with site(COMMIT_TIMES) as s:
        for _ in range(runs):
            _watch(s, out, 5.0 if quick else 60.0)
    return [out]


def measure_backlog(runs: int, quick: bool) -> list[Backlog]:
    """Five million records from one spool."""
    records = 200_000 if quick else 5_000_000
    out = Backlog(records, Live("100 cameras alone"), Live("100 cameras beside a backlog"))
    with site(COMMIT_TIMES) as s:
        for _ in range(runs):
            _watch(s, out.alone, 5.0 if quick else 20.0)
            sender = Sender(s, orders_of(s, PACKED, records))
            try:
                sender.wait_until_full()
                empty_readings(s)
                with s.ingesting(), cameras(s, max(5.0, records / 200_000)):
                    parts = {"hub": s.parts["hub"], "database": s.parts["database"]}
                    out.drained.append(drained(s, [sender], parts))
                _note(s, out.beside, None)
            finally:
                sender.close()
    return [out]


@contextmanager
def cameras(s: Site, seconds: float) -> Iterator[Sequence[int]]:
    """The agents at work for so long, all of it committed on leaving; their processes."""
    agents = []
    for _ in range(AGENTS):
        name = f"live-{uuid.uuid4().hex[:8]}"
        command = [sys.executable, "-m", "tests.bench.live_agent", str(s.broker.port), STATION]
        command += [name, str(s.folder / name), str(CAMERAS_EACH), str(ALARMS_A_S / AGENTS)]
        agents.append(subprocess.Popen([*command, str(seconds)]))
    try:
        yield [a.pid for a in agents]
        if any(a.wait(seconds + 120) for a in agents):
            raise RuntimeError("an agent was not rid of all it had")
    finally:
        for a in agents:
            a.kill()
            a.wait()


def _watch(s: Site, out: Live, seconds: float) -> None:
    """The cameras alone for so long."""
    empty_readings(s)
    with s.ingesting():
        before = memory_mib(s.hubs[0].pid)
        with cameras(s, seconds) as agents:
            time.sleep(START_S)
            meter = Meter({"agents": list(agents), **s.parts})
            time.sleep(seconds - START_S / 2)
            used = meter.used()
        run = Run(
            rate=0.0,
            cpu_us={part: cpu_s / used.wall_s for part, cpu_s in used.by_part.items()},
            memory_mib=(before, memory_mib(s.hubs[0].pid)),
            others=used.others,
        )
    _note(s, out, run)


def _note(s: Site, out: Live, run: Run | None) -> None:
    if run is not None:
        out.runs.append(run)
    with psycopg.connect(s.url) as conn:
        for lane, table in LANES.items():
            rows = conn.execute(
                f"SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - captured_at)::float8 "
                f"FROM {table} WHERE starts_with(agent, 'live-')"
            ).fetchall()
            ms = np.array([seconds for (seconds,) in rows]) * 1000
            p50, p99 = np.percentile(ms, (50, 99))
            out.of_lane.setdefault(lane, []).append(Latency(len(ms), p50, p99, ms.max()))
        conn.execute("TRUNCATE detection_change")
