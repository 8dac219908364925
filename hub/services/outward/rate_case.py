"""Reporters say how satisfied they are with what became of their report.

What they write is kept beside the history, not in it: the history is for ever, and somebody may
have to be forgotten.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from hub.domain.rating import HIGHEST, LOWEST, overall
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.event_lock import lock_event
from hub.services.handed_in import MAX_REASON, check_text
from hub.services.outward.own_report import MyReport, my_report
from hub.store import events, ratings
from hub.store.ratings import RatingRow
from hub.store.rows import GridEventRow

MAX_COMMENT = 500  # characters
REPORTER = Actor("reporter", Role.CITIZEN)  # whoever holds the token
# whoever did one of these would rate their own work
_OWN_WORK = frozenset({"accept", "feedback", "self_handle", "check_pass", "force_close"})


def check_no_own_work(conn: Connection[Any], event: GridEventRow, actor: Actor) -> None:
    """Raise ForbiddenError where somebody would rate what they had a hand in."""
    if any(h.name in _OWN_WORK and h.actor == actor.name for h in events.history(conn, event.id)):
        raise ForbiddenError(
            f"{actor.name} had a hand in event {event.number}: nobody rates their own work",
            role=actor.role,
        )


def rate(
    conn: Connection[Any],
    hub: Hub,
    report: int,
    score: int,
    comment: str = "",
    by: Actor = REPORTER,
) -> MyReport:
    """The report after its reporter rated the case, or changed what they said.

    Raises NotFoundError, InvalidError, ForbiddenError, and ConflictError where nothing may be said
    (any more).
    """
    check_text("comment", comment, MAX_COMMENT)
    if score not in range(LOWEST, HIGHEST + 1):
        raise InvalidError(f"score must be {LOWEST} to {HIGHEST}, got {score}", field="score")
    number = my_report(conn, hub, report).event.number
    lock_event(conn, number, None, None)
    mine = my_report(conn, hub, report)  # as it is now that nobody else is at it
    event, now = mine.event, hub.now()
    if not mine.ratable.standing.may_rate or event.ended_at is None:
        raise ConflictError(
            f"event {event.number} cannot be rated ({mine.ratable.standing}): it is {event.state}",
            version=event.version,
        )
    if by is not REPORTER:
        check_no_own_work(conn, event, by)
    if comment.strip() and mine.rating is not None and mine.rating.taken_down_at is not None:
        raise ConflictError(
            f"the comment of report {report} was taken down: its score can be changed, but no "
            "comment is taken any more",
            version=event.version,
        )
    said = RatingRow(report, event.id, event.ended_at, score, comment.strip(), now, now)
    ratings.save(conn, said)
    scores = [r.score for r in ratings.of_closing(conn, event.id, event.ended_at)]
    act = Act("rate", satisfaction=overall(scores))
    act_on_event(conn, hub, event.number, act, Actor(by.name, Role.CITIZEN), None)
    return my_report(conn, hub, report)


def take_down_comment(
    conn: Connection[Any], hub: Hub, report: int, reason: str, actor: Actor
) -> RatingRow:
    """The rating without what its reporter wrote; its score stays and counts.

    The history of the event says who did it and why. Raises NotFoundError, InvalidError,
    ForbiddenError, NotAllowedError, and ConflictError where nothing is written.
    """
    check_text("reason", reason, MAX_REASON, needed=True)
    rating = ratings.rating_of(conn, report)
    event = None if rating is None else events.by_id(conn, rating.event, lock=True)
    rating = ratings.rating_of(conn, report)  # as it is now that nobody else is at it
    if rating is None or event is None:
        raise NotFoundError("rating of report", str(report))
    act = Act("take_down_comment", reason=reason, report=report)
    after = act_on_event(conn, hub, event.number, act, actor, None)
    if not rating.comment:
        raise ConflictError(
            f"nothing is written beside the rating of report {report}", version=after.version
        )
    ratings.take_down_comment(conn, report, hub.now())
    return replace(rating, comment="", taken_down_at=hub.now())
