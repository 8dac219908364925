"""API tokens: what programs send instead of a session."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from hub.domain.actor import Role

_RECENT = "60 seconds"  # `last_used_at` is written this often at most


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is known once it was shown: without the token."""

    id: int
    account: int
    login: str
    name: str
    role: Role
    cells: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None
    last_used_from: str | None
    revoked_at: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))
        object.__setattr__(self, "cells", tuple(self.cells))


_COLUMNS = ", ".join(f"a.{f.name}" if f.name == "login" else f"t.{f.name}" for f in fields(Token))
_FROM = "FROM api_token t JOIN account a ON a.id = t.account"


def add_token(
    conn: Connection[Any],
    account: int,
    token_hash: str,
    *,
    name: str,
    role: str,
    cells: Collection[str],
    by: str,
    at: datetime,
    until: datetime,
) -> int:
    """The id of a new token."""
    row = conn.execute(
        """
        INSERT INTO api_token
            (account, name, token_hash, role, cells, created_at, created_by, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
        """,
        (account, name, token_hash, str(role), list(cells), at, by, until),
    ).fetchone()
    assert row is not None
    return int(row[0])


def use_token(conn: Connection[Any], token_hash: str, at: datetime, address: str) -> Token | None:
    """The token with that hash, used just now; None where it was revoked or is too old."""
    with conn.cursor(row_factory=class_row(Token)) as cur:
        found = cur.execute(
            f"SELECT {_COLUMNS} {_FROM} WHERE t.token_hash = %s AND t.revoked_at IS NULL"
            " AND t.expires_at > %s",
            (token_hash, at),
        ).fetchone()
    if found is not None:
        conn.execute(
            f"""
            UPDATE api_token SET last_used_at = %(at)s, last_used_from = %(from)s
            WHERE id = %(id)s AND (last_used_at IS NULL
                OR last_used_at < %(at)s::timestamptz - interval '{_RECENT}')
            """,
            {"id": found.id, "at": at, "from": address},
        )
    return found


def every_token(conn: Connection[Any], account: int | None = None) -> list[Token]:
    """The tokens of one account or of all, the revoked ones too, the newest first."""
    with conn.cursor(row_factory=class_row(Token)) as cur:
        return cur.execute(
            f"SELECT {_COLUMNS} {_FROM} WHERE %(account)s::bigint IS NULL"
            " OR t.account = %(account)s ORDER BY t.id DESC",
            {"account": account},
        ).fetchall()


def revoke_token(conn: Connection[Any], id: int, at: datetime) -> Token | None:
    """The token, from now on of no use; None where there is none with that id."""
    conn.execute(
        "UPDATE api_token SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL", (at, id)
    )
    with conn.cursor(row_factory=class_row(Token)) as cur:
        return cur.execute(f"SELECT {_COLUMNS} {_FROM} WHERE t.id = %s", (id,)).fetchone()


def revoke_tokens(conn: Connection[Any], account: int, at: datetime) -> int:
    """All tokens of an account are of no use from now on; how many were."""
    return conn.execute(
        "UPDATE api_token SET revoked_at = %s WHERE account = %s AND revoked_at IS NULL",
        (at, account),
    ).rowcount
