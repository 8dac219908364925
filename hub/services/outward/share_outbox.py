"""What happened is given to everyone who is to hear of it: webhooks, the public, and people."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import Connection

from hub.services.context import Hub
from hub.services.outward.issue_alerts import SPEAKING, issue_for
from hub.services.outward.tell_of_step import tell_of_step
from hub.store import locks, outbox, webhooks
from hub.store.outbox import OutboxRow

AT_ONCE = 500  # steps in one transaction
_PRUNED = 2000  # rows in one round

_log = logging.getLogger(__name__)


def share_outbox(conn: Connection[Any], hub: Hub) -> int:
    """Hand out the steps that nobody was given yet, up to AT_ONCE; how many.

    One hub at a time: the others find the lock taken and do nothing.
    """
    if not locks.try_lock_here(conn, SPEAKING):
        return 0
    steps = outbox.waiting(conn, AT_ONCE)
    if not steps:
        return 0
    now = hub.now()
    ids = [step.id for step in steps]
    webhooks.share(conn, ids, now)
    for step in steps:
        for speak in (issue_for, tell_of_step):
            _speak(conn, hub, step, speak)
    outbox.share(conn, ids, now)
    return len(steps)


def _speak(
    conn: Connection[Any],
    hub: Hub,
    step: OutboxRow,
    speak: Callable[[Connection[Any], Hub, OutboxRow], object],
) -> None:
    """Say what the step calls for; one that fails must not hold up the others."""
    try:
        with conn.transaction():
            speak(conn, hub, step)
    except psycopg.OperationalError:
        raise  # the database is away
    except Exception:  # noqa: BLE001 - logged; what is waiting behind it must go out
        _log.exception("nobody could be told of step %d of event %d", step.n, step.event)


def prune_outbox(conn: Connection[Any], hub: Hub) -> int:
    """Throw away what was handed out long ago and is waited for by nobody; how many rows."""
    before = hub.now() - timedelta(days=hub.config.webhooks.keep_days)
    webhooks.prune_tests(conn, before)
    return outbox.prune(conn, before, _PRUNED)
