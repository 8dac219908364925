"""What a reporter may see of the case that answers their report.

Who has no account holds a token for it, which is stored as a digest only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from hub.domain.errors import NotFoundError
from hub.domain.rating import Closing, Ratable, Rated, Standing, ratable
from hub.services.context import Hub
from hub.services.passwords import digest_of, new_secret
from hub.store import ratings, reports, views
from hub.store.ratings import RatingRow
from hub.store.rows import GridEventRow, ReportRow


@dataclass(frozen=True, slots=True)
class MyReport:
    """A report with the case that answers it now, and where its rating stands."""

    report: ReportRow
    event: GridEventRow
    rating: RatingRow | None
    ratable: Ratable


def give_token(conn: Connection[Any], hub: Hub, report: int) -> str:
    """A token for the reporter; it is told once and kept nowhere."""
    token = new_secret()
    ratings.add_token(conn, report, digest_of(token), hub.now())
    return token


def report_of(conn: Connection[Any], token: str) -> int:
    """The report whose reporter holds that token; raises NotFoundError without the token in it."""
    id = ratings.report_of_token(conn, digest_of(token))
    if id is None:
        raise NotFoundError("report of that link", "")
    return id


def my_report(conn: Connection[Any], hub: Hub, report: int) -> MyReport:
    """What whoever made that report may see of it; raises NotFoundError."""
    said = reports.by_id(conn, report)
    if said is None:
        raise NotFoundError("report", str(report))
    event = views.root_of(conn, said.event)
    rating = ratings.rating_of(conn, report)
    if event.test:
        return MyReport(said, event, rating, Ratable(Standing.NO_CASE))
    rated = None
    if rating is not None and rating.event == event.id:  # else of another, before a merge
        rated = Rated(rating.score, rating.ended_at)
    closing = Closing(event.state, event.ended_at, event.close_by, event.reopened_count)
    return MyReport(said, event, rating, _ratable(hub, closing, rated, hub.now()))


def _ratable(hub: Hub, case: Closing, rated: Rated | None, now: datetime) -> Ratable:
    within = timedelta(days=hub.config.ratings.days)
    return ratable(case, rated, now, within, hub.zone)
