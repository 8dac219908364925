"""What assessment reads of grid events, and the facts that are kept of finished cases.

Tests of cameras are nobody's case: every question here leaves them out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.range import TimestamptzRange

from hub.store.rows import HistoryRow


@dataclass(frozen=True, slots=True)
class CaseRow:
    """The columns of a grid event that its facts need beside its history."""

    id: int
    number: str
    category: str
    subcategory: str
    severity: str
    filing_condition: str | None
    cell: str | None
    state: str
    occurred_at: datetime
    opened_at: datetime
    version: int
    ended: bool
    stream: str | None  # "agent/stream" of the camera that saw it first
    recurrence_of: str | None  # number of the closed event it repeats


@dataclass(frozen=True, slots=True)
class KeptFacts:
    """The facts of a finished case as they are kept."""

    event: int
    n: int
    rules: str
    last_at: datetime
    since: datetime
    until: datetime
    facts: bytes


def rows(conn: Connection[Any], ids: Collection[int]) -> list[CaseRow]:
    """The events with these ids, by id."""
    with conn.cursor(row_factory=class_row(CaseRow)) as cur:
        return cur.execute(
            """
            SELECT e.id, e.number, e.category, e.subcategory, e.severity, e.filing_condition,
                   e.cell, e.state, e.occurred_at, e.opened_at, e.version,
                   e.ended_at IS NOT NULL AS ended, d.stream, r.number AS recurrence_of
            FROM grid_event e LEFT JOIN grid_event r ON r.id = e.recurrence_of
            LEFT JOIN LATERAL (SELECT agent || '/' || stream AS stream FROM detection
                WHERE event = e.id AND e.origin = 'machine' ORDER BY raised_at, episode LIMIT 1
            ) d ON true
            WHERE e.id = ANY (%s) AND NOT e.test ORDER BY e.id
            """,
            (sorted(ids),),
        ).fetchall()


def histories(conn: Connection[Any], ids: Collection[int]) -> dict[int, list[HistoryRow]]:
    """The histories of these events, each from its first entry on."""
    found: dict[int, list[HistoryRow]] = {id: [] for id in ids}
    with conn.cursor(row_factory=class_row(HistoryRow)) as cur:
        for row in cur.execute(
            "SELECT * FROM grid_event_history WHERE event = ANY (%s) ORDER BY event, n",
            (sorted(ids),),
        ):
            found[row.event].append(row)
    return found


def said(conn: Connection[Any], ids: Collection[int]) -> dict[tuple[int, int], str]:
    """(event, number of a history entry) -> the verdict that was given with it."""
    return {
        (event, n): verdict
        for event, n, verdict in conn.execute(
            "SELECT event, history_n, verdict FROM verdict WHERE event = ANY (%s)", (sorted(ids),)
        )
    }


def claim_pending(conn: Connection[Any], limit: int) -> list[int]:
    """Finished cases whose facts are to be computed, nobody else's until the transaction ends."""
    return [
        int(id)
        for (id,) in conn.execute(
            "DELETE FROM case_pending WHERE event IN (SELECT event FROM case_pending"
            " ORDER BY event LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING event",
            (limit,),
        )
    ]


def renew(conn: Connection[Any], rules: str) -> int:
    """Put what was computed by other rules in line again; how many that are."""
    return conn.execute(
        "INSERT INTO case_pending (event) SELECT event FROM case_fact WHERE rules <> %s"
        " ON CONFLICT DO NOTHING",
        (rules,),
    ).rowcount


def forget(conn: Connection[Any], ids: Collection[int]) -> None:
    """Drop the facts of cases that are open again."""
    conn.execute("DELETE FROM case_fact WHERE event = ANY (%s)", (sorted(ids),))


def keep(conn: Connection[Any], facts: Sequence[KeptFacts]) -> None:
    """Keep the facts of finished cases, in place of older ones."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO case_fact (event, n, rules, last_at, span, facts)
            VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (event) DO UPDATE SET n = excluded.n, rules = excluded.rules,
                last_at = excluded.last_at, span = excluded.span, facts = excluded.facts
            """,
            [
                (
                    k.event,
                    k.n,
                    k.rules,
                    k.last_at,
                    TimestamptzRange(k.since, k.until, "[]"),
                    k.facts,
                )
                for k in facts
            ],
        )


def kept(
    conn: Connection[Any], since: datetime, until: datetime, as_of: datetime, rules: str
) -> Iterator[bytes]:
    """The kept facts of cases that may count in [since, until), as they stood at `as_of`."""
    found = conn.execute(
        """
        SELECT c.facts FROM case_fact c JOIN grid_event e ON e.id = c.event
        WHERE c.span && tstzrange(%s, %s) AND c.last_at <= %s AND c.rules = %s
          AND c.n = e.version AND e.ended_at IS NOT NULL
        """,
        (since, until, as_of, rules),
        binary=True,
    )
    while some := found.fetchmany(1000):  # a tuple for each row, not all at once
        for (facts,) in some:
            yield facts


def not_kept(
    conn: Connection[Any], since: datetime, until: datetime, as_of: datetime, rules: str
) -> list[int]:
    """The other cases that may count in [since, until): open ones, and those that went on since."""
    return [
        int(id)
        for (id,) in conn.execute(
            """
            SELECT id FROM grid_event
            WHERE ended_at IS NULL AND opened_at < %(until)s AND opened_at <= %(as_of)s
              AND NOT test
            UNION
            SELECT p.event FROM case_pending p JOIN grid_event e ON e.id = p.event
            WHERE e.opened_at < %(until)s AND e.opened_at <= %(as_of)s
            UNION
            SELECT c.event FROM case_fact c JOIN grid_event e ON e.id = c.event
            WHERE c.span && tstzrange(%(since)s, %(until)s) AND e.opened_at <= %(as_of)s
              AND (c.last_at > %(as_of)s OR c.rules <> %(rules)s OR c.n <> e.version)
            """,
            {"since": since, "until": until, "as_of": as_of, "rules": rules},
        )
    ]


def keepers(conn: Connection[Any], since: datetime, until: datetime) -> dict[str, frozenset[str]]:
    """Basic cell -> the grid assistants who had it at some time of [since, until)."""
    found: dict[str, set[str]] = {}
    for cell, person in conn.execute(
        """
        SELECT cell, person FROM post
        WHERE role = 'assistant' AND from_at < %s AND (to_at IS NULL OR to_at > %s)
        """,
        (until, since),
    ):
        found.setdefault(str(cell), set()).add(str(person))
    return {cell: frozenset(people) for cell, people in found.items()}


def unit_names(conn: Connection[Any], codes: Collection[str]) -> dict[str, tuple[str, str]]:
    """Units as people call them, in English and Chinese; one that is not known has none."""
    return {
        code: (en, zh)
        for code, en, zh in conn.execute(
            "SELECT code, name_en, name_zh FROM unit WHERE code = ANY (%s)", (sorted(codes),)
        )
    }


def person_names(conn: Connection[Any], codes: Collection[str]) -> dict[str, str]:
    """People by staff number; one that is not known has none."""
    return {
        code: name
        for code, name in conn.execute(
            "SELECT code, name FROM person WHERE code = ANY (%s)", (sorted(codes),)
        )
    }
