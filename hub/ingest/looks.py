"""Looks on their way to the agents: not retained, and worth nothing once they are late."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from contract.control import encode_control
from contract.messages import Look
from contract.topics import Down, Topic
from hub.ingest.commands import BROKER_S
from hub.ingest.mqtt import BrokerConnection
from hub.store import looks

AT_ONCE = 100


def publish_looks(
    conn: Connection[Any],
    broker: BrokerConnection,
    stations: Collection[str],
    now: Callable[[], datetime],
) -> None:
    """Ask what is to be asked. An agent that is away is not waited for: its look becomes late."""
    for station, asked in looks.unsent(conn, stations, now(), AT_ONCE):
        told = asked.question | {
            "look": str(asked.id),
            "stream": asked.stream,
            "within_s": max(1.0, (asked.until - now()).total_seconds()),
        }
        look = msgspec.convert(told, Look)
        topic = str(Topic(station, asked.agent, Down.LOOK))
        if not broker.publish(topic, encode_control(look), retain=False, wait_s=BROKER_S):
            return
        looks.sent(conn, asked.id, now())
