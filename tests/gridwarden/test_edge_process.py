"""`gridwarden edge` on a line and a disk that fail: the real process, and what it says."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from contract.taxonomy import Lane
from edge.sqlite_spool import SqliteSpool
from gridwarden.ports import choose
from tests.edge.builders import eventually, now
from tests.small_disk import SmallDisk

SITE = """
[agent]
name = "alone"
station = "north"
data_dir = "{folder}"
[broker]
port = {port}
[publish]
heartbeat_s = 0.5
[spool]
reserve_mb = 8
"""


class Running:
    """The process and what it leaves behind."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, said: Path) -> None:
        self.process = process
        self.folder = folder
        self._said = said

    def said(self, words: str) -> list[str]:
        """The lines with these words."""
        return [line for line in self._said.read_text().splitlines() if words in line]

    def status(self) -> dict[str, Any]:
        try:
            return msgspec.json.decode((self.folder / "status.json").read_bytes(), type=dict)
        except (FileNotFoundError, msgspec.DecodeError):
            return {}

    def heartbeats(self) -> int:
        """How many it says it has spooled."""
        lanes: dict[str, dict[str, int]] = self.status().get("lanes", {"health": {"next_seq": 1}})
        return lanes["health"]["next_seq"] - 1


@contextmanager
def agent(folder: Path, beside: Path) -> Iterator[Running]:
    """An agent without cameras and without a broker."""
    site, said = beside / "site.toml", beside / "said"
    site.write_text(SITE.format(folder=folder, port=choose(19_400)), encoding="utf-8")
    command = [sys.executable, "-m", "gridwarden", "edge", "--config", str(site)]
    with said.open("wb") as file, subprocess.Popen(command, stderr=file) as process:
        running = Running(process, folder, said)
        try:
            yield running
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(10.0)


def test_without_a_broker_and_on_a_full_disk_an_agent_goes_on_and_tells_both(
    small_disk: SmallDisk, tmp_path: Path
) -> None:
    folder = small_disk.path / "data"
    with agent(folder, tmp_path) as running:
        eventually(lambda: running.heartbeats() >= 2, 30.0)
        (line,) = running.said("cannot be reached")
        assert "see host and port" in line
        small_disk.fill()
        before = running.heartbeats()
        eventually(lambda: running.said("status.json cannot be written"))
        small_disk.free()
        eventually(lambda: running.heartbeats() >= before + 3)
        status = running.status()
        assert status["lanes"]["health"]["not_taken"] == 0
        assert not status["connected"]
        assert "cannot be reached" in status["disconnected_because"]
        assert running.process.poll() is None
    assert running.process.returncode == 0
    spool = SqliteSpool(folder, dict.fromkeys(Lane, 10_000_000), now)
    held = spool.peek(Lane.HEALTH, 0, 1000, 10_000_000)
    assert [r.seq for r in held] == list(range(1, len(held) + 1))
    spool.close()
