"""The test detection that each camera sends every day: whether it came."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

MISSING_AFTER = timedelta(hours=25)  # a day, and an hour for a slow way


class Daily(StrEnum):
    """What is known of a camera's daily test."""

    ARRIVED = "arrived"
    AWAITED = "awaited"  # none has come yet, and none is overdue
    MISSING = "missing"
    OFF = "off"  # its agent sends none


def judge(*, expected: bool, since: datetime, tested_at: datetime | None, now: datetime) -> Daily:
    """What is known of the test. since: its agent has sent tests from then on."""
    if tested_at is not None and now - tested_at <= MISSING_AFTER:
        return Daily.ARRIVED
    if not expected:
        return Daily.OFF
    if tested_at is None and now - since <= MISSING_AFTER:
        return Daily.AWAITED
    return Daily.MISSING
