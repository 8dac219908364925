"""Sensors: the last word on each, and what they measured."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from hub.api.access import DESK, allow
from hub.api.deps import HubDep, ListedValues, Portion, portion, reading
from hub.api.errors import problems
from hub.api.models.sensors import FaultNow, ReadingNow, RollUp, SensorNow, SeriesNow
from hub.domain.errors import InvalidError
from hub.services.context import Hub
from hub.store import sensor_views
from hub.store.sensor_views import SensorView

router = APIRouter(tags=["Sensors"], dependencies=[allow(*DESK)])

Width = Literal["1m", "1h", "1d"]
_USUAL = {"1m": timedelta(hours=1), "1h": timedelta(days=1), "1d": timedelta(days=31)}
_MOST = {"1m": timedelta(days=2), "1h": timedelta(days=120), "1d": timedelta(days=3700)}
_READINGS = timedelta(days=31)

Since = Annotated[datetime | None, Query(description="null: a usual time back")]
Until = Annotated[datetime | None, Query(description="null: now")]
Metric = Annotated[str | None, Query(max_length=64, examples=["pm2_5"])]


@router.get("/sensors", summary="Every sensor with its last values", responses=problems())
def list_sensors(
    hub: HubDep,
    listed: Annotated[Portion, portion(1000, 200)],
    agent: Annotated[str | None, Query(max_length=64)] = None,
) -> list[SensorNow]:
    """By agent and device; silent is one whose every series is overdue by its usual interval."""
    with reading(hub) as conn:
        found = listed.shown(sensor_views.sensors(conn, agent, part=listed.part))
    return [_now(s, hub.now()) for s in found]


@router.get("/agents/{agent}/sensors/{device}", summary="One sensor", responses=problems(404))
def show_sensor(agent: str, device: str, hub: HubDep) -> SensorNow:
    """Its place, the last value of each series, and what is open of it."""
    with reading(hub) as conn:
        return _now(sensor_views.sensor(conn, agent, device), hub.now())


@router.get(
    "/agents/{agent}/sensors/{device}/readings",
    summary="What a sensor measured, the newest first",
    responses=problems(404),
)
def list_readings(
    agent: str,
    device: str,
    hub: HubDep,
    listed: ListedValues,
    metric: Metric = None,
    since: Since = None,
    until: Until = None,
) -> list[ReadingNow]:
    """Single values, of 31 days at the most; for a longer time ask for roll-ups."""
    start, end = _range(hub, since, until, timedelta(hours=1), _READINGS)
    with reading(hub) as conn:
        sensor_views.sensor(conn, agent, device)
        found = sensor_views.readings(
            conn, agent, device, since=start, until=end, metric=metric, part=listed.part
        )
    shown = listed.shown(found, since=start.isoformat(), until=end.isoformat())
    return [ReadingNow.model_validate(r) for r in shown]


@router.get(
    "/agents/{agent}/sensors/{device}/rollups",
    summary="Mean, least and greatest by minute, hour or day",
    responses=problems(404),
)
def list_rollups(
    agent: str,
    device: str,
    hub: HubDep,
    listed: Annotated[Portion, portion(5000, 5000)],
    metric: Metric = None,
    width: Annotated[Width, Query(description="Length of a period")] = "1h",
    since: Since = None,
    until: Until = None,
) -> list[RollUp]:
    """Oldest first, exact for what arrived late. A day begins at the district's midnight."""
    start, end = _range(hub, since, until, _USUAL[width], _MOST[width])
    if since is None and width == "1d":
        local = start.astimezone(hub.zone)
        start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    with reading(hub) as conn:
        sensor_views.sensor(conn, agent, device)
        found = sensor_views.rollups(
            conn,
            [(agent, device)],
            width=width,
            since=start,
            until=end,
            metric=metric,
            part=listed.part,
        )
    shown = listed.shown(found, since=start.isoformat(), until=end.isoformat())
    return [RollUp.model_validate(r) for r in shown]


def _range(
    hub: Hub, since: datetime | None, until: datetime | None, usual: timedelta, most: timedelta
) -> tuple[datetime, datetime]:
    """The time asked for; raises InvalidError. Times without a zone are the district's."""
    zone = hub.zone
    end = _aware(until, zone) if until else hub.now() + timedelta(minutes=1)
    start = _aware(since, zone) if since else end - usual
    if start >= end:
        raise InvalidError(
            f"since {start.isoformat()} is not before until {end.isoformat()}", field="since"
        )
    if end - start > most + timedelta(minutes=1):
        raise InvalidError(
            f"{(end - start).days} days are more than can be asked for at once ({most.days}): "
            "ask for a shorter time, or for wider periods",
            field="since",
        )
    return start, end


def _aware(at: datetime, zone: ZoneInfo) -> datetime:
    return at.replace(tzinfo=zone) if at.tzinfo is None else at


def _now(view: SensorView, now: datetime) -> SensorNow:
    s = view.sensor
    return SensorNow(
        agent=s.agent,
        device=s.device,
        source=s.source,
        name=s.name,
        lon=s.lon,
        lat=s.lat,
        cell=s.cell,
        silent_since=view.silent_since(now),
        series=[
            SeriesNow(
                metric=v.metric,
                label=v.label,
                place=v.place,
                unit=v.unit,
                value=v.value,
                captured_at=v.captured_at,
                received_at=v.received_at,
                interval_s=v.interval_s,
                n=v.n,
                silent=v.is_silent(now),
            )
            for v in view.series
        ],
        open=[FaultNow.model_validate(f) for f in view.faults],
    )
