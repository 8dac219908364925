"""Nothing lost and nothing counted twice, whatever is killed, cut or away."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from contract.errors import GridwardenError
from contract.taxonomy import Lane
from gridwarden.broker import EmbeddedBroker
from hub.config import BrokerConfig, HttpConfig
from hub.ingest.mqtt import BrokerConnection, Delivery, acknowledge
from hub.ingest.subscriber import run_ingest
from hub.server import run
from tests.hub.builders import (
    Agent,
    config,
    detection,
    eventually,
    fresh,
    opened,
    reading,
    rows,
    running,
)
from tests.hub.relay import Relay

ROOT = Path(__file__).parents[2]
PUBACK = b"\x40\x02"


@pytest.fixture
def station() -> str:
    return fresh("station")


def free_port() -> int:
    """A port nobody has, nor gets soon."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def start_hub(
    database_url: str, port: int, station: str, data_dir: Path
) -> subprocess.Popen[bytes]:
    arguments = [database_url, str(port), station, str(data_dir)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.hub.ingest_process", *arguments], cwd=ROOT
    )


def test_a_hub_killed_again_and_again_stores_every_record_once(
    database_url: str, broker_port: int, tmp_path: Path, station: str
) -> None:
    values, kills = 400, 4
    count = "SELECT count(*) FROM reading"
    process = start_hub(database_url, broker_port, station, tmp_path)
    try:
        with Agent(broker_port, station) as agent:

            def send(last: int) -> None:
                for seq in range(1, last + 1, 20):
                    records = [reading(float(seq + i)) for i in range(20)]
                    agent.send(Lane.READING, records, seq=seq)
                    seen = detection(stream=f"cam-{seq:03}")
                    agent.send(Lane.DETECTION, [seen], seq=1 + seq // 20)

            agent.bear()
            for kill in range(1, kills + 1):
                ((before,),) = rows(database_url, count)
                last = values * kill // (kills + 1)
                sent_at = 0.0
                while rows(database_url, count) == [(before,)]:
                    assert process.poll() is None
                    if time.monotonic() - sent_at > 1.0:
                        send(last)  # an edge that hears nothing sends everything again
                        sent_at = time.monotonic()
                    time.sleep(0.02)  # it needs the processor to start
                process.send_signal(signal.SIGKILL)  # it has just committed something
                process.wait()
                process = start_hub(database_url, broker_port, station, tmp_path)
            while not all(
                any(lane in a.lanes and a.lanes[lane].watermark >= last for a in agent.acks)
                for lane, last in ((Lane.READING, values), (Lane.DETECTION, 20))
            ):
                assert process.poll() is None
                send(values)
                time.sleep(0.5)
    finally:
        process.kill()
        process.wait()

    assert rows(database_url, "SELECT count(*), count(DISTINCT value) FROM reading") == [
        (values, values)
    ]
    assert rows(database_url, "SELECT sum(n) FROM reading_rollup WHERE width = '1h'") == [(values,)]
    assert rows(database_url, "SELECT count(*), count(DISTINCT seq) FROM detection_change") == [
        (20, 20)
    ]


@contextlib.contextmanager
def away(database_url: str, postgres_url: str) -> Iterator[None]:
    """The database throws everybody out and lets nobody in."""
    name = str(conninfo_to_dict(database_url)["dbname"])
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(allow.format(sql.Identifier(name), sql.Literal(False)))
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        yield
        conn.execute(allow.format(sql.Identifier(name), sql.Literal(True)))


def test_a_database_that_is_away_is_waited_for_and_nothing_is_acknowledged_meanwhile(
    database_url: str, postgres_url: str, broker_port: int, tmp_path: Path, station: str
) -> None:
    relay = Relay(broker_port)
    settings = config(database_url, tmp_path, broker_port=relay.port, stations=(station,))
    with (
        contextlib.closing(relay),
        opened(settings) as hub,
        running(lambda stop: run_ingest(hub, stop)),
        Agent(broker_port, station) as agent,
    ):
        agent.bear()
        eventually(lambda: agent.acks != [])
        with away(database_url, postgres_url):
            said = [len(session) for session in relay.sent]
            for value in range(1, 61):
                agent.send(Lane.READING, [reading(float(value))])
            time.sleep(1.0)
            assert all(Lane.READING not in a.lanes for a in agent.acks)
            for session, before in zip(relay.sent, said, strict=False):
                assert PUBACK not in bytes(session[before:])
        # what a stand-by or a new lock dropped, the edge sends again
        deadline = time.monotonic() + 30
        while not any(
            Lane.READING in a.lanes and a.lanes[Lane.READING].watermark == 60 for a in agent.acks
        ):
            assert time.monotonic() < deadline
            time.sleep(0.5)
            for value in range(1, 61):
                agent.send(Lane.READING, [reading(float(value))], seq=value)

    assert rows(database_url, "SELECT count(*), count(DISTINCT value) FROM reading") == [(60, 60)]


def test_a_database_that_is_read_only_for_a_while_is_waited_for(
    database_url: str,
    broker_port: int,
    tmp_path: Path,
    station: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = sql.Identifier(str(conninfo_to_dict(database_url)["dbname"]))
    read_only = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
    settings = config(database_url, tmp_path, broker_port=broker_port, stations=(station,))
    with (
        opened(settings) as hub,
        running(lambda stop: run_ingest(hub, stop)),
        Agent(broker_port, station) as agent,
        psycopg.connect(database_url, autocommit=True) as conn,
    ):
        agent.bear()
        eventually(lambda: agent.acks != [])
        conn.execute(read_only.format(name, sql.Literal(True)))
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'ingest-bulk'"
        )
        agent.send(Lane.READING, [reading(1.0)])
        eventually(lambda: "read-only transaction" in caplog.text)
        conn.execute(read_only.format(name, sql.Literal(False)))

        agent.acked(Lane.READING, 1)
    assert rows(
        database_url, "SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM quarantine)"
    ) == [(1, 0)]


def _next(connection: BrokerConnection) -> Delivery:
    eventually(lambda: len(connection.inbox) > 0)
    (delivery,) = connection.inbox.take(1, 30.0, threading.Event())
    return delivery


def test_an_acknowledgement_of_an_old_session_reaches_nobody(
    broker_port: int, station: str
) -> None:
    relay = Relay(broker_port)
    connection = BrokerConnection("spy", BrokerConfig(port=relay.port), 100)
    connection.start([f"gw/v1/{station}/up/+/reading"])
    try:
        with Agent(broker_port, station) as agent:
            eventually(lambda: connection.connected)
            agent.send(Lane.READING, [reading(1.0)])
            old = _next(connection)
            session_of_old = connection.epoch
            relay.cut()
            eventually(lambda: connection.connected and connection.epoch > session_of_old)
            agent.send(Lane.READING, [reading(2.0)])
            new = _next(connection)
            session = relay.sent[-1]

            before = bytes(session)
            acknowledge([old])
            time.sleep(0.3)
            assert bytes(session) == before

            acknowledge([new])
            eventually(lambda: PUBACK in bytes(session)[len(before) :])
    finally:
        connection.stop()
        relay.close()


def test_a_full_queue_stops_reading_and_loses_nothing(broker_port: int, station: str) -> None:
    connection = BrokerConnection("slow", BrokerConfig(port=broker_port), 2)
    connection.start([f"gw/v1/{station}/up/+/reading"])
    try:
        with Agent(broker_port, station) as agent:
            eventually(lambda: connection.connected)
            for value in range(5):
                agent.send(Lane.READING, [reading(float(value))])
            eventually(lambda: len(connection.inbox) > 1)
            for value in range(5, 30):
                agent.send(Lane.READING, [reading(float(value))])
            time.sleep(0.3)
            assert len(connection.inbox) <= 5  # what one read brought, and no more
            taken = []
            for _ in range(30):
                delivery = _next(connection)
                taken.append(delivery.payload)
                acknowledge([delivery])
        assert taken == [  # in arrival order
            p for p in sorted(taken, key=lambda p: int(p.split(b'"seq":"')[1].split(b'"')[0]))
        ]
        assert len(set(taken)) == 30
    finally:
        connection.stop()


def test_a_broker_that_comes_late_and_goes_away_is_tried_again(
    database_url: str, tmp_path: Path, station: str
) -> None:
    port = free_port()
    broker = EmbeddedBroker(port, tmp_path / "broker")
    settings = config(database_url, tmp_path, broker_port=port, stations=(station,))
    with opened(settings) as hub, running(lambda stop: run_ingest(hub, stop)):
        try:
            time.sleep(0.5)
            for boot in range(2):
                broker.start()
                with Agent(port, station, name="edge-1") as agent:
                    deadline = time.monotonic() + 30
                    while not agent.acks:  # a birth nobody heard is said again
                        assert time.monotonic() < deadline
                        agent.bear()
                        time.sleep(0.5)
                    agent.send(Lane.READING, [reading(float(boot))])
                    agent.acked(Lane.READING, 1)
                broker.stop()
        finally:
            broker.stop()
    assert rows(database_url, "SELECT count(*) FROM reading") == [(2,)]


def test_a_stand_by_takes_over_the_station_of_a_hub_that_is_killed(
    database_url: str, broker_port: int, tmp_path: Path, station: str
) -> None:
    """Two processes; the one that holds the station is killed."""
    holders = (
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
        "WHERE l.locktype = 'advisory' AND a.application_name = 'station-locks'"
    )
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'station-locks'"
    hubs = [start_hub(database_url, broker_port, station, tmp_path)]
    try:
        eventually(lambda: rows(database_url, holders), [(1,)])
        hubs.append(start_hub(database_url, broker_port, station, tmp_path))
        eventually(lambda: rows(database_url, sessions), [(2,)])
        assert rows(database_url, holders) == [(1,)]
        with Agent(broker_port, station) as agent:
            agent.bear()
            eventually(lambda: agent.acks != [])
            agent.send(Lane.READING, [reading(1.0)])
            agent.acked(Lane.READING, 1)
            hubs[0].kill()
            hubs[0].wait()
            seen = len(agent.acks)
            eventually(lambda: len(agent.acks) > seen)  # the new one greets everybody
            agent.send(Lane.READING, [reading(1.0)], seq=1)  # the edge is not sure it arrived
            agent.send(Lane.READING, [reading(2.0)], seq=2)
            agent.acked(Lane.READING, 2)
        assert hubs[1].poll() is None
    finally:
        for hub in hubs:
            hub.kill()
            hub.wait()
    assert rows(database_url, "SELECT count(*), sum(value) FROM reading") == [(2, 3.0)]


def _serving(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_whole_hub_starts_serves_and_stops_leaving_nothing_behind(
    database_url: str, broker_port: int, tmp_path: Path, station: str
) -> None:
    port = free_port()
    settings = config(database_url, tmp_path, broker_port=broker_port, stations=(station,))
    settings = replace(settings, http=HttpConfig(port=port))
    stop = threading.Event()
    hub = threading.Thread(target=run, args=(settings, stop))
    hub.start()
    try:
        eventually(lambda: _serving(port))
        with Agent(broker_port, station) as agent:
            agent.bear()
            eventually(lambda: agent.acks != [])
    finally:
        stop.set()
        hub.join(30)
    assert not hub.is_alive()
    assert not _serving(port)
    assert rows(
        database_url,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    ) == [(0,)]


def test_a_hub_that_cannot_start_says_why_in_one_line(
    database_url: str, broker_port: int, tmp_path: Path, station: str
) -> None:
    settings = config(database_url, tmp_path, broker_port=broker_port, stations=(station,))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(GridwardenError, match=f"cannot listen on 127.0.0.1:{port}") as caught:
            run(replace(settings, http=HttpConfig(port=port)), threading.Event())
        assert "\n" not in str(caught.value)
    nowhere = config("postgresql://127.0.0.1:1/x", tmp_path, broker_port=broker_port)
    with pytest.raises(GridwardenError, match="the database is not to be reached"):
        run(nowhere, threading.Event())
