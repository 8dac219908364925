"""Making and ending control windows and silences."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from contract.taxonomy import Category
from hub.domain.actor import DESK, Actor
from hub.domain.control_window import LONGEST, ControlWindow, Sight, WindowKind, covers
from hub.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    WrongRoleError,
)
from hub.services.context import Hub
from hub.services.handed_in import check_text
from hub.store import agents, control_windows, events
from hub.store import changes as store_changes
from hub.store.control_windows import NewWindow
from hub.store.rows import DetectionRow, GridEventRow

OFFERED_FOR = timedelta(hours=4)
_MAX_CELLS = 50


@dataclass(frozen=True, slots=True)
class WantedWindow:
    """What somebody asks for. Either cells (codes of any level) or one device."""

    kind: WindowKind
    until_at: datetime
    reason: str
    from_at: datetime | None = None  # None: now
    category: str | None = None
    subcategory: str | None = None
    detector: str | None = None
    cells: tuple[str, ...] = ()
    agent: str | None = None
    stream: str | None = None
    permit: str = ""
    event: str | None = None  # number of the event whose verdict led to it


def make_window(
    conn: Connection[Any], hub: Hub, wanted: WantedWindow, actor: Actor
) -> ControlWindow:
    """The window, in force from its begin on; it ends by time alone.

    Raises InvalidError, NotFoundError, WrongRoleError and ForbiddenError.
    """
    _check_maker(actor)
    now = hub.now()
    begin = wanted.from_at or now
    _check(conn, hub, wanted, actor, begin, now)
    event = None if wanted.event is None else events.by_number(conn, wanted.event)
    if wanted.event is not None and event is None:
        raise NotFoundError("grid event", wanted.event)
    window = control_windows.insert(
        conn,
        NewWindow(
            kind=wanted.kind,
            category=wanted.category,
            subcategory=wanted.subcategory,
            detector=wanted.detector or None,
            cells=tuple(sorted(set(wanted.cells))),
            agent=wanted.agent,
            stream=wanted.stream,
            from_at=begin,
            until_at=wanted.until_at,
            reason=wanted.reason.strip(),
            permit=wanted.permit.strip(),
            event=event.id if event else None,
        ),
        actor.name,
        now,
    )
    if wanted.event is not None:
        store_changes.tell(conn, "event", wanted.event)
    return window


def end_window(conn: Connection[Any], hub: Hub, id: int, actor: Actor) -> ControlWindow:
    """The window, ended now. Raises NotFoundError, ConflictError, WrongRoleError, ForbiddenError.

    Whoever may not make it may not end it.
    """
    _check_maker(actor)
    window = control_windows.by_id(conn, id, lock=True)
    if window is None:
        raise NotFoundError("control window", str(id))
    of_device = window.stream and agents.cell_of(conn, window.agent or "", window.stream)
    _check_reach(actor, of_device or window.cells)
    now = hub.now()
    if window.over_at <= now:
        by = window.ended_by or "time"
        raise ConflictError(
            f"control window {id} is over since {window.over_at.isoformat(timespec='seconds')}, "
            f"ended by {by}; nothing was done",
            actor=by,
            action="end",
            at=window.over_at,
        )
    control_windows.end(conn, id, actor.name, now)
    ended = control_windows.by_id(conn, id)
    assert ended is not None
    return ended


def prefilled(hub: Hub, event: GridEventRow, detection: DetectionRow | None) -> WantedWindow:
    """The window a verdict of real but authorised offers: this kind, here, for four hours."""
    now = hub.now()
    cell = event.cell
    device = detection if cell is None else None
    return WantedWindow(
        kind=WindowKind.WORKS,
        from_at=now,
        until_at=now + OFFERED_FOR,
        reason="",
        category=event.category,
        subcategory=event.subcategory,
        cells=(cell,) if cell else (),
        agent=device.agent if device else None,
        stream=device.stream if device else None,
        event=event.number,
    )


def windows_over(
    conn: Connection[Any], event: GridEventRow, detections: list[DetectionRow]
) -> list[ControlWindow]:
    """The windows that covered an event while it was seen."""
    found = control_windows.overlapping(conn, event.occurred_at, event.last_seen_at)
    sights = [
        Sight(event.category, event.subcategory, d.kind, d.cell or event.cell, d.agent, d.stream)
        for d in detections
    ]
    return [w for w in found if any(covers(w, s) for s in sights)]


def _check_maker(actor: Actor) -> None:
    if actor.role not in DESK:
        raise WrongRoleError(
            f"control windows are not for the role {actor.role}; they are for "
            f"{', '.join(sorted(DESK))}",
            action="control_window",
            role=actor.role,
        )


def _check(
    conn: Connection[Any],
    hub: Hub,
    wanted: WantedWindow,
    actor: Actor,
    begin: datetime,
    now: datetime,
) -> None:
    check_text("reason", wanted.reason, 500, needed=True)
    for field in ("permit", "detector", "agent", "stream"):
        check_text(field, getattr(wanted, field) or "", 200)
    for field, at in (("from_at", begin), ("until_at", wanted.until_at)):
        if at.tzinfo is None:
            raise InvalidError(f"{field} needs a time zone", field=field)
    if not begin < wanted.until_at:
        raise InvalidError("until_at must lie after from_at", field="until_at")
    if wanted.until_at <= now:
        raise InvalidError(
            f"until_at {wanted.until_at.isoformat()} is past: it would never hold", field="until_at"
        )
    if wanted.until_at - begin > LONGEST:
        raise InvalidError(
            f"a window lasts {LONGEST.days} days at most: make it anew when it is over",
            field="until_at",
        )
    if wanted.category is not None and wanted.category not in set(Category):
        raise InvalidError(f"there is no category {wanted.category!r}", field="category")
    what = hub.categories.subcategories.get(wanted.subcategory or "")
    if wanted.subcategory is not None and (
        what is None or wanted.category not in (None, what.category)
    ):
        raise InvalidError(
            f"{wanted.subcategory!r} is no sub-category"
            + (f" of {wanted.category}" if wanted.category else ""),
            field="subcategory",
        )
    _check_area(conn, hub, wanted, actor)


def _check_area(conn: Connection[Any], hub: Hub, wanted: WantedWindow, actor: Actor) -> None:
    if bool(wanted.cells) == bool(wanted.stream):
        raise InvalidError(
            "name either cells (the district's code for all of it) or one device by agent and "
            "stream",
            field="cells",
        )
    if len(wanted.cells) > _MAX_CELLS:
        raise InvalidError(
            f"{len(wanted.cells)} cells, at most {_MAX_CELLS}: name the cell above them",
            field="cells",
        )
    for code in wanted.cells:
        if code not in hub.grid.cells:
            raise InvalidError(f"there is no grid cell {code!r}", field="cells")
    cells: tuple[str | None, ...] = wanted.cells
    if wanted.stream is not None:
        found = agents.cell_of(conn, wanted.agent or "", wanted.stream)
        if found is None:
            raise InvalidError(
                f"no agent {wanted.agent or ''!r} has a camera or sensor {wanted.stream!r}",
                field="stream",
            )
        cells = found
    _check_reach(actor, cells)


def _check_reach(actor: Actor, cells: Collection[str | None]) -> None:
    """Raise ForbiddenError unless every one of the cells is theirs."""
    for cell in cells:
        if not actor.reaches(cell):
            raise ForbiddenError(
                f"{actor.name} makes and ends windows in {', '.join(actor.cells)}, not in "
                f"{cell or 'a place outside the grid'}",
                role=actor.role,
                cells=actor.cells,
                cell=cell,
            )
