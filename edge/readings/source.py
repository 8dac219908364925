"""The seam of sensors: where readings come from, and how each source fares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from contract.taxonomy import SensorState
from edge.readings.adapter import Record


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source fares since it was opened. What it refused is counted and shown, never hidden.

    unmapped: name of a value that no table knows -> how often it came. topics: a topic that no
    mapping takes -> how often. wrong_clocks: device -> seconds its clock was off.
    """

    state: SensorState
    since: datetime
    messages: int = 0
    records: int = 0
    refused: int = 0
    last_refusal: str = ""
    last_note: str = ""
    unmapped: Mapping[str, int] = field(default_factory=dict)
    topics: Mapping[str, int] = field(default_factory=dict)
    wrong_clocks: Mapping[str, float] = field(default_factory=dict)
    retained: int = 0  # values the broker had kept: not new ones
    overrun: int = 0  # messages that came faster than they could be read
    devices: int = 0  # heard of
    last_example: str = ""  # topic and first bytes of what was refused last
    detail: str = ""  # why there is no connection


class ReadingSource(Protocol):
    """Gives readings, detections and pictures of foreign systems; reconnects by itself.

    A lost connection is a state, not an exception.
    """

    name: str

    def readings(self) -> Iterator[Record]:
        """Everything it gets, in order of arrival; blocks; ends after `close`. One caller."""

    def status(self) -> SourceStatus:
        """How it fares. Any thread."""

    def close(self) -> None:
        """End `readings`. Any thread; a second call does nothing."""
