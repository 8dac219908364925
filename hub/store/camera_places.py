"""Where cameras stand, and what they see of the ground."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import Connection
from shapely.geometry import shape

from contract.geometry import Point
from contract.messages import GroundPoint
from hub.domain.footprint import View


def sights(
    conn: Connection[Any], streams: Collection[tuple[str, str]]
) -> dict[tuple[str, str], View]:
    """What these cameras (agent, stream) see of the ground, where anybody said."""
    ordered = sorted(streams)
    return {
        (agent, stream): View(
            None if footprint is None else shape(footprint),
            tuple(GroundPoint(*g) for g in ground or ()),
        )
        for agent, stream, footprint, ground in conn.execute(
            """
            SELECT agent, stream, footprint, ground FROM stream
            WHERE (agent, stream) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
              AND (footprint IS NOT NULL OR ground IS NOT NULL)
            """,
            ([a for a, _ in ordered], [s for _, s in ordered]),
        )
    }


def positions(
    conn: Connection[Any], streams: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Point]:
    """Where these cameras (agent, stream) stand, as far as it is known."""
    ordered = sorted(streams)
    return {
        (agent, stream): Point(lon, lat)
        for agent, stream, lon, lat in conn.execute(
            """
            SELECT agent, stream, lon, lat FROM stream
            WHERE (agent, stream) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
              AND lon IS NOT NULL
            """,
            ([a for a, _ in ordered], [s for _, s in ordered]),
        )
    }
