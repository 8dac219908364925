"""An engineer changes parameters of a detector: a new complete command version for its agent."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor
from hub.services.context import Hub
from hub.store.rows import CommandRow


def tune_threshold(
    conn: Connection[Any],
    hub: Hub,
    agent: str,
    stream: str,
    kind: str,
    changes: dict[str, object],
    actor: Actor,
    note: str = "",
) -> CommandRow:
    """The new command; None as a value takes a parameter back to the agent's own setting.

    Raises NotFoundError and InvalidError (what the manifest's schema says against it).
    """
    raise NotImplementedError
