"""Setting up: which Python is taken, when nothing needs to be done, what pip is told."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gridwarden import environment

ROOT = Path(__file__).parents[2]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    if program is None:
        pytest.skip("no make on this machine")
    return subprocess.run(
        [program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_python_that_does_not_run_is_named_before_anything_is_made() -> None:
    done = make("environment", "PYTHON=/nowhere/python3")
    assert done.returncode != 0
    assert "'/nowhere/python3' is no Python that runs" in done.stderr


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench", "assets", "clean"])
def test_make_knows_its_targets(target: str) -> None:
    assert make("--dry-run", target).returncode == 0


def test_the_script_runs_on_the_standard_library_alone() -> None:
    # -I -S: no site-packages, no folder of ours on the path
    script = ROOT / "gridwarden" / "environment.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_packages_are_counted_without_and_with_the_developers_part() -> None:
    program, everything = environment.packages_wanted(False), environment.packages_wanted(True)
    assert 20 < program < everything


def test_what_has_to_be_installed_again_is_known_by_its_fingerprint() -> None:
    assert environment.fingerprint() == environment.fingerprint()
    assert not environment.is_installed("another fingerprint", False)
