"""Which detectors there are."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any, TypeVar

import detectors
from contract.errors import GridwardenError
from detectors.kit.protocol import Detector

_registered: dict[str, type[Detector]] = {}
D = TypeVar("D", bound=type[Any])


class UnknownDetectorError(GridwardenError, KeyError):
    """No detector of that kind is installed."""

    def __str__(self) -> str:
        return str(self.args[0])


def register(detector: D) -> D:
    """Class decorator: makes a detector known by its `kind`. Raises ValueError on a duplicate."""
    known = _registered.get(detector.kind)
    if known is not None and known.__module__ != detector.__module__:
        raise ValueError(
            f"detector kind {detector.kind!r} is defined by both {known.__module__} and "
            f"{detector.__module__}: give one another kind"
        )
    _registered[detector.kind] = detector
    return detector


@cache
def _load() -> None:
    for module in pkgutil.iter_modules(detectors.__path__, "detectors."):
        if not module.ispkg:
            importlib.import_module(module.name)


def available() -> dict[str, type[Detector]]:
    """Every detector by kind: each module of `detectors/` is loaded once."""
    _load()
    return dict(sorted(_registered.items()))


def detector(kind: str) -> type[Detector]:
    """The detector of that kind; raises UnknownDetectorError naming those there are."""
    try:
        return available()[kind]
    except KeyError:
        raise UnknownDetectorError(
            f"no detector {kind!r}; available: {', '.join(available())}"
        ) from None
