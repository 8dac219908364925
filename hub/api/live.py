"""What changes, as it changes: one listener on the database, any number of open pages.

A single thread listens on the channel `gridwarden` of PostgreSQL and hands each notification to
every client. A client's queue is bounded and holds a message once, however often it came; where
it runs over, all of it becomes one `resync`, on which the page fetches anew. The same is said to
every client at its start and after a break of the listener, so nothing told in between is missed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

CHANNEL = "gridwarden"
TOPICS = frozenset({"event", "evidence", "stream", "agent", "command", "notice"})
HEARTBEAT_S = 15.0  # a comment this often keeps proxies from closing a quiet stream
QUEUE = 256  # messages a slow client may be behind before it has to fetch anew
MAX_CLIENTS = 500
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 5.0  # between attempts to reach the database
# a cut line must show itself: without traffic a dead peer looks like a quiet one
_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}  # s, s, probes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """One change: the topic of a server-sent event and its data, JSON."""

    topic: str
    data: str


RESYNC = LiveMessage("resync", "{}")


@dataclass(eq=False, slots=True)
class _Client:
    """One open page; touched by the event loop's thread only."""

    waiting: dict[LiveMessage, None] = field(default_factory=dict)  # an ordered set
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, message: LiveMessage) -> None:
        if RESYNC not in self.waiting:
            if message == RESYNC or len(self.waiting) >= QUEUE:
                self.waiting.clear()
                message = RESYNC
            self.waiting[message] = None
        self.awake.set()

    def take(self) -> list[LiveMessage]:
        taken = list(self.waiting)
        self.waiting.clear()
        self.awake.clear()
        return taken


class Live:
    """Fans notifications out to server-sent events."""

    def __init__(self, database_url: str, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._url = database_url
        self._heartbeat_s = heartbeat_s
        self._clients: set[_Client] = set()
        self._closing = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._listening = threading.Event()

    @property
    def listening(self) -> bool:
        """Whether the listener is connected to the database."""
        return self._listening.is_set()

    @property
    def full(self) -> bool:
        """Whether no further client is taken."""
        return len(self._clients) >= MAX_CLIENTS

    def start(self) -> None:
        """Begin listening; called on the event loop that serves the clients."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._listen, name="live-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every open stream and the listener at once; from any thread, more than once."""
        self._closing.set()
        self._on_loop(self._wake_all)

    def join(self) -> None:
        """Wait until the listener has left the database, a second at most."""
        if self._thread is not None:
            self._thread.join(1.0)

    async def stream(self) -> AsyncIterator[bytes]:
        """Server-sent events for one client until it leaves or the hub stops."""
        client = _Client()
        client.offer(RESYNC)
        self._clients.add(client)
        number = 0
        try:
            yield b"retry: 2000\n\n"
            while not self._closing.is_set():
                try:
                    await asyncio.wait_for(client.awake.wait(), self._heartbeat_s)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                for message in client.take():
                    number += 1
                    yield (
                        f"id: {number}\nevent: {message.topic}\ndata: {message.data}\n\n"
                    ).encode()
        finally:
            self._clients.discard(client)

    def _listen(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._closing.is_set():
            try:
                with psycopg.connect(
                    self._url, autocommit=True, application_name="gridwarden live", **_KEEPALIVE
                ) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    wait_s = _FIRST_WAIT_S
                    self._listening.set()
                    self._tell(RESYNC)
                    while not self._closing.is_set():
                        for notify in connection.notifies(timeout=0.25):
                            self._forward(notify.payload)
            except psycopg.Error as e:
                self._listening.clear()
                log.warning("live updates lost the database, next try in %.1f s: %s", wait_s, e)
                self._closing.wait(wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        self._listening.clear()

    def _forward(self, payload: str) -> None:
        try:
            note = json.loads(payload)
            topic, subject = note["topic"], note["id"]
        except (ValueError, KeyError, TypeError):
            log.warning("not a notification of ours on channel %s: %.200r", CHANNEL, payload)
            return
        if topic in TOPICS:
            self._tell(LiveMessage(topic, json.dumps({"id": subject})))
        else:
            log.warning("notification of unknown topic %.50r on channel %s", topic, CHANNEL)

    def _tell(self, message: LiveMessage) -> None:
        self._on_loop(self._deliver, message)

    def _on_loop(self, call: object, *arguments: object) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        try:
            self._loop.call_soon_threadsafe(call, *arguments)  # type: ignore[arg-type]
        except RuntimeError:  # the loop closed in between: nobody is left to tell
            log.debug("live: the event loop is closed")

    def _deliver(self, message: LiveMessage) -> None:
        for client in self._clients:
            client.offer(message)

    def _wake_all(self) -> None:
        for client in self._clients:
            client.awake.set()
