"""An operator says what a machine detection is: the verdict becomes a transition and a label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.services.context import Hub
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
    raise NotImplementedError
