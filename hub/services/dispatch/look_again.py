"""Once a case was dealt with, the cameras that saw it say whether they still do.

A camera looks at the same place all the time: its detector's word that it no longer sees the thing,
and the picture that comes with that word, are the second look. What they say becomes an entry of
the history; a rule closes the case by it where severity and category allow, else a person does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import Connection

from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.camera_word import Outcome, Sight, Word, together, word_of
from hub.domain.guards import Facts
from hub.domain.lifecycle import EventState
from hub.domain.sight import SILENT_AFTER
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.event_history import record_step
from hub.store import camera_looks, cohandlers, events
from hub.store.camera_looks import LookRow, SightRow
from hub.store.rows import GridEventRow

RULE = Actor("camera-check", Role.RULE)
AT_ONCE = 25  # events in one transaction
EVERY = timedelta(seconds=60)  # as long as it is being checked
PUT_OFF = timedelta(hours=1)
_LOOKED_AT = ("disposed", "checking")
_CLOSED_BY_RULE = (Severity.S3, Severity.S4)

_log = logging.getLogger(__name__)


def look_again(conn: Connection[Any], hub: Hub) -> int:
    """Look at what is due by now, for up to `AT_ONCE` events; how many were looked at."""
    due = camera_looks.due(conn, hub.now(), AT_ONCE)
    for look in due:
        try:
            with conn.transaction():
                _look(conn, hub, look)
        except psycopg.OperationalError:
            raise  # the database is away
        except Exception:  # noqa: BLE001 - logged; the others go on
            _log.exception("the cameras of event %d are asked again in an hour", look.event)
            camera_looks.put_off(conn, look.event, hub.now() + PUT_OFF)
    return len(due)


def _look(conn: Connection[Any], hub: Hub, look: LookRow) -> None:
    event = events.by_id(conn, look.event, lock=True)
    if event is None or event.state not in _LOOKED_AT:
        camera_looks.end(conn, look.event)
        return
    now = hub.now()
    sights = camera_looks.sights(conn, event.id, now - SILENT_AFTER)
    clear_for = timedelta(seconds=hub.categories.groups[event.merge_group].clear_s)
    words = [word_of(_sight(s), now, clear_for) for s in sights]
    outcome = together(words)
    camera_looks.put_off(conn, event.id, _next(words, now) if outcome is None else now + EVERY)
    if outcome is None:
        return
    cameras = [_told(s, w) for s, w in zip(sights, words, strict=True)]
    if (outcome, cameras) != (look.outcome, look.cameras):
        camera_looks.keep(conn, event.id, outcome, cameras, now)
        event = _note(conn, hub, event, outcome, cameras)
    if outcome is Outcome.CLEAR and _may_close(conn, hub, event):
        done = "the cameras that saw it see the place without it"
        act = Act("check_pass", reason=done, closing_condition_met=True)
        act_on_event(conn, hub, event.number, act, RULE, None)


def _note(
    conn: Connection[Any],
    hub: Hub,
    event: GridEventRow,
    outcome: Outcome,
    cameras: Sequence[dict[str, Any]],
) -> GridEventRow:
    """The event after the entry of its history that says what they said."""
    advance = hub.lifecycle.advance(EventState(event.state), "look_again", RULE, Facts(hub.now()))
    said = [{k: c[k] for k in ("camera", "why", "after") if c[k] is not None} for c in cameras]
    given = {"outcome": outcome.value, "cameras": said}
    return record_step(conn, hub, event, advance, RULE, given=given)


def _may_close(conn: Connection[Any], hub: Hub, event: GridEventRow) -> bool:
    """Whether a rule may pass the check: S3 and S4, where the category allows, no part left."""
    what = hub.categories.subcategories.get(event.subcategory)
    return (
        event.state == "checking"
        and what is not None
        and what.machine_may_close
        and Severity(event.severity) in _CLOSED_BY_RULE
        and all(c.done_at is not None for c in cohandlers.of_event(conn, event.id))
    )


def _sight(row: SightRow) -> Sight:
    return Sight(
        camera=f"{row.agent}/{row.stream}",
        cleared_at=row.heard_at if row.phase == "cleared" else None,
        lost_sight=row.lost_sight_at is not None,
        moved=row.moved,
        online_since=row.online_since,
        after=row.after,
    )


def _told(row: SightRow, word: Word) -> dict[str, Any]:
    """What one camera says, as history and console keep it."""
    return {
        "camera": f"{row.agent}/{row.stream}",
        "name": row.name,
        "why": word.why.value,
        "box": row.box,
        "after": row.after,
    }


def _next(words: Sequence[Word], now: datetime) -> datetime:
    """When all of them have been clear for long enough."""
    return max((w.clear_at for w in words if w.clear_at is not None), default=now + EVERY)
