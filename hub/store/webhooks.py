"""Webhooks and the messages that wait for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import class_row

DeliveryState = Literal["waiting", "delivered", "dead"]


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """Another system that is told of steps."""

    id: int
    url: str
    note: str
    secret: str
    secret_before: str | None
    secret_before_until: datetime | None
    steps: list[str]
    severities: list[str]
    cell: str
    tests: bool
    made_at: datetime
    made_by: str
    stopped_at: datetime | None
    stopped_why: str | None
    failures: int
    failing_since: datetime | None
    next_at: datetime
    claimed_until: datetime | None


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook with how far it has come; its secret is left out."""

    id: int
    url: str
    note: str
    steps: list[str]
    severities: list[str]
    cell: str
    tests: bool
    made_at: datetime
    made_by: str
    stopped_at: datetime | None
    stopped_why: str | None
    failures: int
    failing_since: datetime | None
    next_at: datetime
    waiting: int
    dead: int
    oldest_at: datetime | None  # of what waits
    delivered_at: datetime | None  # the last one


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A message whose turn it is, with what it tells."""

    id: int
    attempts: int
    queued_at: datetime
    name: str | None  # of the step; None: a test message
    n: int | None
    at: datetime | None
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A message as a list shows it."""

    id: int
    number: str | None  # of the grid event
    n: int | None
    step: str | None
    state: str
    attempts: int
    queued_at: datetime
    next_at: datetime
    last_at: datetime | None
    last_status: int | None
    last_error: str | None
    ended_at: datetime | None


def insert(
    conn: Connection[Any],
    *,
    url: str,
    note: str,
    secret: str,
    steps: list[str],
    severities: list[str],
    cell: str,
    tests: bool,
    at: datetime,
    by: str,
) -> int:
    """The id of a new webhook; what happens from now on is for it."""
    row = conn.execute(
        """
        INSERT INTO webhook (url, note, secret, steps, severities, cell, tests, made_at, made_by,
            next_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
        """,
        (url, note, secret, steps, severities, cell, tests, at, by, at),
    ).fetchone()
    assert row is not None
    return int(row[0])


def by_id(conn: Connection[Any], id: int, *, lock: bool = False) -> WebhookRow | None:
    """The webhook of that id, locked until the transaction ends if asked."""
    with conn.cursor(row_factory=class_row(WebhookRow)) as cur:
        return cur.execute(
            "SELECT * FROM webhook WHERE id = %s" + (" FOR UPDATE" if lock else ""), (id,)
        ).fetchone()


def views(conn: Connection[Any], id: int | None = None) -> list[WebhookView]:
    """Every webhook, or the one of that id, in the order they were made."""
    with conn.cursor(row_factory=class_row(WebhookView)) as cur:
        return cur.execute(
            """
            SELECT w.id, w.url, w.note, w.steps, w.severities, w.cell, w.tests, w.made_at,
                   w.made_by, w.stopped_at, w.stopped_why, w.failures, w.failing_since, w.next_at,
                   (SELECT count(*) FROM webhook_delivery d
                    WHERE d.webhook = w.id AND d.state = 'waiting') AS waiting,
                   (SELECT count(*) FROM webhook_delivery d
                    WHERE d.webhook = w.id AND d.state = 'dead') AS dead,
                   (SELECT min(queued_at) FROM webhook_delivery d
                    WHERE d.webhook = w.id AND d.state = 'waiting') AS oldest_at,
                   (SELECT max(ended_at) FROM webhook_delivery d
                    WHERE d.webhook = w.id AND d.state = 'delivered') AS delivered_at
            FROM webhook w WHERE %(id)s::bigint IS NULL OR w.id = %(id)s ORDER BY w.id
            """,
            {"id": id},
        ).fetchall()


def remove(conn: Connection[Any], id: int) -> bool:
    """Forget a webhook and everything that waits for it; whether there was one."""
    return conn.execute("DELETE FROM webhook WHERE id = %s", (id,)).rowcount == 1


def replace_secret(conn: Connection[Any], id: int, secret: str, before_until: datetime) -> None:
    """From now on it signs; the one before signs too until then."""
    conn.execute(
        "UPDATE webhook SET secret_before = secret, secret_before_until = %s, secret = %s"
        " WHERE id = %s",
        (before_until, secret, id),
    )


def stop(conn: Connection[Any], id: int, why: str, at: datetime) -> None:
    """Send nothing until it is started; what happens meanwhile waits."""
    conn.execute(
        "UPDATE webhook SET stopped_at = coalesce(stopped_at, %s),"
        " stopped_why = coalesce(stopped_why, %s) WHERE id = %s",
        (at, why, id),
    )


def start(conn: Connection[Any], id: int, at: datetime) -> None:
    """Send again, from now on and without waiting for the next attempt."""
    conn.execute(
        "UPDATE webhook SET stopped_at = NULL, stopped_why = NULL, next_at = %s WHERE id = %s",
        (at, id),
    )


def share(conn: Connection[Any], outbox: list[int], at: datetime) -> int:
    """Queue these rows of the outbox for every webhook that wants them; how many messages.

    A stopped webhook is given it too: it loses nothing.
    """
    return conn.execute(
        """
        INSERT INTO webhook_delivery (webhook, outbox, event, queued_at, next_at)
        SELECT w.id, o.id, o.event, %(at)s, %(at)s
        FROM outbox o JOIN webhook w
          ON (w.steps = '{}' OR o.name = ANY (w.steps))
         AND (w.severities = '{}' OR o.data->>'severity' = ANY (w.severities))
         AND (w.cell = '' OR starts_with(coalesce(o.data->>'cell', ''), w.cell))
         AND (w.tests OR NOT (o.data->>'test')::boolean)
        WHERE o.id = ANY (%(outbox)s)
        ORDER BY o.id, w.id
        """,
        {"outbox": outbox, "at": at},
    ).rowcount


def queue_test(conn: Connection[Any], id: int, at: datetime) -> int:
    """The id of a test message that waits for that webhook."""
    row = conn.execute(
        "INSERT INTO webhook_delivery (webhook, queued_at, next_at) VALUES (%s, %s, %s)"
        " RETURNING id",
        (id, at, at),
    ).fetchone()
    assert row is not None
    return int(row[0])


def claim(conn: Connection[Any], now: datetime, until: datetime) -> WebhookRow | None:
    """A webhook for which something is due; nobody else is at it before `until`."""
    with conn.cursor(row_factory=class_row(WebhookRow)) as cur:
        return cur.execute(
            """
            UPDATE webhook SET claimed_until = %(until)s WHERE id = (
                SELECT id FROM webhook w
                WHERE stopped_at IS NULL AND next_at <= %(now)s
                  AND (claimed_until IS NULL OR claimed_until <= %(now)s)
                  AND EXISTS (SELECT FROM webhook_delivery d
                              WHERE d.webhook = w.id AND d.state = 'waiting'
                                AND d.next_at <= %(now)s
                                AND NOT EXISTS (SELECT FROM webhook_delivery e
                                                WHERE e.webhook = d.webhook AND e.event = d.event
                                                  AND e.outbox < d.outbox
                                                  AND e.state = 'waiting'))
                ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING *
            """,
            {"now": now, "until": until},
        ).fetchone()


def release(conn: Connection[Any], id: int, claimed_until: datetime) -> None:
    """Let others at it, unless it was claimed anew."""
    conn.execute(
        "UPDATE webhook SET claimed_until = NULL WHERE id = %s AND claimed_until = %s",
        (id, claimed_until),
    )


def next_due(conn: Connection[Any], webhook: int, now: datetime) -> DueDelivery | None:
    """The message whose turn it is: the first that is due and no earlier one of its event waits."""
    with conn.cursor(row_factory=class_row(DueDelivery)) as cur:
        return cur.execute(
            """
            SELECT d.id, d.attempts, d.queued_at, o.name, o.n, o.at, o.data
            FROM webhook_delivery d LEFT JOIN outbox o ON o.id = d.outbox
            WHERE d.webhook = %(webhook)s AND d.state = 'waiting' AND d.next_at <= %(now)s
              AND NOT EXISTS (SELECT FROM webhook_delivery e
                              WHERE e.webhook = d.webhook AND e.event = d.event
                                AND e.outbox < d.outbox AND e.state = 'waiting')
            ORDER BY d.next_at, d.id LIMIT 1
            """,
            {"webhook": webhook, "now": now},
        ).fetchone()


def delivered(conn: Connection[Any], webhook: int, id: int, status: int, at: datetime) -> None:
    """The receiver took it: the webhook works."""
    conn.execute(
        """
        UPDATE webhook_delivery SET state = 'delivered', attempts = attempts + 1, last_at = %(at)s,
            last_status = %(status)s, last_error = NULL, ended_at = %(at)s WHERE id = %(id)s
        """,
        {"at": at, "status": status, "id": id},
    )
    conn.execute(
        "UPDATE webhook SET failures = 0, failing_since = NULL, next_at = %s"
        " WHERE id = %s AND failures > 0",
        (at, webhook),
    )


def refused(
    conn: Connection[Any],
    id: int,
    *,
    status: int | None,
    error: str,
    at: datetime,
    again_at: datetime | None,
) -> None:
    """It was not taken; it is tried again then, or is dead for None."""
    conn.execute(
        """
        UPDATE webhook_delivery SET attempts = attempts + 1, last_at = %(at)s,
            last_status = %(status)s, last_error = %(error)s,
            next_at = coalesce(%(again)s, next_at),
            state = CASE WHEN %(again)s::timestamptz IS NULL THEN 'dead' ELSE 'waiting' END,
            ended_at = CASE WHEN %(again)s::timestamptz IS NULL THEN %(at)s::timestamptz END
        WHERE id = %(id)s
        """,
        {"id": id, "status": status, "error": error, "at": at, "again": again_at},
    )


def is_down(conn: Connection[Any], id: int, at: datetime, again_at: datetime) -> None:
    """The receiver as a whole failed once more: nothing is sent before `again_at`."""
    conn.execute(
        "UPDATE webhook SET failures = failures + 1,"
        " failing_since = coalesce(failing_since, %s), next_at = %s WHERE id = %s",
        (at, again_at, id),
    )


def deliveries(
    conn: Connection[Any],
    webhook: int,
    state: DeliveryState | None,
    before: int | None,
    limit: int,
) -> list[DeliveryView]:
    """Messages to a webhook, the newest first."""
    with conn.cursor(row_factory=class_row(DeliveryView)) as cur:
        return cur.execute(
            """
            SELECT d.id, g.number, o.n, o.name AS step, d.state, d.attempts, d.queued_at, d.next_at,
                   d.last_at, d.last_status, d.last_error, d.ended_at
            FROM webhook_delivery d LEFT JOIN outbox o ON o.id = d.outbox
            LEFT JOIN grid_event g ON g.id = d.event
            WHERE d.webhook = %(webhook)s AND (%(state)s::text IS NULL OR d.state = %(state)s)
              AND d.id < %(before)s
            ORDER BY d.id DESC LIMIT %(limit)s
            """,
            {
                "webhook": webhook,
                "state": state,
                "before": before if before is not None else 2**62,
                "limit": limit,
            },
        ).fetchall()


def redeliver(
    conn: Connection[Any], webhook: int, ids: list[int] | None, at: datetime
) -> list[int]:
    """Let these wait again, or all dead ones for None; which were found."""
    return [
        int(id)
        for (id,) in conn.execute(
            """
            UPDATE webhook_delivery SET state = 'waiting', ended_at = NULL, next_at = %(at)s,
                attempts = 0, queued_at = %(at)s
            WHERE webhook = %(webhook)s
              AND (id = ANY (%(ids)s) OR (%(ids)s::bigint[] IS NULL AND state = 'dead'))
            RETURNING id
            """,
            {"webhook": webhook, "ids": ids, "at": at},
        )
    ]


def prune_tests(conn: Connection[Any], before: datetime) -> None:
    """Forget test messages that ended before then."""
    conn.execute("DELETE FROM webhook_delivery WHERE outbox IS NULL AND ended_at < %s", (before,))
