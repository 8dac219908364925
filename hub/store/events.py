"""Grid events and their history. The only place that writes `grid_event`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from contract.geometry import Point
from hub.store.rows import GridEventRow, HistoryRow

COLUMNS = tuple(f.name for f in fields(GridEventRow))
_FIXED = frozenset(
    {
        "id",
        "number",
        "state",
        "origin",
        "occurred_at",
        "opened_at",
        "test",
        "version",
        "recurrence_of",
    }
)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM grid_event "


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A grid event about to be opened."""

    number: str
    state: str
    origin: str
    ever_reported: bool
    category: str
    subcategory: str
    merge_group: str
    severity: str
    title: str
    position: Point | None
    cell: str | None
    occurred_at: datetime
    last_seen_at: datetime
    opened_at: datetime
    decide_by: datetime | None
    urgent: bool
    test: bool
    due_at: datetime | None
    close_by: datetime | None
    next_rung_at: datetime | None
    recurrence_of: int | None = None
    occurrence: int = 1
    by_itself: dict[str, Any] | None = None


_INSERT = f"""
INSERT INTO grid_event (number, state, origin, ever_reported, category, subcategory, merge_group,
    severity, title, lon, lat, cell, occurred_at, last_seen_at, opened_at, decide_by, urgent, test,
    due_at, close_by, next_rung_at, recurrence_of, occurrence, by_itself, version)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
        %s, 1)
RETURNING {", ".join(COLUMNS)}
"""


def _values(event: NewEvent) -> tuple[object, ...]:
    return (
        event.number,
        event.state,
        event.origin,
        event.ever_reported,
        event.category,
        event.subcategory,
        event.merge_group,
        event.severity,
        event.title,
        event.position.lon if event.position else None,
        event.position.lat if event.position else None,
        event.cell,
        event.occurred_at,
        event.last_seen_at,
        event.opened_at,
        event.decide_by,
        event.urgent,
        event.test,
        event.due_at,
        event.close_by,
        event.next_rung_at,
        event.recurrence_of,
        event.occurrence,
        None if event.by_itself is None else Jsonb(event.by_itself),
    )


def next_sequence(conn: Connection[Any], district: str, day: date, times: int = 1) -> int:
    """The first of so many next numbers of that day, which count from 1.

    Nobody else gets them, and none is left out.
    """
    row = conn.execute(
        """
        INSERT INTO grid_event_counter (district, day, last) VALUES (%s, %s, %s)
        ON CONFLICT (district, day)
        DO UPDATE SET last = grid_event_counter.last + excluded.last RETURNING last
        """,
        (district, day, times),
    ).fetchone()
    assert row is not None
    return int(row[0]) - times + 1


def insert(conn: Connection[Any], events: Sequence[NewEvent]) -> list[GridEventRow]:
    """Open these grid events; their first history entries are to follow in the same transaction."""
    if not events:
        return []
    with conn.cursor(row_factory=class_row(GridEventRow)) as cur:
        cur.executemany(_INSERT, [_values(event) for event in events], returning=True)
        return [row for result in cur.results() for row in result]


def by_number(conn: Connection[Any], number: str, *, lock: bool = False) -> GridEventRow | None:
    """The event of that number, locked until the transaction ends if asked."""
    with conn.cursor(row_factory=class_row(GridEventRow)) as cur:
        return cur.execute(
            SELECT + "WHERE number = %s" + (" FOR UPDATE" if lock else ""), (number,)
        ).fetchone()


def by_id(conn: Connection[Any], id: int, *, lock: bool = False) -> GridEventRow | None:
    """The event of that id, locked until the transaction ends if asked."""
    with conn.cursor(row_factory=class_row(GridEventRow)) as cur:
        return cur.execute(
            SELECT + "WHERE id = %s" + (" FOR UPDATE" if lock else ""), (id,)
        ).fetchone()


def root_of(conn: Connection[Any], id: int) -> GridEventRow:
    """The event of that id, or where it was merged the one that stands for it now, locked."""
    return roots_of(conn, (id,))[id]


def roots_of(conn: Connection[Any], ids: Collection[int]) -> dict[int, GridEventRow]:
    """By id, the events or where they were merged those that stand for them now, locked.

    Raises LookupError where one is not there.
    """
    rows: dict[int, GridEventRow] = {}
    wanted = set(ids)
    while wanted:  # in one order everywhere: nobody waits in a circle
        with conn.cursor(row_factory=class_row(GridEventRow)) as cur:
            found = cur.execute(
                SELECT + "WHERE id = ANY (%s) ORDER BY id FOR UPDATE", (sorted(wanted),)
            ).fetchall()
        rows |= {row.id: row for row in found}
        if missing := wanted - rows.keys():
            raise LookupError(f"there is no grid event with id {min(missing)}")
        wanted = {row.parent for row in found if row.parent is not None} - rows.keys()
    return {id: _root(rows, rows[id]) for id in ids}


def _root(rows: Mapping[int, GridEventRow], row: GridEventRow) -> GridEventRow:
    while row.parent is not None:
        row = rows[row.parent]
    return row


def move(conn: Connection[Any], id: int, state: str, changes: Mapping[str, object]) -> GridEventRow:
    """The event after a step that its history records: its version goes up by one.

    For `record_step` alone: the database refuses a state without the entry that tells it.
    """
    return _update(
        conn, id, changes, sql.SQL("state = {}, version = version + 1").format(sql.Literal(state))
    )


def note(conn: Connection[Any], id: int, changes: Mapping[str, object]) -> GridEventRow:
    """The event after something was seen of it that is no act: the version stays.

    Otherwise every frame of a burning fire would be in the way of the operator who judges it.
    """
    return _update(conn, id, changes, None)


def _update(
    conn: Connection[Any], id: int, changes: Mapping[str, object], further: sql.Composable | None
) -> GridEventRow:
    wrong = [c for c in changes if c in _FIXED or c not in COLUMNS]
    if wrong:
        raise ValueError(f"grid events have no changeable column {', '.join(wrong)}")
    sets: list[sql.Composable] = [
        sql.SQL("{} = {}").format(sql.Identifier(c), sql.Placeholder(c)) for c in changes
    ]
    if further is not None:
        sets.append(further)
    statement = sql.SQL("UPDATE grid_event SET {} WHERE id = %(id)s RETURNING {}").format(
        sql.SQL(", ").join(sets), sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    )
    with conn.cursor(row_factory=class_row(GridEventRow)) as cur:
        values = {c: Jsonb(v) if isinstance(v, dict) else v for c, v in changes.items()}
        row = cur.execute(statement, {**values, "id": id}).fetchone()
    if row is None:
        raise LookupError(f"there is no grid event with id {id}")
    return row


def see(conn: Connection[Any], seen: Mapping[int, datetime]) -> None:
    """These events, by id, were last seen then. Locked, as for `note`."""
    conn.execute(
        """
        UPDATE grid_event e SET last_seen_at = s.at
        FROM unnest(%s::bigint[], %s::timestamptz[]) AS s (id, at) WHERE e.id = s.id
        """,
        (list(seen), list(seen.values())),
    )


def note_judged(conn: Connection[Any], judged: Mapping[int, Mapping[str, Any]]) -> None:
    """Why these events, by id, were not filed by themselves. Locked, as for `note`."""
    conn.execute(
        """
        UPDATE grid_event e SET by_itself = j.why
        FROM unnest(%s::bigint[], %s::jsonb[]) AS j (id, why) WHERE e.id = j.id
        """,
        (list(judged), [Jsonb(why) for why in judged.values()]),
    )


def append_history(conn: Connection[Any], entries: Sequence[HistoryRow]) -> None:
    """Add these entries to the histories of their events."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO grid_event_history (event, n, at, name, from_state, to_state, role, actor,
                                            reason, facts, prev_hash, hash)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    entry.event,
                    entry.n,
                    entry.at,
                    entry.name,
                    entry.from_state,
                    entry.to_state,
                    entry.role,
                    entry.actor,
                    entry.reason,
                    Jsonb(entry.facts),
                    entry.prev_hash,
                    entry.hash,
                )
                for entry in entries
            ],
        )


def history(conn: Connection[Any], event: int) -> list[HistoryRow]:
    """Every entry of the history of an event, the first first."""
    with conn.cursor(row_factory=class_row(HistoryRow)) as cur:
        return cur.execute(
            "SELECT * FROM grid_event_history WHERE event = %s ORDER BY n", (event,)
        ).fetchall()


def last_hash(conn: Connection[Any], event: int) -> str:
    """The hash of the last history entry of an event."""
    row = conn.execute(
        "SELECT hash FROM grid_event_history WHERE event = %s ORDER BY n DESC LIMIT 1", (event,)
    ).fetchone()
    if row is None:
        raise LookupError(f"grid event {event} has no history")
    return str(row[0])


def place_unplaced(
    conn: Connection[Any], agent: str, stream: str, position: Point, cell: str | None
) -> list[str]:
    """Give live events that this stream saw its position, now that it is known; their numbers."""
    return [
        str(number)
        for (number,) in conn.execute(
            """
            UPDATE grid_event SET lon = %s, lat = %s, cell = %s
            WHERE lon IS NULL AND ended_at IS NULL AND id IN (
                SELECT event FROM detection WHERE agent = %s AND stream = %s)
            RETURNING number
            """,
            (position.lon, position.lat, cell, agent, stream),
        )
    ]


def see_scenes(conn: Connection[Any], ids: Collection[int], at: datetime) -> None:
    """Note whether the scenes of these events are clear: they are once every detection is.

    A detection that was lost sight of is no longer waited for; what was merged into an event counts
    with it.

    at: the hub's time, since when they then are; the agent's clock may be wrong.
    """
    conn.execute(
        """
        WITH RECURSIVE family (root, event) AS (
            SELECT id, id FROM unnest(%(ids)s::bigint[]) AS w (id)
            UNION
            SELECT f.root, g.id FROM family f JOIN grid_event g ON g.parent = f.event
        )
        UPDATE grid_event e SET scene_cleared_at = s.cleared_at
        FROM (SELECT f.root, CASE WHEN bool_and(phase = 'cleared' OR lost_sight_at IS NOT NULL)
                                  THEN %(at)s::timestamptz END
              FROM family f JOIN detection d ON d.event = f.event
              GROUP BY f.root) AS s (event, cleared_at)
        WHERE e.id = s.event AND e.ended_at IS NULL
          AND (e.scene_cleared_at IS NULL) <> (s.cleared_at IS NULL)
        """,
        {"at": at, "ids": sorted(ids)},
    )


def numbers_of(conn: Connection[Any], ids: Collection[int]) -> list[str]:
    """The numbers of the events with these ids."""
    return [
        str(number)
        for (number,) in conn.execute(
            "SELECT number FROM grid_event WHERE id = ANY (%s) ORDER BY number", (sorted(ids),)
        )
    ]


def note_sealed(conn: Connection[Any], sealed: Sequence[tuple[int, int]]) -> None:
    """So many entries, (event, n), are under a checkpoint now."""
    conn.execute(
        """
        UPDATE grid_event e SET sealed = s.n
        FROM unnest(%s::bigint[], %s::integer[]) AS s (id, n) WHERE e.id = s.id
        """,
        ([id for id, _ in sealed], [n for _, n in sealed]),
    )


def live_after(conn: Connection[Any], id: int, limit: int, *, lock: bool) -> list[GridEventRow]:
    """Events that have not ended, by id from the one after `id` on, locked if asked."""
    with conn.cursor(row_factory=class_row(GridEventRow)) as cur:
        return cur.execute(
            SELECT
            + "WHERE ended_at IS NULL AND id > %s ORDER BY id LIMIT %s"
            + (" FOR UPDATE" if lock else ""),
            (id, limit),
        ).fetchall()
