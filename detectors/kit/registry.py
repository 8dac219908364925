"""Which detectors there are."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any, Generic, TypeVar

import detectors
from contract.errors import GridwardenError
from detectors.kit.protocol import Detector

T = TypeVar("T")
D = TypeVar("D", bound=type[Any])


class UnknownDetectorError(GridwardenError, KeyError):
    """No detector of that kind is installed."""

    def __str__(self) -> str:
        return str(self.args[0])


class Registry(Generic[T]):
    """The detectors of one sort by their `kind`."""

    def __init__(self, sort: str) -> None:
        """sort: what messages call one of them: "detector"."""
        self._sort = sort
        self._registered: dict[str, type[T]] = {}

    def register(self, detector: D) -> D:
        """Class decorator: makes a detector known by `kind`. Raises ValueError on a duplicate."""
        known = self._registered.get(detector.kind)
        if known is not None and known.__module__ != detector.__module__:
            raise ValueError(
                f"{self._sort} kind {detector.kind!r} is defined by both {known.__module__} and "
                f"{detector.__module__}: give one another kind"
            )
        self._registered[detector.kind] = detector
        return detector

    def available(self) -> dict[str, type[T]]:
        """Every detector by kind: each module of `detectors/` is loaded once."""
        _load()
        return dict(sorted(self._registered.items()))

    def named(self, kind: str) -> type[T]:
        """The detector of that kind; raises UnknownDetectorError naming those there are."""
        try:
            return self.available()[kind]
        except KeyError:
            raise UnknownDetectorError(
                f"no {self._sort} {kind!r}; available: {', '.join(self.available())}"
            ) from None


@cache
def _load() -> None:
    for module in pkgutil.iter_modules(detectors.__path__, "detectors."):
        if not module.ispkg:
            importlib.import_module(module.name)


_over_frames: Registry[Detector] = Registry("detector")
register = _over_frames.register
available = _over_frames.available
detector = _over_frames.named
