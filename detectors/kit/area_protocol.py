"""The seam of detectors across the devices of one area: the third beside `protocol` and
`reading_protocol`.

Such a detector sees the readings of one metric of all devices of a watch, and says of which it
speaks:

    @register_area
    class ReadingNeighbours:
        kind = "reading_neighbours"
        version = "1"
        summary = "A device unlike its neighbours, or a whole neighbourhood that rises."
        Params = ReadingNeighboursParams          # a frozen dataclass, every field with `param`

        def __init__(self, params: ReadingNeighboursParams) -> None: ...
        def observe(self, reading: Reading, heard_at: datetime, position: Point | None)
            -> Iterable[AreaFinding]: ...
        def rule(self) -> ConfirmationRule: ...
        def policy(self) -> EpisodePolicy: ...
        def use(self, params: ReadingNeighboursParams) -> None: ...
        def reset(self) -> None: ...

It reads no clock, so a replay equals the live run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from contract.episode import EpisodePolicy
from contract.geometry import Point
from contract.messages import Reading
from contract.rules import ConfirmationRule
from detectors.kit.types import Observation


@dataclass(frozen=True, slots=True)
class AreaFinding:
    """An observation of one device among its neighbours, or of the neighbourhood as one thing."""

    seen: Observation
    device: str = ""  # "": the area
    around: tuple[Point, ...] = ()  # of an area: where the devices are it speaks of


class AreaDetector(Protocol):
    """Looks at one metric of many devices. Not thread-safe; one per watch."""

    kind: ClassVar[str]
    version: ClassVar[str]
    summary: ClassVar[str]
    Params: ClassVar[type[Any]]

    params: Any

    def __init__(self, params: Any) -> None: ...

    def observe(
        self, reading: Reading, heard_at: datetime, position: Point | None
    ) -> Iterable[AreaFinding]:
        """What this reading shows beside the latest ones of the devices around it.

        heard_at: when it arrived; a device's own clock may be minutes off.
        """

    def use(self, params: Any) -> None:
        """Go on with other parameters, keeping what was learnt where possible."""

    def rule(self) -> ConfirmationRule:
        """A fresh rule for one label at the present parameters."""

    def policy(self) -> EpisodePolicy:
        """When an episode of this detector is told again and when it ends."""

    def reset(self) -> None:
        """Forget everything; the next reading is the first."""
