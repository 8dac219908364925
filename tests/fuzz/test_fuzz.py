"""A small share of `make fuzz`: other messages on every day, the same ones all day."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.fire import record_real, under_fire
from tests.fuzz.hostile import Source

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

MESSAGES, ROUND = 1500, 500


def test_whatever_comes_is_stored_or_put_aside_and_ingestion_goes_on(
    database_url: str, broker_port: int, tmp_path: Path
) -> None:
    with under_fire(database_url, broker_port, tmp_path) as hub:
        real = record_real(broker_port, hub.station, tmp_path, 30)
        messages = list(Source(hub.station, real, 20).messages(MESSAGES))
        assert len(set(messages)) > MESSAGES // 2

        for begin in range(0, MESSAGES, ROUND):
            hub.fire(messages[begin : begin + ROUND])

        hub.throughput(10)  # good ones are still taken
        hub.check_lives()
        hub.check_balance()
