"""A model file before it is used: which format, which classes, whether it is harmless."""

from __future__ import annotations

from pathlib import Path

from detectors.models import onnx_file, openvino_folder, torch_file
from detectors.models.errors import ModelError, UnsafeModelError
from detectors.models.facts import ModelFacts

LARGEST = 2 * 2**30  # bytes; more than any detector that a camera can be given
SORTS = ".onnx, .pt, or an OpenVINO folder with its .xml"


def inspect(path: Path) -> ModelFacts:
    """What a model file says of itself. Nothing in it is run.

    Raises ModelError where it is none, UnsafeModelError where it may not be loaded.
    """
    return openvino_folder.read(path, str(path))[2] if path.is_dir() else read_model(path)[1]


def read_model(path: Path) -> tuple[bytes, ModelFacts]:
    """The bytes of a single file, and what they say: those that were looked at are to be used."""
    if not path.exists():
        raise ModelError(f"no model at {path}: give the path of {SORTS}")
    kinds = {".onnx": onnx_file.inspect, ".pt": torch_file.inspect}
    if not path.is_file() or path.suffix.lower() not in kinds:
        raise ModelError(f"{path} is no model that is known: give {SORTS}")
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise UnsafeModelError(f"{path} has {size:,} bytes: at most {LARGEST:,} are read")
        data = path.read_bytes()
    except OSError as e:
        raise ModelError(f"{path} cannot be read: {e.strerror}") from None
    return data, kinds[path.suffix.lower()](data, str(path))
