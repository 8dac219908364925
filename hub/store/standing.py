"""What the grid has of all that a cell needs, for the readiness check and the topology report."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from hub.domain.actor import Role
from hub.domain.readiness import Standing


def standing(conn: Connection[Any], at: datetime, zone: ZoneInfo) -> Standing:
    """Who holds which post, who has a terminal and an account, and which cells have money.

    zone: the district's, which says what year it is.
    """
    posts: dict[tuple[str, bool], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for role, cell, person, in_training in conn.execute(
        """
        SELECT o.role, o.cell, p.code, p.in_training
        FROM post o JOIN person p ON p.code = o.person
        WHERE o.role IN ('assistant', 'leader')
          AND o.from_at <= %(at)s AND (o.to_at IS NULL OR %(at)s < o.to_at)
          AND (p.left_at IS NULL OR %(at)s < p.left_at)
        """,
        {"at": at},
    ):
        posts[role, in_training][cell].add(person)
    trainees: dict[str, set[str]] = posts[Role.LEADER, True] | posts[Role.ASSISTANT, True]
    return Standing(
        leaders=posts[Role.LEADER, False],
        assistants=posts[Role.ASSISTANT, False],
        trainees=trainees,
        with_terminal=_column(
            conn,
            "SELECT person FROM terminal WHERE retired_at IS NULL AND person IS NOT NULL",
        ),
        with_account=_column(
            conn,
            "SELECT person FROM account WHERE person IS NOT NULL AND disabled_at IS NULL",
        ),
        budgeted=_column(
            conn, "SELECT cell FROM budget_line WHERE year = %s", at.astimezone(zone).year
        ),
    )


def owned(there: Standing) -> set[str]:
    """Codes of basic grids with an assistant and of secondary grids with a leader."""
    return {*there.leaders, *there.assistants}


def _column(conn: Connection[Any], query: str, *values: object) -> set[str]:
    return {str(value) for (value,) in conn.execute(query.encode(), values or None)}
