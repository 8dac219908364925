"""The devices page's part on blind cells: which no camera saw, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from hub.store import camera_states

DAY = timedelta(days=1)
SHOWN = 40  # cells: those that are blind now first, then those that were for longest


def of_devices_page(conn: Connection[Any], now: datetime) -> dict[str, Any]:
    """The cells that were blind in the last day."""
    found = camera_states.blind(conn, now - DAY, now, now)
    blind = [c for c in found if c.periods]
    blind_now = {c.cell for c in blind if c.periods[-1][1] >= now}
    blind.sort(key=lambda c: (c.cell not in blind_now, -c.blind_s))
    return {
        "blind": blind[:SHOWN],
        "blind_in_all": len(blind),
        "blind_now": blind_now,
        "cells_watched": len(found),
    }
