"""Networks run by ONNX Runtime, without torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from detectors.models.errors import ModelError
from detectors.models.facts import ModelFacts
from detectors.models.network import MOST_AT_A_TIME, filled

PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")  # the first there is


class OnnxNetwork:
    """One file, one session, one thread: the agent's workers are the parallelism."""

    def __init__(self, data: bytes, facts: ModelFacts, where: str) -> None:
        """data: the bytes that were looked at. Raises ModelError where they make no network."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        usable = [p for p in PROVIDERS if p in onnxruntime.get_available_providers()]
        try:
            self._session: Any = onnxruntime.InferenceSession(
                data,
                options,
                providers=usable,
            )
        except Exception as e:  # noqa: BLE001  # its errors share no class with ours
            raise ModelError(f"{where} makes no network: {_first_line(e)}") from None
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            raise ModelError(f"{where} must take one batch of pictures as float32: export it so")
        self._input = inputs[0].name
        self._where = where
        self.classes = facts.classes
        self.size = facts.input_size or (640, 640)
        self.most = facts.batch or MOST_AT_A_TIME

    def run(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Network`; a network of a fixed number of frames is given the last one again."""
        n = len(frames)
        fixed = isinstance(self._session.get_inputs()[0].shape[0], int)
        if fixed:
            frames = filled(frames, self.most)
        try:
            raw = self._session.run(None, {self._input: frames})[0]
        except Exception as e:  # noqa: BLE001  # as above
            raise ModelError(f"{self._where} fails on a picture: {_first_line(e)}") from None
        return np.asarray(raw, np.float32)[:n]


def _first_line(e: Exception) -> str:
    return (str(e).strip() or type(e).__name__).splitlines()[0][:200]
