"""Cameras answer what they see at a place that the hub asked about."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.messages import Looked
from hub.store import camera_looks, looks

_log = logging.getLogger(__name__)


def take_answers(
    conn: Connection[Any], answers: Sequence[tuple[str, Looked]], now: datetime
) -> None:
    """Keep the answers of these agents and have their cases looked at; the others are left aside:
    late ones, and what nobody asked that agent."""
    # in one order, as others lock them
    for agent, said in sorted(answers, key=lambda a: (a[0], a[1].look)):
        event = looks.answer(conn, agent, said, now)
        if event is None:
            _log.info("answer of %s to look %s left aside: late, or not asked", agent, said.look)
        else:
            camera_looks.wake(conn, event, now)
