"""The fields that records are made of: their ranges, lengths and patterns.

Times are aware UTC. Fractions are 0..1.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
LATEST = datetime(2099, 1, 1, tzinfo=UTC)
MAX_EPISODES = 64  # that one clip shows
LARGEST = 1e300  # no value reaches it: sums of values must be finite too
UNSET = datetime(1970, 1, 1, tzinfo=UTC)  # what a clock shows that nobody has set yet

# Patterns: `$` alone also matches before a last line feed, so it may not stand before one. U+0000
# is refused everywhere: PostgreSQL keeps none, and one would spoil the batch it is in.
_END = r"$(?!\n)"


def _text(longest: int) -> msgspec.Meta:
    return msgspec.Meta(max_length=longest, pattern=r"^[^\x00]*" + _END)


NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}" + _END

Name = Annotated[str, msgspec.Meta(pattern=NAME)]
Label = Annotated[str, _text(64)]
MediaType = Annotated[str, _text(64)]
Text = Annotated[str, _text(2000)]
Word = Annotated[str, _text(128)]
FrameHash = Annotated[str, _text(32)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
At = Annotated[datetime, msgspec.Meta(tz=True)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}" + _END)]  # SHA-256
EpisodeName = Annotated[  # a UUID
    str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}" + _END)
]
MetricName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_.]{0,63}" + _END)]
Unit = Annotated[str, _text(16)]  # UCUM
Sequence = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
EvidenceRole = Literal["box", "before", "after", "clip"]  # what a piece of evidence is
OffsetMs = Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]  # ms
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
CellCode = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{6}|[0-9]{12}|[0-9]{15})?" + _END)]


def check_time(what: str, at: datetime, earliest: datetime = EARLIEST) -> None:
    """Refuse a time that no clock of a working system can show; raises ValueError."""
    if not earliest <= at < LATEST:
        raise ValueError(
            f"{what} {at.isoformat()} lies outside {earliest.year} to {LATEST.year - 1}: "
            "set the clock of the device, then replay this record"
        )
