"""Recorded scores, a block for each subject and minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.messages import ScoreBlock
from hub.store.bulk import BulkTable, Insert


@dataclass(frozen=True, slots=True)
class ReceivedScores:
    """A block as it arrived."""

    agent: str
    record: ScoreBlock
    received_at: datetime


_TABLE = BulkTable(
    "score_block",
    (
        ("started_at", "timestamptz"),
        ("received_at", "timestamptz"),
        ("agent", "text"),
        ("stream", "text"),
        ("kind", "text"),
        ("label", "text"),
        ("place", "text"),
        ("offsets_ms", "int4[]"),
        ("scores", "float4[]"),
    ),
)


def append(conn: Connection[Any], blocks: Sequence[ReceivedScores], insert: Insert) -> None:
    """Store new blocks."""
    insert(conn, _TABLE, map(_row, blocks))


def _row(x: ReceivedScores) -> tuple[Any, ...]:
    r = x.record
    return (
        r.started_at,
        x.received_at,
        x.agent,
        r.stream,
        r.kind,
        r.label,
        r.place,
        r.offsets_ms,
        [float(s) for s in r.scores],
    )
