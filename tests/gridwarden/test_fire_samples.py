"""What the fire verifier learns from: every still has a source, and renderings repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridwarden.training.fire_renderings import from_renderings
from gridwarden.training.fire_samples import DataError, from_stills
from gridwarden.training.sources import read_still


@pytest.mark.parametrize(
    ("name", "source", "held_out"),
    [
        ("fire2_mp4-28_jpg.rf.27cad.jpg", "garage", False),
        ("img_335_jpg.rf.1.jpg", "garage", False),
        ("img_55--2-_jpg.rf.8.jpg", "kitchen", False),
        ("test1_mp4-3_jpg.rf.8.jpg", "night blast", True),
        ("smoke5_mp4-14_jpg.rf.8.jpg", "tree line", True),
        ("smoke5_mp4-13_jpg.rf.8.jpg", "ash cloud", False),
    ],
)
def test_a_still_belongs_to_its_source_by_its_name(name: str, source: str, held_out: bool) -> None:
    found = read_still(name)
    assert (found.source, found.held_out, found.mixed) == (source, held_out, False)


def test_stills_whose_source_is_mixed_count_on_neither_side() -> None:
    found = read_still("img_420_jpg.rf.1.jpg")
    assert found.mixed
    assert not found.held_out


def test_a_still_of_no_written_source_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"img_9000.*no source"):
        read_still("img_9000_jpg.rf.1.jpg")


def test_renderings_repeat_and_say_what_they_show() -> None:
    backdrop = np.full((288, 512, 3), 90, np.uint8)
    one = from_renderings([backdrop], flames=3, lookalikes=1, seed=5)
    other = from_renderings([backdrop], flames=3, lookalikes=1, seed=5)
    assert np.array_equal(one.crops, other.crops)
    assert one.sources == other.sources
    flames = [s for s, row in zip(one.sources, one.labels, strict=True) if row[0] == 1.0]
    assert all(source.startswith("flame ") for source in flames)
    assert {"sunset 0", "fog 0", "LED board 0"} <= set(one.sources)


def test_a_folder_without_stills_is_refused_with_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="stills/fire8/train"):
        from_stills(tmp_path, np.random.default_rng(1))
