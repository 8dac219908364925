"""How reporters rate closed cases, and the tokens by which those rate who have no account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row


@dataclass(frozen=True, slots=True)
class RatingRow:
    """What one reporter said of a case. ended_at: when the case had ended that they rated.

    taken_down_at: since when their comment is gone, and none is taken any more.
    """

    report: int
    event: int
    ended_at: datetime
    score: int
    comment: str
    first_at: datetime
    at: datetime
    taken_down_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LetterTo:
    """A reporter who left an address."""

    report: int
    address: str


def add_token(conn: Connection[Any], report: int, digest: str, at: datetime) -> None:
    """Whoever holds the token with that digest is who made the report."""
    conn.execute(
        "INSERT INTO report_token (digest, report, made_at) VALUES (%s, %s, %s)",
        (digest, report, at),
    )


def report_of_token(conn: Connection[Any], digest: str) -> int | None:
    """The report whose token has that digest."""
    row = conn.execute("SELECT report FROM report_token WHERE digest = %s", (digest,)).fetchone()
    return None if row is None else int(row[0])


def rating_of(conn: Connection[Any], report: int) -> RatingRow | None:
    """What the reporter said last."""
    with conn.cursor(row_factory=class_row(RatingRow)) as cur:
        return cur.execute("SELECT * FROM rating WHERE report = %s", (report,)).fetchone()


def save(conn: Connection[Any], rating: RatingRow) -> None:
    """A rating is given, changed, or given anew for a case that was closed again."""
    conn.execute(
        """
        INSERT INTO rating AS r (report, event, ended_at, score, comment, first_at, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (report) DO UPDATE SET
            event = excluded.event, ended_at = excluded.ended_at, score = excluded.score,
            comment = excluded.comment, at = excluded.at,
            first_at = CASE WHEN r.ended_at = excluded.ended_at THEN r.first_at
                            ELSE excluded.first_at END
        """,
        (
            rating.report,
            rating.event,
            rating.ended_at,
            rating.score,
            rating.comment,
            rating.first_at,
            rating.at,
        ),
    )


def take_down_comment(conn: Connection[Any], report: int, at: datetime) -> None:
    """The comment is gone; the score stays."""
    conn.execute(
        "UPDATE rating SET comment = '', taken_down_at = %s WHERE report = %s", (at, report)
    )


def with_comments(conn: Connection[Any], event: int | None, limit: int) -> list[RatingRow]:
    """Ratings with something written to them, the newest first. event: None, of every one."""
    with conn.cursor(row_factory=class_row(RatingRow)) as cur:
        return cur.execute(
            """
            SELECT * FROM rating
            WHERE comment <> '' AND (%(event)s::bigint IS NULL OR event = %(event)s)
            ORDER BY at DESC, report DESC LIMIT %(limit)s
            """,
            {"event": event, "limit": limit},
        ).fetchall()


def of_closing(conn: Connection[Any], event: int, ended_at: datetime) -> list[RatingRow]:
    """What its reporters said of a case that ended then, the first to say so first."""
    with conn.cursor(row_factory=class_row(RatingRow)) as cur:
        return cur.execute(
            "SELECT * FROM rating WHERE event = %s AND ended_at = %s ORDER BY first_at, report",
            (event, ended_at),
        ).fetchall()


def letters_to(conn: Connection[Any], event: int) -> list[LetterTo]:
    """Who reported it by the public face and left an address, by what was merged into it too;
    each address once, with its last report."""
    with conn.cursor(row_factory=class_row(LetterTo)) as cur:
        return cur.execute(
            """
            SELECT DISTINCT ON (lower(email)) report, email AS address FROM open311_request
            WHERE event IN (SELECT event_family(%s)) AND report IS NOT NULL
              AND email LIKE '%%_@_%%' ORDER BY lower(email), report DESC
            """,
            (event,),
        ).fetchall()


def last_report_by(conn: Connection[Any], event: int, reporter: str) -> int | None:
    """The last report of an event that somebody made, by what was merged into it too."""
    with conn.cursor(row_factory=scalar_row) as cur:
        found: int | None = cur.execute(
            "SELECT max(id) FROM report WHERE reporter = %s AND event IN (SELECT event_family(%s))",
            (reporter, event),
        ).fetchone()
    return found
