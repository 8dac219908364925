"""A demo's data folder: ours, of our layout, and held by one demo at a time."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gridwarden.datafolder import DataFolder, open_folder
from gridwarden.errors import DataFolderError


def opened(path: Path, *, fresh: bool = False) -> DataFolder:
    return open_folder(path, fresh=fresh)


def test_a_folder_is_made_and_opened_again(tmp_path: Path) -> None:
    opened(tmp_path / "data").close()
    kept = tmp_path / "data" / "hub" / "kept"
    kept.write_text("evidence")
    opened(tmp_path / "data").close()
    assert kept.read_text() == "evidence"


def test_a_second_demo_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(DataFolderError, match=rf"in use by a running demo \(process {os.getpid()}"):
        opened(tmp_path)
    first.close()
    opened(tmp_path).close()


def test_a_folder_in_use_is_not_emptied(tmp_path: Path) -> None:
    first = opened(tmp_path)
    (first.hub / "kept").write_text("evidence")
    with pytest.raises(DataFolderError, match="in use"):
        opened(tmp_path, fresh=True)
    assert (first.hub / "kept").exists()
    first.close()


def test_fresh_deletes_what_a_demo_left(tmp_path: Path) -> None:
    first = opened(tmp_path)
    (first.hub / "kept").write_text("evidence")
    first.close()
    again = opened(tmp_path, fresh=True)
    assert not (again.hub / "kept").exists()
    again.close()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_of_other_things_is_left_alone(tmp_path: Path, fresh: bool) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DataFolderError, match="holds other things"):
        opened(tmp_path, fresh=fresh)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_of_another_layout_is_refused_until_it_is_begun_anew(tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / "gridwarden.json").write_text(json.dumps({"layout": 7}))
    with pytest.raises(DataFolderError, match=r"layout 7.*reads 1.*--fresh"):
        opened(tmp_path)
    opened(tmp_path, fresh=True).close()
    opened(tmp_path).close()


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DataFolderError, match="not a folder"):
        opened(tmp_path / "data")
