"""Sessions of browsers, links that begin one, and tries to sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

_RECENT = "60 seconds"  # `seen_at` is written this often at most
_COLUMNS = "id, account, begun_at, seen_at, expires_at, ended_at, address, browser, role, unit"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in with one browser."""

    id: int
    account: int
    begun_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    address: str
    browser: str
    role: str | None  # in which they act; None: the account's
    unit: str | None


def begin_session(
    conn: Connection[Any],
    account: int,
    token_hash: str,
    *,
    at: datetime,
    until: datetime,
    address: str,
    browser: str,
) -> int:
    """The id of a new session."""
    row = conn.execute(
        """
        INSERT INTO account_session
            (account, token_hash, begun_at, seen_at, expires_at, address, browser)
        VALUES (%(account)s, %(hash)s, %(at)s, %(at)s, %(until)s, %(address)s, %(browser)s)
        RETURNING id
        """,
        {
            "account": account,
            "hash": token_hash,
            "at": at,
            "until": until,
            "address": address,
            "browser": browser,
        },
    ).fetchone()
    assert row is not None
    return int(row[0])


def use_session(
    conn: Connection[Any], token_hash: str, at: datetime, idle_since: datetime
) -> Session | None:
    """The session with that token, seen just now; None where it ended, expired or stood idle."""
    with conn.cursor(row_factory=class_row(Session)) as cur:
        found = cur.execute(
            f"""
            SELECT {_COLUMNS} FROM account_session
            WHERE token_hash = %s AND ended_at IS NULL AND expires_at > %s AND seen_at > %s
            """,
            (token_hash, at, idle_since),
        ).fetchone()
    if found is not None:
        conn.execute(
            f"""
            UPDATE account_session SET seen_at = %(at)s
            WHERE id = %(id)s AND seen_at < %(at)s::timestamptz - interval '{_RECENT}'
            """,
            {"id": found.id, "at": at},
        )
    return found


def open_sessions(conn: Connection[Any], account: int, at: datetime) -> list[Session]:
    """The sessions of an account that have not ended, the latest used first."""
    with conn.cursor(row_factory=class_row(Session)) as cur:
        return cur.execute(
            f"""
            SELECT {_COLUMNS} FROM account_session
            WHERE account = %s AND ended_at IS NULL AND expires_at > %s
            ORDER BY seen_at DESC, id DESC LIMIT 100
            """,
            (account, at),
        ).fetchall()


def act_in(conn: Connection[Any], id: int, role: str, unit: str | None) -> None:
    """From now on whoever is signed in acts in that role, for that unit."""
    conn.execute("UPDATE account_session SET role = %s, unit = %s WHERE id = %s", (role, unit, id))


def end_session(conn: Connection[Any], id: int, at: datetime) -> None:
    """Signed out."""
    conn.execute(
        "UPDATE account_session SET ended_at = %s WHERE id = %s AND ended_at IS NULL", (at, id)
    )


def end_sessions(conn: Connection[Any], account: int, at: datetime) -> int:
    """Signed out everywhere; of how many sessions."""
    return conn.execute(
        "UPDATE account_session SET ended_at = %s WHERE account = %s AND ended_at IS NULL",
        (at, account),
    ).rowcount


def add_link(
    conn: Connection[Any], account: int, token_hash: str, *, at: datetime, until: datetime
) -> None:
    """A link that signs this account in once."""
    conn.execute(
        "INSERT INTO sign_in_link (token_hash, account, made_at, expires_at)"
        " VALUES (%s, %s, %s, %s)",
        (token_hash, account, at, until),
    )


def use_link(conn: Connection[Any], token_hash: str, at: datetime) -> int | None:
    """The account of a link, which is used up by this; None where it was, or is too old."""
    row = conn.execute(
        """
        UPDATE sign_in_link SET used_at = %(at)s
        WHERE token_hash = %(hash)s AND used_at IS NULL AND expires_at > %(at)s
        RETURNING account
        """,
        {"hash": token_hash, "at": at},
    ).fetchone()
    return int(row[0]) if row else None


def add_try(conn: Connection[Any], login_key: str, net: str, at: datetime) -> int:
    """The id of a try, which counts as failed until it is said to have succeeded."""
    row = conn.execute(
        "INSERT INTO sign_in_try (at, login_key, net) VALUES (%s, %s, %s) RETURNING id",
        (at, login_key, net),
    ).fetchone()
    assert row is not None
    return int(row[0])


def try_succeeded(conn: Connection[Any], id: int) -> None:
    """It was the right password."""
    conn.execute("UPDATE sign_in_try SET succeeded = true WHERE id = %s", (id,))


def nth_failure_of_login(
    conn: Connection[Any], login_key: str, net: str, *, n: int, since: datetime, known: datetime
) -> datetime | None:
    """When the n-th latest try of this login failed, since then and since it last succeeded.

    From a net that it signed in from after `known`, only failures from there count: nobody else
    can lock its owner out.
    """
    row = conn.execute(
        """
        WITH good AS (
            SELECT max(at) AS at, bool_or(net = %(net)s) AS here FROM sign_in_try
            WHERE login_key = %(login)s AND succeeded AND at > %(known)s
        )
        SELECT t.at FROM sign_in_try t, good
        WHERE t.login_key = %(login)s AND NOT t.succeeded AND t.at > %(since)s
          AND (good.at IS NULL OR t.at > good.at)
          AND (good.here IS NOT TRUE OR t.net = %(net)s)
        ORDER BY t.at DESC OFFSET %(skip)s LIMIT 1
        """,
        {"login": login_key, "net": net, "since": since, "known": known, "skip": n - 1},
    ).fetchone()
    return row[0] if row else None


def nth_failure_of_net(
    conn: Connection[Any], net: str, *, n: int, since: datetime
) -> datetime | None:
    """When the n-th latest try from there failed, since then."""
    row = conn.execute(
        """
        SELECT at FROM sign_in_try WHERE net = %s AND NOT succeeded AND at > %s
        ORDER BY at DESC OFFSET %s LIMIT 1
        """,
        (net, since, n - 1),
    ).fetchone()
    return row[0] if row else None


def forget(conn: Connection[Any], before: datetime, limit: int) -> int:
    """Delete tries, links and sessions that were over before then, so many at most; how many."""
    gone = 0
    for table, key, over in (
        ("sign_in_try", "id", "at"),
        ("sign_in_link", "token_hash", "expires_at"),
        ("account_session", "id", "coalesce(ended_at, expires_at)"),
    ):
        gone += conn.execute(
            f"""
            DELETE FROM {table} WHERE {key} IN (
                SELECT {key} FROM {table} WHERE {over} < %s LIMIT %s FOR UPDATE SKIP LOCKED
            )
            """.encode(),
            (before, limit),
        ).rowcount
    return gone
