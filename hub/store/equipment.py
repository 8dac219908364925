"""Terminals and budget lines: what a cell needs beside its people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection


@dataclass(frozen=True, slots=True)
class TerminalRow:
    """The phone or tablet somebody is reached and reports by; person None: in the cupboard."""

    code: str
    person: str | None
    model: str
    phone: str
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """What a year's work of a cell may cost, in fen (hundredths of a yuan)."""

    cell: str
    year: int
    amount_fen: int
    note: str


def save_terminals(conn: Connection[Any], rows: Iterable[TerminalRow]) -> None:
    """Take terminals over; one that is there is changed."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO terminal (code, person, model, phone, retired_at)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (code) DO UPDATE SET
                person = excluded.person, model = excluded.model, phone = excluded.phone,
                retired_at = excluded.retired_at
            """,
            [(t.code, t.person, t.model, t.phone, t.retired_at) for t in rows],
        )


def save_budget(conn: Connection[Any], lines: Iterable[BudgetLine]) -> None:
    """Take budget lines over; one that is there is changed."""
    with conn.cursor() as cur:
        cur.executemany(
            """
            INSERT INTO budget_line (cell, year, amount_fen, note) VALUES (%s, %s, %s, %s)
            ON CONFLICT (cell, year) DO UPDATE SET
                amount_fen = excluded.amount_fen, note = excluded.note
            """,
            [(b.cell, b.year, b.amount_fen, b.note) for b in lines],
        )
