"""The queue page's question where a million events are closed and ten thousand wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from hub.domain.reach import EVERYWHERE
from hub.store import views
from tests.bench.city import city, closed_case, copy_case, loading
from tests.bench.measure import Spread
from tests.hub.builders import Clock
from tests.hub.cases import suspected

CLOSED = 1_000_000
WAITING = 10_000
ASKED = 200  # times in a run
INDEX = "grid_event_queue"


@dataclass(frozen=True, slots=True)
class Waits:
    """How long the question took, run by run."""

    closed: int
    waiting: int
    floor_ms: list[float]  # p50 of a question for nothing
    p50_ms: list[float]
    p95_ms: list[float]
    by_index: bool

    def lines(self) -> list[str]:
        """Rows of a Markdown table."""
        ratios = [ours / bare for ours, bare in zip(self.p50_ms, self.floor_ms, strict=True)]
        what = f"queue, {self.closed:,} closed and {self.waiting:,} waiting"
        return [
            f"| {what}, p50 | {Spread.of(self.p50_ms)} | ms |",
            f"| {what}, p95 | {Spread.of(self.p95_ms)} | ms |",
            f"| `SELECT 1` on the same connection, p50 | {Spread.of(self.floor_ms)} | ms |",
            f"| **ratio** of the p50 | {Spread.of(ratios)} | |",
            f"| EXPLAIN names {INDEX} | {'yes' if self.by_index else '**no**'} | |",
        ]


def measure(runs: int, quick: bool) -> list[Waits]:
    """What the page asks for, in a district with years behind it."""
    closed, waiting = (CLOSED // 20, WAITING // 20) if quick else (CLOSED, WAITING)
    clock = Clock()
    with city(clock) as hub:
        past = closed_case(hub, clock)
        cells = sorted(c.code for c in hub.grid.cells.values() if c.level == 1)
        new = suspected(hub, 5_000)
        with hub.pool.connection() as conn:
            with loading(conn):
                copy_case(
                    conn,
                    past,
                    closed,
                    apart=timedelta(seconds=-60),
                    cells=cells,
                    whole_history=False,  # the queue reads none
                )
                copy_case(
                    conn,
                    new,
                    waiting,
                    apart=timedelta(seconds=1),
                    cells=cells,
                    detections=True,
                    severities=["S1", "S2", "S3", "S4"],
                )
            conn.execute("ANALYZE")
            conn.commit()
            plan = conn.execute(
                b"EXPLAIN " + views._sql("queue"),
                {"cells": EVERYWHERE.cells, "limit": 200},
            ).fetchall()
            out = Waits(closed, waiting, [], [], [], any(INDEX in str(line) for (line,) in plan))
            for run in range(runs + 1):
                bare = sorted(_ms(lambda: conn.execute("SELECT 1").fetchone()))
                ours = sorted(_ms(lambda: views.queue(conn)))
                if run:  # the first warms up
                    out.floor_ms.append(bare[ASKED // 2])
                    out.p50_ms.append(ours[ASKED // 2])
                    out.p95_ms.append(ours[ASKED * 95 // 100])
    return [out]


def _ms(question: Callable[[], object]) -> list[float]:
    took = []
    for _ in range(ASKED):
        begun_s = time.perf_counter()
        question()
        took.append((time.perf_counter() - begun_s) * 1000)
    return took
