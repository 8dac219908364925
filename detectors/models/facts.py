"""What a model file says of itself, read without running anything in it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detectors.models.errors import ModelError

MOST_CLASSES = 10_000
MOST_SIDE = 4096  # pixels of an input
# what `ast.literal_eval` may raise; TypeError: a list as a key
UNREADABLE = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model file, looked at."""

    format: str  # "ONNX", "PyTorch (ultralytics)", "OpenVINO"
    sha256: str
    size_bytes: int
    classes: tuple[str, ...]  # in the order of the network's output
    input_size: tuple[int, int] | None  # height, width; None: it does not say
    batch: int | None  # frames at a time that it takes; None: any
    licence: str  # "" where it names none
    task: str  # "detect"; "" where it names none


def read_names(named: object, where: str) -> tuple[str, ...]:
    """The classes in a mapping of numbers, a list, or the text of either. Raises ModelError."""
    if isinstance(named, str):
        try:
            named = ast.literal_eval(named[:1_000_000])
        except UNREADABLE:
            raise ModelError(f"{where}: its class names cannot be read: {named!r:.60}") from None
    if isinstance(named, Mapping):
        try:
            named = [named[n] for n in range(len(named))]
        except KeyError:
            raise ModelError(f"{where}: its classes are not numbered from 0 on") from None
    if not isinstance(named, list | tuple) or not 1 <= len(named) <= MOST_CLASSES:
        raise ModelError(f"{where} names no classes: export it with ultralytics, which writes them")
    return tuple(_name(name, where) for name in named)


def _name(name: object, where: str) -> str:
    """A class by its name, or by a number; of anything else a few bytes may print as gigabytes."""
    if isinstance(name, int) and abs(name) < 2**63:
        name = str(name)
    if not isinstance(name, str):
        raise ModelError(f"{where}: a class name is no text, but a {type(name).__name__}")
    return " ".join(name.replace("\x00", "").split())[:64]


def read_side(value: object) -> tuple[int, int] | None:
    """An input size: a number, or (height, width); None where it is neither."""
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value[:100])
        except UNREADABLE:
            return None
    sides: Any = [value, value] if isinstance(value, int) else value
    if (
        isinstance(sides, list | tuple)
        and len(sides) == 2
        and all(isinstance(s, int) and 1 <= s <= MOST_SIDE for s in sides)
    ):
        return int(sides[0]), int(sides[1])
    return None
