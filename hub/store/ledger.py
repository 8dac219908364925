"""The ledger: one row for each lane of each boot of each agent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

from contract.ranges import SequenceSet
from contract.taxonomy import Lane
from hub.domain.lane_ledger import LaneLedger

Ranges = list[tuple[int, int]]  # closed, ascending


class LaneKey(NamedTuple):
    """A lane of a boot of an agent."""

    agent: str
    boot: str
    lane: Lane


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What the hub has of a lane: "have 1..N, and these beyond"; what was declared lost counts."""

    key: LaneKey
    watermark: int
    ranges: Ranges  # received beyond the watermark
    closed_at: datetime | None  # a later boot was born: unknown after what is here

    @property
    def holes(self) -> Ranges:
        """What is missing between the watermark and the highest number seen."""
        return SequenceSet(self.watermark, self.ranges).holes()


def lock_lanes(conn: Connection[Any], keys: Collection[LaneKey]) -> dict[LaneKey, LaneLedger]:
    """The ledgers of these lanes, made where missing, locked until the transaction ends.

    Rows are made and locked in one order everywhere, so that two batches never wait for each
    other.
    """
    ordered = sorted(keys)
    columns = (
        [k.agent for k in ordered],
        [k.boot for k in ordered],
        [str(k.lane) for k in ordered],
    )
    conn.execute(
        """
        INSERT INTO ledger (agent, boot, lane)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING
        """,
        columns,
    )
    rows = conn.execute(
        """
        SELECT agent, boot, lane, watermark, received, lost FROM ledger
        WHERE (agent, boot, lane) IN (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]))
        ORDER BY agent COLLATE "C", boot COLLATE "C", lane COLLATE "C" FOR UPDATE
        """,
        columns,
    )
    return {
        LaneKey(agent, boot, Lane(lane)): LaneLedger(
            SequenceSet(watermark, _closed(received)), _closed(lost)
        )
        for agent, boot, lane, watermark, received, lost in rows
    }


def save_lanes(conn: Connection[Any], ledgers: Mapping[LaneKey, LaneLedger], at: datetime) -> None:
    """Write the changed ledgers back."""
    rows = [
        (
            key.agent,
            key.boot,
            str(key.lane),
            ledger.received.watermark,
            _multirange(ledger.received.ranges),
            _multirange(ledger.lost),
        )
        for key, ledger in ledgers.items()
        if ledger.changed
    ]
    if rows:
        conn.execute(
            """
            UPDATE ledger SET watermark = n.watermark, received = n.received::int8multirange,
                              lost = n.lost::int8multirange, updated_at = %s
            FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[])
                     AS n (agent, boot, lane, watermark, received, lost)
            WHERE (ledger.agent, ledger.boot, ledger.lane) = (n.agent, n.boot, n.lane)
            """,
            [at, *(list(column) for column in zip(*rows, strict=True))],
        )


def lines_of(conn: Connection[Any], boots: Collection[tuple[str, str]]) -> list[LedgerLine]:
    """What the hub has of these boots: (agent, boot)."""
    ordered = sorted(boots)
    return [
        LedgerLine(LaneKey(agent, boot, Lane(lane)), watermark, _closed(received), closed_at)
        for agent, boot, lane, watermark, received, closed_at in conn.execute(
            """
            SELECT agent, boot, lane, watermark, received, closed_at FROM ledger
            WHERE (agent, boot) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
            ORDER BY agent, boot, lane
            """,
            ([agent for agent, _ in ordered], [boot for _, boot in ordered]),
        )
    ]


def close_older_boots(conn: Connection[Any], agent: str, boot: str, at: datetime) -> None:
    """A boot was born: of the older ones nothing is known after what is here."""
    conn.execute(
        "UPDATE ledger SET closed_at = %s WHERE agent = %s AND boot <> %s AND closed_at IS NULL",
        (at, agent, boot),
    )


def _closed(ranges: Iterable[Any]) -> Ranges:
    return [(r.lower, r.upper - 1) for r in ranges]


def _multirange(ranges: Ranges) -> str:
    return "{" + ",".join(f"[{a},{b}]" for a, b in ranges) + "}"
