"""Every process of the hub takes the grid over as it is imported, and as its outlines fall due."""

from __future__ import annotations

import logging
import threading

import psycopg

from hub.services.context import Hub
from hub.store.grid import load_cells, stamp

EVERY_S = 5.0

_log = logging.getLogger(__name__)


def watch_grid(hub: Hub, stop: threading.Event) -> None:
    """Take other outlines over within `EVERY_S`, until `stop` is set."""
    seen: tuple[object, ...] | None = None
    while True:
        try:
            seen = refresh_grid(hub, seen)
        except psycopg.OperationalError as e:
            _log.debug("the grid is looked at again later: %s", e)
        if stop.wait(EVERY_S):
            return


def refresh_grid(hub: Hub, seen: tuple[object, ...] | None) -> tuple[object, ...]:
    """Take the grid over where it is another than the one of stamp `seen`; its stamp."""
    with hub.pool.connection(timeout=2.0) as conn:
        now = hub.now()
        present = stamp(conn, now)
        if present != seen:
            hub.grid.take(load_cells(conn, now))
            if seen is not None:
                _log.info("the grid has %d cells now", len(hub.grid.cells))
    return present
