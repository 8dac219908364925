"""The console's page of the district: what cells lack, who works here, units, who answers for what.

It is for reading; tables are imported by command and changed over the API.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from psycopg import Connection
from starlette.responses import HTMLResponse

from hub.api.access import DESK, allow
from hub.api.deps import HubDep, reading
from hub.api.render import pages_of
from hub.domain.people import POST_ROLES
from hub.domain.readiness import Need
from hub.services.context import Hub
from hub.services.registry.readiness import check_readiness
from hub.store import duty, people, units
from hub.store.people import PeopleFilter

router = APIRouter(include_in_schema=False, dependencies=[allow(*DESK)])

_PAGE = 100
_TABS = ("gaps", "people", "units", "matrix")
Short = Annotated[str, Query(max_length=64)]


@router.get("/district")
def show_district(
    request: Request,
    hub: HubDep,
    tab: Short = "gaps",
    need: Short = "",
    cell: Annotated[str, Query(max_length=15)] = "",
    text: Annotated[str, Query(max_length=200)] = "",
    role: Short = "",
    unit: Short = "",
    duty: Short = "",
    after: Short = "",
    skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> HTMLResponse:
    """One of its tabs. duty on: only who is on shift; after, skip: where the page begins."""
    tab = tab if tab in _TABS else "gaps"
    need = need if need in set(Need) else ""
    role = role if role in POST_ROLES else ""
    cell = cell if cell.isascii() and cell.isdigit() else ""
    text, unit, after = (words.replace("\0", "") for words in (text, unit, after))
    on_duty = duty == "on"
    with reading(hub) as conn:
        if tab == "people":
            wanted = PeopleFilter(
                unit or None,
                role or None,
                cell or None,
                text.strip() or None,
                on_shift=on_duty,
            )
            values = _people(conn, hub, wanted, after)
        elif tab == "units":
            values = _units(conn, hub)
        elif tab == "matrix":
            values = _matrix(conn, hub, unit, cell, skip)
        else:
            values = _gaps(conn, hub, need, cell, skip)
        names = {u.code: u for u in units.units(conn, closed=True)}
    shown = {
        "need": need,
        "cell": cell,
        "text": text,
        "role": role,
        "unit": unit,
        "duty": on_duty,
    }
    return pages_of(request).page(
        request,
        "district.html",
        {"page": "district", "tab": tab, "filter": shown, "unit_names": names, "skip": skip}
        | {"step": _PAGE, "roles": POST_ROLES}
        | values,
    )


def _gaps(conn: Connection[Any], hub: Hub, need: str, cell: str, skip: int) -> dict[str, Any]:
    found, unassigned = check_readiness(conn, hub, cell)
    gaps = [g for g in found.gaps if not need or g.need == need]
    return {
        "readiness": found,
        "gaps": gaps[skip : skip + _PAGE],
        "total": len(gaps),
        "unassigned": unassigned,
    }


def _people(conn: Connection[Any], hub: Hub, wanted: PeopleFilter, after: str) -> dict[str, Any]:
    now = hub.now()
    found = people.people(conn, wanted, after, _PAGE + 1, now)
    shown = found[:_PAGE]
    posts: dict[str, list[people.PostRow]] = {p.code: [] for p in shown}
    for post in people.posts_of(conn, list(posts)):
        posts[post.person].append(post)
    return {
        "people": shown,
        "posts": posts,
        "on_shift": duty.on_shift(conn, list(posts), now),
        "next": shown[-1].code if len(found) > _PAGE else None,
    }


def _units(conn: Connection[Any], hub: Hub) -> dict[str, Any]:
    answers: dict[str, int] = {}
    for entry in units.matrix(conn, hub.now()):
        answers[entry.unit] = answers.get(entry.unit, 0) + 1
    return {"units": units.units(conn), "answers": answers}


def _matrix(conn: Connection[Any], hub: Hub, unit: str, cell: str, skip: int) -> dict[str, Any]:
    entries = units.matrix(conn, hub.now(), unit=unit or None, cell=cell or None)
    return {"matrix": entries[skip : skip + _PAGE], "total": len(entries)}
