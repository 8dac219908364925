"""The facts of cases from the database: kept for those that are over, computed for all others.

What is kept follows from the history, the calendar and the limits alone; it is computed anew
whenever one of them says something else, and may be emptied at any time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from contract.taxonomy import Category
from hub.domain.case_facts import Case, CaseFacts, facts_of
from hub.domain.event_clock import Subject, limits_of
from hub.domain.period import Period
from hub.services.context import Hub
from hub.services.event_clock import entry_of, severities_of
from hub.services.recompute_deadlines import rules_fingerprint
from hub.store import case_facts
from hub.store.case_facts import CaseRow, KeptFacts
from hub.store.rows import HistoryRow

AT_ONCE = 500  # cases in one transaction
FORMULAS = 1  # raised with every change of what facts are made of: kept ones are computed anew

_write = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(CaseFacts).decode


def count_finished(conn: Connection[Any], hub: Hub) -> int:
    """Compute and keep the facts of finished cases that wait for it; how many were taken up.

    One bounded piece, safe with several hubs at once. Commit after it.
    """
    claimed = case_facts.claim_pending(conn, AT_ONCE)
    if not claimed:
        return 0
    rules = facts_fingerprint(hub)
    histories = _histories(conn, claimed)
    done = []
    for row in case_facts.rows(conn, claimed):
        entries = histories[row.id]
        if row.ended and entries and entries[-1].n == row.version:  # else it is moving: later
            done.append(_kept(hub, row, entries, rules))
    case_facts.keep(conn, done)
    case_facts.forget(conn, set(claimed) - {k.event for k in done})
    return len(claimed)


class FinishedCases:
    """Keeps the facts of what is over, a piece at a time. For one thread."""

    def __init__(self) -> None:
        self._looked = False

    def __call__(self, conn: Connection[Any], hub: Hub) -> int:
        """Take a piece up; at first, put in line what was computed by other rules."""
        if not self._looked:
            case_facts.renew(conn, facts_fingerprint(hub))
            self._looked = True
        return count_finished(conn, hub)


def cases_of(
    conn: Connection[Any],
    hub: Hub,
    period: Period,
    as_of: datetime,
    told: Callable[[int], None] = lambda n: None,
) -> Iterator[CaseFacts]:
    """The facts of every case that may count in the period, as they stood at `as_of`.

    told: hears how many were read so far, now and then. Reads one moment of the database where the
    transaction does.
    """
    rules = facts_fingerprint(hub)
    n = 0
    for facts in case_facts.kept(conn, period.since, period.until, as_of, rules):
        yield _read(facts)
        n += 1
        if n % 10_000 == 0:
            told(n)
    others = case_facts.not_kept(conn, period.since, period.until, as_of, rules)
    for begin in range(0, len(others), AT_ONCE):
        yield from computed(conn, hub, others[begin : begin + AT_ONCE], as_of)
        told(n + min(begin + AT_ONCE, len(others)))


def computed(
    conn: Connection[Any], hub: Hub, ids: Collection[int], as_of: datetime | None = None
) -> Iterator[CaseFacts]:
    """The facts of these cases out of their histories; those not begun by `as_of` are left out."""
    histories = _histories(conn, ids)
    for row in case_facts.rows(conn, ids):
        entries = histories[row.id]
        if entries and (as_of is None or entries[0].at <= as_of):
            yield facts_of(_case(hub, row, entries, as_of), hub.calendar, as_of)


def facts_fingerprint(hub: Hub) -> str:
    """The same as long as the same history has the same facts."""
    return hashlib.sha256(f"{FORMULAS} {rules_fingerprint(hub)}".encode()).hexdigest()[:16]


def _histories(conn: Connection[Any], ids: Collection[int]) -> dict[int, list[HistoryRow]]:
    """The histories of these cases; entries from before verdicts stood in them are told theirs."""
    found = case_facts.histories(conn, ids)
    for (event, n), verdict in case_facts.said(conn, ids).items():
        if n <= len(found[event]):
            found[event][n - 1].facts.setdefault("given", {}).setdefault("verdict", verdict)
    return found


def _kept(hub: Hub, row: CaseRow, entries: Sequence[HistoryRow], rules: str) -> KeptFacts:
    facts = facts_of(_case(hub, row, entries, None), hub.calendar)
    last_at = max(e.at for e in entries)
    moments = [f.belongs_at for f in facts.stages.values()]
    return KeptFacts(
        event=row.id,
        n=entries[-1].n,
        rules=rules,
        last_at=last_at,
        since=min([entries[0].at, *moments]),
        until=max([last_at, *moments]),
        facts=_write(facts),
    )


def _case(hub: Hub, row: CaseRow, entries: Sequence[HistoryRow], as_of: datetime | None) -> Case:
    then = _as_it_stood(row, entries, as_of)
    severities = severities_of(row.opened_at, row.severity, entries)
    if as_of is not None:
        severities = [s for i, s in enumerate(severities) if i == 0 or s[0] <= as_of]
    subject = Subject(then.state, then.subcategory, then.filing_condition, severities)
    told = [entry_of(e) for e in entries]
    return Case(
        number=row.number,
        category=Category(then.category),
        severity=severities[-1][1],
        entries=[replace(told[0], seen_at=told[0].seen_at or row.occurred_at), *told[1:]],
        limits=limits_of(subject, hub.categories, hub.calendar),
        cell=row.cell or "",
        stream=row.stream or "",
        recurrence_of=row.recurrence_of or "",
        severities=severities,
        by_severity=hub.categories.limits,
    )


def _as_it_stood(row: CaseRow, entries: Sequence[HistoryRow], as_of: datetime | None) -> CaseRow:
    """The row with what was changed after `as_of` taken back."""
    if as_of is None or entries[-1].at <= as_of:
        return row
    before: dict[str, Any] = {}
    for entry in reversed(entries):
        if entry.at <= as_of:
            break
        changed = entry.facts.get("changed", {})
        before |= {c: changed[c][0] for c in _CHANGEABLE if c in changed}
    return replace(row, **before)


_CHANGEABLE = ("category", "subcategory", "filing_condition")
