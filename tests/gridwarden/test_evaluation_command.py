"""The commands, on video files: evaluate, replay, label."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gridwarden.cli import main
from gridwarden.evaluation import labels as labelling
from gridwarden.evaluation.errors import LabelError
from gridwarden.evaluation.evaluating import load_all
from tests.gridwarden.evaluation_clips import write_labels, write_video

ASKED = ["--detector", "camera_health", "--detector", "flame", "--jobs", "2"]
QUICK = ["--param", "camera_health.confirm_s=5"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A camera that freezes, a sound one, a file that is no video."""
    write_video(tmp_path / "clips/freezes.avi", 150, still_from=40)
    write_video(tmp_path / "clips/sound.avi", 60)
    (tmp_path / "clips/broken.avi").write_bytes(b"RIFF no video at all")
    write_labels(
        tmp_path,
        {
            "file": "clips/freezes.avi",
            "cat": "traffic",
            "frames": 150,
            "events": [{"kind": "camera_health", "label": "frozen", "from": 41}],
            "a field of mine": "kept",
        },
        {"file": "clips/sound.avi", "cat": "traffic"},
        {"file": "clips/broken.avi", "cat": "traffic"},
    )
    return tmp_path


def test_a_folder_is_measured_and_replayed_to_the_same_figures(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = folder / "recordings"
    told, again = folder / "told.json", folder / "again.json"
    where = ["--recordings", str(kept), "--json", str(told), "--html", str(folder / "page.html")]
    code = main(["evaluate", str(folder / "clips"), *ASKED, *QUICK, *where])
    said = capsys.readouterr().out
    assert code == 1, "a clip that could not be measured must not go unnoticed"
    assert "NOT MEASURED  clips/broken.avi" in said
    assert "recall        1.00 (1 of 1; 0.21 to 1.00)" in said
    assert "per day" not in said
    page = (folder / "page.html").read_text()
    assert page.count("<svg") >= 4
    assert "<script" not in page
    assert "http" not in page
    assert "dotted: the threshold" in page
    for anchor in re.findall('href="#([^"]+)"', page):
        assert f'id="{anchor}"' in page
    assert main(["replay", str(kept), "--json", str(again)]) == 0
    first, second = json.loads(told.read_text()), json.loads(again.read_text())
    assert second["splits"] == first["splits"]
    assert second["verdicts"] == first["verdicts"]
    capsys.readouterr()
    assert main(["replay", str(kept), "--param", "camera_health.confirm_s=60"]) == 0
    assert "lost   right     camera_health frozen" in capsys.readouterr().out


def test_a_parameter_without_its_detector_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(folder), "--param", "threshold=0.4"]) == 1
    assert "must be KIND.NAME=VALUE" in capsys.readouterr().err
    assert main(["evaluate", str(folder), "--detector", "flmae"]) == 1
    assert "no detector 'flmae'" in capsys.readouterr().err


def test_a_clip_is_labelled_step_by_step_and_the_last_step_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = str(write_video(tmp_path / "new.avi", 30))
    assert main(["label", clip, "--onset-flame", "12", "--cat", "fire"]) == 0
    assert main(["label", clip, "--line", "y=0.60", "--count", "27"]) == 0
    path = tmp_path / "labels.json"
    (entry,) = json.loads(path.read_text())
    assert entry["file"] == "new.avi"
    assert (entry["onset_flame"], entry["count"], entry["line"]) == (12, 27, "y=0.60")
    assert (entry["frames"], entry["fps"]) == (30, 10.0)
    assert main(["label", clip, "--undo"]) == 0
    assert "count" not in json.loads(path.read_text())[0]
    assert main(["label", clip, "--remove", "onset_flame"]) == 0
    assert "onset_flame" not in json.loads(path.read_text())[0]
    capsys.readouterr()


def test_a_frame_beyond_the_end_is_refused_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = str(write_video(tmp_path / "new.avi", 30))
    assert main(["label", clip, "--onset-flame", "30"]) == 1
    assert "frame 30 is not within 0 to 29" in capsys.readouterr().err
    assert not (tmp_path / "labels.json").exists()
    assert main(["label", clip, "--line", "z=2"]) == 1
    assert "write y=0.60" in capsys.readouterr().err
    assert main(["label", clip, "--event", "dumping:20:10"]) == 1
    assert "before it begins" in capsys.readouterr().err


def test_fields_that_are_not_ours_survive_a_label(folder: Path) -> None:
    clip = str(folder / "clips/freezes.avi")
    zone = "road=0.1,0.1 0.9,0.1 0.9,0.9"
    assert main(["label", clip, "--zone", zone, "--absent", "flame"]) == 0
    entry = json.loads((folder / "labels.json").read_text())[0]
    assert entry["a field of mine"] == "kept"
    assert entry["zones"]["road"][2] == [0.9, 0.9]


def test_labels_that_cannot_be_read_are_not_passed_over_for_new_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = str(write_video(tmp_path / "clips/new.avi", 10))
    (tmp_path / "labels.json").write_text("[{,]")
    assert main(["label", clip, "--cat", "fire"]) == 1
    assert "is no JSON" in capsys.readouterr().err
    assert not (tmp_path / "clips/labels.json").exists()


def test_a_sheet_shows_the_frames_around_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = str(write_video(tmp_path / "new.avi", 60))
    sheet = tmp_path / "sheet.png"
    assert main(["label", clip, "--sheet", str(sheet), "--around", "20"]) == 0
    assert "frames 8 to 32" in capsys.readouterr().out
    assert sheet.stat().st_size > 1000


def test_a_label_of_the_wrong_shape_is_named(tmp_path: Path) -> None:
    path = write_labels(tmp_path, {"file": "a.avi", "onset_flame": "soon"})
    with pytest.raises(LabelError, match=r"entry 0 \(a\.avi\).*onset_flame"):
        labelling.read(path)
    with pytest.raises(LabelError, match="stands there twice"):
        labelling.read(write_labels(tmp_path, {"file": "a.avi"}, {"file": "a.avi"}))


def test_what_a_label_draws_is_what_its_detectors_watch(tmp_path: Path) -> None:
    write_video(tmp_path / "road.avi", 20)
    corners = "0.1,0.9 0.9,0.9 0.6,0.3"
    lanes, gauge = "in:down=0.1,0.9 0.4,0.9 0.4,0.3", "0.5,0.9=0 0.5,0.5=1"
    drawn = ["--lanes", lanes, "--gauge", gauge, "--zone", f"ponding={corners}"]
    assert main(["label", str(tmp_path / "road.avi"), *drawn, "--zone", f"road={corners}"]) == 0
    kept = tmp_path / "recordings"
    kinds = ("ponding", "wrong_way", "dumping")
    asked = [word for kind in kinds for word in ("--detector", kind)]
    whole = ["--param", "ponding.gauge="]
    where = ["--recordings", str(kept), *whole]
    assert main(["evaluate", str(tmp_path), *asked, *where]) == 0
    notes = {n.kind: n.parameters for n in load_all(kept)[0].header.detectors}
    assert notes["ponding"]["zone_corners"] == corners
    assert notes["ponding"]["gauge"] == "", "--param goes before the label"
    assert notes["wrong_way"]["lanes"] == lanes
    assert notes["dumping"]["zone_corners"] == "", "a zone of another name is for people"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"lanes": "in=0,0 1,0 1,1"}, "lanes: lane 'in=0,0 1,0 1,1' is none"),
        ({"gauge": "0.5,0.5=high"}, "gauge: "),
        ({"calibration": "0,0>1,1"}, "calibration: "),
    ],
)
def test_a_drawing_that_cannot_be_read_is_named(
    tmp_path: Path, fields: dict[str, str], said: str
) -> None:
    path = write_labels(tmp_path, {"file": "road.avi", **fields})
    with pytest.raises(LabelError, match=re.escape(f"entry 0 (road.avi): {said}")):
        labelling.read(path)


def test_a_zone_of_a_detector_that_has_none_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zone = {"flame": [[0.1, 0.9], [0.9, 0.9], [0.6, 0.3]]}
    write_labels(folder, {"file": "clips/sound.avi", "zones": zone})
    assert main(["evaluate", str(folder), *ASKED]) == 1
    assert "zone 'flame': flame watches the whole picture" in capsys.readouterr().err


@pytest.mark.clips
def test_a_hand_counted_clip_is_counted_over_the_line_of_its_label(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--clips", "traffic/T01*", "--detector", "traffic_flow"]
    assert main(["evaluate", str(clips), *arguments, "--recordings", str(tmp_path)]) == 0
    assert "4 by hand  traffic/T01_intel_car_detection.mp4" in capsys.readouterr().out
