"""Networks run by ultralytics (torch): .pt, and ONNX.

Only its loading and its forward pass are used: letterbox and suppression are ours, so that every
back end gives the same boxes. Installed by the extra [yolo]; AGPL-3.0 unless you hold another
licence of it.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.models.errors import ModelError
from detectors.models.facts import ModelFacts
from detectors.models.network import MOST_AT_A_TIME


class UltralyticsNetwork:
    """A network of ultralytics on this machine's best device."""

    def __init__(self, path: Path, facts: ModelFacts, where: str) -> None:
        """path: what was looked at. Raises ModelError where ultralytics cannot load it."""
        os.environ.setdefault("YOLO_OFFLINE", "true")  # it would ask the net for updates
        os.environ.setdefault("YOLO_AUTOINSTALL", "false")
        self._torch: Any = importlib.import_module("torch")  # the extra's, never the program's
        backend = importlib.import_module("ultralytics.nn.autobackend")
        self._device = self._torch.device("cuda:0" if self._torch.cuda.is_available() else "cpu")
        try:
            self._network = backend.AutoBackend(str(path), device=self._device, fp16=False)
            self._network.eval()
        except Exception as e:  # noqa: BLE001  # whatever it raises, the file is the matter
            raise ModelError(f"{where} cannot be loaded by ultralytics: {e}"[:300]) from None
        self._where = where
        self.classes = facts.classes
        self.size = facts.input_size or (640, 640)
        self.most = facts.batch or MOST_AT_A_TIME

    def run(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Network`."""
        with self._torch.inference_mode():
            raw = self._network(self._torch.from_numpy(frames).to(self._device))
        while isinstance(raw, list | tuple):
            raw = raw[0]
        found = raw.cpu().numpy() if hasattr(raw, "cpu") else raw
        return np.asarray(found, np.float32)


def from_bytes(data: bytes, facts: ModelFacts, path: Path) -> UltralyticsNetwork:
    """The network in these bytes: a private copy is loaded, so nobody changes it meanwhile."""
    with tempfile.TemporaryDirectory(prefix="gridwarden-model-") as folder:
        copy = Path(folder) / f"model{path.suffix.lower()}"
        copy.write_bytes(data)
        return UltralyticsNetwork(copy, facts, str(path))
