"""The publisher, over a broker in memory and over a real one: nothing lost, nothing for nothing."""

from __future__ import annotations

import itertools
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from contract.envelope import encode_record
from contract.messages import Command, EvidenceChunk, Flow, Limited, Manifest, Nack, Reading
from contract.taxonomy import Lane
from contract.topics import Down
from edge.mqtt import MqttTransport
from edge.outlet import UNTAKEN_BYTES
from edge.publisher import Publisher
from edge.settings import BrokerSettings, PublishSettings
from edge.spool import Entry
from edge.sqlite_spool import SqliteSpool
from edge.transport import Transport
from tests.edge.builders import T0, eventually, now
from tests.edge.hub_side import HubSide
from tests.edge.memory_transport import MemoryBroker, MemoryTransport

ROOM = dict.fromkeys(Lane, 10_000_000)
SETTINGS = PublishSettings(resend_after_s=0.5, probe_max_s=1.0)
NewTransport = Callable[[], Transport]

_names = itertools.count(1)


@pytest.fixture(params=["memory", "mqtt"])
def new_transport(request: pytest.FixtureRequest) -> Iterator[NewTransport]:
    """Connections to one and the same broker."""
    made: list[Transport] = []
    if request.param == "memory":
        broker = MemoryBroker()

        def new() -> Transport:
            made.append(MemoryTransport(broker))
            return made[-1]
    else:
        port = request.getfixturevalue("broker_port")

        def new() -> Transport:
            made.append(MqttTransport(BrokerSettings(port=port), f"test-{next(_names)}"))
            return made[-1]

    yield new
    for transport in made:
        transport.stop()


@dataclass
class Edge:
    spool: SqliteSpool
    publisher: Publisher
    transport: Transport
    commands: list[Command]
    agent: str

    def spool_readings(self, count: int) -> None:
        self.spool.append([reading(n) for n in range(count)])
        self.publisher.wake()

    def settled(self, lane: Lane = Lane.READING) -> bool:
        return self.spool.state()[lane].waiting == 0


def reading(value: float) -> Entry:
    record = Reading(device="cam-01", metric="crossing", value=float(value), captured_at=T0)
    return Entry(Lane.READING, encode_record(record), T0)


def detection() -> Entry:
    return Entry(Lane.DETECTION, b'{"not":"read"}', T0)


def chunk(size: int, digest: str = "0" * 64) -> Entry:
    header = EvidenceChunk(
        digest=digest, media_type="image/jpeg", offset=0, total=size, captured_at=T0, stream="c"
    )
    return Entry(Lane.EVIDENCE, encode_record(header), T0, b"x" * size)


def manifest(boot: str, at: datetime) -> Manifest:
    return Manifest(boot=boot, started_at=at, published_at=at, software="test")


@contextmanager
def edge(
    folder: Path, transport: Transport, agent: str, settings: PublishSettings = SETTINGS
) -> Iterator[Edge]:
    spool = SqliteSpool(folder, ROOM, now)
    commands: list[Command] = []
    publisher = Publisher(
        "demo", agent, spool, transport, settings, now,
        lambda at: manifest(spool.boot, at), commands.append,
    )  # fmt: skip
    publisher.start()
    try:
        yield Edge(spool, publisher, transport, commands, agent)
    finally:
        publisher.stop()
        spool.close()


@pytest.fixture
def agent() -> str:
    return f"agent-{next(_names)}"


def test_everything_spooled_is_committed_once_and_leaves_the_spool(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    with edge(tmp_path, new_transport(), agent) as e:
        e.spool_readings(1200)
        eventually(e.settled)
        assert len(hub.records[Lane.READING]) == 1200
        assert hub.ledger[Lane.READING].watermark == 1200
        assert hub.messages[Lane.READING] <= 10  # packed


def test_a_birth_names_the_boot_and_a_stop_says_goodbye_to_it(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    with edge(tmp_path, new_transport(), agent) as e:
        eventually(lambda: hub.births)
        assert hub.births[0][0].boot == e.spool.boot
    eventually(lambda: hub.deaths)
    birth = hub.births[-1][0]
    assert [(d.boot, d.published_at) for d in hub.deaths] == [(birth.boot, birth.published_at)]


def test_a_hub_that_comes_later_finds_the_birth(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    with edge(tmp_path, new_transport(), agent) as e:
        eventually(lambda: e.publisher.status().connected)
        early = HubSide(new_transport(), "demo", agent)
        eventually(lambda: early.births)
        late = HubSide(new_transport(), "demo", agent)
        eventually(lambda: late.births)
        assert late.births[0][1]  # retained


def test_detections_go_first_and_a_picture_travels_a_chunk_a_message(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    hub.working = False
    spool = SqliteSpool(tmp_path, ROOM, now)
    spool.append([reading(1), chunk(40_000), chunk(48_000), detection()])
    spool.close()
    with edge(tmp_path, new_transport(), agent):
        eventually(lambda: len(hub.order) >= 4)
        assert hub.order[0] is Lane.DETECTION
        assert hub.messages[Lane.EVIDENCE] == 2


def test_an_absent_hub_costs_a_window_and_then_a_probe_at_a_time(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    hub.working = False
    settings = PublishSettings(window_records=600, resend_after_s=0.3, probe_max_s=0.6)
    with edge(tmp_path, new_transport(), agent, settings) as e:
        e.spool_readings(3000)
        eventually(lambda: hub.messages[Lane.READING] >= 4)
        # 500 + 100 fill the window, then probes of one record: never the other 2,400
        assert hub.messages[Lane.READING] < 8
        hub.working = True
        eventually(e.settled)
        assert len(hub.records[Lane.READING]) == 3000


def test_what_the_hub_missed_is_sent_again_when_it_asks(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    hub.working = False
    slow = PublishSettings(resend_after_s=600.0, probe_max_s=600.0)
    with edge(tmp_path, new_transport(), agent, slow) as e:
        e.spool_readings(50)
        eventually(lambda: hub.order)
        hub.working = True
        hub.boot = e.spool.boot
        hub.nack(Lane.READING, (11, 20), (1, 10), (21, 50))
        eventually(e.settled)
        assert len(hub.records[Lane.READING]) == 50


def test_a_hub_that_asks_for_everything_gets_no_more_than_the_window(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    hub.working = False
    slow = PublishSettings(window_records=100, resend_after_s=600.0, probe_max_s=600.0)
    with edge(tmp_path, new_transport(), agent, slow) as e:
        e.spool_readings(3000)
        eventually(lambda: hub.order == [Lane.READING])
        hub.boot = e.spool.boot
        hub.nack(Lane.READING, (1, 2**62))
        eventually(lambda: len(hub.order) == 2)
        e.spool.append([detection()])
        e.publisher.wake()
        eventually(lambda: Lane.DETECTION in hub.order)
        assert hub.order == [Lane.READING, Lane.READING, Lane.DETECTION]


def test_what_the_hub_refuses_again_and_again_is_declared_lost(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    hub.working = False
    settings = PublishSettings(resend_after_s=0.2, probe_max_s=600.0)
    with edge(tmp_path, new_transport(), agent, settings) as e:
        e.spool_readings(1)
        hub.boot = e.spool.boot
        for _ in range(200):
            hub.nack(Lane.READING, (1, 1))
            if e.spool.state()[Lane.READING].lost:
                break
            hub_waits()
        e.spool.append([chunk(10)])  # comes behind every copy that is still on its way
        e.publisher.wake()
        eventually(lambda: Lane.EVIDENCE in hub.order)
        hub.working = True
        eventually(e.settled)
        assert hub.lost[Lane.READING] == [(1, 1)]
        assert hub.records[Lane.READING] == {}


def test_evidence_the_hub_finds_broken_is_sent_again_whole(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    digest = "ab" * 32
    with edge(tmp_path, new_transport(), agent) as e:
        e.spool.append([chunk(500, digest)])
        eventually(lambda: e.settled(Lane.EVIDENCE))
        for copy in (2, 3, 4):
            hub.say(Down.NACK, Nack(boot=hub.boot, digests=[digest]))
            eventually(lambda: copy in hub.records[Lane.EVIDENCE])  # noqa: B023
            eventually(lambda: e.settled(Lane.EVIDENCE))
        hub.say(Down.NACK, Nack(boot=hub.boot, digests=[digest]))  # once too often
        eventually(lambda: hub.lost[Lane.EVIDENCE] == [(5, 5)])
        hub.say(Down.NACK, Nack(boot=hub.boot, digests=["cd" * 32]))  # never was here
        eventually(lambda: hub.lost[Lane.EVIDENCE] == [(5, 5), (6, 6)])


def test_a_hub_that_asks_again_for_evidence_under_way_gets_one_copy_and_no_loss(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    digest = "ab" * 32
    with edge(tmp_path, new_transport(), agent) as e:
        e.spool.append([chunk(500, digest)])
        eventually(lambda: e.settled(Lane.EVIDENCE))
        hub.working = False
        for _ in range(6):  # more often than it may refuse it
            hub.say(Down.NACK, Nack(boot=hub.boot, digests=[digest]))
        eventually(lambda: e.spool.waits(digest))
        e.spool.append([chunk(10)])
        hub.working = True
        eventually(lambda: e.settled(Lane.EVIDENCE))
        assert sorted(hub.records[Lane.EVIDENCE]) == [1, 2, 3]
        assert hub.lost[Lane.EVIDENCE] == []


def hub_waits() -> None:
    """A hub asks no more often than its hole time."""
    time.sleep(0.05)


def test_a_hub_begun_anew_gets_what_is_held_and_a_word_on_what_is_gone(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    with edge(tmp_path, new_transport(), agent) as e:
        e.spool_readings(30)
        eventually(e.settled)
        hub.begin_anew()
        hub.boot, hub.epoch = e.spool.boot, "epoch-2"
        e.spool_readings(5)
        eventually(lambda: hub.ledger[Lane.READING].watermark >= 36)
        assert hub.lost[Lane.READING] == [(1, 30)]
        assert len(hub.records[Lane.READING]) == 5
        eventually(e.settled)


def test_a_spool_put_back_from_an_older_copy_begins_a_new_boot_and_loses_nothing_new(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    with edge(tmp_path, new_transport(), agent) as e:
        eventually(lambda: e.publisher.status().connected)
        hub.boot = e.spool.boot
        hub.ledger[Lane.READING].add(1, 100)
        hub.acknowledge()
        eventually(lambda: e.spool.boot != hub.boot)
        e.spool_readings(7)
        eventually(e.settled)
        assert len(hub.records[Lane.READING]) == 7
        assert hub.births[-1][0].boot == e.spool.boot


def test_an_older_copy_put_back_gives_no_number_out_twice(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    with edge(tmp_path / "spool", new_transport(), agent) as e:
        e.spool_readings(10)
        eventually(e.settled)
        shutil.copytree(tmp_path / "spool", tmp_path / "copy")
        e.spool_readings(20)
        eventually(e.settled)
        eventually(lambda: hub.ledger[Lane.READING].watermark == 30)
        boot = hub.boot
    for file in (tmp_path / "copy").glob("spool.sqlite*"):  # the folder is the same: no clone
        (tmp_path / "spool" / file.name).write_bytes(file.read_bytes())
    with edge(tmp_path / "spool", new_transport(), agent) as e:
        e.spool.append([reading(n) for n in range(100, 150)])  # 11 to 60: the hub has 11 to 30
        eventually(lambda: e.spool.boot != boot)
        eventually(e.settled)
        values = [r.value for r in hub.records[Lane.READING].values() if isinstance(r, Reading)]
        assert values == [float(n) for n in range(100, 150)]


def test_a_detection_goes_out_at_once_however_much_the_broker_has_not_taken(
    tmp_path: Path, agent: str
) -> None:
    broker = MemoryBroker()
    hub = HubSide(MemoryTransport(broker), "demo", agent)
    hub.working = False
    line = MemoryTransport(broker)
    line.taking = False
    wide = PublishSettings(window_bytes=50_000_000, window_records=100_000)
    with edge(tmp_path, line, agent, wide) as e:
        e.spool.append([chunk(48_000) for _ in range(100)])
        e.publisher.wake()
        eventually(lambda: len(hub.order) >= UNTAKEN_BYTES // 48_000)
        hub_waits()
        waiting = len(hub.order)
        assert waiting <= UNTAKEN_BYTES // 48_000 + 1
        e.spool.append([detection()])
        e.publisher.wake()
        eventually(lambda: Lane.DETECTION in hub.order)
        assert hub.order.index(Lane.DETECTION) == waiting


def test_a_line_that_comes_and_goes_while_the_hub_is_away_gets_one_probe_each_time(
    tmp_path: Path, agent: str
) -> None:
    broker = MemoryBroker()
    hub = HubSide(MemoryTransport(broker), "demo", agent)
    hub.working = False
    line = MemoryTransport(broker)
    settings = PublishSettings(resend_after_s=0.2, probe_max_s=600.0, window_records=600)
    with edge(tmp_path, line, agent, settings) as e:
        e.spool_readings(2000)
        eventually(lambda: hub.messages[Lane.READING] >= 3)  # the window, and the first probe
        before = hub.messages[Lane.READING]
        for _ in range(5):
            births = len(hub.births)
            line.cut()
            line.restore()
            eventually(lambda: len(hub.births) > births)  # noqa: B023
            hub_waits()
        assert hub.messages[Lane.READING] <= before + 6


def test_an_error_of_our_own_does_not_end_the_publisher(
    tmp_path: Path, agent: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker = MemoryBroker()
    hub = HubSide(MemoryTransport(broker), "demo", agent)
    spool = SqliteSpool(tmp_path, ROOM, now)
    calls = itertools.count()

    def manifests(at: datetime) -> Manifest:
        if next(calls) == 0:
            raise ZeroDivisionError("in somebody's detector")
        return manifest(spool.boot, at)

    def use(command: Command) -> None:
        raise ZeroDivisionError("in somebody's detector, too")

    publisher = Publisher(
        "demo", agent, spool, MemoryTransport(broker), SETTINGS, now, manifests, use
    )
    publisher.start()
    hub.say(Down.COMMAND, Command(version=1, issued_at=T0, issued_by="eng"))
    spool.append([reading(1)])
    publisher.wake()
    eventually(lambda: spool.state()[Lane.READING].waiting == 0)
    publisher.stop()
    spool.close()
    said = [r.message for r in caplog.records if "error of its own" in r.message]
    assert len(said) == 2


def test_the_hubs_flow_holds_for_the_session_and_names_who_is_limited(
    tmp_path: Path, agent: str
) -> None:
    broker = MemoryBroker()
    hub = HubSide(MemoryTransport(broker), "demo", agent)
    line = MemoryTransport(broker)
    limited = Limited(lane=Lane.READING, device="meter-7", per_minute=60, discarded=900)
    with edge(tmp_path, line, agent) as e:
        eventually(lambda: hub.births)
        hub.say(Down.FLOW, Flow(records=3, bytes=65536, limited=[limited]))
        eventually(lambda: e.publisher.status().limited == (limited,))
        line.cut()
        line.restore()
        eventually(lambda: e.publisher.status().connected)
        eventually(lambda: e.publisher.status().limited == ())


def test_the_hubs_flow_sets_the_window(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    hub.working = False
    slow = PublishSettings(resend_after_s=600.0, probe_max_s=600.0)
    hub.say(Down.FLOW, Flow(records=3, bytes=65536), retain=True)
    with edge(tmp_path, new_transport(), agent, slow) as e:
        eventually(lambda: hub.births)
        hub_waits()
        hub_waits()
        hub_waits()
        e.spool_readings(10)
        eventually(lambda: hub.order)
        hub.working = True
        hub.boot = e.spool.boot
        hub.nack(Lane.READING, (1, 3))
        eventually(e.settled)
        assert hub.messages[Lane.READING] >= 4  # three at a time


def test_a_retained_command_arrives_at_once(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    command = Command(version=4, issued_at=T0, issued_by="eng")
    hub.say(Down.COMMAND, command, retain=True)
    with edge(tmp_path, new_transport(), agent) as e:
        eventually(lambda: e.commands == [command])


def test_the_hubs_clock_is_told_apart_from_ours(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    hub.ahead = timedelta(hours=1)
    with edge(tmp_path, new_transport(), agent) as e:
        e.spool_readings(1)
        eventually(lambda: e.publisher.status().clock_offset_s is not None)
        assert e.publisher.status().clock_offset_s == pytest.approx(3600.0, abs=5.0)


def test_a_hub_whose_clock_is_set_back_still_empties_the_spool_and_is_told_apart(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    hub.ahead = timedelta(hours=1)
    with edge(tmp_path, new_transport(), agent) as e:
        e.spool_readings(1)
        eventually(e.settled)
        hub.working = False
        e.spool_readings(50)
        eventually(lambda: hub.messages[Lane.READING] >= 3)  # it probes
        hub.ahead = timedelta(0)

        hub.working = True

        eventually(e.settled)
        eventually(lambda: e.publisher.status().clock_offset_s == pytest.approx(0.0, abs=5.0))


def test_nonsense_from_below_is_left_aside(
    tmp_path: Path, new_transport: NewTransport, agent: str
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    other = new_transport()
    with edge(tmp_path, new_transport(), agent) as e:
        eventually(lambda: hub.births)
        other_hub = HubSide(other, "elsewhere", agent)
        assert other_hub.births == []
        for payload in (b"", b"{", b"\xff\xfe", b'{"epoch": 3}', b"[" * 100_000):
            other_hub.wait_connected()
            other.publish(f"gw/v1/demo/dn/{agent}/ack", payload)
        other.publish(f"gw/v1/demo/dn/{agent}/what", b"{}")
        e.spool_readings(3)
        eventually(e.settled)


def test_a_cut_connection_keeps_everything_and_says_so_in_two_lines(
    tmp_path: Path, agent: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker = MemoryBroker()
    hub = HubSide(MemoryTransport(broker), "demo", agent)
    line = MemoryTransport(broker)
    with caplog.at_level(logging.INFO, "edge.publisher"), edge(tmp_path, line, agent) as e:
        eventually(lambda: e.publisher.status().connected)
        line.cut()
        eventually(lambda: not e.publisher.status().connected)
        e.spool_readings(20)
        eventually(lambda: hub.deaths)
        assert hub.deaths[0].published_at == hub.births[0][0].published_at
        line.restore()
        eventually(e.settled)
        assert len(hub.records[Lane.READING]) == 20
    said = [r.message for r in caplog.records if "connect" in r.message or "cut" in r.message]
    assert len(said) == 2


def test_a_hub_that_does_not_answer_is_told_once_and_again_when_it_does(
    tmp_path: Path, new_transport: NewTransport, agent: str, caplog: pytest.LogCaptureFixture
) -> None:
    hub = HubSide(new_transport(), "demo", agent)
    hub.working = False
    with caplog.at_level("INFO", "edge.publisher"), edge(tmp_path, new_transport(), agent) as e:
        e.spool_readings(3)
        words = f"the hub does not answer: it is away, or agent {agent} may not send for station"
        eventually(lambda: words in caplog.text)
        hub.working = True
        eventually(e.settled)
        eventually(lambda: "the hub answers again" in caplog.text)
    assert caplog.text.count(words) == 1
