"""What agents are told of their lanes: watermarks (retained), and holes that are old enough.

Pure bookkeeping of which agent is due and which hole is how old; `Downlink` does the sending.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from contract.messages import Ack, LaneAck, Nack
from contract.taxonomy import Lane
from hub.store.ledger import LaneKey, LedgerLine

MAX_RANGES_TOLD = 1000  # of a lane in one message, so that it stays small; the rest later

Hole = tuple[int, int]


def ack_of(lines: Iterable[LedgerLine], boot: str, epoch: str, now: datetime) -> Ack:
    """What the hub has of the lanes of one boot."""
    return Ack(
        epoch=epoch,
        hub_time=now,
        boot=boot,
        lanes={
            line.key.lane: LaneAck(line.watermark, line.ranges[:MAX_RANGES_TOLD])
            for line in lines
            if line.key.boot == boot
        },
    )


class HoleWatch:
    """How long which hole has been there. Not thread-safe.

    A hole is asked for once it is `hole_s` old, and again after twice that time each.
    """

    def __init__(self, hole_s: float) -> None:
        self._hole_s = hole_s
        self._due_s: dict[LaneKey, dict[Hole, float]] = {}  # monotonic time to ask for it

    def see(self, lines: Iterable[LedgerLine], now_s: float) -> None:
        """These are the lanes now; holes that are filled are forgotten."""
        for line in lines:
            before = self._due_s.pop(line.key, {})
            holes = line.holes[:MAX_RANGES_TOLD]
            if holes and line.closed_at is None:
                self._due_s[line.key] = {
                    hole: _due(before, hole, now_s + self._hole_s) for hole in holes
                }

    def lanes_due(self, now_s: float) -> set[LaneKey]:
        """Lanes with a hole that is old enough to be asked for."""
        return {
            key for key, holes in self._due_s.items() if any(d <= now_s for d in holes.values())
        }

    def ask(self, keys: Iterable[LaneKey], now_s: float) -> dict[tuple[str, str], Nack]:
        """What to ask for, by (agent, boot): the holes of these lanes that are due."""
        asked: dict[tuple[str, str], dict[Lane, list[Hole]]] = {}
        for key in sorted(keys):
            holes = self._due_s.get(key, {})
            due = sorted(h for h, at_s in holes.items() if at_s <= now_s)
            for hole in due:
                holes[hole] = now_s + 2 * self._hole_s
            if due:
                asked.setdefault((key.agent, key.boot), {})[key.lane] = due
        return {who: Nack(boot=who[1], lanes=lanes) for who, lanes in asked.items()}


def _due(before: Mapping[Hole, float], hole: Hole, fresh_s: float) -> float:
    """A hole that was partly filled is as old as the one it was part of."""
    first, last = hole
    return min(
        (at_s for (a, b), at_s in before.items() if a <= first and last <= b), default=fresh_s
    )
