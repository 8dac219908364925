"""The independent book of what was written: lines beside the spool, never inside it.

Two lines for each append. Before it: `? lane name ...`, what is about to be spooled. After the
spool took it: `+ boot lane seq name ...`, what has to arrive. A process killed in between leaves
the first line only: such a record may be in the database or not, but not twice. `! life` is a
start of the agent, `. life` its word that it writes no more.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract.taxonomy import Lane
from edge.spool import Entry, LaneState, Spool, Spooled
from gridwarden.chaos.records import name_of


@dataclass(frozen=True, slots=True)
class Written:
    """A record the spool took."""

    agent: str
    boot: str
    lane: Lane
    seq: int
    name: str


@dataclass(slots=True)
class Book:
    """Everything the agents said they wrote."""

    written: list[Written] = field(default_factory=list)
    intended: set[tuple[str, Lane, str]] = field(default_factory=set)  # agent, lane, name
    boots: dict[str, list[str]] = field(default_factory=dict)  # by agent, oldest first

    def read(self, agent: str, path: Path) -> None:
        """Take in an agent's page, if it has begun one; a line cut short is as good as none."""
        seen = self.boots.setdefault(agent, [])
        if not path.exists():
            return
        for line in path.read_text(encoding="ascii").split("\n")[:-1]:
            mark, *words = line.split(" ")
            if mark == "?":
                lane = Lane(words[0])
                self.intended.update((agent, lane, name) for name in words[1:])
            elif mark == "+":
                boot, lane = words[0], Lane(words[1])
                if boot not in seen:
                    seen.append(boot)
                self.written += [
                    Written(agent, boot, lane, int(seq), name)
                    for seq, name in zip(words[2::2], words[3::2], strict=True)
                ]


def rests(path: Path, life: int) -> bool:
    """Whether the agent has begun that life and said that it writes no more."""
    return path.exists() and f"\n. {life}\n".encode() in path.read_bytes()


class BookedSpool:
    """A spool that keeps book of what it takes; everything else goes to the spool as it is."""

    def __init__(self, spool: Spool, path: Path, life: int) -> None:
        self._spool = spool
        self._life = life
        # one write a line and no buffer of ours: what was written outlives a kill
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()  # a boot may not begin between an append and its line
        self._say([f"! {life}"])

    @property
    def boot(self) -> str:
        """As the spool has it."""
        return self._spool.boot

    @property
    def epoch(self) -> str:
        """As the spool has it."""
        return self._spool.epoch

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Say what is meant, spool it, say that it was taken."""
        named = [(e.lane, name_of(e.lane, e.record, len(e.payload))) for e in entries]
        with self._lock:
            self._say(f"? {lane} {' '.join(names)}" for lane, names in _by_lane(named).items())
            seqs = self._spool.append(entries)
            told = [(lane, f"{s} {n}") for s, (lane, n) in zip(seqs, named, strict=True)]
            boot = self._spool.boot
            self._say(f"+ {boot} {lane} {' '.join(x)}" for lane, x in _by_lane(told).items())
        return seqs

    def rest(self) -> None:
        """Nothing more will be appended in this life."""
        with self._lock:
            self._say([f". {self._life}"])

    def peek(
        self, lane: Lane, after: int, max_records: int, max_bytes: int, last: int | None = None
    ) -> list[Spooled]:
        """As the spool has it."""
        return self._spool.peek(lane, after, max_records, max_bytes, last)

    def advance(self, lane: Lane, watermark: int) -> None:
        """As the spool does."""
        self._spool.advance(lane, watermark)

    def begin_epoch(self, epoch: str, watermarks: Mapping[Lane, int]) -> None:
        """As the spool does."""
        self._spool.begin_epoch(epoch, watermarks)

    def declare_lost(self, lane: Lane, first: int, last: int, reason: str) -> None:
        """As the spool does."""
        self._spool.declare_lost(lane, first, last, reason)

    def waits(self, digest: str) -> bool:
        """See `Spool`."""
        return self._spool.waits(digest)

    def repeat(self, digest: str) -> bool:
        """As the spool does; the same evidence once more is nothing new."""
        return self._spool.repeat(digest)

    def give_up(self, digest: str, reason: str) -> None:
        """As the spool does."""
        self._spool.give_up(digest, reason)

    def tidy(self, *, connected: bool = True) -> None:
        """As the spool does."""
        self._spool.tidy(connected=connected)

    def fault(self) -> str:
        """As the spool has it."""
        return self._spool.fault()

    def begin_boot(self) -> None:
        """As the spool does."""
        with self._lock:
            self._spool.begin_boot()

    def state(self) -> dict[Lane, LaneState]:
        """As the spool has it."""
        return self._spool.state()

    def close(self) -> None:
        """Close both."""
        self._spool.close()
        os.close(self._fd)

    def _say(self, lines: Iterable[str]) -> None:
        os.write(self._fd, "".join(f"{line}\n" for line in lines).encode("ascii"))


def _by_lane(items: Iterable[tuple[Lane, str]]) -> dict[Lane, list[str]]:
    out: dict[Lane, list[str]] = {}
    for lane, text in items:
        out.setdefault(lane, []).append(text)
    return out
