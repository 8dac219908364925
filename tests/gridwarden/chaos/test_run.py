"""The whole of it, in a process of its own: a minute of everything breaking."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gridwarden.chaos.faults import FAULTS

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[3]
LAST_LINE = re.compile(r"seed 20: (\d+) kills, (\d+) records, (\d+) lost, (\d+) doubled")


def test_a_minute_of_chaos_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gridwarden", "chaos", "--seed", "20", "--minutes", "0.5"]
    folder = tmp_path / "run"
    run = subprocess.run(
        [*command, "--folder", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])},
        check=False,
    )

    said = run.stdout
    last = LAST_LINE.search(said)
    assert last is not None, said
    kills, records, lost, doubled = map(int, last.groups())
    assert (run.returncode, lost, doubled) == (0, 0, 0), said
    assert kills >= 10, said
    assert records >= 1000, said
    for fault in FAULTS:
        happened = re.search(rf"^ +[1-9]\d*  {re.escape(fault.name)}", said, re.MULTILINE)
        assert happened or f"left out, as there is no {fault.needs}" in said, said
