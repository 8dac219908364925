"""Who floods is limited by name, and nobody else feels it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from contract.envelope import Identity, build, encode_record
from contract.messages import Reading
from contract.taxonomy import Lane
from contract.topics import Down, Up
from hub.config import FlowConfig, LimitsConfig
from hub.ingest.decode import Decoder, Entry, Pack, entries_of
from hub.ingest.flow import FlowControl
from hub.ingest.limits import DeviceKey, Limits
from hub.ingest.subscriber import run_ingest
from hub.store.discarded import Discarded
from hub.store.quarantine import Reject
from tests.hub.builders import (
    START,
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

LIMITS = LimitsConfig(readings_per_minute=3, lane_per_minute=8, refused_per_minute=2)


def entries(*records: Reading) -> list[Entry]:
    who = Identity("demo", "edge-1", "b1", Lane.READING, 1)
    return [Entry(who, n, r, "t", b"") for n, r in enumerate(records, 1)]


def test_a_device_is_limited_by_the_minute_its_readings_were_captured_in() -> None:
    limits = Limits(LIMITS)
    flood = [reading(float(n), at=START, device="meter-9") for n in range(5)]
    later = reading(9.0, at=START + timedelta(minutes=1), device="meter-9")

    judged = limits.judge(entries(*flood, later, reading(1.0, at=START, device="calm")), [], START)

    assert [e.seq for e in judged.taken if isinstance(e, Entry)] == [1, 2, 3, 6, 7]
    assert judged.beyond == {DeviceKey("edge-1", "b1", "reading", "meter-9"): 2}


def pack(*records: Reading) -> Pack:
    """The same records in one message that is in order."""
    who = Identity("demo", "edge-1", "b1", Lane.READING, 1)
    message = build(who, [encode_record(r) for r in records], START)
    decoded = Decoder().decode("gw/v1/demo/up/edge-1/reading", message)
    assert isinstance(decoded, Pack)
    return decoded


def test_a_pack_is_limited_as_its_records_are() -> None:
    records = [
        reading(float(n), at=START + timedelta(minutes=n // 4), device=f"meter-{n % 3}")
        for n in range(17)
    ]
    for spent in (0, 1, 2):
        whole, single = Limits(LIMITS), Limits(LIMITS)
        for limits in (whole, single):
            before = entries(*[reading(0.0, at=START, device="meter-0")] * spent)
            limits.spend(limits.judge(before, [], START))

        of_pack = whole.judge([pack(*records)], [], START)
        of_records = single.judge(entries(*records), [], START)

        taken = [seq for item in of_pack.taken for seq in _seqs(item)]
        assert taken == [seq for item in of_records.taken for seq in _seqs(item)]
        assert of_pack.beyond == of_records.beyond
        assert +of_pack.spent == +of_records.spent


def _seqs(item: Entry | Pack) -> list[int]:
    return [e.seq for e in entries_of(item)]


def test_a_backlog_of_hours_that_arrives_at_once_is_no_flood() -> None:
    backlog = [reading(1.0, at=START - timedelta(minutes=n)) for n in range(300)]

    assert len(Limits(LIMITS).judge(entries(*backlog), [], START).taken) == 300


def test_what_was_judged_counts_only_once_it_is_spent() -> None:
    limits = Limits(LIMITS)
    batch = entries(*[reading(1.0, at=START) for _ in range(3)])
    assert len(limits.judge(batch, [], START).taken) == 3

    judged = limits.judge(batch, [], START)  # the transaction failed and is tried again
    assert len(judged.taken) == 3
    limits.spend(judged)
    assert limits.judge(batch, [], START).taken == []


def test_many_devices_of_one_agent_are_limited_together() -> None:
    swarm = [reading(1.0, at=START, device=f"d-{n}") for n in range(10)]

    judged = Limits(LIMITS).judge(entries(*swarm), [], START)

    assert len(judged.taken) == 8
    assert judged.beyond == {DeviceKey("edge-1", "b1", "reading", ""): 2}


def test_what_cannot_be_read_is_limited_for_each_agent_by_the_hubs_minute() -> None:
    limits = Limits(LIMITS)
    garbage = [Reject("t", b"%d" % n, "not JSON", agent="edge-1") for n in range(5)]
    other = Reject("t", b"x", "not JSON", agent="edge-2")

    judged = limits.judge([], [*garbage, other], START)

    assert [r.agent for r in judged.rejects] == ["edge-1", "edge-1", "edge-2"]
    limits.spend(judged)
    assert len(limits.judge([], garbage, START + timedelta(minutes=1)).rejects) == 2


def test_a_limit_of_nought_is_none() -> None:
    limits = Limits(LimitsConfig(readings_per_minute=0, lane_per_minute=0))

    assert len(limits.judge(entries(*[reading(1.0, at=START)] * 50), [], START).taken) == 50


def test_windows_shrink_while_the_queue_is_full_and_grow_back_when_it_is_empty() -> None:
    flow = FlowControl(FlowConfig(window_records=1000, window_bytes=1_000_000, least_records=100))
    told = []
    for fill in (0.0, 0.3, 0.9, 0.9, 0.9, 0.9, 0.9, 0.3, *[0.0] * 12):
        if flow.step(fill):
            told.append(flow.of("edge-1", 0.0).records)

    assert told[:4] == [500, 250, 125, 100]
    assert told[4:] == sorted(told[4:])
    assert told[-1] == 1000


def test_a_flooding_device_is_told_of_until_it_has_been_calm_for_a_while() -> None:
    flow = FlowControl(FlowConfig())
    flow.flood([Discarded("edge-1", "b1", "reading", "meter-9", 7, 3)], 100.0)

    assert flow.due(100.0) == {"edge-1"}
    (limited,) = flow.of("edge-1", 100.0).limited
    assert (limited.lane, limited.device, limited.discarded) == (Lane.READING, "meter-9", 7)
    assert flow.due(101.0) == set()
    assert flow.due(300.0) == {"edge-1"}
    assert flow.of("edge-1", 300.0).limited == []


@pytest.mark.parametrize("key", ["readings_per_minute", "refused_per_minute"])
def test_a_flood_is_acknowledged_discarded_counted_and_told_and_harms_nobody_else(
    key: str, database_url: str, broker_port: int, tmp_path: Path
) -> None:
    station = fresh("station")
    settings = config(
        database_url,
        tmp_path,
        broker_port=broker_port,
        stations=(station,),
        limits=LimitsConfig(**{key: 20}),
    )
    with (
        opened(settings) as hub,
        running(lambda stop: run_ingest(hub, stop)),
        Agent(broker_port, station) as agent,
    ):
        agent.bear()
        assert agent.hear(Down.FLOW, lambda f: f.limited == []).records == 5000
        if key == "refused_per_minute":
            for n in range(50):
                agent.publish(agent.topic(Up.READING), b"garbage %d" % n)
            thrown = "(SELECT coalesce(sum(n), 0)::int FROM discarded WHERE lane = '')"
            both = f"SELECT count(*)::int + {thrown} FROM quarantine"
            eventually(lambda: rows(database_url, both), [(50,)])
            ((kept,),) = rows(database_url, "SELECT count(*) FROM quarantine")
            assert 20 <= kept <= 40  # they lie in two minutes at most
        else:
            at = START - timedelta(days=1)
            agent.send(Lane.READING, [reading(1.0, at=at, device="meter-9")] * 50)
            agent.send(Lane.READING, [reading(2.0, at=at, device="calm")] * 5)
            agent.acked(Lane.READING, 55)
            flow = agent.hear(Down.FLOW, lambda f: f.limited != [])
            assert [(x.device, x.per_minute, x.discarded) for x in flow.limited] == [
                ("meter-9", 20, 30)
            ]
            assert rows(
                database_url, "SELECT device, count(*) FROM reading GROUP BY 1 ORDER BY 1"
            ) == [("calm", 5), ("meter-9", 20)]
            agent.send(Lane.READING, [reading(1.0, at=at, device="meter-9")], seq=50)  # again
            agent.send(Lane.READING, [reading(1.0, at=at, device="meter-9")], seq=56)
            agent.acked(Lane.READING, 56)
            assert rows(database_url, "SELECT device, n, per_minute FROM discarded") == [
                ("meter-9", 31, 20)
            ]
        agent.send(Lane.DETECTION, [detection()])
        agent.acked(Lane.DETECTION, 1)
