"""Where and as whom a broker is probed, and the sessions that do it.

Everything is said under a station of its own, which no hub ingests. The reader has the hub's
account. The writer has an agent's, if one is given, else the hub's too, which a broker with access
rules does not let write.
"""

from __future__ import annotations

import contextlib
import queue
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract.topics import Down, Topic, Up
from gridwarden.errors import BrokerError
from hub.config import BrokerConfig

CONNECT_S = 5.0
QUIET_S = 0.7  # nothing for so long: nothing more comes
PATIENCE_S = 20.0
MOST = 4_000  # messages that are listened to at a time


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a connection logs in as; "": nobody."""

    username: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and as whom it is probed."""

    broker: BrokerConfig
    station: str
    agent: str
    hub: Account
    writer_account: Account
    quiet_s: float

    def topic(self, kind: Up | Down, agent: str = "") -> str:
        """Of that agent, of the one that is probed with where none is named."""
        return str(Topic(self.station, agent or self.agent, kind))

    @contextmanager
    def reader(self, kind: str = "reading", *, acks: bool = True) -> Iterator[Session]:
        """A connection of the hub that hears one kind, and acknowledges only if told."""
        client = Session(self.broker, self.hub, acks=acks, quiet_s=self.quiet_s)
        try:
            client.open()
            client.subscribe(f"gw/v1/{self.station}/up/+/{kind}")
            yield client
        finally:
            client.close()

    @contextmanager
    def writer(self) -> Iterator[Session]:
        """A connection of the agent."""
        client = Session(self.broker, self.writer_account, quiet_s=self.quiet_s)
        try:
            client.open()
            yield client
        finally:
            client.close()


class Session:
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
        where = address_of(self._broker)
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

    def all(self, at_most: int = MOST) -> list[paho.MQTTMessage]:
        """What is heard until nothing more comes."""
        found: list[paho.MQTTMessage] = []
        while len(found) < at_most and (message := self.next(1.0 if found else 2.0)):
            found.append(message)
        return found

    def acknowledge(self, message: paho.MQTTMessage) -> None:
        """Tell the broker that it is here."""
        self._client.ack(message.mid, message.qos)

    def vanish(self) -> None:
        """Lose the connection without a word."""
        sock: Any = self._client.socket()
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the session properly; idempotent."""
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


def hears(
    place: Place, reader: Session, topic: str, payload: bytes, account: Account | None = None
) -> bool:
    """Whether the reader hears what a writer says there, on a connection of its own.

    Brokers hang up on who says what it may not.
    """
    writer = Session(place.broker, account or place.writer_account, quiet_s=place.quiet_s)
    try:
        writer.open()
        writer.publish(topic, payload)
    finally:
        writer.close()
    while message := reader.next():
        if bytes(message.payload) == payload:
            return True
    return False


def address_of(broker: BrokerConfig) -> str:
    """Host and port, as people write them."""
    return f"{broker.host}:{broker.port}"
