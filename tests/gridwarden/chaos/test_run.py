"""The whole of it, in a process of its own: a minute of everything breaking."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gridwarden.chaos.faults import FAULTS, Fault

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[3]
ENVIRON = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
LAST_LINE = re.compile(r"seed 20: (\d+) kills, (\d+) records, (\d+) lost, (\d+) doubled")


def chaos(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gridwarden", "chaos", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env=ENVIRON,
        check=False,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Half a minute of breaking, and what it takes to begin, mend and count."""
    folder = tmp_path_factory.mktemp("chaos") / "run"
    return chaos("--seed", "20", "--minutes", "0.5", "--folder", str(folder))


def test_a_minute_of_chaos_loses_nothing_and_doubles_nothing(
    run: subprocess.CompletedProcess[str],
) -> None:
    last = LAST_LINE.search(run.stdout)
    assert last is not None, run.stdout
    kills, records, lost, doubled = map(int, last.groups())
    assert (run.returncode, lost, doubled) == (0, 0, 0), run.stdout
    assert kills >= 10, run.stdout
    assert records >= 1000, run.stdout


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_the_minute_saw_every_failure_of_the_contract(
    run: subprocess.CompletedProcess[str], fault: Fault
) -> None:
    left_out = f"left out, as there is no {fault.needs} of ours: {fault.name}"
    if fault.needs and left_out in run.stdout:
        pytest.skip(f"no {fault.needs} here")
    assert re.search(rf"^ +[1-9]\d*  {re.escape(fault.name)}", run.stdout, re.MULTILINE), run.stdout


def test_a_run_into_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "somebody's").touch()
    refused = chaos("--folder", str(tmp_path))
    assert refused.returncode == 1
    assert refused.stdout.strip().endswith("is not empty: name a new one with --folder")
