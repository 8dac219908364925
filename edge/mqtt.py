"""MQTT 3.1.1 through paho; the only module of the edge that knows it.

Clean sessions, and a new client for every session: what was under way in a lost session is not
remembered here but sent again from the spool. paho's own reconnecting is not used, because
on_connect may never come after a TLS error (paho.mqtt.python#891): this thread gives an attempt
up after CONNECT_S, and a session whose paho thread has died without a word after LOOK_S.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from contract import refusals
from edge import trust
from edge.errors import ConfigError
from edge.said_once import SaidOnce
from edge.settings import BrokerSettings
from edge.sources.backoff import Backoff
from edge.transport import Arrived, Connected, Disconnected, Taken, TransportEvent, Will

CONNECT_S = 10.0
LOOK_S = 1.0  # between two looks at whether paho's thread still lives
KEEPALIVE_S = 15
INFLIGHT = 100  # messages not yet taken by the broker; the embedded broker's window
FILTERS_AT_ONCE = 100  # in one SUBSCRIBE
STEADY_S = 10.0  # a session that lasted this long was a good one
CUT_S = 2.0  # a session that ended sooner was ended for what we said in it
STOP_S = 1.0

log = logging.getLogger(__name__)


class MqttTransport:
    """Keeps one MQTT session alive."""

    def __init__(
        self, settings: BrokerSettings, client_id: str, *, connect_s: float = CONNECT_S
    ) -> None:
        """connect_s: an attempt that takes longer is given up."""
        self._connect_s = connect_s
        self._settings = settings
        self._client_id = client_id
        self._stop = threading.Event()
        self._client: mqtt.Client | None = None  # of the session that is up
        self._subscriptions: tuple[str, ...] = ()
        self._thread: threading.Thread | None = None
        self._said = SaidOnce()

    def start(
        self,
        will: Callable[[], Will | None],
        subscriptions: Sequence[str],
        tell: Callable[[TransportEvent], None],
    ) -> None:
        """Begin to connect, in a thread of its own."""
        self._subscriptions = tuple(subscriptions)
        self._thread = threading.Thread(
            target=self._run, args=(will, tell), name="mqtt", daemon=True
        )
        self._thread.start()

    def subscribe(self, subscriptions: Sequence[str]) -> None:
        """Hear these topic filters too; see `Transport`."""
        new = tuple(s for s in dict.fromkeys(subscriptions) if s not in set(self._subscriptions))
        self._subscriptions += new
        client = self._client
        if client is not None:
            _subscribe(client, new)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """Send at QoS 1; see `Transport`. Never waits for the broker."""
        client = self._client
        if client is None:
            return None
        info = client.publish(topic, payload, qos=1, retain=retain)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def stop(self) -> None:
        """Disconnect."""
        self._stop.set()
        client = self._client
        if client is not None:
            client.disconnect()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def _run(
        self,
        will: Callable[[], Will | None],
        tell: Callable[[TransportEvent], None],
    ) -> None:
        backoff = Backoff(0.5, 30.0)
        while not self._stop.is_set():
            begun = time.monotonic()
            reason = self._session(will(), tell)
            if self._stop.is_set():
                return
            if time.monotonic() - begun > STEADY_S:
                backoff.reset()
            tell(Disconnected(reason))
            self._stop.wait(backoff.next_s())

    def _session(self, will: Will | None, tell: Callable[[TransportEvent], None]) -> str:
        """One session from its beginning to its end; returns why it ended."""
        s = self._settings
        outcome = _Outcome()
        where = f"broker {s.host}:{s.port}"
        if s.tls and (expired := trust.expired(s)):
            return f"{where} would refuse us: {expired}"
        if s.tls and (soon := trust.expires_soon(s)) and self._said.is_new(soon):
            log.warning("%s", soon)
        try:
            client = self._new_client(will, tell, outcome)
            client.connect(s.host, s.port, keepalive=KEEPALIVE_S)
        except ConfigError as e:
            return str(e)
        except ssl.SSLCertVerificationError as e:
            told = refusals.broker_distrusted(e.verify_code, e.verify_message, s.host, s.ca_file)
            return f"{where} is not trusted: {told}"
        except ssl.SSLError as e:
            return f"{where} {refusals.handshake_failed(str(e))}"
        except (OSError, ValueError) as e:
            return f"{where} cannot be reached: {e}; see host and port"
        client.loop_start()
        try:
            outcome.decided.wait(self._connect_s)
            if not outcome.accepted:
                return f"{where} {outcome.reason or 'does not answer'}"
            accepted_s = time.monotonic()
            while not outcome.over.wait(LOOK_S):
                if not _works(self._client_id):
                    outcome.end("its thread died")
            if time.monotonic() - accepted_s < CUT_S:
                return f"{where} {refusals.cut_at_once(outcome.reason)}"
            return f"the session with {s.host}:{s.port} ended: {outcome.reason}"
        finally:
            self._client = None
            client.disconnect()
            client.loop_stop()

    def _new_client(
        self,
        will: Will | None,
        tell: Callable[[TransportEvent], None],
        outcome: _Outcome,
    ) -> mqtt.Client:
        s = self._settings
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=True,
            protocol=mqtt.MQTTv311,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(INFLIGHT)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1)
        if s.username:
            client.username_pw_set(s.username, s.password or None)
        if s.tls:
            client.tls_set_context(trust.context(s))

        def on_connect(_: mqtt.Client, __: Any, ___: Any, code: Any, ____: Any) -> None:
            if code.is_failure:
                outcome.end(refusals.not_authorised(str(code)))
                return
            self._client = client  # first: what is subscribed to meanwhile is not missed
            _subscribe(client, self._subscriptions)
            outcome.accept()
            tell(Connected())

        def on_disconnect(_: mqtt.Client, __: Any, ___: Any, code: Any, ____: Any) -> None:
            self._client = None
            outcome.end(str(code) if outcome.accepted else hung_up())

        def hung_up() -> str:
            return refusals.hung_up(outcome.alert, tls=s.tls, has_certificate=bool(s.cert_file))

        def on_log(_: mqtt.Client, __: Any, ___: int, text: str) -> None:
            if "[SSL" in text or "violation of protocol" in text:  # paho tells nobody else
                outcome.alert = text

        def on_message(_: mqtt.Client, __: Any, message: mqtt.MQTTMessage) -> None:
            tell(Arrived(message.topic, bytes(message.payload), message.retain))

        def on_publish(_: mqtt.Client, __: Any, mid: int, *___: Any) -> None:
            tell(Taken(mid))

        client.on_connect = on_connect
        client.on_disconnect = on_disconnect
        client.on_message = on_message
        client.on_publish = on_publish
        if s.tls:
            client.on_log = on_log
        return client


def _subscribe(client: mqtt.Client, filters: Sequence[str]) -> None:
    for first in range(0, len(filters), FILTERS_AT_ONCE):
        client.subscribe([(f, 1) for f in filters[first : first + FILTERS_AT_ONCE]])


def _works(client_id: str) -> bool:
    """Whether paho's thread for this client is alive. It has a name, and no other word of it."""
    return any(t.name == f"paho-mqtt-client-{client_id}" for t in threading.enumerate())


class _Outcome:
    """What became of one attempt; set by paho's thread, awaited by ours."""

    def __init__(self) -> None:
        self.decided = threading.Event()
        self.over = threading.Event()
        self.accepted = False
        self.alert = ""  # what TLS said last
        self.reason = ""

    def accept(self) -> None:
        self.accepted = True
        self.decided.set()

    def end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.decided.set()
        self.over.set()
