"""Failures met at their very moment: processes killed, wires held, two workers where one should be.

`tests/gridwarden/chaos` runs all failure cases together; here stand those whose moment matters.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from contract.taxonomy import Lane
from contract.topics import Up
from gridwarden.broker import EmbeddedBroker
from gridwarden.chaos.wire import Way, Wires
from hub.ingest.subscriber import Ingestion, run_ingest
from tests.gridwarden.test_backup import RealAgent, hub_at_work
from tests.hub.builders import (
    Agent,
    Clock,
    config,
    detection,
    eventually,
    fresh,
    opened,
    reading,
    rows,
    running,
)
from tests.hub.test_exactly_once import free_port, start_hub

COUNT = "SELECT count(*), count(DISTINCT value) FROM reading"


@pytest.fixture
def station() -> str:
    return fresh("station")


@pytest.fixture
def wires() -> Iterator[Wires]:
    wires = Wires()
    yield wires
    wires.close()


def bear_until_heard(agent: Agent) -> None:
    """A birth that no hub heard is said again, as an edge does with every session."""
    deadline = time.monotonic() + 30
    while not agent.acks:
        assert time.monotonic() < deadline, "no hub answers"
        agent.bear()
        time.sleep(0.2)


def send_until_acked(agent: Agent, last: int) -> None:
    """As an edge does: what is not under the watermark goes out again."""
    deadline = time.monotonic() + 30
    while not any(
        Lane.READING in a.lanes and a.lanes[Lane.READING].watermark >= last for a in agent.acks
    ):
        assert time.monotonic() < deadline, "never acknowledged"
        for seq in range(1, last + 1):
            agent.send(Lane.READING, [reading(float(seq))], seq=seq)
        time.sleep(0.3)


def test_a_hub_killed_between_commit_and_puback_leaves_its_batch_stored_once(
    database_url: str, broker_port: int, tmp_path: Path, station: str, wires: Wires
) -> None:
    wire = wires.lay(("127.0.0.1", broker_port))
    hub = start_hub(database_url, wire.port, station, tmp_path)
    try:
        with Agent(broker_port, station) as agent:
            bear_until_heard(agent)
            wire.hold(Way.OUT)
            for seq in range(1, 21):
                agent.send(Lane.READING, [reading(float(seq))], seq=seq)
            eventually(lambda: rows(database_url, COUNT), [(20, 20)])  # committed
            hub.kill()
            hub.wait()
            wire.cut()  # neither PUBACK nor acknowledgement got out
            wire.mend()
            assert all(Lane.READING not in a.lanes for a in agent.acks)

            hub = start_hub(database_url, wire.port, station, tmp_path)
            send_until_acked(agent, 20)
    finally:
        hub.kill()
        hub.wait()
    assert rows(database_url, COUNT) == [(20, 20)]
    assert rows(database_url, "SELECT sum(n) FROM reading_rollup WHERE width = '1d'") == [(20,)]


def test_what_a_broker_had_taken_while_the_hub_was_down_outlives_the_broker(
    database_url: str, tmp_path: Path, station: str
) -> None:
    broker = EmbeddedBroker(free_port(), tmp_path / "broker")
    broker.start()
    agent = RealAgent(tmp_path / "edge", broker.port, station)
    try:
        with hub_at_work(database_url, broker.port, station, tmp_path / "hub"):
            agent.measures(20)
            eventually(agent.is_rid_of_all)
        with heard_by(broker.port, f"gw/v1/{station}/up/+/reading") as taken:
            agent.measures(30)
            eventually(lambda: taken != [])
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        broker.stop()
        assert not agent.is_rid_of_all()  # though the broker had said that it has them
        broker.start()
        with hub_at_work(database_url, broker.port, station, tmp_path / "hub"):
            eventually(agent.is_rid_of_all)
    finally:
        agent.close()
        broker.stop()
    assert rows(database_url, COUNT) == [(50, 50)]


@contextmanager
def heard_by(port: int, topics: str) -> Iterator[list[bytes]]:
    """The messages that a broker takes on these topics."""
    heard: list[bytes] = []
    subscribed = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=fresh("ear"))
    client.on_message = lambda _c, _d, m: heard.append(bytes(m.payload))
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(topics, 1)
    assert subscribed.wait(30)
    try:
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


def test_a_hub_killed_within_its_transaction_has_stored_and_acknowledged_nothing(
    database_url: str, broker_port: int, tmp_path: Path, station: str
) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND %s"
    ours = "datname = current_database() AND application_name = 'ingest-bulk'"
    hub = start_hub(database_url, broker_port, station, tmp_path)
    try:
        with Agent(broker_port, station) as agent:
            bear_until_heard(agent)
            with psycopg.connect(database_url) as conn:
                conn.execute("LOCK TABLE reading IN SHARE MODE")
                agent.send(Lane.READING, [reading(1.0)], seq=1)
                eventually(lambda: rows(database_url, waiting.replace("%s", ours)), [(1,)])
                hub.kill()
                hub.wait()
            eventually(lambda: rows(database_url, waiting.replace("%s", ours)), [(0,)])
            assert rows(database_url, "SELECT count(*) FROM reading") == [(0,)]
            assert rows(database_url, "SELECT count(*) FROM ledger WHERE watermark > 0") == [(0,)]
            assert all(Lane.READING not in a.lanes for a in agent.acks)

            hub = start_hub(database_url, broker_port, station, tmp_path)
            send_until_acked(agent, 1)
    finally:
        hub.kill()
        hub.wait()
    assert rows(database_url, COUNT) == [(1, 1)]


def test_two_workers_at_one_station_take_a_new_agents_first_messages_once(
    database_url: str, broker_port: int, tmp_path: Path, station: str
) -> None:
    """For a moment after a take-over there are two; the locks are for order, not for exactness."""
    settings = config(database_url, tmp_path, broker_port=broker_port, stations=(station,))
    with opened(settings) as first, opened(settings) as second:
        workers = [Ingestion(first, [station]), Ingestion(second, [station])]
        for worker in workers:
            worker.start()
        try:
            with Agent(broker_port, station) as known:
                bear_until_heard(known)
                agents = [Agent(broker_port, station) for _ in range(10)]
                for agent in agents:  # no birth before: the first word is a record
                    agent.send(Lane.DETECTION, [detection()], seq=1)
                    agent.send(Lane.READING, [reading(1.0)], seq=1)
                    agent.bear()
                for agent in agents:
                    agent.acked(Lane.READING, 1)
                    agent.acked(Lane.DETECTION, 1)
                    agent.__exit__()
            assert [worker.failure for worker in workers] == [None, None]
        finally:
            for worker in workers:
                worker.stop()
    counts = "SELECT count(*), count(DISTINCT agent) FROM "
    assert rows(database_url, counts + "reading") == [(10, 10)]
    assert rows(database_url, counts + "detection_change") == [(10, 10)]
    assert rows(database_url, counts + "quarantine") == [(0, 0)]


def test_copies_within_a_batch_and_over_sessions_are_stored_once(
    database_url: str, broker_port: int, tmp_path: Path, station: str, wires: Wires
) -> None:
    wire = wires.lay(("127.0.0.1", broker_port))
    settings = config(database_url, tmp_path, broker_port=wire.port, stations=(station,))
    with (
        opened(settings) as hub,
        running(lambda stop: run_ingest(hub, stop)),
        Agent(broker_port, station) as agent,
    ):
        bear_until_heard(agent)
        with psycopg.connect(database_url) as conn:  # while it waits, what comes is one batch
            conn.execute("LOCK TABLE reading IN SHARE MODE")
            agent.send(Lane.READING, [reading(1.0)], seq=1)
            copy = agent.message(Lane.READING, 2, [reading(2.0), reading(3.0)])
            for _ in range(5):
                agent.publish(agent.topic(Up.READING), copy)
        agent.acked(Lane.READING, 3)
        heard = len(agent.acks)
        wire.cut()
        eventually(lambda: len(agent.acks) > heard)  # the new session greets everybody
        agent.publish(agent.topic(Up.READING), copy)
        agent.send(Lane.READING, [reading(4.0)], seq=4)
        agent.acked(Lane.READING, 4)
    assert rows(database_url, COUNT) == [(4, 4)]


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_a_hub_whose_clock_jumps_an_hour_goes_on_committing_and_acknowledging(
    database_url: str, broker_port: int, tmp_path: Path, station: str, jump_s: float
) -> None:
    clock = Clock()
    settings = config(database_url, tmp_path, broker_port=broker_port, stations=(station,))
    with (
        opened(settings, clock) as hub,
        running(lambda stop: run_ingest(hub, stop)),
        Agent(broker_port, station) as agent,
    ):
        bear_until_heard(agent)
        agent.send(Lane.READING, [reading(1.0, at=clock.at)])
        agent.acked(Lane.READING, 1)
        clock.move(jump_s)
        agent.send(Lane.READING, [reading(2.0, at=clock.at)])
        assert agent.acked(Lane.READING, 2).hub_time == clock.at
    assert rows(database_url, COUNT) == [(2, 2)]


def test_a_payload_of_ten_megabytes_costs_its_sender_the_session_and_nobody_else_anything(
    database_url: str, broker_port: int, tmp_path: Path, station: str
) -> None:
    settings = config(database_url, tmp_path, broker_port=broker_port, stations=(station,))
    with (
        opened(settings) as hub,
        running(lambda stop: run_ingest(hub, stop)),
        Agent(broker_port, station) as agent,
    ):
        bear_until_heard(agent)
        with Agent(broker_port, station) as hostile, pytest.raises((AssertionError, RuntimeError)):
            hostile.publish(hostile.topic(Up.READING), b" " * 10_000_000, timeout_s=2.0)
        agent.send(Lane.READING, [reading(1.0)])
        agent.acked(Lane.READING, 1)
    assert rows(database_url, COUNT) == [(1, 1)]
