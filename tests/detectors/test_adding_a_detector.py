"""A detector of one's own is one file and one config block: those that the documentation shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-detector.md").read_text(encoding="utf-8")


def shown(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    (own / "glare.py").write_text(shown("python"))
    return own


def ran(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "GRIDWARDEN_DETECTORS": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_it_passes_the_suite_that_every_detector_passes(folder: Path) -> None:
    suite = ("tests/detectors/test_conformance.py", "-k", "glare", "-q", "-p", "no:cacheprovider")
    told = ran(folder, "-m", "pytest", "-p", "no:randomly", "-n", "0", *suite)
    assert told.returncode == 0, told.stdout + told.stderr
    passed = re.search(r"(\d+) passed", told.stdout)
    assert passed is not None
    assert int(passed[1]) >= 20


def test_it_tells_what_it_sees(folder: Path, tmp_path: Path) -> None:
    video = tmp_path / "blinded.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 5.0, (160, 90))
    for n in range(60):
        writer.write(np.full((90, 160, 3), 255 if 20 <= n < 45 else 60, np.uint8))
    writer.release()
    told = ran(folder, "-m", "detectors.look", str(video), "--detector", "glare")
    assert told.returncode == 0, told.stderr
    assert "raised" in told.stdout.lower()


def test_its_block_is_checked_like_any_other(folder: Path, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    before = f"""
[agent]
name = "a"
station = "s"
data_dir = "{tmp_path}"
[[stream]]
id = "c"
source = "scene:fire"
"""
    site.write_text(before + shown("toml"))
    told = ran(folder, "-m", "gridwarden", "edge", "check-config", str(site))
    assert told.returncode == 0, told.stderr
    assert "stream.c.detectors.glare.threshold = 0.6" in told.stdout
    site.write_text(before + shown("toml").replace("threshold", "treshold"))
    told = ran(folder, "-m", "gridwarden", "edge", "check-config", str(site))
    assert told.returncode == 1
    assert "did you mean 'threshold'" in told.stderr


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("broken.py", "import nothing_of_that_name", "broken.py: ModuleNotFoundError"),
        ("empty.py", "", "empty.py registers no detector"),
        (
            "again.py",
            shown("python").replace('"glare"', '"flame"'),
            "detector kind 'flame' is defined by both",
        ),
        (
            "partly.py",
            "from detectors.kit.registry import register\n"
            "@register\nclass Partly:\n    kind = 'partly'\n",
            "detector Partly has no version, summary, Params, budget_ms, sample_fps",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_the_reason(
    folder: Path, name: str, code: str, said: str
) -> None:
    (folder / name).write_text(code)
    told = ran(folder, "-m", "detectors.look", "none.mp4", "--detector", "glare")
    assert told.returncode == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_a_folder_that_anybody_may_write_to_is_refused(folder: Path) -> None:
    folder.chmod(0o777)
    told = ran(folder, "-m", "detectors.look", "none.mp4", "--detector", "glare")
    assert told.returncode == 2
    assert "may be written by anybody" in told.stderr


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    told = ran(tmp_path / "none", "-m", "detectors.look", "none.mp4", "--detector", "flame")
    assert told.returncode == 2
    assert "is no folder" in told.stderr
