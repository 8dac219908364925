"""The console's libraries: pinned, checked, complete or absent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gridwarden.assets import (
    PACKAGES,
    AssetsError,
    check_integrity,
    default_folder,
    fetch_assets,
    is_complete,
)


def test_a_tarball_that_is_not_the_pinned_one_is_refused_by_name() -> None:
    with pytest.raises(AssetsError, match=r"htmx\.org@.* is not the pinned package"):
        check_integrity(PACKAGES[0], b"something else")


def test_every_package_is_pinned_to_one_version_and_its_sha512() -> None:
    assert all(p.version.count(".") == 2 and p.version[0].isdigit() for p in PACKAGES)
    assert all(p.integrity.startswith("sha512-") and len(p.integrity) == 95 for p in PACKAGES)


def test_a_folder_without_its_manifest_is_not_complete(tmp_path: Path) -> None:
    (tmp_path / "htmx.js").write_text("half")
    assert not is_complete(tmp_path)


def test_a_machine_offline_gets_one_clear_line_and_no_half_filled_folder(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    environ = os.environ | {
        "npm_config_registry": nowhere,
        "npm_config_fetch_retries": "0",
        "PIP_INDEX_URL": nowhere,
        "PIP_RETRIES": "0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "gridwarden.assets", str(tmp_path / "assets")],
        env=environ,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "could not fetch" in done.stderr
    assert "online?" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_not_fetched_again(tmp_path: Path) -> None:
    if not is_complete(default_folder()):
        pytest.skip(f"no console assets in {default_folder()}: run python -m gridwarden.assets")
    there = tmp_path / "assets"
    shutil.copytree(default_folder(), there)
    steps: list[str] = []
    assert fetch_assets(there, steps.append) == there
    assert steps == []


def test_an_altered_file_makes_a_folder_incomplete(tmp_path: Path) -> None:
    if not is_complete(default_folder()):
        pytest.skip(f"no console assets in {default_folder()}: run python -m gridwarden.assets")
    there = tmp_path / "assets"
    shutil.copytree(default_folder(), there)
    (there / "leaflet.js").write_text("alert(1)")
    assert not is_complete(there)
