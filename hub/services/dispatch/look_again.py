"""Once a case was dealt with, the cameras that saw it say whether they still do.

A camera looks at the same place all the time: its detector's word that it no longer sees the thing,
and the picture that comes with that word, come first. Then it is asked to look at the place once
more. What they say becomes an entry of the history; a rule closes the case by it, or sends it back,
where severity and category allow, else a person decides.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import Connection

from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.camera_word import (
    Answer,
    Asked,
    Outcome,
    Sight,
    Why,
    Word,
    is_sure_it_is_there,
    is_to_be_asked,
    together,
    word_of,
)
from hub.domain.guards import Facts
from hub.domain.lifecycle import EventState
from hub.domain.sight import SILENT_AFTER
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.event_history import record_step
from hub.store import camera_looks, cohandlers, events, looks
from hub.store.camera_looks import LookRow, SightRow
from hub.store.looks import LookAsked
from hub.store.rows import GridEventRow

RULE = Actor("camera-check", Role.RULE)
AT_ONCE = 25  # events in one transaction
EVERY = timedelta(seconds=60)  # as long as it is being checked
PUT_OFF = timedelta(hours=1)
ANSWER_WITHIN = timedelta(seconds=30)  # the slowest detectors look at a frame every few seconds
POLL = timedelta(seconds=5)  # while an answer, or its picture, is waited for
GONE_REASON = "the cameras that saw it see the place without it"
SEEN_REASON = "a camera that was asked to look again still sees it"
_ANSWERS = {"seen": Answer.SEEN, "clear": Answer.CLEAR, "cannot_tell": Answer.CANNOT}
_LOOKED_AT = ("disposed", "checking")
_BY_RULE = (Severity.S3, Severity.S4)

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
    clear_for = timedelta(seconds=hub.categories.groups[event.merge_group].clear_s)
    rows = camera_looks.sights(conn, event.id, now - SILENT_AFTER)
    asked = looks.of_event(conn, event.id, look.begun_at)
    here = looks.are_here(conn, [a.picture for a in asked if a.picture])
    sights = [_sight(row, asked, here, now) for row in rows]
    for row, sight in zip(rows, sights, strict=True):
        if is_to_be_asked(sight, now, clear_for):
            until = now + ANSWER_WITHIN
            looks.ask(conn, uuid4(), event.id, row.agent, row.stream, _question(row), now, until)
    words = [word_of(s, now, clear_for) for s in sights]
    outcome = together(words)
    camera_looks.put_off(conn, event.id, _next(words, now) if outcome is None else now + EVERY)
    if outcome is None:
        return
    cameras = [_told(r, s, w) for r, s, w in zip(rows, sights, words, strict=True)]
    if (outcome, cameras) != (look.outcome, look.cameras):
        camera_looks.keep(conn, event.id, outcome, cameras, now)
        event = _note(conn, hub, event, outcome, cameras)
    if not _may_decide(hub, event):
        return
    if outcome is Outcome.CLEAR and _no_part_left(conn, event):
        act = Act("check_pass", reason=GONE_REASON, closing_condition_met=True)
        act_on_event(conn, hub, event.number, act, RULE, None)
    elif any(is_sure_it_is_there(s.asked, now) for s in sights):
        act_on_event(conn, hub, event.number, Act("check_fail", reason=SEEN_REASON), RULE, None)


def _note(
    conn: Connection[Any],
    hub: Hub,
    event: GridEventRow,
    outcome: Outcome,
    cameras: Sequence[dict[str, Any]],
) -> GridEventRow:
    """The event after the entry of its history that says what they said."""
    advance = hub.lifecycle.advance(EventState(event.state), "look_again", RULE, Facts(hub.now()))
    said = [
        {k: c[k] for k in ("camera", "why", "after", "seen") if c[k] is not None} for c in cameras
    ]
    given = {"outcome": outcome.value, "cameras": said}
    return record_step(conn, hub, event, advance, RULE, given=given)


def _may_decide(hub: Hub, event: GridEventRow) -> bool:
    """Whether a rule may end the check: of S3 and S4, where the category allows."""
    what = hub.categories.subcategories.get(event.subcategory)
    return (
        event.state == "checking"
        and what is not None
        and what.machine_may_close
        and Severity(event.severity) in _BY_RULE
    )


def _no_part_left(conn: Connection[Any], event: GridEventRow) -> bool:
    return all(c.done_at is not None for c in cohandlers.of_event(conn, event.id))


def _sight(row: SightRow, asked: Sequence[LookAsked], here: set[str], now: datetime) -> Sight:
    """What is known of a camera. here: pictures that have arrived; an answer counts with its own,
    which comes a little later."""

    def answer(a: LookAsked) -> Answer | None:
        waits = a.picture is not None and a.picture not in here and now < a.until
        return None if waits else _ANSWERS.get(a.outcome or "")

    return Sight(
        camera=f"{row.agent}/{row.stream}",
        cleared_at=row.heard_at if row.phase == "cleared" else None,
        lost_sight=row.lost_sight_at is not None,
        moved=row.moved,
        online_since=row.online_since,
        after=row.after,
        answers=row.answers,
        asked=tuple(
            Asked(a.asked_at, a.until, answer(a), a.picture if a.picture in here else None)
            for a in asked
            if (a.agent, a.stream) == (row.agent, row.stream)
        ),
    )


def _question(row: SightRow) -> dict[str, Any]:
    """What the camera is asked: its own detector, at the place where it was last pictured."""
    return {
        "kind": row.kind,
        "label": row.label,
        "place": row.place,
        "box": row.box,
        "episode": str(row.episode),
    }


def _told(row: SightRow, sight: Sight, word: Word) -> dict[str, Any]:
    """What one camera says, as history and console keep it."""
    pictures = [a.picture for a in sight.asked if a.answer is Answer.SEEN and a.picture]
    return {
        "camera": f"{row.agent}/{row.stream}",
        "name": row.name,
        "why": word.why.value,
        "box": row.box,
        "after": row.after,
        "seen": pictures[-1] if pictures and word.why is Why.SEEN else None,
    }


def _next(words: Sequence[Word], now: datetime) -> datetime:
    """When a place has been clear for long enough, or an answer may have come."""
    if any(w.why is Why.ASKED for w in words):
        return now + POLL
    return max((w.clear_at for w in words if w.clear_at is not None), default=now + EVERY)
