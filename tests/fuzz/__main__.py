"""`make fuzz ARGS="--messages 100000 --seed 1"`: all of it, and the throughput before and after.

`make fuzz ARGS="api --each 50"` asks the API instead (tests/fuzz/ask.py).
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from contract.taxonomy import Lane
from gridwarden.broker import EmbeddedBroker, find_mosquitto
from gridwarden.database import EmbeddedDatabase
from gridwarden.ports import choose
from gridwarden.serving import end_on_signal
from tests.fuzz import ask
from tests.fuzz.fire import UnderFire, received, record_real, under_fire
from tests.fuzz.hostile import Source

ROUND = 1000
RUNS = 5
TOLD_S = 5.0
UNCHANGED = 0.8  # of the throughput before; less is a finding, above the noise of a run


def main() -> int:
    """Fire; the exit code: 0 all stored or in quarantine and as fast as before, 1 not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--broker", choices=("embedded", "mosquitto"), default="embedded")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gridwarden-fuzz-") as name:
        folder = Path(name)
        database = EmbeddedDatabase(folder / "database", tethered=True)
        mosquitto = find_mosquitto() if chosen.broker == "mosquitto" else None
        broker = EmbeddedBroker(choose(18_880), folder / "broker", mosquitto=mosquitto)
        try:
            url = database.start()
            broker.start()
            with under_fire(url, broker.port, folder) as hub:
                return _fire(hub, chosen.messages, chosen.seed, folder)
        finally:
            broker.stop()
            database.remove()


def _fire(hub: UnderFire, count: int, seed: int, folder: Path) -> int:
    real = record_real(hub.broker_port, hub.station, folder, 200)
    print(f"{len(real)} real messages recorded", flush=True)
    hub.throughput()  # warm
    before = [hub.throughput() for _ in range(RUNS)]
    source = Source(hub.station, real, seed)
    begun = told = time.monotonic()
    for sent in range(0, count, ROUND):
        hub.fire(list(source.messages(min(ROUND, count - sent))))
        if time.monotonic() - told > TOLD_S:
            told = time.monotonic()
            print(f"{sent} of {count} messages in {told - begun:.0f} s", flush=True)
    hub.check_lives()
    hub.check_balance()
    after = [hub.throughput() for _ in range(RUNS)]
    hub.check_lives()
    ratio = statistics.median(after) / statistics.median(before)
    with psycopg.connect(hub.database_url) as conn:
        row = conn.execute(
            "SELECT count(*), sum(times), count(*) FILTER (WHERE seq IS NOT NULL) FROM quarantine"
        ).fetchone()
        stored = sum(received(conn, lane) for lane in Lane)
    assert row is not None
    print(
        f"seed {seed}: {count} hostile messages; quarantine {row[0]} ({row[1]} times, {row[2]} of "
        f"them records), {stored} records received in all; throughput after {ratio:.2f} of before "
        f"({statistics.median(before):.0f} readings/s)"
    )
    return 0 if ratio >= UNCHANGED else 1


if __name__ == "__main__":
    end_on_signal()
    if sys.argv[1:2] == ["api"]:
        raise SystemExit(ask.main(sys.argv[2:]))
    raise SystemExit(main())
