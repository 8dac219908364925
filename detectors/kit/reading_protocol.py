"""The seam of detectors over readings, the sibling of `protocol`.

A detector over readings is a class in a module of its own:

    @register_reading
    class ReadingLimit:
        kind = "reading_limit"
        version = "1"
        summary = "A value beyond its limits, stuck, or missing."
        Params = ReadingLimitParams               # a frozen dataclass, every field with `param`

        def __init__(self, params: ReadingLimitParams) -> None: ...
        def observe(self, reading: Reading, heard_at: datetime | None = None)
            -> Iterable[Observation]: ...
        def idle(self, at: datetime) -> Iterable[Observation]: ...
        def expect(self, metric: str, at: datetime) -> None: ...
        def limits(self) -> tuple[float | None, float | None]: ...
        def rule(self) -> ConfirmationRule: ...
        def policy(self) -> EpisodePolicy: ...
        def use(self, params: ReadingLimitParams) -> None: ...
        def reset(self) -> None: ...

It reads no clock: time is `reading.captured_at`, `heard_at` and the `at` of `idle`, so a replay
equals the live run.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Protocol

from contract.episode import EpisodePolicy
from contract.messages import Reading
from contract.rules import ConfirmationRule
from detectors.kit.types import Observation


class ReadingDetector(Protocol):
    """Looks at one series: the readings of one device, metric, place and label, in order of time.

    Not thread-safe; one per series. A label it gives begins with the metric and a dot:
    `water_level.high`, so that the hub can tell a flood from a silent sensor.
    """

    kind: ClassVar[str]
    version: ClassVar[str]
    summary: ClassVar[str]
    Params: ClassVar[type[Any]]

    params: Any

    def __init__(self, params: Any) -> None: ...

    def observe(self, reading: Reading, heard_at: datetime | None = None) -> Iterable[Observation]:
        """What this reading shows: one observation for each thing it watches, a score of 0 too.

        heard_at: when it arrived, by the clock of `idle`; None: when it was taken. Silence is
        measured by it, since a device's own clock may be minutes off.
        """

    def idle(self, at: datetime) -> Iterable[Observation]:
        """What it shows that no reading came until `at`."""

    def expect(self, metric: str, at: datetime) -> None:
        """Readings of `metric` are awaited from `at` on: none has come yet, or none could come."""

    def limits(self) -> tuple[float | None, float | None]:
        """(low, high) of the values it compares with, for the curve; None where there is none."""

    def use(self, params: Any) -> None:
        """Go on with other parameters, keeping what was learnt of the series where possible."""

    def rule(self) -> ConfirmationRule:
        """A fresh rule for one label at the present parameters."""

    def policy(self) -> EpisodePolicy:
        """When an episode of this detector is told again and when it ends."""

    def reset(self) -> None:
        """Forget everything; the next reading is the first."""
