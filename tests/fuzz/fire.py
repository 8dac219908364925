"""The hub's ingestion under hostile fire: a process of its own, a real broker, a real database."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion
from psycopg import Connection

from contract.control import read_control
from contract.errors import ContractError
from contract.messages import Death, Lost, Manifest
from contract.ranges import SequenceSet
from contract.taxonomy import Lane
from contract.topics import PREFIX, Topic, Up
from gridwarden import child
from gridwarden.chaos.agent import Orders
from hub.ingest.decode import Decoder, Pack
from hub.store.quarantine import Reject
from tests.fuzz.hostile import Sent
from tests.hub.builders import Agent, fresh, reading

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0  # for a round to be accounted for
RECORDED_S = 60.0
SHOWN = 5

Number = tuple[str, str, Lane, int]  # agent, boot, lane, sequence number
LANE_TABLES = {
    Lane.DETECTION: "detection_change",
    Lane.READING: "reading",
    Lane.SCORE: "score_block",
    Lane.HEALTH: "health",
}


class Gun:
    """Publishes whatever it is given, at QoS 1."""

    def __init__(self, broker_port: int) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=fresh("gun"))
        self._client.max_inflight_messages_set(100)
        self._client.connect("127.0.0.1", broker_port)
        self._client.loop_start()

    def fire(self, messages: Sequence[Sent]) -> None:
        """Have the broker take all of these."""
        infos = [self._client.publish(m.topic, m.payload, qos=1) for m in messages]
        for info in infos:
            info.wait_for_publish(PATIENCE_S)
            assert info.is_published(), "the broker does not take our messages"

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


@dataclass(slots=True)
class Account:
    """What has to be found in the database of the messages sent so far."""

    aside: set[str] = field(default_factory=set)  # hashes that have to be in quarantine
    numbers: dict[Number, str] = field(default_factory=dict)  # and the record's hash
    losses: set[Number] = field(default_factory=set)  # Lost records, which are stored nowhere
    agents: set[str] = field(default_factory=set)  # that were born
    decoder: Decoder = field(default_factory=Decoder)

    def expect(self, sent: Sent) -> None:
        """Note what has to come of a message."""
        decoded = self.decoder.decode(sent.topic, sent.payload)
        if not isinstance(decoded, Reject):
            for e in decoded.entries() if isinstance(decoded, Pack) else decoded:
                who = e.identity
                number = (who.agent, who.boot, Lane(who.lane), e.seq)
                self.numbers[number] = _hash(e.raw)
                if isinstance(e.content, Lost):
                    self.losses.add(number)
        elif (topic := _control(sent)) is not None:
            if topic.kind is Up.BIRTH:
                self.agents.add(topic.agent)
        else:
            self.aside.add(_hash(sent.payload))

    def missing(self, conn: Connection[Any]) -> list[str]:
        """What is neither stored nor in quarantine."""
        aside = {str(h) for (h,) in conn.execute("SELECT hash FROM quarantine")}
        born = {str(a) for (a,) in conn.execute("SELECT agent FROM agent")}
        here = ledgers(conn)
        out = [f"hash {h}" for h in self.aside - aside] + [f"agent {a}" for a in self.agents - born]
        for (agent, boot, lane, seq), raw in self.numbers.items():
            if raw not in aside and seq not in here.get((agent, boot, lane), SequenceSet()):
                out.append(f"record {agent}/{boot}/{lane}/{seq}")
        return out

    def off_balance(self, conn: Connection[Any]) -> list[str]:
        """Lanes in which more, or fewer, rows are stored or set aside than numbers were received.

        A Lost record has a number and no row; one sent twice under different numbers, two.
        """
        out = []
        for lane, table in LANE_TABLES.items():
            (row,) = conn.execute(
                f"""
                SELECT (SELECT count(*) FROM {table})
                       + (SELECT count(*) FROM quarantine WHERE lane = %s AND seq IS NOT NULL)
                """.encode(),
                (str(lane),),
            ).fetchall()
            numbers, kept = received(conn, lane), int(row[0])
            lost = sum(1 for number in self.losses if number[2] is lane)
            if not kept <= numbers <= kept + lost:
                out.append(f"{lane}: {numbers} received, {kept} rows, {lost} declarations")
        return out


def _control(sent: Sent) -> Topic | None:
    """The topic of a birth or death that can be read."""
    try:
        topic = Topic.parse(sent.topic)
        if topic.kind is Up.BIRTH:
            read_control(Manifest, sent.payload)
        elif topic.kind is Up.DEATH:
            if sent.payload:
                read_control(Death, sent.payload)
        else:
            return None
    except ContractError:
        return None
    return topic


def _hash(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def ledgers(conn: Connection[Any]) -> dict[tuple[str, str, Lane], SequenceSet]:
    """What the hub says it has of each lane."""
    rows = conn.execute("SELECT agent, boot, lane, watermark, received FROM ledger").fetchall()
    return {
        (str(a), str(b), Lane(lane)): SequenceSet(n, [(r.lower, r.upper - 1) for r in received])
        for a, b, lane, n, received in rows
    }


def received(conn: Connection[Any], lane: Lane) -> int:
    """How many numbers of a lane, of all agents, are here and not only declared lost."""
    rows = conn.execute(
        "SELECT watermark, received, lost FROM ledger WHERE lane = %s", (str(lane),)
    ).fetchall()
    return sum(
        n + sum(r.upper - r.lower for r in beyond) - sum(r.upper - r.lower for r in lost)
        for n, beyond, lost in rows
    )


@dataclass(slots=True)
class UnderFire:
    """A hub that is shot at."""

    database_url: str
    broker_port: int
    station: str
    process: subprocess.Popen[bytes]
    log: Path
    gun: Gun
    account: Account = field(default_factory=Account)

    def fire(self, messages: Sequence[Sent]) -> None:
        """Send these and wait until each is stored or in quarantine."""
        for sent in messages:
            self.account.expect(sent)
        self.gun.fire(messages)
        deadline = time.monotonic() + PATIENCE_S
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            while missing := self.account.missing(conn):
                self.check_lives()
                assert time.monotonic() < deadline, f"{len(missing)} missing: {missing[:SHOWN]}"
                time.sleep(0.1)

    def check_lives(self) -> None:
        """The hub has not ended, not even to be started again."""
        assert self.process.poll() is None, f"the hub ended: {child.last_line(self.log)}"
        said = self.log.read_text()
        assert "Traceback" not in said, (
            f"the hub stumbled: {said[said.index('Traceback') :][:4000]}"
        )

    def check_balance(self) -> None:
        """What is stored and what is counted as received agree."""
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            assert self.account.off_balance(conn) == []

    def throughput(self, messages: int = 60, records: int = 100) -> float:
        """Good readings a second, from the first message sent until the last is committed."""
        with Agent(self.broker_port, self.station) as agent:
            agent.bear()
            load = [
                Sent(
                    agent.topic(Up.READING),
                    agent.message(
                        Lane.READING, 1 + n * records, [reading(float(i)) for i in range(records)]
                    ),
                )
                for n in range(messages)
            ]
            begun = time.monotonic()
            self.gun.fire(load)
            agent.acked(Lane.READING, messages * records)
            return messages * records / (time.monotonic() - begun)


@contextmanager
def under_fire(database_url: str, broker_port: int, folder: Path) -> Iterator[UnderFire]:
    """A hub's ingestion in a process of its own. No limits by name: they would discard the fire."""
    station = fresh("fuzz")
    settings = folder / "hub.toml"
    settings.write_text(
        f"[database]\nurl = {json.dumps(database_url)}\n"
        f"[broker]\nport = {broker_port}\n"
        f"[hub]\ndata_dir = {json.dumps(str(folder / 'hub'))}\nstations = [{json.dumps(station)}]\n"
        "[limits]\nrefused_per_minute = 0\ndetections_per_minute = 0\nscores_per_minute = 0\n"
        "heartbeats_per_minute = 0\nchunks_per_minute = 0\nreadings_per_minute = 0\n"
        "lane_per_minute = 0\n",
        encoding="utf-8",
    )
    log = folder / "hub.log"
    command = [sys.executable, "-m", "gridwarden", "hub", "ingest", "--config", str(settings)]
    process = child.spawn(command, log)
    gun = Gun(broker_port)
    try:
        with Agent(broker_port, station) as agent:
            deadline = time.monotonic() + PATIENCE_S
            while not agent.acks:
                assert time.monotonic() < deadline, f"the hub does not begin: look into {log}"
                agent.bear()
                time.sleep(0.3)
        yield UnderFire(database_url, broker_port, station, process, log, gun)
    finally:
        gun.close()
        child.end(process, 10.0)


def record_real(broker_port: int, station: str, folder: Path, enough: int) -> list[Sent]:
    """What a real agent says: at least that many messages, of every kind but death."""
    heard: list[Sent] = []
    ready = threading.Event()
    ear = paho.Client(CallbackAPIVersion.VERSION2, client_id=fresh("ear"))
    ear.on_subscribe = lambda *_: ready.set()
    ear.on_message = lambda _c, _d, m: heard.append(Sent(m.topic, bytes(m.payload)))
    ear.connect("127.0.0.1", broker_port)
    ear.loop_start()
    ear.subscribe(f"{PREFIX}/{station}/up/#", 1)
    assert ready.wait(10.0)
    orders = Orders(
        name="edge-1",
        station=station,
        folder=str(folder / "edge"),
        book=str(folder / "book"),
        broker_port=broker_port,
    )
    orders.save(folder / "orders.json")
    command = [sys.executable, "-m", "gridwarden.chaos.agent", str(folder / "orders.json")]
    agent = child.spawn(command, folder / "edge.log")
    try:
        deadline = time.monotonic() + RECORDED_S
        wanted = {str(kind) for kind in Up if kind is not Up.DEATH}
        while len(heard) < enough or {m.topic.rsplit("/", 1)[1] for m in heard} < wanted:
            assert time.monotonic() < deadline, f"recorded only {len(heard)} messages"
            time.sleep(0.1)
    finally:
        child.end(agent, 5.0)
        ear.disconnect()
        ear.loop_stop()
    return heard
