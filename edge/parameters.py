"""What a detector goes by: the agent's own parameters and, over them, what the hub commanded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.errors import GridwardenError
from contract.messages import DetectorManifest
from detectors.kit.area_protocol import AreaDetector
from detectors.kit.params import build, schema
from detectors.kit.protocol import Detector
from detectors.kit.reading_protocol import ReadingDetector

Tuned = Detector | ReadingDetector | AreaDetector


def adopt(
    params: type[Any], own: Mapping[str, Any], commanded: Mapping[str, Any], where: str
) -> tuple[Any, list[str]]:
    """(the agent's own parameters with what was commanded over them, what of it is refused).

    None for the parameters where they cannot be had together.
    """
    errors: list[str] = []
    values = dict(own)
    for name, value in commanded.items():
        try:
            build(params, {name: value}, where)
        except (GridwardenError, ValueError) as e:
            errors.append(str(e))
        else:
            values[name] = value
    try:
        return build(params, values, where), errors
    except (GridwardenError, ValueError) as e:
        return None, [*errors, f"{where}: refused as a whole: {e}"]


def manifest(detector: Tuned) -> DetectorManifest:
    """What runs, with what is in force."""
    described = schema(detector.Params)
    return DetectorManifest(
        kind=detector.kind,
        version=detector.version,
        summary=detector.summary,
        schema=described,
        parameters={name: getattr(detector.params, name) for name in described["properties"]},
    )
