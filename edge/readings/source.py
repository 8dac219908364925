"""The seam of sensors: where readings come from, and how each source fares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from contract.messages import Detection, Reading


class SourceState(StrEnum):
    """What is known of a source."""

    CONNECTING = "connecting"
    ONLINE = "online"
    LOST = "lost"  # no connection; it tries again by itself
    ENDED = "ended"  # closed, or a recording that was played to its end


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source fares since it was opened. What it refused is counted and shown, never hidden.

    unmapped: name of a value that no table knows -> how often it came.
    """

    state: SourceState
    since: datetime
    messages: int = 0
    records: int = 0
    refused: int = 0
    last_refusal: str = ""
    last_note: str = ""
    unmapped: Mapping[str, int] = field(default_factory=dict)


class ReadingSource(Protocol):
    """Gives readings, and detections of foreign systems; reconnects by itself.

    A lost connection is a state, not an exception.
    """

    name: str

    def readings(self) -> Iterator[Reading | Detection]:
        """Everything it gets, in order of arrival; blocks; ends after `close`. One caller."""

    def status(self) -> SourceStatus:
        """How it fares. Any thread."""

    def close(self) -> None:
        """End `readings`. Any thread; a second call does nothing."""
