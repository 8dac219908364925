"""Who may connect to a broker, over what, and who may speak in whose name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from contract.topics import Down, Up
from gridwarden.broker_check.finding import Finding, Verdict
from gridwarden.broker_check.probing import Account, Place, Session, hears
from gridwarden.errors import BrokerError
from hub.config import BrokerConfig


def encryption(broker: BrokerConfig) -> Iterator[Finding]:
    """Whether what is said can be read on the way."""
    if broker.tls:
        yield Finding(Verdict.SAFE, "is spoken to over TLS, its certificate is valid")
    elif _is_loopback(broker.host):
        yield Finding(Verdict.NOTE, "is spoken to without TLS: right for this machine alone")
    else:
        yield Finding(
            Verdict.UNSAFE,
            "is spoken to without TLS: passwords and pictures can be read on the way; give it a "
            "certificate and use mqtts://",
        )


def access(place: Place, reader: Session, agent: Account | None, heard: bool) -> Iterator[Finding]:
    """Who may connect, and who may speak in whose name."""
    here = _is_loopback(place.broker.host)
    open_to_all = Verdict.NOTE if here else Verdict.UNSAFE
    try:
        passed = hears(place, reader, place.topic(Up.READING, "stranger"), b"stranger", Account())
    except BrokerError:
        yield Finding(Verdict.SAFE, "refuses a connection without an account")
    else:
        if passed:
            yield Finding(
                open_to_all,
                "lets anybody connect and speak as any agent: "
                + ("right for this machine alone" if here else "set allow_anonymous false"),
            )
        else:
            yield Finding(Verdict.SAFE, "lets a stranger connect, but passes nothing on of it")
    if agent is None:
        if heard and place.hub.username:
            yield Finding(
                Verdict.UNSAFE,
                "lets the hub's account write what agents write, so there is no ACL: see "
                "configs/mosquitto.acl",
            )
        elif place.hub.username:
            yield Finding(Verdict.SAFE, "keeps the hub's account from writing what agents write")
        return
    if hears(place, reader, place.topic(Up.READING, "somebody-else"), b"forged"):
        yield Finding(
            Verdict.UNSAFE,
            f"lets agent {place.agent} speak in another agent's name: an ACL with "
            "'pattern write gw/v1/+/up/%u/#' is missing",
        )
    else:
        yield Finding(Verdict.SAFE, "keeps an agent from speaking in another's name")
    if _overhears(place, reader):
        yield Finding(
            Verdict.UNSAFE,
            f"lets agent {place.agent} read what the hub says to another: an ACL with "
            "'pattern read gw/v1/+/dn/%u/#' is missing",
        )
    else:
        yield Finding(Verdict.SAFE, "keeps what the hub says to an agent from the others")


def _overhears(place: Place, reader: Session) -> bool:
    """Whether an agent hears what the hub says to another."""
    topic = place.topic(Down.NACK, "somebody-else")
    with place.writer() as writer:
        if not writer.may_subscribe(topic):
            return False
        reader.publish(topic, b"secret")
        return writer.next() is not None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
