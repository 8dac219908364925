"""Agents, cameras, and whether everything they sent has arrived."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from hub.api.access import DESK, allow
from hub.api.deps import HubDep, Listed, reading
from hub.api.errors import problems
from hub.api.models.devices import (
    AgentNow,
    BlindCellNow,
    BlindNow,
    BlindPeriod,
    DailyTestNow,
    FloodingNow,
    LaneNow,
    StreamNow,
)
from hub.domain.errors import InvalidError
from hub.store import camera_states, daily_tests, views
from hub.store.rows import StreamRow
from hub.store.view_rows import AgentView

router = APIRouter(tags=["Devices"], dependencies=[allow(*DESK)])

_BLIND_AT_MOST = timedelta(days=31)
_PERIODS = 200  # of one cell


@router.get("/agents", summary="Every edge agent", responses=problems())
def list_agents(hub: HubDep, listed: Listed) -> list[AgentNow]:
    """Whether it is online, since when, and how its cameras fare."""
    with reading(hub) as conn:
        found = listed.shown(views.agents(conn, listed.part))
        streams: dict[str, list[StreamRow]] = {a.agent: [] for a in found}
        for stream in views.streams(conn):
            if stream.agent in streams:
                streams[stream.agent].append(stream)
    return [_agent(a, streams[a.agent]) for a in found]


@router.get("/agents/{agent}", summary="One edge agent", responses=problems(404))
def show_agent(agent: str, hub: HubDep) -> AgentNow:
    """Whether it is online, since when, and how its cameras fare."""
    with reading(hub) as conn:
        return _agent(views.agent(conn, agent), views.streams(conn, agent))


@router.get("/streams", summary="Every camera", responses=problems())
def list_streams(
    hub: HubDep, listed: Listed, agent: Annotated[str | None, Query(max_length=64)] = None
) -> list[StreamNow]:
    """Its state and since when: measured from the picture, never from an open connection."""
    with reading(hub) as conn:
        found = listed.shown(views.streams(conn, agent, listed.part))
    return [StreamNow.model_validate(s) for s in found]


@router.get("/completeness", summary="Have 1..N, holes, declared lost", responses=problems())
def list_completeness(
    hub: HubDep,
    listed: Listed,
    agent: Annotated[str | None, Query(max_length=64)] = None,
    present: Annotated[bool, Query(description="Of the current boots only")] = False,
) -> list[LaneNow]:
    """Read from the ledger, for each lane of each boot of each agent; the current boot first."""
    with reading(hub) as conn:
        lanes = listed.shown(views.completeness(conn, agent, present=present, part=listed.part))
    return [LaneNow.model_validate(lane) for lane in lanes]


@router.get("/flooding", summary="Devices that send more than their limit", responses=problems())
def list_flooding(
    hub: HubDep, listed: Listed, hours: Annotated[int, Query(ge=1, le=24 * 366)] = 24
) -> list[FloodingNow]:
    """Of the last hours, the latest first, with how many records were discarded in all."""
    with reading(hub) as conn:
        found = listed.shown(views.flooding(conn, hub.now() - timedelta(hours=hours), listed.part))
    return [FloodingNow.model_validate(f) for f in found]


@router.get("/daily-tests", summary="Whether each camera's test came", responses=problems())
def list_daily_tests(hub: HubDep, listed: Listed) -> list[DailyTestNow]:
    """A test detection a day travels from each camera to a grid event; `missing` after 25 hours."""
    with reading(hub) as conn:
        found = listed.shown(daily_tests.last_tests(conn, listed.part))
    now = hub.now()
    return [
        DailyTestNow(
            agent=x.agent,
            stream=x.stream,
            state=x.state(now),
            tested_at=x.tested_at,
            event=x.event,
        )
        for x in found
    ]


@router.get("/blind", summary="Which cells were blind, and how long", responses=problems())
def list_blind(
    hub: HubDep,
    listed: Listed,
    since: Annotated[
        datetime | None, Query(alias="from", description="null: a day before `to`")
    ] = None,
    until: Annotated[datetime | None, Query(alias="to", description="null: now")] = None,
) -> BlindNow:
    """Times in which no camera of the cell saw; 31 days at the most, times without a zone are the
    district's. A camera not heard of is blind since it was last heard. `limit` and `cursor` are
    of the cells that were blind."""
    zone, now = hub.zone, hub.now()
    end = min(_local(until, zone), now) if until else now
    start = _local(since, zone) if since else end - timedelta(days=1)
    if not timedelta(0) < end - start <= _BLIND_AT_MOST:
        raise InvalidError(
            f"from {start.isoformat()} to {end.isoformat()} is no time of the past of 31 days or "
            "less: ask for a shorter one",
            field="from",
        )
    with reading(hub) as conn:
        found = camera_states.blind(conn, start, end, now)
    covered = {c.cell for c in found}
    return BlindNow(
        since=start.astimezone(zone),
        until=end.astimezone(zone),
        cells=[
            BlindCellNow(
                cell=c.cell,
                cameras=c.cameras,
                states=c.states,
                blind_s=c.blind_s,
                count=len(c.periods),
                periods=[
                    BlindPeriod(begins_at=a.astimezone(zone), ends_at=b.astimezone(zone))
                    for a, b in c.periods[-_PERIODS:]
                ],
            )
            for c in listed.shown_of([c for c in found if c.periods])
        ],
        uncovered=[
            c.code for c in hub.grid.cells.values() if c.level == 1 and c.code not in covered
        ],
    )


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    try:
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(zone)
    except OverflowError:
        raise InvalidError(f"{at} is outside the times there are", field="from") from None


def _agent(agent: AgentView, streams: list[StreamRow]) -> AgentNow:
    manifest: dict[str, Any] = agent.manifest or {}
    return AgentNow(
        agent=agent.agent,
        station=agent.station,
        boot=agent.boot,
        online=agent.online,
        born_at=agent.born_at,
        seen_at=agent.seen_at,
        heard_at=agent.heard_at,
        clock_offset_s=agent.clock_offset_s,
        first_seen_at=agent.first_seen_at,
        spooled=agent.spooled,
        not_taken=agent.not_taken,
        detail=agent.detail,
        software=str(manifest.get("software", "")),
        streams=[StreamNow.model_validate(s) for s in streams],
    )
