"""How long something new may wait for a decision, by its severity: the wall clock counts.

The limits of a case that was taken, with their calendar and pauses, are in `deadline`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from contract.taxonomy import Severity

DECIDE_WITHIN = {
    Severity.S1: timedelta(seconds=60),
    Severity.S2: timedelta(minutes=5),
    Severity.S3: timedelta(minutes=15),
    Severity.S4: None,
}


def decide_by(severity: Severity, opened_at: datetime) -> datetime | None:
    """Until when a new event should be confirmed or filed; None: there is no such limit."""
    within = DECIDE_WITHIN[severity]
    return None if within is None else opened_at + within
