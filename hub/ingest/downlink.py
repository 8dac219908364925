"""The thread that speaks to the agents: acknowledgements, requests to send again, commands and
looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from psycopg import Connection

from contract.control import encode_control
from contract.messages import Ack, Flow, Nack
from contract.topics import Down, Topic
from hub.ingest.acks import HoleWatch, ack_of
from hub.ingest.commands import publish_commands
from hub.ingest.flow import FlowControl
from hub.ingest.looks import publish_looks
from hub.ingest.mqtt import BrokerConnection
from hub.ingest.thread import IngestThread
from hub.ingest.transaction import Written
from hub.services.context import Hub
from hub.store import agents, evidence_wanted, ledger
from hub.store.agents import Address
from hub.store.discarded import Discarded
from hub.store.epoch import current_epoch

SWEEP_S = 0.5  # how often holes and commands are looked after
ASK_AGAIN_S = 600.0  # broken evidence of which nothing has come
LOOK_AGAIN_S = 30.0  # how often that is looked for


class Downlink(IngestThread):
    """Tells agents what was committed, soon after it was. Thread-safe.

    What waits is one mark for each agent, however much it sent: nothing here can overflow.
    """

    def __init__(
        self,
        hub: Hub,
        broker: BrokerConnection,
        listening: Sequence[BrokerConnection],
        stations: Collection[str],
    ) -> None:
        """broker: what is told goes out here. listening: what agents send comes in there.

        An agent takes an acknowledgement for a call to send, so nobody is greeted before all
        of `listening` hear.
        """
        super().__init__(hub, "downlink")
        self._listening = tuple(listening)
        self._broker = broker
        self._stations = tuple(stations)
        self._holes = HoleWatch(hub.config.ingest.hole_s)
        self._flow = FlowControl(hub.config.flow)
        self._lock = threading.Lock()
        self._due: dict[str, str | None] = {}  # agent -> boot heard of, None: the present one
        self._broken: set[tuple[str, str, str]] = set()
        self._flooding: list[Discarded] = []
        self._born: set[str] = set()  # agents with a new session: they know of no window
        self._look_again_s = 0.0
        self._greeted: tuple[int, ...] = ()  # the sessions in which all were told
        self._flow_told: tuple[int, ...] = ()  # of their windows
        self._woken = threading.Event()

    def stop(self) -> None:
        """Tell what is due and end."""
        self._stopping.set()
        self._woken.set()
        super().stop()

    def committed(self, written: Written) -> None:
        """Lanes were heard of: their agents are told within `ack_every_ms`."""
        with self._lock:
            for key in written.lanes:
                self._due[key.agent] = key.boot
            self._broken.update(written.broken)
            self._flooding += written.flooding
        self._woken.set()

    def born(self, agent: str) -> None:
        """An agent was born: it is told at once where it stands."""
        with self._lock:
            self._due.setdefault(agent, None)
            self._born.add(agent)
        self._woken.set()

    def wake(self) -> None:
        """There is a new session with the broker."""
        self._woken.set()

    def _run(self) -> None:
        sweep_at_s = 0.0
        while not self._stopping.is_set():
            self._woken.wait(SWEEP_S)
            self._woken.clear()
            self._tell_due()
            if time.monotonic() >= sweep_at_s:
                sweep_at_s = time.monotonic() + SWEEP_S
                self._sweep()
            # what is committed within this time becomes one acknowledgement
            self._stopping.wait(self._hub.config.ingest.ack_every_ms / 1000)
        self._tell_due()

    def _tell_due(self) -> None:
        if not self._broker.connected:
            return
        sessions = tuple(c.epoch for c in (self._broker, *self._listening))
        heard = all(c.connected for c in self._listening)
        everybody = heard and sessions != self._greeted
        with self._lock:
            due = {a: boot for a, boot in self._due.items() if heard or boot is not None}
            for agent in due:
                del self._due[agent]
            broken, self._broken = self._broken, set()
        if everybody or due:
            self._database.run(lambda conn: self._acknowledge(conn, due, everybody), self._stopping)
        if everybody:
            self._greeted = sessions
            self._database.run(
                lambda conn: publish_commands(
                    conn, self._broker, self._stations, self._hub.now, unpublished=False
                ),
                self._stopping,
            )
        if broken:
            self._refuse_digests(broken)

    def _acknowledge(
        self, conn: Connection[Any], due: dict[str, str | None], everybody: bool
    ) -> None:
        known = {row.agent: row for row in agents.addresses(conn, self._stations)}
        names = list(known) if everybody else [a for a in due if a in known]
        boots = {name: _boot(known[name], due.get(name)) for name in names}
        lines = ledger.lines_of(conn, {(a, b) for a, b in boots.items() if b is not None})
        by_agent: dict[str, list[ledger.LedgerLine]] = {}
        for line in lines:
            by_agent.setdefault(line.key.agent, []).append(line)
        self._holes.see(lines, time.monotonic())
        epoch = current_epoch(conn)
        for name, boot in boots.items():
            if boot is not None:
                ack = ack_of(by_agent.get(name, []), boot, epoch, self._hub.now())
                self._send(known[name].station, name, Down.ACK, ack, retain=True)

    def _sweep(self) -> None:
        if not self._broker.connected:
            return
        due = self._holes.lanes_due(time.monotonic())
        if due:
            self._database.run(lambda conn: self._ask_again(conn, due), self._stopping)
        with self._lock:
            born, self._born = self._born, set()
        self._control_flow(born)
        self._ask_for_evidence(born)
        self._database.run(
            lambda conn: publish_commands(
                conn, self._broker, self._stations, self._hub.now, unpublished=True
            ),
            self._stopping,
        )
        self._database.run(
            lambda conn: publish_looks(conn, self._broker, self._stations, self._hub.now),
            self._stopping,
        )

    def _ask_for_evidence(self, born: set[str]) -> None:
        """Ask again for broken evidence: an agent may have been away when it was found so."""
        now_s = time.monotonic()
        if not born and now_s < self._look_again_s:
            return
        self._look_again_s = now_s + LOOK_AGAIN_S
        now = self._hub.now()
        quiet = now - timedelta(seconds=ASK_AGAIN_S)
        wanted = self._database.run(
            lambda conn: evidence_wanted.ask_again(conn, born, self._stations, now, quiet),
            self._stopping,
        )
        for w in wanted:
            nack = Nack(boot=w.boot, digests=[w.digest])
            self._send(w.station, w.agent, Down.NACK, nack, retain=False)

    def _control_flow(self, born: set[str]) -> None:
        """Tell agents of another window, or of devices of theirs that flood."""
        with self._lock:
            flooding, self._flooding = self._flooding, []
        self._flow.flood(flooding, time.monotonic())
        everybody = self._flow.step(max(c.fill for c in self._listening))
        everybody |= self._flow_told != self._greeted
        due = self._flow.due(time.monotonic()) | born
        if not everybody and not due:
            return
        known = self._database.run(
            lambda conn: agents.addresses(conn, self._stations), self._stopping
        )
        for row in known:
            if everybody or row.agent in due:
                self._tell_flow(row)
        self._flow_told = self._greeted

    def _tell_flow(self, row: Address) -> None:
        flow = self._flow.of(row.agent, time.monotonic())
        self._send(row.station, row.agent, Down.FLOW, flow, retain=False)

    def _ask_again(self, conn: Connection[Any], due: set[ledger.LaneKey]) -> None:
        """Look once more before asking: most holes have closed by themselves."""
        self._holes.see(ledger.lines_of(conn, {(k.agent, k.boot) for k in due}), time.monotonic())
        stations = {row.agent: row.station for row in agents.addresses(conn, self._stations)}
        for (agent, _), nack in self._holes.ask(due, time.monotonic()).items():
            if agent in stations:
                self._send(stations[agent], agent, Down.NACK, nack, retain=False)

    def _refuse_digests(self, broken: set[tuple[str, str, str]]) -> None:
        stations = self._database.run(
            lambda conn: {row.agent: row.station for row in agents.addresses(conn, self._stations)},
            self._stopping,
        )
        for agent, boot, digest in sorted(broken):
            if agent in stations:
                nack = Nack(boot=boot, digests=[digest])
                self._send(stations[agent], agent, Down.NACK, nack, retain=False)

    def _send(
        self, station: str, agent: str, kind: Down, message: Ack | Nack | Flow, *, retain: bool
    ) -> None:
        topic = str(Topic(station, agent, kind))
        self._broker.publish(topic, encode_control(message), retain=retain)


def _boot(row: Address, heard: str | None) -> str | None:
    """Which boot to speak of: the one the agent was born with; before its birth, that heard."""
    return row.boot or heard
