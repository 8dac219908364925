"""Whether an event was filed by itself and why, as API and pages tell it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from hub.api.models.filing import ByItselfNow
from hub.domain.control_window import ControlWindow
from hub.domain.filing import read
from hub.domain.filing_reason import BY_A_PERSON, NOT_ASKED, Sentence, reason
from hub.services.context import Hub
from hub.store import case_facts
from hub.store.rows import GridEventRow


def by_itself(conn: Connection[Any], hub: Hub, event: GridEventRow) -> ByItselfNow:
    """The reason in one sentence, on every event."""
    if event.by_itself is None:
        said = NOT_ASKED if event.origin == "machine" else BY_A_PERSON
        return ByItselfNow(filed=False, failed=[], en=said.en, zh=said.zh)
    judgement = read(event.by_itself)
    called = case_facts.unit_names(conn, [judgement.unit]) if judgement.unit else {}
    unit = Sentence(*called[judgement.unit]) if judgement.unit in called else None
    said = reason(judgement, hub.zone, unit)
    return ByItselfNow(
        filed=judgement.passed,
        failed=[f.value for f in judgement.failed],  # type: ignore[misc]
        en=said.en,
        zh=said.zh,
    )


def still_holding(hub: Hub, windows: Sequence[ControlWindow]) -> list[ControlWindow]:
    """Of these windows those that are in force now."""
    now = hub.now()
    return [w for w in windows if w.holds(now)]
