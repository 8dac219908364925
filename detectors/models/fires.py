"""Where a model sees fire, from the detector that runs it to the one that verifies flames."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from contract.geometry import Box


@runtime_checkable
class TellsFires(Protocol):
    """A detector whose model may know fire."""

    def fires(self, at: datetime) -> Sequence[Box]:
        """Where it saw fire last, surest first; none where that was too long before `at`."""


@runtime_checkable
class HearsOfFires(Protocol):
    """A detector that has a look where another sees fire."""

    def hear_of_fires(self, fires: Sequence[Box], at: datetime) -> None:
        """They are there at that time, of a frame that it may not be shown itself."""
