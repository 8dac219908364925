"""Checkpoints: from time to time the heads of all histories are sealed by one hash.

An event that is deleted with its whole history leaves no broken chain; the checkpoint that has it
misses it. The hash stands in the log too, so that a copy of it lies outside the database.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from psycopg import Connection

from hub.domain.history import FIRST, checkpoint_hash
from hub.services.context import Hub
from hub.store import checkpoints, events, locks
from hub.store.checkpoints import Checkpoint

EVERY = timedelta(hours=1)
AT_ONCE = 5_000  # heads: their events are locked for as long as it takes

_log = logging.getLogger(__name__)


def seal_history(conn: Connection[Any], hub: Hub) -> Checkpoint | None:
    """The next checkpoint, where one is due and something changed since the last."""
    locks.lock(conn, ["history checkpoint"])
    last = checkpoints.last(conn)
    now = hub.now()
    # a full one has left something over; one from the future was written by a wrong clock
    if last is not None and last.heads < AT_ONCE and timedelta(0) <= now - last.at < EVERY:
        return None
    heads = checkpoints.unsealed(conn, AT_ONCE)
    if not heads:
        return None
    id, before = (last.id + 1, last.hash) if last else (1, FIRST)
    sealed = checkpoint_hash(id, now, (h.head for h in heads), before)
    checkpoint = Checkpoint(id, now, len(heads), before, sealed)
    checkpoints.insert(conn, checkpoint, heads)
    events.note_sealed(conn, [(h.id, h.head.n) for h in heads])
    _log.info("checkpoint %d seals %d histories: %s", id, len(heads), sealed)
    return checkpoint
