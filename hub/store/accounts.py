"""Accounts: who may use the hub, in which role, in which part of the grid."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from hub.domain.actor import Role


@dataclass(frozen=True, slots=True)
class Account:
    """A person who signs in, or a system that holds tokens.

    Of an account with a person, `role` and `unit` are those it is usually used in; in which it may
    be used, and where, their posts say.
    """

    id: int
    login: str
    person: str | None
    role: Role
    cells: tuple[str, ...]
    unit: str | None
    password_hash: str | None = field(repr=False)
    created_at: datetime
    created_by: str
    password_at: datetime | None
    disabled_at: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))
        object.__setattr__(self, "cells", tuple(self.cells))

    @property
    def name(self) -> str:
        """Who acts when this account is used: the person where one is known, else the login."""
        return self.person or self.login


_COLUMNS = ", ".join(f.name for f in fields(Account))


def every_account(conn: Connection[Any]) -> list[Account]:
    """All of them, the disabled ones too, by login."""
    with conn.cursor(row_factory=class_row(Account)) as cur:
        return cur.execute(f"SELECT {_COLUMNS} FROM account ORDER BY login_key").fetchall()


def account_of(conn: Connection[Any], login_key: str) -> Account | None:
    """The account of a login as it is compared, disabled or not."""
    with conn.cursor(row_factory=class_row(Account)) as cur:
        return cur.execute(
            f"SELECT {_COLUMNS} FROM account WHERE login_key = %s", (login_key,)
        ).fetchone()


def account_by_id(conn: Connection[Any], id: int) -> Account | None:
    """The account with that id, disabled or not."""
    with conn.cursor(row_factory=class_row(Account)) as cur:
        return cur.execute(f"SELECT {_COLUMNS} FROM account WHERE id = %s", (id,)).fetchone()


def add_account(
    conn: Connection[Any],
    *,
    login: str,
    login_key: str,
    role: str,
    cells: Collection[str],
    unit: str | None,
    person: str | None,
    password_hash: str | None,
    by: str,
    at: datetime,
) -> Account | None:
    """The new account; None where the login, or the person's account, is there already."""
    with conn.cursor(row_factory=class_row(Account)) as cur:
        return cur.execute(
            f"""
            INSERT INTO account (login, login_key, person, role, cells, unit, password_hash,
                                 created_at, created_by, password_at)
            VALUES (%(login)s, %(key)s, %(person)s, %(role)s, %(cells)s, %(unit)s, %(hash)s,
                    %(at)s, %(by)s,
                    CASE WHEN %(hash)s::text IS NOT NULL THEN %(at)s::timestamptz END)
            ON CONFLICT DO NOTHING RETURNING {_COLUMNS}
            """,
            {
                "login": login,
                "key": login_key,
                "person": person,
                "role": str(role),
                "cells": list(cells),
                "unit": unit,
                "hash": password_hash,
                "at": at,
                "by": by,
            },
        ).fetchone()


def set_password(conn: Connection[Any], id: int, password_hash: str, at: datetime) -> None:
    """From now on this password, and no other."""
    conn.execute(
        "UPDATE account SET password_hash = %s, password_at = %s WHERE id = %s",
        (password_hash, at, id),
    )


def set_disabled(conn: Connection[Any], id: int, at: datetime | None) -> None:
    """Disabled from `at` on; None: it may be used again."""
    conn.execute("UPDATE account SET disabled_at = %s WHERE id = %s", (at, id))
