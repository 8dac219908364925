"""Recorded scores, a block for each subject and minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.messages import ScoreBlock


@dataclass(frozen=True, slots=True)
class ReceivedScores:
    """A block as it arrived."""

    agent: str
    record: ScoreBlock
    received_at: datetime


def append(conn: Connection[Any], blocks: Sequence[ReceivedScores]) -> None:
    """Store new blocks."""
    with (
        conn.cursor() as cur,
        cur.copy(
            "COPY score_block (started_at, received_at, agent, stream, kind, label, place, "
            "offsets_ms, scores) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(
            [
                "timestamptz",
                "timestamptz",
                "text",
                "text",
                "text",
                "text",
                "text",
                "int4[]",
                "float4[]",
            ]
        )
        for x in blocks:
            r = x.record
            copy.write_row(
                (
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
            )
