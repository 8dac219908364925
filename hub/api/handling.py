"""Who has to do with a case, as API and pages tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from hub.api.models.work import (
    CameraWord,
    HandlingNow,
    LookNow,
    PartNow,
    ProposalNow,
    ProposedPerson,
    ProposedUnit,
    TaskNow,
)
from hub.domain.actor import Actor
from hub.domain.errors import ForbiddenError
from hub.services.context import Hub
from hub.services.dispatch.propose import Proposal, propose
from hub.services.event_facts import ground_of
from hub.services.outward.own_report import MyReport, my_report
from hub.services.outward.rate_case import check_no_own_work
from hub.store import camera_looks, cohandlers, evidence_index, ratings, tasks, units, views
from hub.store.rows import GridEventRow, HistoryRow
from hub.store.view_rows import Picture

# entries whose photos show the matter, and those whose photos show what was done about it
_SHOW_BEFORE = frozenset({"report", "join_report", "verified_exists"})
_SHOW_AFTER = frozenset({"feedback", "self_handle", "check_pass", "check_fail", "comment"})


@dataclass(frozen=True, slots=True)
class Pair:
    """The same place before and after. None: there is no picture."""

    who: str  # a camera, or "people"
    before: Picture | None
    after: Picture | None


def handling(conn: Connection[Any], hub: Hub, event: GridEventRow) -> HandlingNow:
    """Everything at once; read in one transaction."""
    proposal = propose(conn, hub, event)
    return HandlingNow(
        proposal=None if proposal is None else _proposal(proposal),
        tasks=[TaskNow.model_validate(t) for t in tasks.of_event(conn, event.id)],
        parts=[PartNow.model_validate(p) for p in cohandlers.of_event(conn, event.id)],
        look=_look(conn, event),
    )


def of_event_page(
    conn: Connection[Any],
    hub: Hub,
    event: GridEventRow,
    actor: Actor,
    pictures: Sequence[Picture],
    history: Sequence[HistoryRow],
) -> dict[str, Any]:
    """What the event's page shows of it, by the names of its template."""
    now = handling(conn, hub, event)
    open_now = hub.lifecycle.offers_to(actor, event.state, ground_of(event, history))
    return {
        "handling": now,
        "may_accept": now.proposal is not None and now.proposal.act in {o.name for o in open_now},
        "my_report": _my_report(conn, hub, event, actor),
        "ratings": ratings.of_closing(conn, event.id, event.ended_at) if event.ended_at else [],
        "may_take_down": "take_down_comment" in {o.name for o in open_now},
        "pairs": pairs(pictures, evidence_index.came_with(conn, event.id), history),
        "units": units.units(conn),
    }


def _my_report(
    conn: Connection[Any], hub: Hub, event: GridEventRow, actor: Actor
) -> MyReport | None:
    """The report that whoever looks made of it, unless they would rate their own work."""
    report = ratings.last_report_by(conn, event.id, actor.name)
    if report is None:
        return None
    try:
        check_no_own_work(conn, event, actor)
    except ForbiddenError:
        return None
    return my_report(conn, hub, report)


def pairs(
    pictures: Sequence[Picture], photos: dict[str, int], history: Sequence[HistoryRow]
) -> list[Pair]:
    """Pictures side by side: of each camera, and of what people handed in.

    photos: digest -> number of the entry of the history that they came with.
    """
    steps = {h.n: h.name for h in history}
    found = []
    by_camera: dict[tuple[str, str], list[Picture]] = {}
    for p in pictures:
        if p.is_image and p.agent and p.stream:
            by_camera.setdefault((p.agent, p.stream), []).append(p)
    for (agent, stream), seen in by_camera.items():
        before, after = _first(seen, "box"), _last(seen, "after")
        if before is not None and after is not None:
            found.append(Pair(f"{agent}/{stream}", before, after))
    handed = [p for p in pictures if p.role == "photo" and p.is_image]
    handed.sort(key=lambda p: photos.get(p.digest, 0))
    shown = {p.digest: steps.get(photos.get(p.digest, 0), "") for p in handed}
    before = next((p for p in handed if shown[p.digest] in _SHOW_BEFORE), None)
    after = next((p for p in reversed(handed) if shown[p.digest] in _SHOW_AFTER), None)
    if after is not None:
        before = before or _first([p for p in pictures if p.is_image], "box")
        found.append(Pair("people", before, after))
    return found


def _first(pictures: Sequence[Picture], role: str) -> Picture | None:
    return min((p for p in pictures if p.role == role), key=_taken, default=None)


def _last(pictures: Sequence[Picture], role: str) -> Picture | None:
    return max((p for p in pictures if p.role == role), key=_taken, default=None)


def _taken(picture: Picture) -> Any:
    return picture.captured_at, picture.digest


def _look(conn: Connection[Any], event: GridEventRow) -> LookNow | None:
    look = camera_looks.of_event(conn, event.id)
    if look is None:
        return None
    pictures = views.pictures(conn, event.id)
    cameras = []
    for said in look.cameras:
        own = [p for p in pictures if p.is_image and f"{p.agent}/{p.stream}" == said["camera"]]
        before = _first(own, "box")
        cameras.append(
            CameraWord(
                camera=said["camera"],
                name=said["name"] or said["camera"],
                why=said["why"],
                before=before.digest if before else None,
                after=said["after"],
                seen=said.get("seen"),
            )
        )
    return LookNow(looked_at=look.looked_at, outcome=look.outcome, cameras=cameras)  # type: ignore[arg-type]


def _proposal(p: Proposal) -> ProposalNow:
    return ProposalNow(
        act=p.act,  # type: ignore[arg-type]
        unit=None if p.unit is None else ProposedUnit.model_validate(p.unit),
        person=None if p.person is None else ProposedPerson.model_validate(p.person),
        distance_m=None if p.distance_m is None else round(p.distance_m, 1),
        reason_en=p.reason.en,
        reason_zh=p.reason.zh,
        left_out=list(p.left_out),
        complete=p.complete,
    )
