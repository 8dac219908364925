"""Pickles read as data: nothing in them is imported or called.

A pickle is a program for a small machine without branches, so its opcodes, read in order, say
everything it would do. `check` reads them and refuses each name outside an allow-list; `read` then
runs the machine with inert objects in the place of every class, which can do nothing.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
from collections.abc import Callable
from typing import Any

from detectors.models.errors import UnsafeModelError

MOST_BYTES = 64 * 2**20
MOST_OPCODES = 5_000_000
BROKEN = (  # what reading a hostile pickle may raise
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OverflowError),
    *(MemoryError, RecursionError, pickle.UnpicklingError, struct.error),
)
_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_KEEPS = {"MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_SILENT = {"PROTO", "FRAME"}


def check(data: bytes, allowed: Callable[[str, str], bool], where: str) -> None:
    """Refuse a pickle that names anything which is not allowed(module, name).

    Raises UnsafeModelError; nothing of the pickle is run.
    """
    if len(data) > MOST_BYTES:
        raise UnsafeModelError(
            f"{where} holds a pickle of {len(data):,} bytes: no model needs that"
        )
    memo: dict[int, str | None] = {}
    last: list[str | None] = [None, None]  # what the last two pushes were, where they were text
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count > MOST_OPCODES:
                raise UnsafeModelError(f"{where} holds a pickle of endless steps")
            _step(opcode.name, argument, memo, last, len(data), allowed, where)
    except UnsafeModelError:
        raise
    except BROKEN as e:
        raise UnsafeModelError(f"{where} holds a damaged pickle: {e}"[:300]) from None


def _step(
    name: str,
    argument: Any,
    memo: dict[int, str | None],
    last: list[str | None],
    size: int,
    allowed: Callable[[str, str], bool],
    where: str,
) -> None:
    if name in _SILENT:
        return
    if name in _KEEPS:
        place = len(memo) if name == "MEMOIZE" else int(argument)
        if not 0 <= place <= size:  # the machine makes room for all places below it
            raise UnsafeModelError(f"{where} holds a pickle that asks for {place} places of memory")
        memo[place] = last[1]
        return
    pushed: str | None = None
    if name in _TEXTS:
        pushed = str(argument)
    elif name in _GETS:
        pushed = memo.get(int(argument))
    elif name in ("GLOBAL", "INST"):
        _named(*str(argument).partition(" ")[::2], allowed, where)
    elif name == "STACK_GLOBAL":
        if last[0] is None or last[1] is None:
            raise UnsafeModelError(f"{where} holds a pickle that computes what it imports")
        _named(last[0], last[1], allowed, where)
    elif name.startswith("EXT"):
        raise UnsafeModelError(f"{where} holds a pickle that imports by number ({name})")
    last[0], last[1] = last[1], pushed


def _named(module: str, name: str, allowed: Callable[[str, str], bool], where: str) -> None:
    if not allowed(module, name):
        raise UnsafeModelError(
            f"{where} would import {module!r:.60} {name!r:.60}, which no model needs: refused, "
            "nothing of it was run"
        )


class Inert:
    """Stands for an object of any class; keeps what it was given and does nothing."""

    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        pass  # an entry of a dictionary-like object

    def append(self, value: Any) -> None:
        """Take a member of a list-like object."""

    def extend(self, values: Any) -> None:
        """Take several."""

    def add(self, value: Any) -> None:
        """Take a member of a set-like object."""

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def get(self, name: str) -> Any:
        """An attribute that the object would have; None where it has none."""
        return self.state.get(name) if isinstance(self.state, dict) else None


class _Layer(Inert):
    """Stands for a layer: those are filled, never made, for making one may ask for any memory."""

    def __new__(cls, *arguments: Any) -> _Layer:
        return object.__new__(cls)

    def __init__(self, *arguments: Any) -> None:
        raise UnsafeModelError(f"would make a layer with {arguments!r:.60}, which no model needs")


class _Reader(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        layered = module_name.startswith(("torch.nn.modules.", "ultralytics.nn."))
        return _Layer if layered else Inert

    def persistent_load(self, pid: Any) -> Any:
        return None  # the numbers of a tensor, which lie elsewhere


def read(data: bytes, where: str) -> Any:
    """What a checked pickle holds, with `Inert` for every object. Raises UnsafeModelError."""
    try:
        return _Reader(io.BytesIO(data)).load()
    except UnsafeModelError as e:
        raise UnsafeModelError(f"{where} {e}") from None
    except BROKEN as e:
        raise UnsafeModelError(f"{where} holds a damaged pickle: {e}"[:300]) from None
