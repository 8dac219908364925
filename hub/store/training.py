"""Sets of recorded detections with their answers, and who did how well at them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from hub.domain.errors import NotFoundError
from hub.domain.training import Answer
from hub.store.part import Part


@dataclass(frozen=True, slots=True)
class SetRow:
    """A set of detections whose answers are known."""

    id: int
    name: str
    created_at: datetime
    created_by: str
    pass_mark: float  # share of right answers, 0..1
    retired_at: datetime | None
    items: int


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One detection of a set, as a trainee is shown it; `picture` is the digest of a still."""

    n: int
    episode: UUID
    kind: str
    label: str
    raised_at: datetime
    peak_score: float
    picture: str | None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One go at a set."""

    id: int
    training: int
    person: str
    begun_at: datetime
    finished_at: datetime | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A detection on which somebody gave a verdict."""

    episode: UUID
    answer: str


_SETS = """
SELECT s.*, (SELECT count(*) FROM training_item i WHERE i.training = s.id)::int AS items
FROM training_set s WHERE """


def judged(conn: Connection[Any], limit: int) -> list[Candidate]:
    """The strongest detection of each of the latest events whose standing verdict tells what it
    is, the newest verdict first."""
    with conn.cursor(row_factory=class_row(Candidate)) as cur:
        return cur.execute(
            """
            SELECT d.episode, v.verdict AS answer
            FROM verdict v CROSS JOIN LATERAL (
                SELECT episode FROM detection WHERE event = v.event
                ORDER BY peak_score DESC, episode LIMIT 1
            ) d
            WHERE v.undone_at IS NULL AND v.verdict = ANY (%s)
            ORDER BY v.at DESC, v.id DESC LIMIT %s
            """,
            ([str(a) for a in Answer], limit),
        ).fetchall()


def known_episodes(conn: Connection[Any], episodes: Iterable[UUID]) -> set[UUID]:
    """Those of the episodes that the hub has."""
    found = conn.execute(
        "SELECT episode FROM detection WHERE episode = ANY (%s)", (list(episodes),)
    )
    return {episode for (episode,) in found}


def is_taken(conn: Connection[Any], name: str) -> bool:
    """Whether there is or was a set of that name."""
    row = conn.execute("SELECT FROM training_set WHERE name = %s", (name,)).fetchone()
    return row is not None


def make_set(
    conn: Connection[Any],
    name: str,
    items: Iterable[Candidate],
    pass_mark: float,
    actor: str,
    at: datetime,
) -> int:
    """A set of these detections, in this order; its number."""
    row = conn.execute(
        """
        INSERT INTO training_set (name, created_at, created_by, pass_mark)
        VALUES (%s, %s, %s, %s) RETURNING id
        """,
        (name, at, actor, pass_mark),
    ).fetchone()
    assert row is not None
    chosen = list(items)
    conn.execute(
        """
        INSERT INTO training_item (training, n, episode, answer)
        SELECT %s, n, episode, answer
        FROM unnest(%s::uuid[], %s::text[]) WITH ORDINALITY AS i (episode, answer, n)
        """,
        (row[0], [c.episode for c in chosen], [c.answer for c in chosen]),
    )
    return int(row[0])


def sets(conn: Connection[Any], part: Part) -> list[SetRow]:
    """The sets that are offered, by name."""
    with conn.cursor(row_factory=class_row(SetRow)) as cur:
        return cur.execute(
            f"{_SETS} s.retired_at IS NULL ORDER BY s.name, s.id LIMIT %s OFFSET %s".encode(),
            (part.limit, part.skip),
        ).fetchall()


def set_of(conn: Connection[Any], id: int) -> SetRow:
    """The set of that number; raises NotFoundError."""
    with conn.cursor(row_factory=class_row(SetRow)) as cur:
        found = cur.execute(f"{_SETS} s.id = %s".encode(), (id,)).fetchone()
    if found is None:
        raise NotFoundError("training set", str(id))
    return found


def retire_set(conn: Connection[Any], id: int, at: datetime) -> bool:
    """The set is no longer offered; whether it was until now."""
    return bool(
        conn.execute(
            "UPDATE training_set SET retired_at = %s WHERE id = %s AND retired_at IS NULL",
            (at, id),
        ).rowcount
    )


def items(conn: Connection[Any], training: int) -> list[ItemRow]:
    """The detections of a set in order, without their answers."""
    with conn.cursor(row_factory=class_row(ItemRow)) as cur:
        return cur.execute(
            """
            SELECT i.n, i.episode, d.kind, d.label, d.raised_at, d.peak_score, (
                SELECT e.digest FROM detection_evidence de JOIN evidence e USING (digest)
                WHERE de.episode = i.episode AND e.complete_at IS NOT NULL
                  AND e.erased_at IS NULL AND starts_with(e.media_type, 'image/')
                ORDER BY (de.role = 'box') DESC, de.captured_at DESC, de.digest LIMIT 1
            ) AS picture
            FROM training_item i JOIN detection d USING (episode)
            WHERE i.training = %s ORDER BY i.n
            """,
            (training,),
        ).fetchall()


def shows(conn: Connection[Any], person: str, digest: str) -> bool:
    """Whether a set that somebody is working at shows this picture."""
    row = conn.execute(
        """
        SELECT FROM training_attempt a
        JOIN training_item i USING (training) JOIN detection_evidence e USING (episode)
        WHERE a.person = %s AND a.finished_at IS NULL AND e.digest = %s LIMIT 1
        """,
        (person, digest),
    ).fetchone()
    return row is not None


def key(conn: Connection[Any], training: int) -> dict[int, Answer]:
    """The right answer to each detection of a set."""
    return {
        int(n): Answer(answer)
        for n, answer in conn.execute(
            "SELECT n, answer FROM training_item WHERE training = %s ORDER BY n", (training,)
        )
    }


def begin(conn: Connection[Any], training: int, person: str, at: datetime) -> AttemptRow:
    """Somebody's go at a set: the one under way, else a new one."""
    conn.execute(
        """
        INSERT INTO training_attempt (training, person, begun_at) VALUES (%s, %s, %s)
        ON CONFLICT (training, person) WHERE finished_at IS NULL DO NOTHING
        """,
        (training, person, at),
    )
    with conn.cursor(row_factory=class_row(AttemptRow)) as cur:
        found = cur.execute(
            """
            SELECT * FROM training_attempt
            WHERE training = %s AND person = %s AND finished_at IS NULL
            """,
            (training, person),
        ).fetchone()
    assert found is not None
    return found


def attempt(conn: Connection[Any], id: int, *, lock: bool = False) -> AttemptRow:
    """The go of that number, locked until the transaction ends if asked; raises NotFoundError."""
    with conn.cursor(row_factory=class_row(AttemptRow)) as cur:
        found = cur.execute(
            "SELECT * FROM training_attempt WHERE id = %s" + (" FOR UPDATE" if lock else ""),
            (id,),
        ).fetchone()
    if found is None:
        raise NotFoundError("training attempt", str(id))
    return found


def attempts_of(conn: Connection[Any], person: str, part: Part) -> list[AttemptRow]:
    """What somebody did so far, the newest first."""
    with conn.cursor(row_factory=class_row(AttemptRow)) as cur:
        return cur.execute(
            "SELECT * FROM training_attempt WHERE person = %s ORDER BY id DESC LIMIT %s OFFSET %s",
            (person, part.limit, part.skip),
        ).fetchall()


def answer(conn: Connection[Any], attempt: int, n: int, said: Answer, at: datetime) -> None:
    """The answer to one detection; a later one replaces it."""
    conn.execute(
        """
        INSERT INTO training_answer (attempt, n, answer, answered_at) VALUES (%s, %s, %s, %s)
        ON CONFLICT (attempt, n) DO UPDATE SET
            answer = excluded.answer, answered_at = excluded.answered_at
        """,
        (attempt, n, said, at),
    )


def answers(conn: Connection[Any], attempt: int) -> dict[int, Answer]:
    """What was answered so far."""
    return {
        int(n): Answer(said)
        for n, said in conn.execute(
            "SELECT n, answer FROM training_answer WHERE attempt = %s ORDER BY n", (attempt,)
        )
    }


def finish(conn: Connection[Any], attempt: int, score: float, at: datetime) -> None:
    """The go is over with this score."""
    conn.execute(
        "UPDATE training_attempt SET finished_at = %s, score = %s WHERE id = %s",
        (at, score, attempt),
    )
