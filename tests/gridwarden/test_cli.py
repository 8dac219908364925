"""The command line as a person meets it: real processes, one clear line for what goes wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from gridwarden import __version__
from gridwarden.datafolder import open_folder
from gridwarden.ports import LOOPBACK


def gridwarden(
    *arguments: str | Path, cwd: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gridwarden", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(*arguments: str | Path, cwd: Path | None = None, **environ: str) -> str:
    """The one line on stderr of a command that must fail."""
    done = gridwarden(*arguments, cwd=cwd, **environ)
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("gridwarden: ")
    return lines[0]


def test_the_version_is_told() -> None:
    assert gridwarden("version").stdout.startswith(f"gridwarden {__version__} ")
    assert gridwarden("--version").stdout == f"gridwarden {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dmeo"],
        ["demo", "--line", "60"],
        ["demo", "--line", "nan"],
        ["demo", "--http-port", "99999"],
        ["demo", "--report", "--seconds", "-1"],
        ["demo", "--axis", "diagonal"],
    ],
)
def test_wrong_usage_ends_with_status_2_and_says_what_is_wrong(arguments: list[str]) -> None:
    done = gridwarden(*arguments)
    assert done.returncode == 2
    assert "gridwarden" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_video_starts_nothing_and_makes_no_folder(tmp_path: Path) -> None:
    line = refused("demo", "--video", "gone.mp4", cwd=tmp_path)
    assert "gone.mp4" in line
    assert list(tmp_path.iterdir()) == []


def test_a_count_line_without_a_video_is_refused(tmp_path: Path) -> None:
    assert "--video" in refused("demo", "--line", "0.6", cwd=tmp_path)


def test_a_json_file_without_a_report_is_refused(tmp_path: Path) -> None:
    assert "--json belongs to --report" in refused("demo", "--json", "out.json", cwd=tmp_path)


def test_a_data_folder_of_another_layout_is_refused(tmp_path: Path) -> None:
    open_folder(tmp_path / "data", fresh=False).close()
    (tmp_path / "data" / "gridwarden.json").write_text('{"layout": 9}')
    line = refused("demo", "--data", tmp_path / "data")
    assert "layout 9" in line
    assert "--fresh" in line


def test_a_folder_that_is_not_ours_is_refused_even_with_fresh(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_text("")
    assert "holds other things" in refused("demo", "--data", tmp_path, "--fresh")
    assert (tmp_path / "holiday.jpg").exists()


def test_a_port_that_was_asked_for_and_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = str(other.getsockname()[1])
        line = refused("demo", "--data", tmp_path / "data", "--http-port", port)
    assert f"port {port} for the console cannot be had (Address already in use)" in line


def test_a_report_over_an_earlier_run_is_refused(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "data", fresh=False)
    (folder.database / "database.json").write_text("{}")
    folder.close()
    line = refused("demo", "--report", "--data", tmp_path / "data")
    assert "holds an earlier run" in line


def test_an_unknown_key_of_the_agents_settings_is_named(tmp_path: Path) -> None:
    settings = tmp_path / "site.toml"
    settings.write_text('[agent]\nname = "a"\nstation = "demo"\ndata_dri = "x"\n')
    assert "data_dri" in refused("edge", "--config", settings)
    assert "data_dri" in refused("edge", "check-config", settings)


def test_an_unknown_key_of_the_hubs_settings_is_named(tmp_path: Path) -> None:
    settings = tmp_path / "hub.toml"
    settings.write_text("[http]\nprot = 8080\n")
    assert "prot" in refused("hub", "--config", settings)


def test_settings_that_are_not_there_are_named(tmp_path: Path) -> None:
    assert "gone.toml" in refused("hub", "--config", tmp_path / "gone.toml")
    assert "gone.toml" in refused("edge", "--config", tmp_path / "gone.toml")
    assert "--config" in refused("edge")


def test_an_unreachable_database_ends_the_hub_with_one_line(tmp_path: Path) -> None:
    line = refused(
        "hub",
        GRIDWARDEN_HUB__DATABASE__URL="postgresql://127.0.0.1:9/gridwarden",
        GRIDWARDEN_HUB__HUB__DATA_DIR=str(tmp_path),
    )
    assert "database" in line


def test_the_layer_each_setting_comes_from_is_told(tmp_path: Path) -> None:
    video = tmp_path / "gate.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    settings = tmp_path / "site.toml"
    settings.write_text(
        f'[agent]\nname = "a"\nstation = "demo"\ndata_dir = "{tmp_path}"\n'
        f'[[stream]]\nid = "gate"\nsource = "{video}"\n'
    )
    done = gridwarden("edge", "check-config", settings, GRIDWARDEN_EDGE__BROKER__HOST="mq.example")
    assert done.returncode == 0, done.stderr
    assert "mq.example" in done.stdout
    assert "GRIDWARDEN_EDGE__BROKER__HOST" in done.stdout
    assert str(settings) in done.stdout


def test_the_demo_district_is_written(tmp_path: Path) -> None:
    assert gridwarden("district", tmp_path / "d.geojson").returncode == 0
    assert len(json.loads((tmp_path / "d.geojson").read_text())["features"]) == 331


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert "gone" in refused("district", tmp_path / "gone" / "d.geojson")
