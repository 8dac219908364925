"""Which detectors over readings there are. Apart from those over frames: they see other things."""

from __future__ import annotations

from typing import Any, TypeVar

from detectors.kit import registry
from detectors.kit.reading_protocol import ReadingDetector
from detectors.kit.registry import UnknownDetectorError

_registered: dict[str, type[ReadingDetector]] = {}
D = TypeVar("D", bound=type[Any])


def register_reading(detector: D) -> D:
    """Class decorator: makes a detector known by its `kind`. Raises ValueError on a duplicate."""
    known = _registered.get(detector.kind)
    if known is not None and known.__module__ != detector.__module__:
        raise ValueError(
            f"reading detector kind {detector.kind!r} is defined by both {known.__module__} and "
            f"{detector.__module__}: give one another kind"
        )
    _registered[detector.kind] = detector
    return detector


def available() -> dict[str, type[ReadingDetector]]:
    """Every detector over readings by kind: each module of `detectors/` is loaded once."""
    registry.available()
    return dict(sorted(_registered.items()))


def reading_detector(kind: str) -> type[ReadingDetector]:
    """The detector of that kind; raises UnknownDetectorError naming those there are."""
    try:
        return available()[kind]
    except KeyError:
        raise UnknownDetectorError(
            f"no reading detector {kind!r}; available: {', '.join(available())}"
        ) from None
