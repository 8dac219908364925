"""Commands on their way to the agents: retained, the last version only."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.control import encode_control
from contract.messages import Command
from contract.topics import Down, Topic
from hub.ingest.mqtt import BrokerConnection
from hub.store import changes, commands

BROKER_S = 2.0  # the broker has it within this time, or it is sent again


def publish_commands(
    conn: Connection[Any],
    broker: BrokerConnection,
    stations: Collection[str],
    now: Callable[[], datetime],
    *,
    unpublished: bool,
) -> None:
    """Publish the last command of each agent; only those not yet sent if asked.

    A broker that lost what it retained gets it back with the next session.
    """
    for station, row in commands.latest_of_stations(conn, stations, unpublished=unpublished):
        command = Command(
            version=row.version,
            issued_at=row.issued_at,
            issued_by=row.issued_by,
            parameters=row.parameters,
        )
        sent = broker.publish(
            str(Topic(station, row.agent, Down.COMMAND)),
            encode_control(command),
            retain=True,
            wait_s=BROKER_S,
        )
        if not sent:
            return
        if row.published_at is None:
            commands.published(conn, row.agent, row.version, now())
            changes.tell(conn, "command", row.agent)
