"""Detections into the closed loop: correlated, events opened, histories begun, committed.

The floor is the rows alone: as many grid events and history entries, in as many commits.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from contract.messages import Detection
from gridwarden.serving import tune_interpreter
from hub.services.context import Hub
from hub.services.record_detections import record_detections
from hub.store.detections import Change
from hub.store.rows import GridEventRow
from tests.bench.city import city, copy_case
from tests.bench.measure import Comparison, compare
from tests.hub.builders import SQUARE, detection, system_clock
from tests.hub.cases import suspected

IN_A_COMMIT = 100
APART = 0.002  # degrees between places: no two of them are one fire

_places = itertools.count(1)
_sequence = itertools.count(1)


def measure(runs: int, quick: bool) -> list[Comparison]:
    """Every detection a fire of its own, and ten cameras at each fire."""
    tune_interpreter()  # as a hub does
    commits = 5 if quick else 50
    out = []
    for at_a_fire in (1, 10):
        with city(system_clock) as hub:
            first = suspected(hub)
            with hub.pool.connection() as conn:

                def ours(conn: Connection[Any] = conn, n: int = at_a_fire) -> float:
                    batches = [_batch(n) for _ in range(commits)]
                    begun_s = time.perf_counter()
                    for batch in batches:
                        _record(conn, hub, batch)
                    return commits * IN_A_COMMIT / (time.perf_counter() - begun_s)

                def bare(
                    conn: Connection[Any] = conn, n: int = at_a_fire, event: GridEventRow = first
                ) -> float:
                    begun_s = time.perf_counter()
                    for _ in range(commits):
                        copy_case(conn, event, IN_A_COMMIT // n)
                        conn.commit()
                    return commits * IN_A_COMMIT / (time.perf_counter() - begun_s)

                out.append(
                    compare(
                        f"detections into the loop, 1 in {at_a_fire} opens an event, "
                        f"{IN_A_COMMIT} a commit",
                        ours,
                        "their rows of events and histories alone",
                        bare,
                        unit="detections/s",
                        runs=runs,
                    )
                )
    return out


def _batch(at_a_fire: int) -> list[Detection]:
    """Detections of one commit, at places where nothing was before."""
    found = []
    for _ in range(IN_A_COMMIT // at_a_fire):
        n = next(_places)
        place = Point(SQUARE.lon + APART * (n % 500), SQUARE.lat + APART * (1 + n // 500))
        found += [detection(stream=f"cam-{c:02}", position=place) for c in range(at_a_fire)]
    return found


def _record(conn: Connection[Any], hub: Hub, batch: list[Detection]) -> None:
    now = hub.now()
    changes = [Change("demo", "edge-1", "b1", next(_sequence), record, now) for record in batch]
    refused = record_detections(conn, hub, changes)
    conn.commit()
    assert not refused
