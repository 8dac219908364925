"""The whole loop on real video with all its real processes, the hub killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.clips, pytest.mark.timeout(240)]

FIRE = "fire/F02_scooter_road_onset.mp4"
ROAD = "traffic/T04_bgs_video03.avi"
FLAME_FROM, FLAME_FPS = 117, 29.97  # labelled by hand
CROSSINGS = 27  # counted by hand at the line y = 0.60, all downwards


def _pids(data: Path) -> dict[str, int]:
    noted = data / "run" / "processes.json"
    try:
        found: dict[str, int] = json.loads(noted.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _await_hub(data: Path, other_than: int, running: subprocess.Popen[str]) -> int:
    for _ in range(3000):
        pid = _pids(data).get("hub", other_than)
        if pid != other_than:
            return pid
        if running.poll() is not None:
            break
        time.sleep(0.02)
    pytest.fail(f"no hub came up: {running.communicate()[0]}")


@pytest.fixture(scope="module")
def report(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Both clips at once; the hub is killed with SIGKILL three times while they play."""
    folder = tmp_path_factory.mktemp("report")
    data, told = folder / "data", folder / "report.json"
    command = [sys.executable, "-m", "gridwarden", "demo", "--report", "--data", str(data)]
    command += ["--video", str(clips / FIRE), "--video", str(clips / ROAD), "--line", "0.60"]
    with subprocess.Popen(
        [*command, "--json", str(told)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path[1:])},
    ) as running:
        hub = 0
        for _ in range(3):
            hub = _await_hub(data, hub, running)
            time.sleep(5.0)
            os.kill(hub, signal.SIGKILL)
        said = running.communicate(timeout=200)[0]
    assert running.returncode == 0, said
    found: dict[str, Any] = json.loads(told.read_text())
    return found


def test_a_real_fire_opens_one_event_with_its_picture_near_the_onset(
    report: dict[str, Any],
) -> None:
    flames = [d for d in report["detections"] if d["kind"] == "flame"]
    assert flames, report
    assert {d["stream"] for d in flames} == {"F02_scooter_road_onset"}
    first = min(d["raised_frame"] for d in flames)
    assert FLAME_FROM <= first <= FLAME_FROM + 10 * FLAME_FPS
    fires = [e for e in report["grid_events"] if e["category"] == "fire_safety"]
    assert len(fires) == 1
    assert fires[0]["evidence"] >= 1
    assert fires[0]["state"] in ("filed", "dispatched")  # S1: by itself
    assert fires[0]["cell"]


def test_the_road_is_counted_as_by_hand(report: dict[str, Any]) -> None:
    down = [c for c in report["crossings"] if c["direction"] == "down" and "T04" in c["stream"]]
    assert len(down) == 1
    assert down[0]["count"] == pytest.approx(CROSSINGS, rel=0.15)


def test_a_killed_hub_loses_nothing_and_doubles_nothing(report: dict[str, Any]) -> None:
    assert report["complete"]
    for lane, records in report["lanes"].items():
        assert records["committed"] == records["spooled"], lane
        assert records["lost"] == 0, lane
    assert report["quarantined"] == 0
    told = [d["raised"] + d["updated"] + d["cleared"] for d in report["detections"]]
    assert sum(told) == report["lanes"]["detection"]["spooled"]
    assert all(d["raised"] == 1 for d in report["detections"])
