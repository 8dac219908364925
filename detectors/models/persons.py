"""Where persons are, from the detector that sees them to those that mistake them for things."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from contract.geometry import Box


@runtime_checkable
class TellsPersons(Protocol):
    """A detector that knows persons."""

    def persons(self, at: datetime) -> Sequence[Box]:
        """Where it saw persons last; none where that was too long before `at`."""


@runtime_checkable
class HearsOfPersons(Protocol):
    """A detector that takes another's word for where persons are."""

    def hear(self, persons: Sequence[Box], at: datetime) -> None:
        """They are there at that time, of a frame that it may not be shown itself."""
