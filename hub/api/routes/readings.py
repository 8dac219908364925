"""What was measured and counted, by period."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from hub.api.access import DESK, allow
from hub.api.deps import HubDep, ListedValues, reading
from hub.api.errors import problems
from hub.api.models.readings import TotalNow
from hub.domain.errors import InvalidError
from hub.store import views

router = APIRouter(prefix="/readings", tags=["Readings"], dependencies=[allow(*DESK)])

Period = Literal["1m", "1h", "1d"]
_USUAL = {"1m": timedelta(hours=1), "1h": timedelta(days=1), "1d": timedelta(days=31)}


@router.get("/totals", summary="Sums by source, label and period", responses=problems())
def list_totals(
    hub: HubDep,
    listed: ListedValues,
    metric: Annotated[str | None, Query(max_length=64, examples=["vehicle_crossing"])] = None,
    device: Annotated[str | None, Query(max_length=64, description="Sensor or stream")] = None,
    width: Annotated[Period, Query(description="Length of a period")] = "1h",
    since: Annotated[datetime | None, Query(description="null: a usual time back")] = None,
    until: Annotated[datetime | None, Query(description="null: now")] = None,
) -> list[TotalNow]:
    """Crossings by camera and direction, for instance; exact for what arrived late."""
    end = _aware("until", until) if until else hub.now() + timedelta(minutes=1)
    start = _aware("since", since) if since else end - _USUAL[width]
    if start >= end:
        raise InvalidError(
            f"since {start.isoformat()} is not before until {end.isoformat()}", field="since"
        )
    with reading(hub) as conn:
        found = views.totals(
            conn,
            width=width,
            since=start,
            until=end,
            metric=metric,
            device=device,
            part=listed.part,
        )
    shown = listed.shown(found, since=start.isoformat(), until=end.isoformat())
    return [TotalNow.model_validate(total) for total in shown]


def _aware(name: str, at: datetime) -> datetime:
    if at.tzinfo is None:
        raise InvalidError(
            f"{name} {at.isoformat()} has no time zone: write {at.isoformat()}Z or +08:00",
            field=name,
        )
    return at
