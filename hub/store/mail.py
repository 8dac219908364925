"""Mail that waits, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class DueMail:
    """A mail whose time has come: it tells a notice, or a reporter of the end of their case, or
    is a digest."""

    id: int
    person: str
    address: str
    language: str
    severity: str | None
    queued_at: datetime
    attempts: int
    number: str | None  # of the grid event
    title_en: str | None
    title_zh: str | None
    body: str | None
    at: datetime | None  # of the notice
    report: int | None  # whose reporter is told

    @property
    def is_digest(self) -> bool:
        """Whether it folds notices."""
        return self.title_en is None and self.report is None


def queue(
    conn: Connection[Any],
    notice: int,
    *,
    person: str,
    address: str,
    language: str,
    severity: str | None,
    at: datetime,
    not_before: datetime,
) -> None:
    """A mail about a notice, to be sent from `not_before` on."""
    conn.execute(
        """
        INSERT INTO mail (notice, person, address, language, severity, queued_at, next_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (notice, person, address, language, severity, at, not_before),
    )


def queue_letter(
    conn: Connection[Any],
    report: int,
    *,
    address: str,
    language: str,
    at: datetime,
    not_before: datetime,
) -> None:
    """A mail to a reporter that their case was closed, to be sent from `not_before` on."""
    conn.execute(
        """
        INSERT INTO mail (report, person, address, language, queued_at, next_at)
        VALUES (%s, %s, %s, %s, %s, %s)
        """,
        (report, f"reporter {report}", address, language, at, not_before),
    )


def claim(conn: Connection[Any], now: datetime, until: datetime, limit: int) -> list[DueMail]:
    """Mail that is due, the gravest and oldest first; nobody else gets it before `until`."""
    with conn.cursor(row_factory=class_row(DueMail)) as cur:
        return cur.execute(
            """
            WITH due AS (
                SELECT id FROM mail
                WHERE state = 'waiting' AND next_at <= %(now)s
                  AND (claimed_until IS NULL OR claimed_until <= %(now)s)
                ORDER BY severity NULLS LAST, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            ), taken AS (
                UPDATE mail m SET claimed_until = %(until)s FROM due WHERE m.id = due.id
                RETURNING m.*
            )
            SELECT t.id, t.person, t.address, t.language, t.severity, t.queued_at, t.attempts,
                   e.number, n.title_en, n.title_zh, n.body, n.at, t.report
            FROM taken t LEFT JOIN notice n ON n.id = t.notice
            LEFT JOIN grid_event e ON e.id = n.event
            ORDER BY t.severity NULLS LAST, t.id
            """,
            {"now": now, "until": until, "limit": limit},
        ).fetchall()


def sent(conn: Connection[Any], id: int, at: datetime) -> None:
    """It was handed to the mail server."""
    conn.execute(
        "UPDATE mail SET state = 'sent', ended_at = %s, claimed_until = NULL, last_error = NULL,"
        " attempts = attempts + 1 WHERE id = %s",
        (at, id),
    )


def failed(
    conn: Connection[Any], id: int, error: str, at: datetime, again_at: datetime | None
) -> None:
    """It was not sent; it is tried again then, or never for None."""
    conn.execute(
        """
        UPDATE mail SET attempts = attempts + 1, last_error = %(error)s, claimed_until = NULL,
            next_at = coalesce(%(again)s, next_at),
            state = CASE WHEN %(again)s::timestamptz IS NULL THEN 'dead' ELSE 'waiting' END,
            ended_at = CASE WHEN %(again)s::timestamptz IS NULL THEN %(at)s::timestamptz END
        WHERE id = %(id)s
        """,
        {"id": id, "error": error, "at": at, "again": again_at},
    )


def sent_since(conn: Connection[Any], person: str, since: datetime) -> int:
    """How many mails were sent to a person since then."""
    row = conn.execute(
        "SELECT count(*) FROM mail WHERE person = %s AND state = 'sent' AND ended_at >= %s",
        (person, since),
    ).fetchone()
    assert row is not None
    return int(row[0])


def digest_waiting(conn: Connection[Any], person: str) -> int | None:
    """The id of a digest that waits for that person."""
    row = conn.execute(
        "SELECT id FROM mail WHERE person = %s AND state = 'waiting' AND notice IS NULL"
        " AND report IS NULL AND attempts = 0 ORDER BY id LIMIT 1 FOR UPDATE",
        (person,),
    ).fetchone()
    return None if row is None else int(row[0])


def last_digest_at(conn: Connection[Any], person: str) -> datetime | None:
    """When that person was last sent a digest."""
    row = conn.execute(
        "SELECT max(ended_at) FROM mail WHERE person = %s AND state = 'sent' AND notice IS NULL"
        " AND report IS NULL",
        (person,),
    ).fetchone()
    return row[0] if row else None


def begin_digest(conn: Connection[Any], like: DueMail, at: datetime, not_before: datetime) -> int:
    """The id of an empty digest for whom that mail is for."""
    row = conn.execute(
        """
        INSERT INTO mail (person, address, language, queued_at, next_at)
        VALUES (%s, %s, %s, %s, %s) RETURNING id
        """,
        (like.person, like.address, like.language, at, not_before),
    ).fetchone()
    assert row is not None
    return int(row[0])


def fold(conn: Connection[Any], into: int, person: str, ours: list[int], at: datetime) -> int:
    """Fold what waits for that person into a digest; how many.

    What waits for the end of quiet hours is folded too; what another hub is sending is not. ours:
    what the caller has claimed.
    """
    folded = conn.execute(
        """
        UPDATE mail SET state = 'folded', folded_into = %(into)s, ended_at = %(at)s,
            claimed_until = NULL
        WHERE person = %(person)s AND state = 'waiting' AND notice IS NOT NULL
          AND (id = ANY (%(ours)s) OR claimed_until IS NULL OR claimed_until <= %(at)s)
        """,
        {"into": into, "person": person, "ours": ours, "at": at},
    ).rowcount
    conn.execute(
        "UPDATE mail SET severity = (SELECT min(severity) FROM mail WHERE folded_into = %(id)s)"
        " WHERE id = %(id)s",
        {"id": into},
    )
    return folded


def release(conn: Connection[Any], ids: list[int]) -> None:
    """Let others send these."""
    conn.execute("UPDATE mail SET claimed_until = NULL WHERE id = ANY (%s)", (ids,))


@dataclass(frozen=True, slots=True)
class Folded:
    """One notice in a digest."""

    severity: str | None
    title_en: str
    title_zh: str
    number: str | None
    at: datetime


def folded(conn: Connection[Any], into: int, limit: int) -> tuple[int, list[Folded]]:
    """How many notices a digest folds, and the gravest of them."""
    count = conn.execute("SELECT count(*) FROM mail WHERE folded_into = %s", (into,)).fetchone()
    with conn.cursor(row_factory=class_row(Folded)) as cur:
        rows = cur.execute(
            """
            SELECT n.severity, n.title_en, n.title_zh, e.number, n.at
            FROM mail m JOIN notice n ON n.id = m.notice LEFT JOIN grid_event e ON e.id = n.event
            WHERE m.folded_into = %s ORDER BY n.severity NULLS LAST, n.id LIMIT %s
            """,
            (into, limit),
        ).fetchall()
    return int(count[0]) if count else 0, rows
