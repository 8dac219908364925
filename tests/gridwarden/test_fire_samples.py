"""What the fire verifier learns from: every still has a source, and renderings repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.kit.types import Image
from gridwarden.training.fire_composites import boiled, from_composites, material, shining
from gridwarden.training.fire_renderings import from_renderings
from gridwarden.training.fire_samples import FLAME, SMOKE, DataError, Still, read_stills
from gridwarden.training.samples import Samples, filmed, kind_of, proposed
from gridwarden.training.scores import report
from gridwarden.training.sources import fold_of, read_still


@pytest.mark.parametrize(
    ("name", "source", "fold"),
    [
        ("fire2_mp4-28_jpg.rf.27cad.jpg", "garage", 0),
        ("img_335_jpg.rf.1.jpg", "garage", 0),
        ("img_420_jpg.rf.1.jpg", "street news and garage", 0),
        ("img_55--2-_jpg.rf.8.jpg", "kitchen", 2),
        ("test1_mp4-3_jpg.rf.8.jpg", "night blast", 2),
        ("smoke5_mp4-14_jpg.rf.8.jpg", "tree line", 0),
        ("smoke5_mp4-13_jpg.rf.8.jpg", "ash cloud", 0),
    ],
)
def test_a_still_belongs_to_its_source_and_fold_by_its_name(
    name: str, source: str, fold: int
) -> None:
    assert read_still(name).source == source
    assert fold_of(source) == fold


def test_what_is_made_of_a_source_is_of_its_fold() -> None:
    assert fold_of("workshop elsewhere") == fold_of("workshop") == 1
    assert [fold_of(f"sunset {n}") for n in range(4)] == [0, 1, 2, 0]
    with pytest.raises(ValueError, match="'nowhere' is in no fold"):
        fold_of("nowhere")


def test_a_still_of_no_written_source_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"img_9000.*no source"):
        read_still("img_9000_jpg.rf.1.jpg")


def test_renderings_repeat_and_say_what_they_show() -> None:
    backdrops: list[list[Image]] = [
        [np.full((288, 512, 3), grey, np.uint8)] for grey in (60, 90, 120)
    ]
    one = from_renderings(backdrops, flames=3, lookalikes=1, seed=5)
    other = from_renderings(backdrops, flames=3, lookalikes=1, seed=5)
    assert np.array_equal(one.crops, other.crops)
    assert one.sources == other.sources
    flames = [s for s, row in zip(one.sources, one.labels, strict=True) if row[0] == 1.0]
    assert all(source.startswith("flame ") for source in flames)
    assert {"sunset 0", "fog 0", "LED board 0", "flashing screens 0"} <= set(one.sources)


def test_a_folder_without_stills_is_refused_with_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="stills/fire8/train"):
        read_stills(tmp_path)


def test_only_what_shines_warmly_is_cut_out_of_a_still() -> None:
    picture = np.full((40, 40, 3), (90, 80, 70), np.uint8)  # a bluish wall
    picture[10:30, 10:20] = (40, 140, 250)  # flame
    picture[10:30, 20:30] = (250, 252, 255)  # its core
    light = shining(picture)
    assert light[15:25, 12:18, 2].min() > 0.9
    assert light[15:25, 22:28].min() > 0.9
    assert light[:6].max() < 0.01
    assert light[34:].max() < 0.01


def test_a_flame_a_moment_before_is_the_same_light_in_another_shape() -> None:
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[15:45, 15:45] = (40, 140, 250)
    now = shining(picture)
    before = boiled(now, np.random.default_rng(3), 1.0)
    assert before.shape == now.shape
    assert 0.5 < before.sum() / now.sum() < 2.0
    assert np.abs(before - now).mean() > 0.02
    assert np.array_equal(before, boiled(now, np.random.default_rng(3), 1.0))


def still(name: str, boxes: list[list[float]]) -> Still:
    noise = np.random.default_rng(1).integers(60, 110, (200, 200, 3), np.uint8)
    noise[60:140, 60:140] = np.random.default_rng(2).integers(
        (10, 90, 200), (90, 220, 255), (80, 80, 3)
    )
    return Still(read_still(name), noise, np.array(boxes, np.float64))


def test_composites_are_of_the_source_they_were_cut_from_and_have_their_own_backdrops() -> None:
    burning = still("fire2_mp4-28_jpg.rf.27cad.jpg", [[FLAME, 55.0, 55.0, 90.0, 90.0]])
    smoking = still("img_100_jpg.rf.2.jpg", [[SMOKE, 55.0, 55.0, 90.0, 90.0]])
    own: list[list[Image]] = [[np.full((288, 512, 3), grey, np.uint8)] for grey in (20, 40, 60)]
    made_of = material([burning, smoking], own, np.random.default_rng(1))
    made = from_composites(made_of, flames=6, smokes=6, seed=3)
    labels: dict[str, set[float]] = {}
    for source, (flame, smoke) in zip(made.sources, made.labels, strict=True):
        labels.setdefault(kind_of(source), set()).add(float(flame - smoke))
    assert labels["garage elsewhere"] == {1.0}
    assert labels["indoors elsewhere"] <= {-1.0, -2.0}  # smoke; flame none or unknown
    assert labels.get("pasted", {0.0}) == {0.0}


def test_the_same_scene_is_filmed_by_cameras_of_other_sizes() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (360, 640, 3), np.uint8)
    sizes = set()
    for seed in range(5):
        now, before, scale = filmed(picture, picture, np.random.default_rng(seed))
        assert before is not None
        assert np.array_equal(now, before)
        assert now.shape[1] == round(640 * scale) <= 640
        sizes.add(now.shape)
    assert len(sizes) > 1


def test_places_are_where_the_detectors_would_look() -> None:
    dark = np.full((288, 512, 3), 30, np.uint8)
    lamp = dark.copy()
    lamp[100:140, 200:260] = (30, 120, 240)
    ((x, y), side), *others = proposed(lamp, None, np.random.default_rng(1))
    assert not others
    assert abs(x - 230.0) < 12.0
    assert abs(y - 120.0) < 12.0
    assert 60.0 < side < 110.0
    assert proposed(dark, dark, np.random.default_rng(1)) == []


def test_what_is_found_is_told_at_the_same_share_of_false_ones() -> None:
    truth = [1.0] * 10 + [0.0] * 100 + [0.0] * 50
    sources = ["garage"] * 10 + ["workshop"] * 100 + [f"sunset {n}" for n in range(50)]
    scores = np.zeros((160, 2), np.float32)
    scores[:10, 0] = np.arange(10) / 10.0
    scores[10:110, 0] = np.arange(100) / 200.0  # up to a half
    labels = np.stack((np.array(truth), np.zeros(160)), 1).astype(np.float32)
    told = report(Samples(np.zeros((160, 64, 64, 4), np.uint8), labels, sources), scores)
    flame = told["flame"]
    assert isinstance(flame, dict)
    rates = {next(iter(row)): row["found"] for row in flame["at_false"] if 0.1 in row.values()}
    assert rates == {"false of stills and clips": 0.5, "false of look-alikes": 1.0}
    assert flame["found"] == 5
    assert flame["by_source"]["with: garage"] == [5, 10]
    assert told["smoke"]["at_false"] == []  # type: ignore[index]
