"""When a case can be rated, and what several ratings come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.domain.rating import Closing, Ratable, Rated, Standing, overall, ratable

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONTH = timedelta(days=30)


def at(text: str) -> datetime:
    """A moment of 2026 by the district's clock."""
    return datetime.fromisoformat(f"2026-{text}:00+08:00").astimezone(UTC)


def stands(
    now: str,
    *,
    closed: str | None = "11-20T10:00",
    due: str | None = None,
    rated: str | None = None,
    state: str = "closed",
    reopened: int = 0,
) -> Ratable:
    """rated: when the case had ended that was rated."""
    case = Closing(state, at(closed) if closed else None, at(due) if due else None, reopened)
    return ratable(case, Rated(4, at(rated)) if rated else None, at(now), MONTH, SHANGHAI)


def test_a_closed_case_can_be_rated_for_thirty_days() -> None:
    open_now = Ratable(Standing.OPEN, at("12-20T10:00"))
    assert stands("11-20T10:00") == open_now
    assert stands("12-20T09:59") == open_now
    assert stands("12-20T10:00") == Ratable(Standing.EXPIRED)


@pytest.mark.parametrize(
    ("closed", "due", "until"),
    [
        ("11-20T10:00", None, "12-01T00:00"),  # the month it was closed in
        ("11-20T10:00", "11-18T10:00", "12-01T00:00"),  # late: still the month of the closing
        ("11-20T10:00", "12-02T10:00", "12-20T10:00"),  # counts for December; 30 days end first
        ("11-01T00:30", None, "12-01T00:00"),  # in UTC it is still October
    ],
)
def test_a_rating_can_be_changed_until_its_month_of_assessment_ends(
    closed: str, due: str | None, until: str
) -> None:
    end = at(until)
    before = (end - timedelta(minutes=1)).astimezone(SHANGHAI).strftime("%m-%dT%H:%M")
    assert stands(before, closed=closed, due=due, rated=closed) == Ratable(Standing.RATED, end)
    assert stands(until, closed=closed, due=due, rated=closed) == Ratable(Standing.SETTLED)


def test_what_was_closed_again_is_rated_anew() -> None:
    again = stands("11-26T10:00", closed="11-25T10:00", rated="11-20T10:00", reopened=1)
    assert again.standing is Standing.OPEN


@pytest.mark.parametrize(
    ("state", "reopened", "standing"),
    [
        ("reported", 0, Standing.WAITING),
        ("checking", 0, Standing.WAITING),
        ("filed", 1, Standing.REOPENED),
        ("rejected", 0, Standing.NO_CASE),
        ("voided", 1, Standing.NO_CASE),
        ("lapsed", 0, Standing.NO_CASE),
        ("merged", 0, Standing.NO_CASE),
    ],
)
def test_what_is_not_closed_cannot_be_rated(state: str, reopened: int, standing: Standing) -> None:
    found = stands("11-21T10:00", state=state, closed=None, reopened=reopened)
    assert found == Ratable(standing)
    assert not found.standing.may_rate


def test_a_case_is_satisfied_exactly_where_the_mean_of_its_reporters_is() -> None:
    assert [overall(s) for s in ([5], [3, 4], [4, 5], [1, 5, 5])] == [5, 3, 4, 3]
