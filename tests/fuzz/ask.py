"""`make fuzz ARGS="api --each 50"`: every operation of the API, asked at length.

make fuzz ARGS="api --each 200 --seed 7 --only /events"
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from gridwarden.database import EmbeddedDatabase
from tests.fuzz.api import Interview, busy
from tests.hub.api.city import town_with_cameras
from tests.hub.api.signing_in import signed_in


def main(arguments: Sequence[str]) -> int:
    """Ask; the exit code: 0 every answer was one the document tells of, 1 not."""
    parser = argparse.ArgumentParser(prog="api", description=__doc__)
    parser.add_argument("--each", type=int, default=50, help="questions of each kind and operation")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--only", default="", help="part of an operation, such as 'POST /api/v1'")
    chosen = parser.parse_args(arguments)
    print(f"seed {chosen.seed}", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gridwarden-fuzz-") as name:
        database = EmbeddedDatabase(Path(name) / "database", tethered=True)
        try:
            with town_with_cameras(database.start(), Path(name)) as town:
                asks = Interview(town.url, signed_in(town.hub), busy(town))
                notes = asks.ask(
                    chosen.each, chosen.seed, chosen.only, lambda line: print(line, flush=True)
                )
        finally:
            database.remove()
    statuses = ", ".join(f"{n} x {status}" for status, n in sorted(notes.statuses.items()))
    for fault in notes.faults.values():
        print(f"\n{fault}")
    print(
        f"\nseed {chosen.seed}: {notes.statuses.total()} questions about {notes.operations} "
        f"operations in {time.monotonic() - begun:.0f} s: {statuses}; {len(notes.faults)} faults"
    )
    return 1 if notes.faults or not notes.operations else 0
