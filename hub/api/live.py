"""What changes, as it changes: one listener on the database, any number of open pages.

A single thread listens on the channel `gridwarden` of PostgreSQL and hands each notification to
every client whom it concerns: events and evidence to whoever reaches them, cameras and agents to
the desk, notices to whom they are for. An event that leaves somebody's reach is told them once
more, for their lists still show it; where it is not known whom it concerned before, whoever it does
not concern is told to fetch anew.

A client's queue is bounded and holds a message once, however often it came; where it runs over, all
of it becomes one `resync`, on which the page fetches anew. The same is said once to every client as
soon as both are there, it and the listener, and after a break of the listener, so nothing told in
between is missed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
from psycopg import Connection

from hub.domain.actor import DESK, Actor
from hub.domain.reach import Audience, concerns
from hub.store import audiences
from hub.store.changes import CHANNEL, EVERYBODY, TOPICS

HEARTBEAT_S = 15.0  # a comment this often keeps proxies from closing a quiet stream
QUEUE = 256  # messages a slow client may be behind before it has to fetch anew
MAX_CLIENTS = 500
_REMEMBERED = 10_000  # events whose audience is kept, for those who lose one
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
_NOWHERE = Audience(frozenset())
Concerned = Callable[[Actor], bool]


@dataclass(eq=False, slots=True)
class LiveClient:
    """One open page; touched by the event loop's thread only."""

    actor: Actor  # who has it open, as they last were let in
    waiting: dict[LiveMessage, None] = field(default_factory=dict)  # an ordered set
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, message: LiveMessage) -> None:
        """Have a message wait for the page."""
        if RESYNC not in self.waiting:
            if message == RESYNC or len(self.waiting) >= QUEUE:
                self.waiting.clear()
                message = RESYNC
            self.waiting[message] = None
        self.awake.set()

    def take(self) -> list[LiveMessage]:
        """What waits, which then waits no more."""
        taken = list(self.waiting)
        self.waiting.clear()
        self.awake.clear()
        return taken


class Live:
    """Fans notifications out to server-sent events."""

    def __init__(self, database_url: str, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._url = database_url
        self._heartbeat_s = heartbeat_s
        self._clients: set[LiveClient] = set()
        self._closing = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._listening = threading.Event()
        self._told: OrderedDict[str, Audience] = OrderedDict()  # of the listener's thread

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

    async def stream(self, client: LiveClient) -> AsyncIterator[bytes]:
        """Server-sent events for one client until it leaves or the hub stops."""
        if self.listening:  # else it is told as soon as the listener hears
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
                # questions have a connection of their own: what is notified behind an answer is
                # read with it, and would wait there for the next notification
                with self._connect() as ears, self._connect() as questions:
                    ears.execute(f"LISTEN {CHANNEL}")
                    wait_s = _FIRST_WAIT_S
                    self._told.clear()
                    self._on_loop(self._hears_again)
                    while not self._closing.is_set():
                        heard = ears.notifies(timeout=0.25, stop_after=1)
                        self._forward(questions, [notify.payload for notify in heard])
            except psycopg.Error as e:
                self._on_loop(self._listening.clear)
                log.warning("live updates lost the database, next try in %.1f s: %s", wait_s, e)
                self._closing.wait(wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        self._listening.clear()

    def _connect(self) -> Connection[Any]:
        return psycopg.connect(
            self._url, autocommit=True, application_name="gridwarden live", **_KEEPALIVE
        )

    def _forward(self, conn: Connection[Any], payloads: Iterable[str]) -> None:
        if not self._clients:
            self._told.clear()
            return
        notes = [note for p in dict.fromkeys(payloads) if (note := _note(p)) is not None]
        numbers = [id for topic, id in notes if topic == "event"]
        events = audiences.of_events(conn, numbers) if numbers else {}
        for topic, id in notes:
            message = LiveMessage(topic, json.dumps({"id": id}))
            if topic == "event":
                version, audience = events.get(id, (1, _NOWHERE))
                before = self._told.pop(id, None)
                self._remember(id, audience)
                self._on_loop(
                    self._deliver,
                    message,
                    partial(concerns, audience if before is None else audience | before),
                    RESYNC if before is None and version > 1 else None,
                )
            else:
                self._on_loop(self._deliver, message, _concerned(conn, topic, id), None)

    def _remember(self, number: str, audience: Audience) -> None:
        self._told[number] = audience
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)

    def _on_loop(self, call: Callable[..., object], *arguments: object) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the loop closed in between: nobody is left to tell
            log.debug("live: the event loop is closed")

    def _deliver(
        self, message: LiveMessage, concerned: Concerned, others: LiveMessage | None
    ) -> None:
        """others: what those are told whom the message does not concern."""
        for client in self._clients:
            if concerned(client.actor):
                client.offer(message)
            elif others is not None:
                client.offer(others)

    def _hears_again(self) -> None:
        self._listening.set()
        self._deliver(RESYNC, _everybody, None)

    def _wake_all(self) -> None:
        for client in self._clients:
            client.awake.set()


def _everybody(_: Actor) -> bool:
    return True


def _concerned(conn: Connection[Any], topic: str, id: str) -> Concerned:
    """Whom a message that is not about an event concerns."""
    if topic == "evidence":
        return partial(concerns, audiences.of_evidence(conn, id))
    if topic == "notice":
        return lambda actor: id in (EVERYBODY, actor.name)
    return lambda actor: actor.role in DESK


def _note(payload: str) -> tuple[str, str] | None:
    """Topic and id of a notification; None where it is none of ours."""
    try:
        note = json.loads(payload)
        topic, subject = note["topic"], str(note["id"])
    except (ValueError, KeyError, TypeError):
        log.warning("not a notification of ours on channel %s: %.200r", CHANNEL, payload)
        return None
    if topic not in TOPICS:
        log.warning("notification of unknown topic %.50r on channel %s", topic, CHANNEL)
        return None
    return topic, subject
