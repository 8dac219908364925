"""Which detectors there are: those of `detectors/`, and those of a site's own folder.

The variable GRIDWARDEN_DETECTORS names the folder; each of its `*.py` files holds one detector:
docs/adding-a-detector.md.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import sys
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import detectors
from contract.errors import GridwardenError
from detectors.kit.protocol import Detector

FOLDER = "GRIDWARDEN_DETECTORS"  # environment variable
NEEDED = ("kind", "version", "summary", "Params", "budget_ms", "sample_fps")

T = TypeVar("T")
D = TypeVar("D", bound=type[Any])


class UnknownDetectorError(GridwardenError, KeyError):
    """No detector of that kind is installed."""

    def __str__(self) -> str:
        return str(self.args[0])


class DetectorFileError(GridwardenError, ImportError):
    """A file of the site's own detectors cannot be used."""


class Registry(Generic[T]):
    """The detectors of one sort by their `kind`."""

    taken: ClassVar[int] = 0  # detectors registered so far, of every sort

    def __init__(self, sort: str, needed: tuple[str, ...] = ()) -> None:
        """sort: what messages call one of them: "detector". needed: what each of them has."""
        self._sort = sort
        self._needed = needed
        self._registered: dict[str, type[T]] = {}

    def register(self, detector: D) -> D:
        """Class decorator: makes a detector known by `kind`. Raises ValueError on a duplicate."""
        lacks = [name for name in self._needed if not hasattr(detector, name)]
        if lacks:
            raise ValueError(
                f"{self._sort} {detector.__name__} has no {', '.join(lacks)}: see "
                "detectors/kit/protocol.py for what each has"
            )
        known = self._registered.get(detector.kind)
        if known is not None and known.__module__ != detector.__module__:
            raise ValueError(
                f"{self._sort} kind {detector.kind!r} is defined by both {known.__module__} and "
                f"{detector.__module__}: give one another kind"
            )
        self._registered[detector.kind] = detector
        Registry.taken += 1
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
    folder = os.environ.get(FOLDER)
    if folder:
        _load_folder(Path(folder).expanduser())


def _load_folder(folder: Path) -> None:
    """Run each file of a folder; raises DetectorFileError naming the file and the reason."""
    if not folder.is_dir():
        raise DetectorFileError(
            f"{FOLDER} names {folder}, which is no folder: make it, or unset it"
        )
    for path in (folder, *sorted(folder.glob("*.py"))):
        if path.stat().st_mode & 0o002:
            raise DetectorFileError(
                f"{path} may be written by anybody, and what is in it is run: chmod o-w {path}"
            )
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith("_"):
            _load_file(path)


def _load_file(path: Path) -> None:
    name = f"site_detectors.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DetectorFileError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    before = Registry.taken
    try:
        spec.loader.exec_module(module)
    except Exception as e:
        del sys.modules[name]
        raise DetectorFileError(f"{path}: {type(e).__name__}: {e}") from e
    if Registry.taken == before:
        raise DetectorFileError(f"{path} registers no detector: put @register above its class")


_over_frames: Registry[Detector] = Registry("detector", NEEDED)
register = _over_frames.register
available = _over_frames.available
detector = _over_frames.named
