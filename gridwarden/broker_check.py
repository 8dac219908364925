"""Probes an MQTT broker for what the hub and the agents count on, and says what is unsafe.

Everything is said under a station of its own, which no hub ingests. The reader has the hub's
account. The writer has an agent's, if one is given, else the hub's too, which a broker with access
rules does not let write.
"""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract.envelope import MAX_MESSAGE
from contract.topics import Down, Topic, Up
from gridwarden.errors import BrokerError
from hub.config import BrokerConfig

CONNECT_S = 5.0
QUIET_S = 0.7  # nothing for so long: nothing more comes
PATIENCE_S = 20.0
BACKLOG = 2_000  # messages for a reader that is slow; mosquitto keeps 1000 unless told otherwise
MARGIN = 16  # messages beyond a batch that the window is probed with


class Verdict(StrEnum):
    """What a finding means."""

    SAFE = "safe"
    NOTE = "note"  # safe as it stands here
    UNKNOWN = "not probed"
    UNSAFE = "UNSAFE"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of the broker."""

    verdict: Verdict
    what: str

    def __str__(self) -> str:
        return f"{self.verdict:<11}{self.what}"


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a connection logs in as; "": nobody."""

    username: str = ""
    password: str = ""


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
    place = _Place(broker, station, name, hub, writer_account, quiet_s or QUIET_S)
    with place.reader() as reader:
        yield Finding(Verdict.SAFE, f"takes the hub's connection ({_where(broker)}, MQTT 3.1.1)")
        yield from _encryption(broker)
        heard = _hears(place, reader, place.topic(Up.READING), b"hello")
        yield from _access(place, reader, agent, heard)
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
        yield from _payload(place, reader)
    yield from _window_and_order(place, batch)
    yield from _backlog(place)
    yield from _retained(place)
    yield from _clean_session(place)
    yield from _last_will(place)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where and as whom it is probed."""

    broker: BrokerConfig
    station: str
    agent: str
    hub: Account
    writer_account: Account
    quiet_s: float

    def topic(self, kind: Up | Down, agent: str = "") -> str:
        return str(Topic(self.station, agent or self.agent, kind))

    @contextmanager
    def reader(self, kind: str = "reading", *, acks: bool = True) -> Iterator[_Client]:
        """A connection of the hub that hears one kind, and acknowledges only if told."""
        client = _Client(self.broker, self.hub, acks=acks, quiet_s=self.quiet_s)
        try:
            client.open()
            client.subscribe(f"gw/v1/{self.station}/up/+/{kind}")
            yield client
        finally:
            client.close()

    @contextmanager
    def writer(self) -> Iterator[_Client]:
        """A connection of the agent."""
        client = _Client(self.broker, self.writer_account, quiet_s=self.quiet_s)
        try:
            client.open()
            yield client
        finally:
            client.close()


class _Client:
    """A session with the broker, clean unless told otherwise; what it hears is queued."""

    def __init__(
        self,
        broker: BrokerConfig,
        account: Account,
        *,
        acks: bool = True,
        client_id: str = "",
        will: str = "",
        quiet_s: float = QUIET_S,
    ) -> None:
        self.heard: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.lost = threading.Event()
        self._broker, self._acks, self.quiet_s = broker, acks, quiet_s
        self._ready, self._subscribed = threading.Event(), threading.Event()
        self._refusal = ""
        self.session_present = False
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or f"check-{secrets.token_hex(6)}",
            clean_session=True,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._client.connect_timeout = CONNECT_S
        self._client.max_inflight_messages_set(1000)
        if account.username:
            self._client.username_pw_set(account.username, account.password)
        if broker.tls:
            self._client.tls_set(
                str(broker.ca_file) if broker.ca_file else None, tls_version=ssl.PROTOCOL_TLS_CLIENT
            )
        if will:
            self._client.will_set(will, b"gone", qos=1)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._has_subscribed
        self._client.on_disconnect = self._gone
        self._client.on_message = self._arrived

    def open(self) -> None:
        """Connect; raises BrokerError."""
        where = _where(self._broker)
        try:
            self._client.connect(self._broker.host, self._broker.port, keepalive=20)
        except (OSError, ValueError) as e:
            raise BrokerError(
                f"no broker to be reached at {where}: {e}; see host, port and certificate"
            ) from None
        self._client.loop_start()
        if not self._ready.wait(CONNECT_S) or self._refusal:
            told = self._refusal or "it does not answer"
            self.close()
            raise BrokerError(f"the broker at {where} takes no connection: {told}")

    def subscribe(self, filter: str) -> None:
        """Hear what matches; raises BrokerError where the broker refuses."""
        self._refusal = ""
        self._subscribed.clear()
        self._client.subscribe(filter, qos=1)
        if not self._subscribed.wait(CONNECT_S) or self._refusal:
            raise BrokerError(
                f"the broker does not let the hub subscribe to {filter}: give its account read "
                "access to gw/v1/+/up/#"
            )

    def may_subscribe(self, filter: str) -> bool:
        """Whether the broker says that it lets us; it may still hand nothing over."""
        try:
            self.subscribe(filter)
        except BrokerError:
            return False
        return True

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Send at QoS 1; whether the broker acknowledged, which it may do and drop it."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        deadline = time.monotonic() + PATIENCE_S
        with contextlib.suppress(RuntimeError, ValueError):  # the broker has hung up
            while not info.is_published() and time.monotonic() < deadline:
                if self.lost.is_set():
                    return False
                info.wait_for_publish(0.1)
            return info.is_published()
        return False

    def publish_many(self, topic: str, count: int, first: int = 0) -> int:
        """Send numbered messages; how many the broker acknowledged."""
        infos = [self._client.publish(topic, b"%d" % n, qos=1) for n in range(first, first + count)]
        deadline = time.monotonic() + PATIENCE_S
        taken = 0
        with contextlib.suppress(RuntimeError, ValueError):  # the broker has hung up
            for info in infos:
                info.wait_for_publish(max(0.01, deadline - time.monotonic()))
                taken += info.is_published()
        return taken

    def next(self, times: float = 1.0) -> paho.MQTTMessage | None:
        """What is heard next, None where nothing is for `times` of the quiet time."""
        try:
            message = self.heard.get(timeout=times * self.quiet_s)
        except queue.Empty:
            return None
        if self._acks:
            self.acknowledge(message)
        return message

    def all(self, at_most: int = BACKLOG * 2) -> list[paho.MQTTMessage]:
        """What is heard until nothing more comes."""
        found: list[paho.MQTTMessage] = []
        while len(found) < at_most and (message := self.next(1.0 if found else 2.0)):
            found.append(message)
        return found

    def acknowledge(self, message: paho.MQTTMessage) -> None:
        self._client.ack(message.mid, message.qos)

    def vanish(self) -> None:
        """Lose the connection without a word."""
        sock: Any = self._client.socket()
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(
        self, _c: object, _u: object, flags: paho.ConnectFlags, code: object, _p: object
    ) -> None:
        self.session_present = flags.session_present
        if getattr(code, "is_failure", False):
            self._refusal = str(code)
        self._ready.set()

    def _has_subscribed(self, _c: object, _u: object, _m: int, codes: Any, _p: object) -> None:
        if any(code.is_failure for code in codes):
            self._refusal = "refused"
        self._subscribed.set()

    def _gone(self, *_: object) -> None:
        self.lost.set()

    def _arrived(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        self.heard.put(message)


def _hears(
    place: _Place, reader: _Client, topic: str, payload: bytes, account: Account | None = None
) -> bool:
    """Whether the reader hears what a writer says there, on a connection of its own.

    Brokers hang up on who says what it may not.
    """
    writer = _Client(place.broker, account or place.writer_account, quiet_s=place.quiet_s)
    try:
        writer.open()
        writer.publish(topic, payload)
    finally:
        writer.close()
    while message := reader.next():
        if bytes(message.payload) == payload:
            return True
    return False


def _encryption(broker: BrokerConfig) -> Iterator[Finding]:
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


def _access(
    place: _Place, reader: _Client, agent: Account | None, heard: bool
) -> Iterator[Finding]:
    """Who may connect, and who may speak in whose name."""
    here = _is_loopback(place.broker.host)
    open_to_all = Verdict.NOTE if here else Verdict.UNSAFE
    try:
        passed = _hears(place, reader, place.topic(Up.READING, "stranger"), b"stranger", Account())
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
    if _hears(place, reader, place.topic(Up.READING, "somebody-else"), b"forged"):
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


def _overhears(place: _Place, reader: _Client) -> bool:
    """Whether an agent hears what the hub says to another."""
    topic = place.topic(Down.NACK, "somebody-else")
    with place.writer() as writer:
        if not writer.may_subscribe(topic):
            return False
        reader.publish(topic, b"secret")
        return writer.next() is not None


def _payload(place: _Place, reader: _Client) -> Iterator[Finding]:
    payload = bytes(range(256)) * (MAX_MESSAGE // 256)
    if _hears(place, reader, place.topic(Up.READING), payload):
        yield Finding(Verdict.SAFE, f"carries a message of {MAX_MESSAGE // 1024} KiB")
    else:
        yield Finding(
            Verdict.UNSAFE,
            f"does not carry a message of {MAX_MESSAGE // 1024} KiB, so pictures are lost: raise "
            "its packet size (mosquitto: max_packet_size 262144)",
        )


def _window_and_order(place: _Place, batch: int) -> Iterator[Finding]:
    count = batch + MARGIN
    with place.reader(acks=False) as reader, place.writer() as writer:
        writer.publish_many(place.topic(Up.READING), count)
        under_way = reader.all(count)
        if len(under_way) < min(batch, count):
            yield Finding(
                Verdict.NOTE,
                f"has {len(under_way)} messages under way before it waits for an acknowledgement, "
                f"the hub could take {batch} in a transaction: where it is too slow, raise "
                f"max_inflight_messages to {2 * batch}",
            )
        else:
            more = " or more" if len(under_way) == count else ""
            yield Finding(
                Verdict.SAFE,
                f"has {len(under_way)}{more} messages under way before it waits, the hub takes "
                f"{batch}",
            )
        numbers = [int(m.payload) for m in under_way]
        if numbers == sorted(numbers):
            yield Finding(Verdict.SAFE, "hands messages over in the order they came")
        else:
            yield Finding(
                Verdict.NOTE,
                "hands messages over in another order than they came: the ledger sorts them",
            )
        for message in under_way:
            reader.acknowledge(message)
        rest = count - len(under_way)
        later = reader.all() if rest else []
        for message in later:
            reader.acknowledge(message)
        if len(under_way) + len(later) < count or reader.lost.is_set():
            yield Finding(
                Verdict.UNSAFE,
                f"lost {rest - len(later)} of {count} messages after they were acknowledged in "
                "the order of arrival",
            )
        else:
            yield Finding(Verdict.SAFE, "goes on after acknowledgements in the order of arrival")
    yield from _any_order(place)


def _any_order(place: _Place) -> Iterator[Finding]:
    with place.reader(acks=False) as reader, place.writer() as writer:
        writer.publish_many(place.topic(Up.READING), 8)
        for message in reversed(reader.all(8)):
            reader.acknowledge(message)
        writer.publish_many(place.topic(Up.READING), 8, first=8)
        heard = {int(m.payload) for m in reader.all(8)}
        if heard >= set(range(8, 16)) and not reader.lost.is_set():
            yield Finding(Verdict.SAFE, "takes acknowledgements in any order")
        else:
            yield Finding(
                Verdict.NOTE,
                "takes acknowledgements only in the order of arrival, which is how the hub gives "
                "them",
            )


def _backlog(place: _Place) -> Iterator[Finding]:
    with place.reader(acks=False) as reader, place.writer() as writer:
        taken = writer.publish_many(place.topic(Up.READING), BACKLOG)
        heard = set()
        while (message := reader.next(2.0)) is not None:
            reader.acknowledge(message)
            heard.add(bytes(message.payload))
        if len(heard) < taken:
            yield Finding(
                Verdict.UNSAFE,
                f"dropped {taken - len(heard):,} of {taken:,} messages that waited for a slow hub, "
                "though it had taken them: agents would send them again and again; set "
                "max_queued_messages 0 (no limit) and bound it by max_queued_bytes",
            )
        elif taken < BACKLOG:
            yield Finding(
                Verdict.NOTE,
                f"stops taking after {taken:,} messages that wait for a slow hub, and drops none",
            )
        else:
            yield Finding(Verdict.SAFE, f"keeps {taken:,} messages for a slow hub")


def _retained(place: _Place) -> Iterator[Finding]:
    topic = place.topic(Up.BIRTH)
    with place.writer() as writer:
        writer.publish(topic, b"born", retain=True)
        with place.reader("birth") as reader:
            message = reader.next(2.0)
        writer.publish(topic, b"", retain=True)
        with place.reader("birth") as reader:
            left = reader.next()
    if message is None or not message.retain:
        yield Finding(
            Verdict.UNSAFE,
            "keeps no retained message: a hub that starts would not know the agents; set "
            "retain_available true",
        )
    elif left is not None:
        yield Finding(Verdict.UNSAFE, "does not let go of a retained message that was cleared")
    else:
        yield Finding(Verdict.SAFE, "keeps the last birth for a hub that starts later")


def _clean_session(place: _Place) -> Iterator[Finding]:
    id = f"check-{secrets.token_hex(6)}"
    hub = _Client(place.broker, place.hub, client_id=id, quiet_s=place.quiet_s)
    again = _Client(place.broker, place.hub, client_id=id, quiet_s=place.quiet_s)
    with place.writer() as writer:
        try:
            hub.open()
            hub.subscribe(f"gw/v1/{place.station}/up/+/reading")
            hub.close()
            writer.publish(place.topic(Up.READING), b"while the hub is away")
            again.open()
            left = again.next()
            kept = again.session_present or left is not None
        finally:
            again.close()
    if kept:
        yield Finding(
            Verdict.UNSAFE,
            "keeps messages of a clean session for a hub that is away, so it grows while agents "
            "send again",
        )
    else:
        yield Finding(Verdict.SAFE, "keeps nothing for a hub that is away")


def _last_will(place: _Place) -> Iterator[Finding]:
    with place.reader("death") as reader:
        agent = _Client(place.broker, place.writer_account, will=place.topic(Up.DEATH))
        agent.open()
        agent.vanish()
        message = reader.next(8.0)
        agent.close()
    if message is None:
        yield Finding(
            Verdict.UNSAFE, "says nothing when an agent vanishes: it would stay online for ever"
        )
    else:
        yield Finding(Verdict.SAFE, "speaks an agent's last will when it vanishes")


def _where(broker: BrokerConfig) -> str:
    return f"{broker.host}:{broker.port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
