"""What a reading of a foreign system costs at the edge: from the message to the spool on disk.

CPU microseconds of this process, one thread, a round of 1,000 devices: decoded by an adapter,
counted, watched by its detectors and spooled in batches; against spooling the same readings alone.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contract.envelope import encode_record
from contract.messages import Reading
from contract.taxonomy import Lane
from edge.readings.adapters import build_adapter
from edge.readings.intake import Intake
from edge.readings.watch import SensorWatch
from edge.sensing import BATCH
from edge.spool import Entry
from edge.sqlite_spool import SqliteSpool
from tests.bench.measure import Comparison, compare
from tests.edge.sensor_builders import sensor

DEVICES = 1000
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
YARD = '[[sensor]]\nid = "yard"\nkind = "zigbee2mqtt"\ntopic = "z"\n'
WATCH = '[[sensor.watch]]\nmetric = "temperature"\n'
LIMIT = "[sensor.watch.detectors.reading_limit]\nhigh_on = true\nhigh = 50\ngap_s = 60\n"
ANOMALY = "[sensor.watch.detectors.reading_anomaly]\n"


def measure(runs: int, quick: bool) -> list[Comparison]:
    """With limits, and with anomalies besides."""
    rounds = 2 if quick else 20
    return [
        compare(
            f"1,000 devices, {what}",
            lambda text=text: _intake_us(text, rounds),  # type: ignore[misc]
            "spooling alone",
            lambda: _spool_us(rounds),
            unit="CPU us/reading",
            runs=runs,
        )
        for what, text in (
            ("reading_limit", YARD + WATCH + LIMIT),
            ("reading_limit and reading_anomaly", YARD + WATCH + LIMIT + ANOMALY),
        )
    ]


def _intake_us(text: str, rounds: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        settings = sensor(Path(folder), text)
        intake = Intake("yard", (build_adapter(settings),), START)
        watch = SensorWatch("bench", settings, settings.watches[0])
        spool = _spool(folder)
        begun = time.process_time()
        for n in range(rounds):
            at = START + timedelta(seconds=n)
            entries: list[Entry] = []
            for k in range(DEVICES):
                payload = b'{"temperature": %d.5}' % (20 + (n + k) % 7)
                for record in intake.take(f"z/dev-{k}", payload, at).records:
                    assert isinstance(record, Reading)
                    entries.append(Entry(Lane.READING, encode_record(record), at))
                    entries += watch.observe(record, at)
            entries += watch.idle(at)
            _append(spool, entries)
        spent = time.process_time() - begun
        spool.close()
    return spent / rounds / DEVICES * 1e6


def _spool_us(rounds: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        spool = _spool(folder)
        begun = time.process_time()
        for n in range(rounds):
            at = START + timedelta(seconds=n)
            _append(spool, [_entry(k, at) for k in range(DEVICES)])
        spent = time.process_time() - begun
        spool.close()
    return spent / rounds / DEVICES * 1e6


def _entry(k: int, at: datetime) -> Entry:
    reading = Reading(
        device=f"dev-{k}", metric="temperature", value=21.5, unit="Cel", captured_at=at
    )
    return Entry(Lane.READING, encode_record(reading), at)


def _append(spool: SqliteSpool, entries: Sequence[Entry]) -> None:
    for first in range(0, len(entries), BATCH):
        spool.append(entries[first : first + BATCH])


def _spool(folder: str) -> SqliteSpool:
    budgets = dict.fromkeys(Lane, 1_000_000_000)
    return SqliteSpool(Path(folder) / "spool", budgets, lambda: START)
