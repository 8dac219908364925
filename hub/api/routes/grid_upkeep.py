"""Importing and checking the grid, and whether every cell is ready for work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import AwareDatetime

from hub.api.access import OFFICE, PEOPLE, allow
from hub.api.deps import ActorDep, HubDep, Listed, reading
from hub.api.errors import problems
from hub.api.models.grid import (
    FaultFeature,
    FaultNow,
    GapNow,
    GridChangeNow,
    ReadinessNow,
    TopologyReport,
)
from hub.domain.errors import InvalidError
from hub.domain.grid import GridError
from hub.domain.topology import Fault, FaultKind
from hub.grid_watch import refresh_grid
from hub.services.registry.import_grid import check_grid, counts, import_grid
from hub.services.registry.readiness import check_readiness

router = APIRouter(tags=["Grid"], dependencies=[allow(*PEOPLE)])


@router.get("/grid/report", summary="Whether the cells fit together", responses=problems())
def report(hub: HubDep, listed: Listed) -> TopologyReport:
    """Gaps, overlaps, what sticks out of its parent, and cells that nobody owns, as GeoJSON."""
    with reading(hub) as conn:
        faults = check_grid(conn, hub, list(hub.grid.cells.values()))
    return _report(counts(faults), listed.shown_of(faults))


@router.post(
    "/grid/import",
    summary="Import a grid from GeoJSON",
    responses=problems(403, 413),
    dependencies=[allow(*OFFICE)],
)
def take(
    hub: HubDep,
    actor: ActorDep,
    document: Annotated[dict[str, Any], Body(description="A FeatureCollection, WGS 84")],
    dry_run: Annotated[bool, Query(description="Only say what it would do")] = False,
    part: Annotated[bool, Query(description="Cells that it does not name stay")] = False,
    valid_from: Annotated[AwareDatetime | None, Query(description="null: now")] = None,
) -> GridChangeNow:
    """As a whole or not at all. Features need code, name_en and name_zh; a geometry of null is a
    cell that nobody surveyed yet. Outlines that are replaced stay known for their time."""
    try:
        with hub.pool.connection() as conn:
            change = import_grid(
                conn,
                hub,
                document,
                dry_run=dry_run,
                whole=not part,
                valid_from=valid_from,
                actor=actor,
            )
    except GridError as e:
        raise InvalidError(str(e), field="features") from None
    refresh_grid(hub, None)
    return GridChangeNow(
        done=change.done,
        valid_from=change.valid_from,
        new=change.new,
        changed=change.changed,
        ended=change.ended,
        unchanged=change.unchanged,
        report=_report(counts(change.faults), change.faults),
    )


@router.get("/readiness", summary="Whether every cell is ready for work", responses=problems())
def readiness(
    hub: HubDep,
    listed: Listed,
    need: Annotated[
        Literal["leader", "assistant", "terminal", "account", "budget_line", "polygon"] | None,
        Query(description="Only gaps of this kind"),
    ] = None,
    cell: Annotated[
        str, Query(pattern=r"^[0-9]{0,15}$", description="A grid code or its beginning")
    ] = "",
) -> ReadinessNow:
    """Leader, assistant, terminal, account, budget line of this year and polygon of every basic and
    secondary grid; each one that is missing is listed."""
    with reading(hub) as conn:
        found, unassigned = check_readiness(conn, hub, cell)
    gaps = [g for g in found.gaps if need is None or g.need == need]
    return ReadinessNow(
        cells=found.cells,
        ready=found.ready,
        gaps=[GapNow.model_validate(g) for g in listed.shown_of(gaps)],
        unassigned=unassigned,
    )


def _report(of_all: dict[FaultKind, int], faults: Sequence[Fault]) -> TopologyReport:
    return TopologyReport(
        counts=of_all,
        features=[
            FaultFeature(geometry=f.geometry, properties=FaultNow.model_validate(f)) for f in faults
        ],
    )
