"""The seam between detectors and what runs a network: ONNX Runtime, OpenVINO, ultralytics."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.models import openvino_folder
from detectors.models.errors import ModelError
from detectors.models.inspecting import read_model


class Network(Protocol):
    """A network, loaded. One thread at a time."""

    classes: tuple[str, ...]
    size: tuple[int, int]  # height, width of its input
    most: int  # frames that it takes at a time

    def run(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, ...) raw output of (n, 3, height, width) frames, RGB, 0..1; n at most `most`."""


MOST_AT_A_TIME = 16  # frames, of a network that takes any number


def filled(frames: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Frames for a network that takes `most` and no fewer: the last one stands in for the rest."""
    missing = most - len(frames)
    return np.concatenate((frames, np.repeat(frames[-1:], missing, axis=0))) if missing else frames


def open_network(path: Path) -> Network:
    """The network in a file, once it was looked at.

    An .onnx runs by ONNX Runtime where that is installed, a folder by OpenVINO, everything else by
    ultralytics. Raises ModelError where the file is none, is refused, or what runs it is not
    installed.
    """
    if path.is_dir():
        text, weights, told = openvino_folder.read(path, str(path))
        _needs("openvino", "openvino", path)
        from detectors.models.by_openvino import OpenVinoNetwork

        return OpenVinoNetwork(text, weights, told, str(path))
    data, facts = read_model(path)
    if path.suffix.lower() == ".onnx" and importlib.util.find_spec("onnxruntime") is not None:
        from detectors.models.by_onnxruntime import OnnxNetwork

        return OnnxNetwork(data, facts, str(path))
    _needs("ultralytics", "onnx" if path.suffix.lower() == ".onnx" else "yolo", path)
    from detectors.models.by_ultralytics import from_bytes

    return from_bytes(data, facts, path)


def _needs(module: str, extra: str, path: Path) -> None:
    if importlib.util.find_spec(module) is None:
        way = "make yolo" if extra == "yolo" else f"pip install 'gridwarden[{extra}]'"
        raise ModelError(f"{path} needs the extra [{extra}], which is not installed: {way}")
