"""A bench that is ended leaves none of its servers behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.hub.builders import eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]


def test_a_bench_that_is_terminated_ends_database_broker_and_hub(tmp_path: Path) -> None:
    bench = subprocess.Popen(
        [sys.executable, "-m", "tests.bench", "hub.single", "--quick", "--runs", "1"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    left: list[psutil.Process] = []
    try:
        eventually(lambda: len(_servers(bench.pid)) == 2, timeout_s=120.0)
        left = psutil.Process(bench.pid).children(recursive=True)
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(60) == 128 + signal.SIGTERM
        _, left = psutil.wait_procs(left, timeout=20)
        assert left == []
        assert list(tmp_path.iterdir()) == []
    finally:
        bench.kill()
        for process in left:
            process.kill()


def _servers(bench: int) -> set[str]:
    """Which servers the bench has by now: the database, the broker."""
    found = set()
    for process in psutil.Process(bench).children(recursive=True):
        with suppress(psutil.Error):
            words = " ".join(process.cmdline())
            found |= {"database"} if "postgres" in words else set()
            found |= {"broker"} if "mosquitto" in words or "rumqttd" in words else set()
    return found
