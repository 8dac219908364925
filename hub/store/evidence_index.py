"""What is known of evidence: which bytes are here, and whether it is complete and verified."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.multirange import Int8Multirange
from psycopg.types.range import Int8Range

from contract.messages import EvidenceChunk
from hub.domain.errors import GoneError
from hub.domain.reach import Place
from hub.store.rows import EvidenceRow

_COLUMNS = ", ".join(f.name for f in fields(EvidenceRow))


@dataclass(frozen=True, slots=True)
class Known:
    """Evidence that has begun to arrive."""

    digest: str
    total: int
    complete: bool  # or erased: no more bytes of it are taken


def lock(
    conn: Connection[Any], chunks: Iterable[tuple[str, EvidenceChunk]], at: datetime
) -> dict[str, Known]:
    """The evidence these chunks (agent, header) belong to, made where missing, locked."""
    firsts = {chunk.digest: (agent, chunk) for agent, chunk in chunks}
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO evidence
                (digest, agent, stream, media_type, total, captured_at, last_at, look_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            [
                (digest, agent, c.stream, c.media_type, c.total, c.captured_at, at, at)
                for digest, (agent, c) in sorted(firsts.items())
            ],
        )
        rows = cur.execute(
            """
            SELECT digest, total, complete_at IS NOT NULL OR erased_at IS NOT NULL FROM evidence
            WHERE digest = ANY (%s) ORDER BY digest FOR UPDATE
            """,
            (sorted(firsts),),
        ).fetchall()
    return {digest: Known(digest, total, complete) for digest, total, complete in rows}


def places(conn: Connection[Any], digest: str) -> list[Place]:
    """Where what a piece of evidence shows happened: of its events, else of its detections."""
    with conn.cursor(row_factory=class_row(Place)) as cur:
        return cur.execute(
            """
            WITH shown AS (
                SELECT g.cell, g.responsible_unit AS unit
                FROM events_of_evidence(%(digest)s) e (event) JOIN grid_event g ON g.id = e.event
            )
            SELECT cell, unit FROM shown
            UNION
            SELECT g.cell, c.unit FROM events_of_evidence(%(digest)s) e (event)
            JOIN cohandler c ON c.event = e.event JOIN grid_event g ON g.id = e.event
            UNION
            SELECT d.cell, NULL FROM detection_evidence e JOIN detection d USING (episode)
            WHERE e.digest = %(digest)s AND NOT EXISTS (SELECT FROM shown)
            """,
            {"digest": digest},
        ).fetchall()


def is_of_case_of(conn: Connection[Any], digest: str, person: str) -> bool:
    """Whether a piece of evidence shows an event that was given to that person."""
    row = conn.execute(
        """
        SELECT EXISTS (SELECT FROM events_of_evidence(%s) e (event)
                       JOIN grid_event g ON g.id = e.event WHERE g.assignee = %s)
        """,
        (digest, person),
    ).fetchone()
    return row is not None and row[0] is True


def receive(
    conn: Connection[Any], digest: str, ranges: Collection[tuple[int, int]], at: datetime
) -> bool:
    """Note that the bytes [first, last) of these ranges are on disk; whether all are now."""
    row = conn.execute(
        """
        UPDATE evidence SET received = received + %s::int8multirange, last_at = %s
        WHERE digest = %s RETURNING received @> int8range(0, total)
        """,
        (Int8Multirange([Int8Range(a, b) for a, b in ranges]), at, digest),
    ).fetchone()
    return bool(row and row[0])


def finish(conn: Connection[Any], digest: str, at: datetime) -> None:
    """It is complete and verified."""
    conn.execute("UPDATE evidence SET complete_at = %s WHERE digest = %s", (at, digest))


def forget(conn: Connection[Any], digest: str) -> None:
    """Its bytes did not add up: nothing of it is here, not even how much it is."""
    conn.execute("DELETE FROM evidence WHERE digest = %s AND complete_at IS NULL", (digest,))


def keep_photo(
    conn: Connection[Any], digest: str, media_type: str, total: int, at: datetime
) -> EvidenceRow:
    """A whole photo that a person handed in; one that is known already stays as it is.

    Raises GoneError where it was here and was erased.
    """
    conn.execute(
        """
        INSERT INTO evidence
            (digest, media_type, total, received, captured_at, complete_at, last_at, look_at)
        VALUES (%s, %s, %s, int8multirange(int8range(0, %s)), %s, %s, %s, %s)
        ON CONFLICT (digest) DO UPDATE SET
            complete_at = coalesce(evidence.complete_at, excluded.complete_at)
        """,
        (digest, media_type, total, total, at, at, at, at),
    )
    row = by_digest(conn, digest)
    assert row is not None
    check_not_erased(row)
    return row


def check_not_erased(row: EvidenceRow) -> None:
    """Raise GoneError where its bytes were erased."""
    if row.erased_at is not None and row.erased_by is not None and row.erased_why is not None:
        raise GoneError("evidence", row.digest, row.erased_at, row.erased_by, row.erased_why)


def by_digest(conn: Connection[Any], digest: str) -> EvidenceRow | None:
    """What is known of the evidence with that digest."""
    with conn.cursor(row_factory=class_row(EvidenceRow)) as cur:
        return cur.execute(
            f"SELECT {_COLUMNS} FROM evidence WHERE digest = %s", (digest,)
        ).fetchone()


def complete_among(conn: Connection[Any], digests: Collection[str]) -> set[str]:
    """Those of the digests whose evidence is complete."""
    return {
        str(digest)
        for (digest,) in conn.execute(
            "SELECT digest FROM evidence WHERE digest = ANY (%s) AND complete_at IS NOT NULL"
            " AND erased_at IS NULL",
            (sorted(digests),),
        )
    }


def came_with(conn: Connection[Any], event: int) -> dict[str, int]:
    """Of the photos of an event the number of the history's entry they came with, by digest."""
    return dict(
        conn.execute(
            "SELECT digest, history_n FROM event_evidence WHERE event = %s", (event,)
        ).fetchall()
    )


def attach(conn: Connection[Any], event: int, digests: Iterable[str], history_n: int) -> None:
    """Photos belong to a grid event since that entry of its history."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO event_evidence (event, digest, history_n) VALUES (%s, %s, %s)
            ON CONFLICT DO NOTHING
            """,
            [(event, digest, history_n) for digest in sorted(set(digests))],
        )
