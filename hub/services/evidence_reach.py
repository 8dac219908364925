"""Whose a piece of evidence is to see."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.domain.reach import check_reach
from hub.store import evidence_index


def check_evidence_reach(conn: Connection[Any], digest: str, actor: Actor) -> None:
    """Raise ForbiddenError where no event or detection it shows is within the actor's reach."""
    if actor.cells or actor.unit:  # else everything is
        check_reach(actor, evidence_index.places(conn, digest), f"evidence {digest[:12]}…")
