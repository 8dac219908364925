"""Every probe of a broker, in turn."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from contract.topics import Up
from gridwarden.broker_check.access import access, encryption
from gridwarden.broker_check.delivery import (
    backlog,
    clean_session,
    last_will,
    message_size,
    retained,
    window_and_order,
)
from gridwarden.broker_check.finding import Finding, Verdict
from gridwarden.broker_check.probing import QUIET_S, Account, Place, address_of, hears
from gridwarden.errors import BrokerError
from hub.config import BrokerConfig


def broker_of(url: str, ca_file: Path | None = None) -> BrokerConfig:
    """The broker that `mqtt[s]://[user[:password]@]host[:port]` names; raises BrokerError."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == 0:
        raise BrokerError(f"{url!r} is no broker: write mqtt://host:1883 or mqtts://host:8883")
    tls = parts.scheme == "mqtts"
    return BrokerConfig(
        host=parts.hostname,
        port=port or (8883 if tls else 1883),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
        ca_file=ca_file,
    )


def check(
    broker: BrokerConfig,
    agent: Account | None,
    batch: int,
    *,
    station: str = "",
    quiet_s: float | None = None,
) -> Iterator[Finding]:
    """What the broker does, finding by finding.

    agent: an enrolled agent's, and the station it is enrolled at, which no hub should ingest.
    batch: messages the hub takes before it acknowledges. quiet_s: nothing for so long means that
    nothing more comes. Raises BrokerError where it cannot be spoken to with the hub's account.
    """
    hub = Account(broker.username, broker.password)
    writer_account = agent or hub
    name = agent.username if agent else f"check-{secrets.token_hex(4)}"
    station = station or f"check-{secrets.token_hex(4)}"
    place = Place(broker, station, name, hub, writer_account, quiet_s or QUIET_S)
    with place.reader() as reader:
        yield Finding(
            Verdict.SAFE, f"takes the hub's connection ({address_of(broker)}, MQTT 3.1.1)"
        )
        yield from encryption(broker)
        heard = hears(place, reader, place.topic(Up.READING), b"hello")
        yield from access(place, reader, agent, heard)
        if not heard:
            way = (
                "enrol an agent for this, as `gridwarden agents enrol broker-check --station "
                "broker-check`, and name it with --agent-username, --agent-password and "
                "--agent-station"
                if agent is None
                else f"what {name} writes at station {station} is dropped: see its ACL, and name "
                "the station it is enrolled at with --agent-station"
            )
            verdict = Verdict.UNKNOWN if agent is None else Verdict.UNSAFE
            yield Finding(verdict, f"nothing an agent sends reaches the hub; {way}")
            return
        yield from message_size(place, reader)
    yield from window_and_order(place, batch)
    yield from backlog(place)
    yield from retained(place)
    yield from clean_session(place)
    yield from last_will(place)
