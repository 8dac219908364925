"""`python -m tests.bench [NAME ...] [--runs N] [--quick]`: ratios against a floor of the same run.

NAME, or `--only NAME`, is a bench (`hub.packed`) or a group of them (`hub`).

Prints Markdown, as docs/benchmarks.md has it. Nothing here judges: a person reads the ratios.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from gridwarden.serving import end_on_signal
from tests.bench import (
    detector_cost,
    edge_cameras,
    edge_pipeline,
    grid_point,
    hub_assessment,
    hub_ingest,
    hub_live,
    hub_loop,
    hub_queue,
    hub_scale,
    object_counter,
    plain_loop,
    rule_delay,
    sensor_intake,
    spool_rates,
)
from tests.bench.measure import machine


class Measured(Protocol):
    """What a bench gives."""

    def lines(self) -> list[str]:
        """Rows of a Markdown table: what, value, unit."""


BENCHES: dict[str, Callable[[int, bool], Sequence[Measured]]] = {
    "edge.pipeline": edge_pipeline.measure,
    "edge.plain": plain_loop.measure,
    "edge.counter": object_counter.measure,
    "edge.cameras": edge_cameras.measure,
    "spool": spool_rates.measure,
    "detectors": detector_cost.measure,
    "sensors": sensor_intake.measure,
    "rules": rule_delay.measure,
    "grid": grid_point.measure,
    "hub.single": hub_ingest.measure_single,
    "hub.packed": hub_ingest.measure_packed,
    "hub.stations": hub_scale.measure_stations,
    "hub.fleet": hub_scale.measure_fleet,
    "hub.table": hub_scale.measure_table,
    "hub.latency": hub_live.measure_latency,
    "hub.backlog": hub_live.measure_backlog,
    "loop": hub_loop.measure,
    "queue": hub_queue.measure,
    "assessment": hub_assessment.measure,
}


def main() -> int:
    """Run the benches asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="the same")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each (5)")
    parser.add_argument("--quick", action="store_true", help="small inputs: a look, no figure")
    asked = parser.parse_args()
    names = {*asked.names, *asked.only}
    chosen = [b for b in BENCHES if not names or names & {b, b.partition(".")[0]}]
    unknown = names - set(BENCHES) - {b.partition(".")[0] for b in BENCHES}
    if unknown:
        parser.error(f"no bench {', '.join(sorted(unknown))}; there are: {', '.join(BENCHES)}")
    end_on_signal()
    print(f"{machine()}; median (minimum to maximum) of {asked.runs} runs\n")
    for name in chosen:
        for measured in BENCHES[name](asked.runs, asked.quick):
            print(f"{name}\n\n| measured | value | unit |\n|---|---|---|")
            print("\n".join(measured.lines()), end="\n\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
