"""One model through every back end: the same boxes. `make test-yolo`; skipped without ultralytics.

The model is built from `yolo11n.yaml` with random weights, so it needs no download; its last layers
are scaled so that it finds a few things in noise.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ultralytics", reason="needs the extra [yolo]: make test-yolo")

from contract.geometry import Box
from detectors.kit.types import Image
from detectors.models.boxes import Seen
from detectors.models.by_onnxruntime import OnnxNetwork
from detectors.models.by_openvino import OpenVinoNetwork
from detectors.models.by_ultralytics import UltralyticsNetwork
from detectors.models.inspecting import inspect
from detectors.models.letterbox import letterbox
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
    names = ("person", "bicycle", *(f"thing {n}" for n in range(2, 80)))
    yolo.model.names = dict(enumerate(names))
    last = [branch[-1] for branch in yolo.model.model[-1].cv3]
    shown = torch.from_numpy(np.stack([letterbox(p, (SIDE, SIDE)) for p in pictures()]))
    _settle(torch, yolo.model, shown)
    outputs: dict[Any, Any] = {}
    hooks = [
        layer.register_forward_hook(lambda layer, _, out: outputs.update({layer: out}))
        for layer in last
    ]
    with torch.no_grad():
        for layer in last:
            layer.weight.normal_(0.0, 1.0)
            layer.bias.zero_()
        yolo.model.eval()(shown)
        for layer, hook in zip(last, hooks, strict=True):
            hook.remove()
            scale = 2.0 / float(outputs[layer].std())
            layer.weight.mul_(scale)  # and one score of 500 lies above a half
            layer.bias.fill_(-scale * float(outputs[layer].flatten().quantile(0.998)))
    path = tmp_path_factory.mktemp("yolo") / "tiny.pt"
    yolo.save(path)
    return path


def _settle(torch: Any, network: Any, shown: Any) -> None:
    """Take the normalisations from these pictures: with those of zero nothing gets through."""
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain average
    with torch.no_grad():
        network.train()(shown)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 0.03


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
        match = next((o for o in others if o.name == one.name and o.box.iou(one.box) > 0.9), None)
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


def test_our_boxes_are_those_of_ultralytics_itself(onnx: Path) -> None:
    """Its own letterbox, suppression and way back to the picture, over the same raw output."""
    torch: Any = importlib.import_module("torch")
    augment: Any = importlib.import_module("ultralytics.data.augment")
    nms: Any = importlib.import_module("ultralytics.utils.nms")
    ops: Any = importlib.import_module("ultralytics.utils.ops")
    network = open_network(onnx)
    for image in pictures():
        fitted = augment.LetterBox((SIDE, SIDE), auto=False)(image=image)
        frame = np.ascontiguousarray(fitted[..., ::-1].transpose(2, 0, 1), np.float32) / 255.0
        np.testing.assert_allclose(letterbox(image, (SIDE, SIDE)), frame, atol=1e-6)
        raw = torch.from_numpy(network.run(frame[None]))
        (rows,) = nms.non_max_suppression(raw, LEAST, IOU)
        rows[:, :4] = ops.scale_boxes((SIDE, SIDE), rows[:, :4], image.shape)
        height, width = image.shape[:2]
        theirs = [
            Seen(
                network.classes[int(number)],
                float(score),
                Box.from_pixels(x0, y0, x1 - x0, y1 - y0, width, height),
            )
            for x0, y0, x1, y1, score, number in rows.tolist()
        ]
        same(seen_by(network, image), theirs)


def test_an_openvino_folder_gives_the_boxes_of_onnx_runtime(checkpoint: Path, onnx: Path) -> None:
    """In full precision, whatever the processor could do faster: the same to four digits."""
    pytest.importorskip("openvino", reason="ultralytics exports to OpenVINO by its package")
    network, other = open_network(exported(checkpoint, format="openvino")), open_network(onnx)
    assert isinstance(network, OpenVinoNetwork)
    assert network.classes == other.classes
    for image in pictures():
        frame = letterbox(image, (SIDE, SIDE))[None]
        ours, theirs = network.run(frame)[0], other.run(frame)[0]
        np.testing.assert_allclose(ours[4:], theirs[4:], atol=1e-3)  # scores, 0..1
        np.testing.assert_allclose(ours[:4], theirs[:4], atol=0.1)  # pixels of the input
        same(seen_by(other, image), seen_by(network, image))


def test_a_real_checkpoint_passes_the_check_and_is_timed(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "check", str(checkpoint)]) == 0, capsys.readouterr().err
    told = capsys.readouterr().out
    assert "PyTorch (ultralytics)" in told
    assert "80: person, bicycle" in told
    assert "ms a frame" in told
