"""Which detectors over readings there are. Apart from those over frames: they see other things."""

from __future__ import annotations

from typing import Any

from detectors.kit.area_protocol import AreaDetector
from detectors.kit.reading_protocol import ReadingDetector
from detectors.kit.registry import Registry, UnknownDetectorError

_over_readings: Registry[ReadingDetector] = Registry("reading detector")
register_reading = _over_readings.register
available = _over_readings.available
reading_detector = _over_readings.named

_over_areas: Registry[AreaDetector] = Registry("detector across devices")
register_area = _over_areas.register
area_detectors = _over_areas.available
area_detector = _over_areas.named


def parameters_of(kind: str) -> type[Any]:
    """The parameters of a detector over one series or across devices.

    Raises UnknownDetectorError naming those there are of either sort.
    """
    parameters: dict[str, type[Any]] = {
        **{k: d.Params for k, d in available().items()},
        **{k: d.Params for k, d in area_detectors().items()},
    }
    if kind not in parameters:
        raise UnknownDetectorError(
            f"no reading detector {kind!r}; available: {', '.join(sorted(parameters))}"
        )
    return parameters[kind]
