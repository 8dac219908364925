"""The hub's side of MQTT: the only module of the hub that knows paho.

A `BrokerConnection` is one session after another, each with a client of its own. So an
acknowledgement meant for an old session cannot reach a new one, where the same packet id belongs
to another message: a stale one goes nowhere.

Clean session, MQTT 3.1.1, manual acknowledgement. Callbacks only enqueue.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from hub.config import BrokerConfig
from hub.ingest import trust
from hub.ingest.bulk_client import Arrival, BulkClient, fits
from hub.ingest.inbox import Inbox

KEEPALIVE_S = 20
CONNECT_S = 5.0  # for TCP, TLS and CONNACK each; a broker that says nothing is given up
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 15.0
MAX_OUTGOING = 20_000  # publications that wait for the broker; above that they are refused

_log = logging.getLogger(__name__)


class Delivery(NamedTuple):
    """A message as it arrived, and the session to acknowledge it to."""

    topic: str
    payload: bytes
    session: _Session
    mid: int
    qos: int


def acknowledge(deliveries: Sequence[Delivery]) -> None:
    """PUBACK these in order, each to the session it came by.

    Goes nowhere where that session is over: the edge will send it again.
    """
    for session, its in groupby(deliveries, key=lambda d: d.session):
        session.acknowledge([d.mid for d in its if d.qos])


class BrokerConnection:
    """One connection to the broker that is always tried again. Thread-safe.

    on_connect is called by the connection's own thread once a session is subscribed.
    """

    def __init__(
        self,
        name: str,
        config: BrokerConfig,
        queue_size: int,
        on_connect: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.inbox = Inbox(queue_size)
        self._config = config
        self._on_connect = on_connect
        self._filters: tuple[str, ...] = ()
        self._session: _Session | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{name}", daemon=True)

    def start(self, filters: Sequence[str]) -> None:
        """Connect and subscribe, for ever, in a thread of its own."""
        self._filters = tuple(filters)
        self._thread.start()

    def stop(self) -> None:
        """Disconnect; what is queued can no longer be acknowledged."""
        self._stopping.set()
        session = self._session
        if session is not None:
            session.ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def connected(self) -> bool:
        """Whether there is a session that is subscribed."""
        session = self._session
        return session is not None and session.subscribed.is_set() and not session.ended.is_set()

    @property
    def epoch(self) -> int:
        """The number of the present session, from 1; 0 before the first."""
        return self._session.epoch if self._session else 0

    @property
    def fill(self) -> float:
        """How full the queue of deliveries is; above 1 what one read brought beyond."""
        return self.inbox.fill

    def publish(self, topic: str, payload: bytes, *, retain: bool, wait_s: float = 0.0) -> bool:
        """Send at QoS 1; whether the broker has it within wait_s, or took it over where 0."""
        session = self._session
        if session is None or not self.connected:
            return False
        return session.publish(topic, payload, retain, wait_s)

    def _run(self) -> None:
        wait_s, lamented, epoch = FIRST_RETRY_S, False, 0
        while not self._stopping.is_set():
            epoch += 1
            session = _Session(epoch, self.name, self._config, self._filters, self.inbox)
            self._session = session
            reason = session.open(self._stopping)
            if reason is None:
                if lamented:
                    _log.info("connected to the broker again (%s)", self.name)
                wait_s, lamented = FIRST_RETRY_S, False
                self._on_connect()
                session.ended.wait()
                reason = session.reason
            session.close()
            if self._stopping.is_set():
                return
            if not lamented:
                _log.warning(
                    "no connection to the broker %s:%d (%s): %s; trying again",
                    self._config.host,
                    self._config.port,
                    self.name,
                    reason,
                )
                lamented = True
            self._stopping.wait(wait_s)
            wait_s = min(wait_s * 2, LAST_RETRY_S)


class _Session:
    """One session with a client of its own."""

    def __init__(
        self,
        epoch: int,
        name: str,
        config: BrokerConfig,
        filters: tuple[str, ...],
        inbox: Inbox,
    ) -> None:
        self.epoch = epoch
        self.subscribed = threading.Event()
        self.ended = threading.Event()
        self.reason = "it was closed"
        self._config = config
        self._filters = filters
        self._inbox = inbox
        client = self._client = _make_client(f"hub-{name}-{secrets.token_hex(4)}", self)
        client.connect_timeout = CONNECT_S
        client.max_queued_messages_set(MAX_OUTGOING)
        client.max_inflight_messages_set(100)
        if config.username:
            client.username_pw_set(config.username, config.password)
        client.on_connect = self._connected
        client.on_subscribe = self._has_subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._arrived

    def open(self, stopping: threading.Event) -> str | None:
        """Connect and subscribe; None once that is done, otherwise why it is not."""
        try:
            if self._config.tls:
                self._client.tls_set_context(trust.context(self._config))
            self._client.connect(self._config.host, self._config.port, KEEPALIVE_S)
        except (OSError, ValueError) as e:  # ssl errors are OSErrors
            return trust.told(e, self._config)
        self._client.loop_start()
        waited_s = 0.0
        # a watchdog of our own: after an SSL error no callback may ever come
        while not self.subscribed.wait(0.05):
            waited_s += 0.05
            if self.ended.is_set() or stopping.is_set():
                return self.reason
            if waited_s > 2 * CONNECT_S:
                return f"it did not answer within {2 * CONNECT_S:g} s"
        return None

    def close(self) -> None:
        """Say goodbye and end paho's thread."""
        self.ended.set()
        self._client.disconnect()
        self._client.loop_stop()

    def acknowledge(self, mids: Sequence[int]) -> None:
        """PUBACK these; where the session is over, its client has nobody to say it to."""
        if isinstance(self._client, BulkClient):
            self._client.acknowledge(mids)
            return
        for mid in mids:
            self._client.ack(mid, 1)

    def publish(self, topic: str, payload: bytes, retain: bool, wait_s: float) -> bool:
        """Hand it to the broker; whether that worked."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc != paho.MQTT_ERR_SUCCESS or wait_s == 0.0:
            return info.rc == paho.MQTT_ERR_SUCCESS
        try:
            info.wait_for_publish(wait_s)
        except (RuntimeError, ValueError):  # the connection went away meanwhile
            return False
        return info.is_published()

    def _connected(
        self, client: paho.Client, _data: Any, _flags: Any, code: Any, _properties: Any
    ) -> None:
        if code.is_failure:
            self._end(f"it refuses us: {code}")
        elif self._filters:
            client.subscribe([(f, 1) for f in self._filters])
        else:
            self.subscribed.set()

    def _has_subscribed(
        self, _client: paho.Client, _data: Any, _mid: int, codes: Any, _properties: Any
    ) -> None:
        if any(code.is_failure for code in codes):
            self._end(f"it refuses the subscription to {', '.join(self._filters)}")
        else:
            self.subscribed.set()

    def _disconnected(
        self, _client: paho.Client, _data: Any, _flags: Any, code: Any, _properties: Any
    ) -> None:
        self._end(str(code))

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Put these into the inbox; called by paho's thread."""
        self._inbox.put(
            [Delivery(_text(topic), body, self, mid, qos) for topic, body, mid, qos in arrivals]
        )

    def wait_for_room(self, timeout_s: float) -> bool:
        """Whether the inbox has room: a full one stops reading."""
        return self.ended.is_set() or self._inbox.wait_for_room(timeout_s)

    def _arrived(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        """A message that stock paho read."""
        while not self.wait_for_room(0.2):
            pass
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = repr(message)
        self._inbox.put([Delivery(topic, bytes(message.payload), self, message.mid, message.qos)])

    def _end(self, reason: str) -> None:
        if not self.ended.is_set():
            self.reason = reason
            self.ended.set()


def _make_client(client_id: str, session: _Session) -> paho.Client:
    settings: dict[str, Any] = {
        "callback_api_version": CallbackAPIVersion.VERSION2,
        "client_id": client_id,
        "clean_session": True,
        "protocol": MQTTProtocolVersion.MQTTv311,
        "reconnect_on_failure": False,
        "manual_ack": True,
    }
    if not fits():
        _log.info("this version of paho-mqtt is read message by message: slower, else the same")
        return paho.Client(**settings)
    return BulkClient(on_arrivals=session.take, wait_for_room=session.wait_for_room, **settings)


def _text(topic: bytes) -> str:
    return topic.decode("utf-8", "backslashreplace")
