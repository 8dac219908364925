"""The spool: everything the hub has not yet committed, durable, in lanes.

The identity of a record for ever is (agent, boot, lane, seq). `seq` is gapless within a lane of a
boot and is given here, inside the transaction that takes the record.

**What is lost is known.** Where records of a lane must go before the hub has them (budget), a
`contract.messages.Lost` record takes their place: it is stored at a *new* sequence number of the
same lane and names the closed range [first, last] of the numbers it stands for. The hub marks its
own number as received and first..last as lost. A Lost record is never evicted itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import NamedTuple, Protocol

from contract.taxonomy import Lane

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_of(since_us: int) -> datetime:
    """The time so many microseconds after EPOCH."""
    return EPOCH + timedelta(microseconds=since_us)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record to be taken. Bytes as they will travel."""

    lane: Lane
    record: bytes  # JSON
    captured_at: datetime
    payload: bytes = b""  # of a piece of evidence


class Spooled(NamedTuple):
    """A record that was taken. A tuple, for a backlog makes millions of them."""

    seq: int
    record: bytes
    captured_us: int  # since EPOCH
    payload: bytes = b""

    @property
    def captured_at(self) -> datetime:
        """When what it tells of was captured, UTC."""
        return time_of(self.captured_us)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.record) + len(self.payload)


@dataclass(frozen=True, slots=True)
class LaneState:
    """Where a lane stands."""

    next_seq: int  # the number that the next record will get
    watermark: int  # the hub has committed everything up to here
    waiting: int  # records held
    bytes: int  # bytes held
    lost: int  # records declared lost


class Spool(Protocol):
    """Safe to use from several threads.

    A spool that is damaged beyond use while it is open begins a new boot by itself: look at
    `boot` after what was read, before it is sent.
    """

    @property
    def boot(self) -> str:
        """The name of this run of sequence numbers."""

    @property
    def epoch(self) -> str:
        """The epoch of the hub whose watermarks are held, "" before the first."""

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Take all of them or none, in one transaction; their sequence numbers.

        Where a lane grows beyond its budget, or the disk is full, what is worth least goes and is
        declared lost (see `edge.worth`). Raises SpoolFullError where that makes no room,
        SpoolError where it cannot be written.
        """

    def peek(
        self, lane: Lane, after: int, max_records: int, max_bytes: int, last: int | None = None
    ) -> list[Spooled]:
        """The oldest records above `after` and the watermark (up to `last`): at least one, if
        there is one.
        """

    def advance(self, lane: Lane, watermark: int) -> None:
        """The hub has everything up to `watermark`: delete it. Never goes back.

        Evidence stays a little longer, for `repeat`. Raises SpoolBehindError where the hub has
        more than was ever given out.
        """

    def begin_epoch(self, epoch: str, watermarks: Mapping[Lane, int]) -> None:
        """Another hub, or a restored one: its watermarks hold now, even where they are lower.

        What it lacks and is no longer here is declared lost.
        """

    def declare_lost(self, lane: Lane, first: int, last: int, reason: str) -> None:
        """Give up [first, last]: deletes what is held of it and says so by a Lost record."""

    def waits(self, digest: str) -> bool:
        """Whether all of that evidence is still to be committed: nothing need be repeated."""

    def repeat(self, digest: str) -> bool:
        """Take the evidence of that digest again under new numbers, if all of it is here."""

    def give_up(self, digest: str, reason: str) -> None:
        """Declare the evidence of that digest lost, which the hub has taken and found broken.

        Its numbers are the hub's already: the Lost record stands for its own number alone.
        """

    def tidy(self, *, connected: bool = True) -> None:
        """Let go of what is over age, and of evidence that the hub had time to look at.

        To be called every few seconds. connected: whether the hub could ask for evidence now.
        """

    def fault(self) -> str:
        """What is wrong with the room it has, in words for people; "" for nothing."""

    def begin_boot(self) -> None:
        """Begin a new boot, keeping under new numbers what was taken since opening."""

    def state(self) -> dict[Lane, LaneState]:
        """Where each lane stands."""

    def close(self) -> None:
        """Let go of it; idempotent."""


def missing(first: int, last: int, held: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The closed ranges of [first, last] that are not in `held`, which ascends within it."""
    expected = first
    for seq in chain(held, (last + 1,)):
        if seq > expected:
            yield expected, seq - 1
        expected = seq + 1
