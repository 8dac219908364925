"""Messages leave for the webhooks: in order for each event, tried again until they are taken.

A receiver that is down as a whole (no answer, 5xx, 408, 429) is left alone for a while that
doubles; a message it refuses alone (another 4xx, a redirect) waits by itself, and only the later
messages of its event wait with it. Whoever claims a webhook is the only one at it, so that order
holds with several hubs; a hub that is killed lets go of its claim after LEASE.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from psycopg import Connection

from hub.domain.actor import Role
from hub.domain.backoff import wait_s
from hub.domain.notice import NoticeKind
from hub.domain.webhook import CONTENT_TYPE, sign, step_message, test_message
from hub.services.context import Hub
from hub.services.outward.sending import AddressError, Sender, SendingError
from hub.services.outward.tell import tell
from hub.store import webhooks
from hub.store.webhooks import DueDelivery, WebhookRow

AT_A_TIME_S = 20.0  # of one webhook, before others have their turn
REFUSED_TIMES = 12  # a message refused alone this often is dead: hours, by the default waits
TOLD_AFTER = timedelta(hours=1)
_BUSY = (408, 425, 429)
_GONE = 410

_log = logging.getLogger(__name__)


def sender_of(hub: Hub) -> Sender:
    """Who sends, by the hub's settings."""
    settings = hub.config.webhooks
    return Sender(
        settings.networks(),
        allow_plain_http=settings.allow_plain_http,
        timeout_s=settings.timeout_s,
        ca_file=settings.ca_file,
    )


def source_of(hub: Hub) -> str:
    """The CloudEvents source of everything this hub says."""
    return hub.config.http.public_url or f"/gridwarden/{hub.config.hub.district}"


def deliver_some(hub: Hub, sender: Sender, stop: threading.Event) -> bool:
    """Send what is due to one webhook, for AT_A_TIME_S at most; whether there was one.

    Opens transactions of its own: none is held while a receiver is waited for.
    """
    now = hub.now()
    lease = timedelta(seconds=AT_A_TIME_S + 2 * hub.config.webhooks.timeout_s + 30.0)
    with hub.pool.connection() as conn:
        webhook = webhooks.claim(conn, now, now + lease)
    if webhook is None:
        return False
    assert webhook.claimed_until is not None
    try:
        ends = time.monotonic() + AT_A_TIME_S
        while not stop.is_set() and time.monotonic() < ends:
            with hub.pool.connection() as conn:
                current = webhooks.by_id(conn, webhook.id)  # it may be changed, stopped, removed
                due = webhooks.next_due(conn, webhook.id, hub.now())
            if current is None or current.stopped_at is not None or due is None:
                break
            if not _deliver(hub, sender, current, due):
                break
    finally:
        with hub.pool.connection() as conn:
            webhooks.release(conn, webhook.id, webhook.claimed_until)
    return True


def _deliver(hub: Hub, sender: Sender, webhook: WebhookRow, due: DueDelivery) -> bool:
    """Send one message and note what came of it; whether the receiver is to get the next."""
    now = hub.now()
    id, body = _message(hub, due)
    headers = {
        "Content-Type": CONTENT_TYPE,
        "User-Agent": "Gridwarden",
        **sign(id, now, body, _keys(webhook, now)),
    }
    status, text = None, ""
    try:
        answer = sender.post(webhook.url, body, headers)
    except (SendingError, AddressError) as e:
        text = str(e)
    else:
        status, text = answer.status, f"HTTP {answer.status}: {answer.text}".rstrip(": ")
    at = hub.now()
    if status is not None and 200 <= status < 300:
        with hub.pool.connection() as conn:
            webhooks.delivered(conn, webhook.id, due.id, status, at)
        if webhook.failures:
            _log.info("webhook %d (%s) takes messages again", webhook.id, _host(webhook))
        return True
    down = status is None or status >= 500 or status in _BUSY
    if down:
        _note_down(hub, webhook, due, status, text, at)
    else:
        _note_refused(hub, webhook, due, status, text, at)
    return not down


def _note_down(
    hub: Hub, webhook: WebhookRow, due: DueDelivery, status: int | None, text: str, at: datetime
) -> None:
    settings = hub.config.webhooks
    wait = timedelta(
        seconds=wait_s(
            webhook.failures + 1, settings.first_wait_s, settings.longest_wait_s, random.random
        )
    )
    own = timedelta(
        seconds=wait_s(
            due.attempts + 1, settings.first_wait_s, settings.longest_wait_s, random.random
        )
    )
    # an answer may be to this message alone: then it must not stand before all others. Failing in a
    # row it only goes behind them, so that it is not late when the receiver is back
    again = at + (wait if status is None or webhook.failures else max(wait, own))
    given_up = at - due.queued_at >= timedelta(days=settings.give_up_days)
    with hub.pool.connection() as conn:
        webhooks.refused(
            conn,
            due.id,
            status=status,
            error=text[:1000],
            at=at,
            again_at=None if given_up else again if status is not None else at,
        )
        webhooks.is_down(conn, webhook.id, at, at + wait)
        _tell_of_outage(conn, hub, webhook, at, given_up)
    if webhook.failures == 0:
        _log.warning(
            "webhook %d (%s) fails, it is tried again: %s", webhook.id, _host(webhook), text
        )


def _tell_of_outage(
    conn: Connection[Any], hub: Hub, webhook: WebhookRow, at: datetime, given_up: bool
) -> None:
    """The dispatchers hear of a receiver that stays away: once for each outage."""
    since = webhook.failing_since
    if given_up or (since is not None and at - since >= TOLD_AFTER):
        tell(
            conn,
            hub,
            NoticeKind.RECEIVER_DOWN,
            None,
            role=Role.DISPATCHER,
            subject=webhook.note or _host(webhook),
            occasion=f"{webhook.id}/{since.isoformat() if since else 'given up'}",
        )


def _note_refused(
    hub: Hub, webhook: WebhookRow, due: DueDelivery, status: int | None, text: str, at: datetime
) -> None:
    settings = hub.config.webhooks
    attempts = due.attempts + 1
    wait = wait_s(attempts, settings.first_wait_s, settings.longest_wait_s, random.random)
    dead = attempts >= REFUSED_TIMES or status == _GONE
    with hub.pool.connection() as conn:
        webhooks.refused(
            conn,
            due.id,
            status=status,
            error=text[:1000],
            at=at,
            again_at=None if dead and status != _GONE else at + timedelta(seconds=wait),
        )
        if status == _GONE:
            webhooks.stop(conn, webhook.id, "the receiver says it is gone (410)", at)
    if dead:
        _log.warning("webhook %d (%s) refused a message: %s", webhook.id, _host(webhook), text)


def _message(hub: Hub, due: DueDelivery) -> tuple[str, bytes]:
    if due.data is None:
        return test_message(source_of(hub), due.id, due.queued_at)
    assert due.name is not None
    assert due.at is not None
    base = hub.config.http.public_url
    link = f"{base}/events/{due.data['number']}" if base else None
    return step_message(source_of(hub), due.name, due.at, due.data, link)


def _keys(webhook: WebhookRow, now: datetime) -> list[str]:
    keys = [webhook.secret]
    until = webhook.secret_before_until
    if webhook.secret_before is not None and until is not None and now < until:
        keys.append(webhook.secret_before)
    return keys


def _host(webhook: WebhookRow) -> str:
    """Whose it is, for logs and notices: path and query of an address may be a key to it."""
    parts = urlsplit(webhook.url)
    return f"{parts.scheme}://{parts.hostname}"
