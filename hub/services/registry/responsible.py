"""Which unit is responsible for an event where it lies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from hub.store import units
from hub.store.rows import GridEventRow


def unit_for(conn: Connection[Any], event: GridEventRow, at: datetime) -> str | None:
    """Code of the responsible unit, None where there is none."""
    unit = units.responsible_unit(conn, event.category, event.subcategory, event.cell, at)
    return unit.code if unit else None
