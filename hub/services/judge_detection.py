"""An operator says what a machine detection is: the verdict becomes a transition and a label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.domain.errors import InvalidError
from hub.domain.lifecycle import OTHER_CATEGORY
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.event_lock import lock_event
from hub.services.filing.trust import earned_by, tell_of_lost_trust
from hub.services.handed_in import MAX_REASON, check_text
from hub.store import judged, verdicts
from hub.store.rows import GridEventRow


class Verdict(StrEnum):
    """What a machine detection turned out to be."""

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false_alarm"
    REAL_BUT_NOT_ACTIONABLE = "real_but_not_actionable"
    REAL_BUT_AUTHORISED = "real_but_authorised"
    DUPLICATE = "duplicate"
    UNCLEAR = "unclear"
    OTHER_KIND = "other_kind"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what it needs."""

    verdict: Verdict
    reason: str = ""  # needed by the three rejecting verdicts
    note: str = ""
    evidence_viewed: bool = False
    evidence_missing: bool = False  # declared by the operator: there was nothing to be seen
    subcategory: str | None = None  # other_kind: what it is; confirmed: None keeps the event's
    filing_condition: str | None = None  # None: the first of the sub-category
    parent: str | None = None  # duplicate: number of the event it belongs to
    assignee: str | None = None  # unclear: who goes and looks


def judge_detection(
    conn: Connection[Any],
    hub: Hub,
    number: str,
    judgement: Judgement,
    actor: Actor,
    expected_version: int | None,
) -> GridEventRow:
    """The grid event after the verdict.

    Raises NotFoundError, ConflictError (the version is another: it says who did what when),
    NotAllowedError and InvalidError.
    """
    check_text("reason", judgement.reason, MAX_REASON)
    check_text("note", judgement.note, MAX_REASON)
    event, _ = lock_event(conn, number, expected_version, judgement.parent, actor)
    if event.origin != "machine":
        raise InvalidError(
            f"event {number} was reported by a person: there is no detection to judge; file or "
            "refuse it",
            field="verdict",
        )
    _check_other_kind(hub, event, judgement)
    earned = earned_by(conn, hub, event.id)
    after = act_on_event(
        conn,
        hub,
        number,
        Act(
            hub.lifecycle.verdict_action(judgement.verdict, event.state),
            reason=judgement.reason,
            note=judgement.note,
            subcategory=judgement.subcategory,
            filing_condition=judgement.filing_condition,
            evidence_viewed=judgement.evidence_viewed,
            evidence_missing=judgement.evidence_missing,
            parent=judgement.parent,
            assignee=judgement.assignee,
            verdict=judgement.verdict,
        ),
        actor,
        None,
    )
    id = verdicts.insert(
        conn,
        event.id,
        judgement.verdict,
        judgement.reason,
        judgement.note,
        actor.name,
        hub.now(),
        after.version,
    )
    judged.forget_undone(conn, event.id)
    label = hub.lifecycle.verdicts[judgement.verdict].label
    if label != "none":
        judged.note(conn, event.id, id, hub.now(), good=label == "positive")
    tell_of_lost_trust(conn, hub, after, earned)
    return after


def _check_other_kind(hub: Hub, event: GridEventRow, judgement: Judgement) -> None:
    if judgement.subcategory is not None and judgement.subcategory not in (
        hub.categories.subcategories
    ):
        raise InvalidError(
            f"there is no sub-category {judgement.subcategory!r}", field="subcategory"
        )
    other = hub.lifecycle.verdicts[judgement.verdict].transition == OTHER_CATEGORY
    if other and judgement.subcategory in (None, event.subcategory):
        raise InvalidError(
            f"other_kind needs the sub-category it is, another than {event.subcategory}",
            field="subcategory",
        )
