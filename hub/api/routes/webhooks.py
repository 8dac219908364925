"""Webhooks: who else is told, how far that has come, and what to do where it failed."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from hub.api.access import OFFICE, allow
from hub.api.deps import ActorDep, Cursor, HubDep, Id, Limit, Listed, cursor_id, one_page, reading
from hub.api.errors import problems
from hub.api.models.webhooks import (
    AddWebhook,
    DeliveryNow,
    DeliveryPage,
    Queued,
    Redeliver,
    WebhookMade,
    WebhookNow,
)
from hub.services.outward import keep_webhooks
from hub.services.outward.deliver_webhooks import sender_of
from hub.services.outward.keep_webhooks import Made, Wanted, show_webhook, webhooks_of
from hub.store import webhooks

router = APIRouter(prefix="/webhooks", tags=["Webhooks"], dependencies=[allow(*OFFICE)])


@router.get("", summary="Systems that are told", responses=problems())
def list_webhooks(hub: HubDep, actor: ActorDep, listed: Listed) -> list[WebhookNow]:
    """In the order they were added."""
    with reading(hub) as conn:
        found = listed.shown_of(webhooks_of(conn, actor))
    return [WebhookNow.model_validate(w) for w in found]


@router.post("", status_code=201, summary="Tell another system", responses=problems(403, 409, 413))
def add(body: AddWebhook, hub: HubDep, actor: ActorDep) -> WebhookMade:
    """The secret in the answer is shown this once: it signs every message."""
    wanted = Wanted(
        url=body.url,
        note=body.note,
        steps=tuple(body.steps),
        severities=tuple(body.severities),
        cell=body.cell,
        tests=body.tests,
    )
    with hub.pool.connection() as conn:
        return _made(keep_webhooks.add_webhook(conn, hub, sender_of(hub), wanted, actor))


@router.get("/{id}", summary="One of them", responses=problems(404))
def show(id: Id, hub: HubDep, actor: ActorDep) -> WebhookNow:
    """With how far it has come."""
    with reading(hub) as conn:
        return WebhookNow.model_validate(show_webhook(conn, id, actor))


@router.delete(
    "/{id}", status_code=204, summary="Tell it nothing more", responses=problems(403, 404, 409)
)
def remove(id: Id, hub: HubDep, actor: ActorDep) -> None:
    """What waits for it is forgotten."""
    with hub.pool.connection() as conn:
        keep_webhooks.remove_webhook(conn, id, actor)


@router.post("/{id}/secret", summary="A new secret", responses=problems(403, 404, 409, 413))
def rotate(id: Id, hub: HubDep, actor: ActorDep) -> WebhookMade:
    """Shown this once. The one before signs beside it for a day, as configured."""
    with hub.pool.connection() as conn:
        return _made(keep_webhooks.rotate_secret(conn, hub, id, actor))


@router.post("/{id}/stop", summary="Send nothing for now", responses=problems(403, 404, 409, 413))
def stop(id: Id, hub: HubDep, actor: ActorDep) -> WebhookNow:
    """What happens meanwhile waits."""
    with hub.pool.connection() as conn:
        return WebhookNow.model_validate(keep_webhooks.stop_webhook(conn, hub, id, actor))


@router.post("/{id}/start", summary="Send again, at once", responses=problems(403, 404, 409, 413))
def start(id: Id, hub: HubDep, actor: ActorDep) -> WebhookNow:
    """Also where it waits for its next attempt."""
    with hub.pool.connection() as conn:
        return WebhookNow.model_validate(keep_webhooks.start_webhook(conn, hub, id, actor))


@router.post(
    "/{id}/test",
    status_code=202,
    summary="Send a test message",
    responses=problems(403, 404, 409, 413),
)
def test(id: Id, hub: HubDep, actor: ActorDep) -> Queued:
    """Sent like any other; its delivery tells what came of it."""
    with hub.pool.connection() as conn:
        return Queued(deliveries=[keep_webhooks.queue_test(conn, hub, id, actor)])


@router.get("/{id}/deliveries", summary="Messages to it", responses=problems(404))
def list_deliveries(
    id: Id,
    hub: HubDep,
    actor: ActorDep,
    state: Annotated[Literal["waiting", "delivered", "dead"] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DeliveryPage:
    """The newest first, for as long as `keep_days` of [webhooks] says."""
    with reading(hub) as conn:
        show_webhook(conn, id, actor)
        found = webhooks.deliveries(conn, id, state, cursor_id(cursor), limit + 1)
    deliveries, last = one_page(found, limit)
    return DeliveryPage(
        deliveries=[DeliveryNow.model_validate(d) for d in deliveries],
        next=str(last.id) if last else None,
    )


@router.post(
    "/{id}/redeliver",
    status_code=202,
    summary="Send messages again",
    responses=problems(403, 404, 409, 413),
)
def redeliver(id: Id, body: Redeliver, hub: HubDep, actor: ActorDep) -> Queued:
    """With the ids they had: a receiver that knows them takes them for repeated."""
    with hub.pool.connection() as conn:
        ids = keep_webhooks.redeliver(conn, hub, id, body.deliveries, actor)
    return Queued(deliveries=ids)


def _made(made: Made) -> WebhookMade:
    return WebhookMade(webhook=WebhookNow.model_validate(made.webhook), secret=made.secret)
