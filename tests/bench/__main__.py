"""`python -m tests.bench [NAME ...] [--runs N] [--quick]`: ratios against a floor of the same run.

Prints Markdown, as docs/benchmarks.md has it. Nothing here judges: a person reads the ratios.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from tests.bench import detector_cost, edge_pipeline, hub_ingest, sensor_intake, spool_rates
from tests.bench.measure import machine


class Measured(Protocol):
    """What a bench gives."""

    def lines(self) -> list[str]:
        """Rows of a Markdown table: what, value, unit."""


BENCHES: dict[str, Callable[[int, bool], Sequence[Measured]]] = {
    "edge": edge_pipeline.measure,
    "spool": spool_rates.measure,
    "detectors": detector_cost.measure,
    "sensors": sensor_intake.measure,
    "hub": hub_ingest.measure,
}


def main() -> int:
    """Run the benches asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each (5)")
    parser.add_argument("--quick", action="store_true", help="small inputs: a look, no figure")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(BENCHES)
    if unknown:
        parser.error(f"no bench {', '.join(sorted(unknown))}; there are: {', '.join(BENCHES)}")
    print(f"{machine()}; median (minimum to maximum) of {chosen.runs} runs\n")
    for name, measure in BENCHES.items():
        if chosen.names and name not in chosen.names:
            continue
        for measured in measure(chosen.runs, chosen.quick):
            print("| measured | value | unit |\n|---|---|---|")
            print("\n".join(measured.lines()), end="\n\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
