"""Evidence goes: because somebody says so, or because its time is over.

First the row says who, when and why, and every event it belonged to says it in its history; then,
after COMMIT, the bytes leave the disk. A hub that dies in between removes them at its next round.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.errors import NotAllowedError, NotFoundError
from hub.domain.retention import kept_until
from hub.services.context import Hub
from hub.services.evidence.evidence_acts import record_act
from hub.services.handed_in import MAX_REASON, check_text
from hub.services.reach import check_evidence_reach
from hub.store import changes, events, evidence_index, evidence_keeping
from hub.store.evidence_keeping import Kept
from hub.store.rows import EvidenceRow

RULE = Actor("retention", Role.RULE)
EXPIRED, NEVER_WHOLE = "its time is over", "it never arrived whole"
STEP = 200  # pieces in one transaction
LOOK_AGAIN = timedelta(days=7)  # a shorter setting takes effect within this time

_log = logging.getLogger(__name__)


def erase_evidence(
    conn: Connection[Any], hub: Hub, digest: str, reason: str, actor: Actor
) -> EvidenceRow:
    """Erase one picture or clip now; its row stays, with who, when and why.

    Call `remove_erased` once this is committed. Raises NotFoundError, InvalidError, GoneError,
    and NotAllowedError where it is held.
    """
    check_text("reason", reason, MAX_REASON, needed=True)
    row = evidence_index.by_digest(conn, digest)
    if row is None:
        raise NotFoundError("evidence", digest)
    check_evidence_reach(conn, digest, actor)
    found = _lock(conn, [digest])
    if not found:
        erased = evidence_index.by_digest(conn, digest)
        assert erased is not None
        evidence_index.check_not_erased(erased)
    if any(kept.held for kept in found):
        raise NotAllowedError(
            f"evidence {digest} is held and cannot be erased: release the hold first",
            action="erase_evidence",
        )
    _erase(conn, hub, found, reason, actor)
    after = evidence_index.by_digest(conn, digest)
    assert after is not None
    return after


def expire_evidence(conn: Connection[Any], hub: Hub) -> int:
    """Look at up to STEP pieces whose time may be over and erase those it is; how many looked at.

    What is held, or belongs to a case that is open, stays and is looked at again later.
    """
    now = hub.now()
    digests = evidence_keeping.to_look_at(conn, now, STEP)
    if not digests:
        return 0
    found = _lock(conn, digests)
    cases = evidence_keeping.cases(conn, {event for kept in found for event in kept.events})
    periods = hub.config.evidence.periods()
    again = {}
    due: list[Kept] = []
    for kept in found:
        until = kept_until(periods, kept.last_at, kept.complete, [cases[e] for e in kept.events])
        if until is not None and until <= now and not kept.held:
            due.append(kept)
        else:
            soonest = now + timedelta(days=1)
            again[kept.digest] = min(max(until or soonest, soonest), now + LOOK_AGAIN)
    for whole, why in ((True, EXPIRED), (False, NEVER_WHOLE)):
        _erase(conn, hub, [kept for kept in due if kept.complete is whole], why, RULE)
    evidence_keeping.look_again(conn, again)
    if due:
        _log.info("%d pieces of evidence were erased: their time is over", len(due))
    return len(digests)


def remove_erased(conn: Connection[Any], hub: Hub) -> int:
    """Take the bytes of up to STEP erased pieces off the disk; how many."""
    gone = []
    for digest in evidence_keeping.going(conn, STEP):
        try:
            hub.evidence.remove(digest)
        except OSError as e:
            _log.error("evidence %s cannot be removed, it is tried again: %s", digest, e)
        else:
            gone.append(digest)
    if gone:
        evidence_keeping.mark_gone(conn, gone, hub.now())
    return len(gone)


def _lock(conn: Connection[Any], digests: Collection[str]) -> list[Kept]:
    """This evidence, its events locked before it, in order."""
    for id in evidence_keeping.events_of(conn, digests):
        events.by_id(conn, id, lock=True)
    return evidence_keeping.lock(conn, digests)


def _erase(
    conn: Connection[Any], hub: Hub, found: Collection[Kept], why: str, actor: Actor
) -> None:
    if not found:
        return
    by_event: defaultdict[int, list[str]] = defaultdict(list)
    for kept in found:
        for event in kept.events:
            by_event[event].append(kept.digest)
    for id, digests in sorted(by_event.items()):
        row = events.by_id(conn, id, lock=True)
        assert row is not None
        record_act(conn, hub, row, "erase_evidence", actor, why, {"digests": digests})
    evidence_keeping.mark_erased(conn, [k.digest for k in found], hub.now(), actor.name, why)
    for kept in found:
        changes.tell(conn, "evidence", kept.digest)
