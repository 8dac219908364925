"""Networks run by OpenVINO, without torch. Installed by the extra [openvino]."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.models.errors import ModelError
from detectors.models.facts import ModelFacts
from detectors.models.network import MOST_AT_A_TIME, filled

HINTS = {
    # by itself it computes in bfloat16 where the processor can: three digits, and other boxes
    "INFERENCE_PRECISION_HINT": "f32",
    "PERFORMANCE_HINT": "LATENCY",
    "INFERENCE_NUM_THREADS": 1,  # the agent's workers are the parallelism
}


class OpenVinoNetwork:
    """One network on this machine's processor, in full precision."""

    def __init__(self, network: bytes, weights: bytes, facts: ModelFacts, where: str) -> None:
        """network, weights: the bytes of .xml and .bin. ModelError where they make no network."""
        openvino: Any = importlib.import_module("openvino")  # the extra's, never the program's
        core = openvino.Core()
        try:
            model = core.read_model(model=network, weights=weights)
            self._network = core.compile_model(model, "CPU", HINTS)
            inputs = self._network.inputs
        except Exception as e:  # noqa: BLE001  # its errors share no class with ours
            raise ModelError(f"{where} makes no network: {_last_line(e)}") from None
        if len(inputs) != 1 or inputs[0].get_partial_shape().rank.get_length() != 4:
            raise ModelError(f"{where} must take one batch of pictures: export it so")
        self._fixed = inputs[0].get_partial_shape()[0].is_static
        self._where = where
        self.classes = facts.classes
        self.size = facts.input_size or (640, 640)
        self.most = facts.batch or MOST_AT_A_TIME

    def run(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Network`; a network of a fixed number of frames is given the last one again."""
        n = len(frames)
        if self._fixed:
            frames = filled(frames, self.most)
        try:
            raw = self._network(frames)[0]
        except Exception as e:  # noqa: BLE001  # as above
            raise ModelError(f"{self._where} fails on a picture: {_last_line(e)}") from None
        return np.array(raw[:n], np.float32)


def _last_line(e: Exception) -> str:
    """What went wrong: it tells first where in its source."""
    return (str(e).strip() or type(e).__name__).splitlines()[-1][:200]
