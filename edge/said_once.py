"""Remembers what was logged, so that an error that comes back every frame fills no disk."""

from __future__ import annotations

import re

KINDS = 1000  # remembered at the most; what is new beyond them is not said

_NUMBER = re.compile(r"\d+")


class SaidOnce:
    """The texts that were said. Two that differ in numbers alone (a time, a size) are the same."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def is_new(self, text: str) -> bool:
        """Whether nothing like it was said before; from now on it was."""
        kind = _NUMBER.sub("#", text)
        if kind in self._said or len(self._said) >= KINDS:
            return False
        self._said.add(kind)
        return True
