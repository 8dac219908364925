"""The trust table: what every stream has earned for each class that people judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from hub.domain.actor import Role
from hub.domain.categories import SubCategory
from hub.domain.notice import NoticeKind
from hub.domain.trust import Trust, trust_of
from hub.services.context import Hub
from hub.services.outward.tell import tell_holders
from hub.store import judged, views
from hub.store.judged import StreamClass
from hub.store.rows import GridEventRow

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


def earned_by(conn: Connection[Any], hub: Hub, event: int) -> dict[StreamClass, Trust]:
    """Those streams and classes that feed an event and file by themselves now, with their trust."""
    rules = {}
    for key in judged.feeding(conn, event):
        what = hub.categories.opened_by(key.kind, key.label)
        if what is not None and hub.categories.bar(what).on:
            rules[key] = hub.categories.trust_rule(what)
    window = max((rule.window for rule in rules.values()), default=0)
    verdicts = judged.last(conn, rules, window)
    found = {key: trust_of(verdicts[key], rule) for key, rule in rules.items()}
    return {key: trust for key, trust in found.items() if trust.earned}


def tell_of_lost_trust(
    conn: Connection[Any], hub: Hub, event: GridEventRow, before: Mapping[StreamClass, Trust]
) -> None:
    """The dispatchers hear which of these no longer file by themselves after a verdict."""
    if not before:
        return
    now = earned_by(conn, hub, event.id)
    names = views.names(conn)
    for key in sorted(set(before) - set(now)):
        name = names.get((key.agent, key.stream)) or f"{key.agent}/{key.stream}"
        tell_holders(
            conn,
            hub,
            NoticeKind.TRUST_LOST,
            event,
            Role.DISPATCHER,
            subject=f"{name} ({key.label})",
            body=f"{event.number}: {before[key].bound:.2f}",
            occasion=f"{event.version} {'/'.join(key)}",
        )
