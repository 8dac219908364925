"""Notices: the inbox of whoever asks, and how they want to be told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from hub.api.access import PEOPLE, allow
from hub.api.deps import ActorDep, Cursor, HubDep, Limit, cursor_id, one_page, reading
from hub.api.errors import problems
from hub.api.models.notices import (
    NoticeNow,
    NoticePage,
    ReadNotices,
    UnreadNow,
    Wishes,
    WishesNow,
)
from hub.domain.notice import NoticeKind
from hub.services.context import Hub
from hub.services.outward.tell import wishes_of
from hub.store import changes, notices
from hub.store.notices import PreferenceRow

router = APIRouter(prefix="/notices", tags=["Notices"], dependencies=[allow(*PEOPLE)])

MOST_UNREAD = 1000  # counted


@router.get("", summary="What you are told", responses=problems())
def list_notices(
    hub: HubDep,
    actor: ActorDep,
    unread: Annotated[bool, Query(description="Only what was not read")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> NoticePage:
    """By name, by your role where you have it, or as your unit; the newest first."""
    with reading(hub) as conn:
        found = notices.inbox(conn, actor, cursor_id(cursor), limit + 1, unread=unread)
        left = notices.unread(conn, actor, MOST_UNREAD)
    shown, last = one_page(found, limit)
    return NoticePage(
        notices=[NoticeNow.model_validate(n) for n in shown],
        unread=left,
        next=str(last.id) if last else None,
    )


@router.post("/read", summary="You have read them", responses=problems(403, 413))
def read_notices(body: ReadNotices, hub: HubDep, actor: ActorDep) -> UnreadNow:
    """What a role or unit is told is read for all of them."""
    with hub.pool.connection() as conn:
        if notices.read(conn, actor, body.ids, hub.now()):
            changes.tell(conn, "notice", actor.name)
        return UnreadNow(unread=notices.unread(conn, actor, MOST_UNREAD))


@router.get("/preferences", summary="How you are told", responses=problems())
def show_preferences(hub: HubDep, actor: ActorDep) -> WishesNow:
    """As you said, or as the settings say."""
    with reading(hub) as conn:
        return _wishes(hub, wishes_of(hub, notices.preference(conn, actor.name), actor.name))


@router.put("/preferences", summary="How you want to be told", responses=problems(403, 413))
def set_preferences(body: Wishes, hub: HubDep, actor: ActorDep) -> WishesNow:
    """From the next notice on. S1 and S2 are mailed at any hour unless mail is off."""
    wanted = PreferenceRow(
        actor.name,
        body.mail,
        body.quiet_from.replace(tzinfo=None),
        body.quiet_to.replace(tzinfo=None),
        sorted({str(kind) for kind in body.kinds_off}),
    )
    with hub.pool.connection() as conn:
        notices.prefer(conn, wanted)
    return _wishes(hub, wanted)


def _wishes(hub: Hub, wishes: PreferenceRow) -> WishesNow:
    known = list(NoticeKind)
    return WishesNow(
        mail=wishes.mail,
        quiet_from=wishes.quiet_from,
        quiet_to=wishes.quiet_to,
        kinds_off=[NoticeKind(k) for k in wishes.kinds_off if k in known],
        time_zone=hub.config.hub.time_zone,
        mail_is_sent=bool(hub.config.mail.host),
    )
