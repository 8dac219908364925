"""Our own verifier: a small net that tells flame and smoke from what is taken for them.

It looks at crops of `kit/region.py`, not at pictures: a proposer chooses where. Trained by
`python -m gridwarden.training.fire_verifier`; what it knows and what not stands in
docs/models/fire-verifier.md. It runs by OpenCV's own `dnn`, on the processor, the same every time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import cv2
import numpy as np

from contract.errors import GridwardenError
from detectors.kit.types import Image

WEIGHTS = "fire_verifier.onnx"


class WeightsError(GridwardenError, RuntimeError):
    """The weights that belong to the package are missing or not those that were shipped."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How sure the verifier is, 0..1 each; a crop can show both."""

    flame: float
    smoke: float


class Verifier:
    """Judges crops. One per detector: a net must not be used by two threads at once."""

    def __init__(self) -> None:
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(_weights(), np.uint8))

    def judge(self, crops: Sequence[Image]) -> list[Verdict]:
        """A verdict for each crop (64, 64, 4), in order. Raises ValueError on another shape."""
        if not crops:
            return []
        shown = np.stack(crops)
        if shown.shape[1:] != (64, 64, 4):
            raise ValueError(f"crops must be (64, 64, 4), got {shown.shape[1:]}")
        blob = np.ascontiguousarray(shown.transpose(0, 3, 1, 2), np.float32) / np.float32(255.0)
        self._net.setInput(blob)
        scores = np.clip(self._net.forward(), 0.0, 1.0).reshape(-1, 2)
        return [Verdict(float(flame), float(smoke)) for flame, smoke in scores]


@cache
def weights_sha256() -> str:
    """The SHA-256 of the weights in use, as the model card names it."""
    return hashlib.sha256(_weights()).hexdigest()


@cache
def _weights() -> bytes:
    path = resources.files("detectors") / "weights" / WEIGHTS
    try:
        return path.read_bytes()
    except OSError as e:
        raise WeightsError(
            f"{path} cannot be read ({e.strerror}): the package is not whole, install it again"
        ) from e
