"""The trust table: what every stream has earned for each class that people judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from hub.domain.categories import SubCategory
from hub.domain.trust import Trust, trust_of
from hub.services.context import Hub
from hub.store import judged
from hub.store.judged import StreamClass

MOST = 2000  # streams and classes of one table
_PAST = 1000  # verdicts looked back on to tell since when


@dataclass(frozen=True, slots=True)
class TrustRow:
    """One stream and class with what it has to meet and what it has."""

    of: StreamClass
    what: SubCategory | None  # what its detections open; None: nothing
    on: bool  # the category files by itself
    target: float
    least: int
    trust: Trust


def trust_table(conn: Connection[Any], hub: Hub, agent: str | None = None) -> list[TrustRow]:
    """Every stream and class that was judged: those that earned trust first, then by name."""
    known = judged.known(conn, agent, MOST)
    verdicts = judged.last(conn, known, _PAST)
    rows = []
    for key in known:
        what = hub.categories.opened_by(key.kind, key.label)
        rule = hub.categories.trust_rule(what)
        rows.append(
            TrustRow(
                key,
                what,
                what is not None and hub.categories.bar(what).on,
                rule.target,
                rule.least,
                trust_of(verdicts[key], rule),
            )
        )
    return sorted(rows, key=lambda r: (not r.trust.earned, r.of))
