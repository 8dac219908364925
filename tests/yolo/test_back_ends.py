"""One model through every back end: the same boxes. `make test-yolo`; skipped without ultralytics.

The model is built from `yolo11n.yaml` with random weights, so it needs no download; the bias of its
last layers is raised so that it finds something in noise.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ultralytics", reason="needs the extra [yolo]: make test-yolo")

from detectors.kit.types import Image
from detectors.models.boxes import Seen
from detectors.models.by_onnxruntime import OnnxNetwork
from detectors.models.by_ultralytics import UltralyticsNetwork
from detectors.models.inspecting import inspect
from detectors.models.network import open_network
from detectors.models.sharing import SharedNetwork
from gridwarden.cli import main

SIDE = 160
LEAST, IOU = 0.3, 0.5

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),  # those of torch and its exporters
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .pt as ultralytics saves it, with random weights."""
    torch: Any = importlib.import_module("torch")
    ultralytics: Any = importlib.import_module("ultralytics")
    torch.manual_seed(3)
    torch.set_num_threads(1)
    yolo = ultralytics.YOLO("yolo11n.yaml", task="detect")
    head = yolo.model.model[-1]
    with torch.no_grad():
        for branch in head.cv3:
            branch[-1].weight.normal_(0.0, 0.6)
            branch[-1].bias.fill_(-3.0)
    path = tmp_path_factory.mktemp("yolo") / "tiny.pt"
    yolo.save(path)
    return path


def exported(checkpoint: Path, **arguments: Any) -> Path:
    ultralytics: Any = importlib.import_module("ultralytics")
    return Path(ultralytics.YOLO(checkpoint).export(imgsz=SIDE, **arguments))


@pytest.fixture(scope="module")
def onnx(checkpoint: Path) -> Path:
    pytest.importorskip("onnx", reason="ultralytics exports to ONNX by the package onnx")
    return exported(checkpoint, format="onnx", simplify=False)


def pictures() -> list[Image]:
    chance = np.random.default_rng(4)
    sizes = [(160, 160), (240, 320), (320, 180)]
    return [
        np.repeat(np.repeat(chance.integers(0, 256, (h // 10, w // 10, 3), np.uint8), 10, 0), 10, 1)
        for h, w in sizes
    ]


def seen_by(network: Any, image: Image) -> list[Seen]:
    network.size = (SIDE, SIDE)
    return SharedNetwork(network).look(image, LEAST, IOU)


def same(ours: list[Seen], theirs: list[Seen]) -> None:
    """Box by box; those at the very edge of `LEAST` may be on either side of it."""
    clear = [s for s in ours if s.score > LEAST + 0.01]
    others = list(theirs)
    assert clear, "nothing is seen, so nothing is compared"
    for one in clear:
        match = next((o for o in others if o.name == one.name and o.box.iou(one.box) > 0.95), None)
        assert match is not None, one
        assert match.score == pytest.approx(one.score, abs=0.01)
        others.remove(match)
    assert not [o for o in others if o.score > LEAST + 0.01]


def test_onnx_runtime_and_ultralytics_see_the_same_in_one_exported_model(onnx: Path) -> None:
    by_ort = open_network(onnx)
    assert isinstance(by_ort, OnnxNetwork)
    by_torch = UltralyticsNetwork(onnx, inspect(onnx), str(onnx))
    for image in pictures():
        same(seen_by(by_ort, image), seen_by(by_torch, image))


def test_a_checkpoint_gives_the_boxes_of_its_export(checkpoint: Path, onnx: Path) -> None:
    by_checkpoint = open_network(checkpoint)
    assert isinstance(by_checkpoint, UltralyticsNetwork)
    assert by_checkpoint.classes == open_network(onnx).classes
    for image in pictures():
        same(seen_by(by_checkpoint, image), seen_by(open_network(onnx), image))


def test_our_boxes_are_those_of_ultralytics_itself(checkpoint: Path) -> None:
    ultralytics: Any = importlib.import_module("ultralytics")
    image = pictures()[0]
    theirs = ultralytics.YOLO(checkpoint).predict(
        image, imgsz=SIDE, conf=LEAST, iou=IOU, verbose=False, device="cpu"
    )[0]
    ours = seen_by(open_network(checkpoint), image)
    clear = sorted(s.score for s in ours if s.score > LEAST + 0.01)
    expected = sorted(float(c) for c in theirs.boxes.conf if float(c) > LEAST + 0.01)
    assert clear
    assert clear == pytest.approx(expected, abs=0.01)


def test_an_openvino_folder_gives_the_same_boxes(checkpoint: Path, onnx: Path) -> None:
    pytest.importorskip("openvino", reason="ultralytics exports to OpenVINO by its package")
    folder = exported(checkpoint, format="openvino")
    for image in pictures():
        same(seen_by(open_network(onnx), image), seen_by(open_network(folder), image))


def test_a_real_checkpoint_passes_the_check_and_is_timed(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "check", str(checkpoint)]) == 0, capsys.readouterr().err
    told = capsys.readouterr().out
    assert "PyTorch (ultralytics)" in told
    assert "80: person, bicycle" in told
    assert "ms a frame" in told
