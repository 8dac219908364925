from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from contract.control import encode_control
from contract.geometry import Point
from contract.messages import Detection, EvidenceRef, Lost
from contract.taxonomy import CameraState, Lane, Phase
from contract.topics import Down, Up
from hub.domain.actor import Actor, Role
from hub.domain.merge import EpisodeState, from_record
from hub.ingest.replay import replay
from hub.ingest.subscriber import run_ingest
from hub.services import record_detections
from hub.services.context import Hub
from hub.services.tune_threshold import tune_threshold
from tests.hub.builders import (
    START,
    Agent,
    chunks,
    config,
    detection,
    episode_id,
    eventually,
    fresh,
    health,
    manifest,
    opened,
    picture,
    reading,
    rows,
    running,
    score_block,
    system_clock,
    trap,
)


@pytest.fixture
def station() -> str:
    return fresh("station")


@pytest.fixture
def ingesting(database_url: str, broker_port: int, tmp_path: Path, station: str) -> Iterator[Hub]:
    with (
        opened(config(database_url, tmp_path, broker_port=broker_port, stations=(station,))) as hub,
        running(lambda stop: run_ingest(hub, stop)),
    ):
        yield hub


@pytest.fixture
def agent(broker_port: int, station: str, ingesting: Hub, database_url: str) -> Iterator[Agent]:
    """An agent that the hub knows, so that it hears what follows."""
    with Agent(broker_port, station) as agent:
        agent.bear()
        eventually(lambda: agent.acks != [])
        yield agent


def test_every_lane_is_stored_and_acknowledged(agent: Agent, database_url: str) -> None:
    agent.send(Lane.READING, [reading(1.0), reading(3.0)])
    agent.send(Lane.SCORE, [score_block()])
    agent.send(Lane.HEALTH, [health()])
    agent.send(Lane.DETECTION, [detection()])

    for lane, watermark in (
        (Lane.READING, 2),
        (Lane.SCORE, 1),
        (Lane.HEALTH, 1),
        (Lane.DETECTION, 1),
    ):
        agent.acked(lane, watermark)
    assert rows(
        database_url,
        "SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM score_block), "
        "(SELECT count(*) FROM health), (SELECT count(*) FROM detection), "
        "(SELECT count(*) FROM grid_event WHERE state = 'suspected')",
    ) == [(2, 1, 1, 1, 1)]


def test_a_message_sent_again_is_stored_once_and_acknowledged_again(
    agent: Agent, database_url: str
) -> None:
    for _ in range(5):  # most of these meet in one batch
        agent.send(Lane.READING, [reading(1.0), reading(2.0)], seq=1)
    agent.acked(Lane.READING, 2)
    before = len(agent.acks)

    agent.send(Lane.READING, [reading(2.0)], seq=2)

    eventually(lambda: len(agent.acks) > before)
    assert rows(database_url, "SELECT count(*) FROM reading") == [(2,)]
    assert rows(database_url, "SELECT n, total FROM reading_rollup WHERE width = '1d'") == [
        (2, 3.0)
    ]


def test_records_out_of_order_are_stored_and_the_hole_is_asked_for(
    agent: Agent, database_url: str
) -> None:
    agent.send(Lane.READING, [reading(1.0)], seq=1)
    agent.send(Lane.READING, [reading(5.0), reading(6.0)], seq=5)

    nack = agent.hear(Down.NACK, lambda n: Lane.READING in n.lanes)
    assert nack.lanes[Lane.READING] == [(2, 4)]
    assert agent.acks[-1].lanes[Lane.READING].ranges == [(5, 6)]

    agent.send(Lane.READING, [reading(2.0), reading(3.0), reading(4.0)], seq=2)
    agent.acked(Lane.READING, 6)
    assert rows(database_url, "SELECT count(*), sum(value) FROM reading") == [(6, 21.0)]


def test_a_loss_that_is_declared_closes_the_hole_and_is_told(
    agent: Agent, database_url: str
) -> None:
    agent.send(Lane.READING, [reading(1.0)], seq=1)
    agent.send(
        Lane.READING, [Lost(first=2, last=9, reason="evicted: disk full"), reading(2.0)], seq=10
    )

    agent.acked(Lane.READING, 11)
    assert rows(database_url, "SELECT lost::text FROM ledger WHERE lane = 'reading'") == [
        ("{[2,10)}",)
    ]


def test_evidence_is_shown_once_complete_whichever_comes_first(
    agent: Agent, ingesting: Hub, database_url: str
) -> None:
    first, second = picture(), picture()
    refs = [
        EvidenceRef(
            digest=hashlib.sha256(p).hexdigest(),
            media_type="image/jpeg",
            size=len(p),
            captured_at=START,
        )
        for p in (first, second)
    ]
    agent.send_picture(first)
    agent.acked(Lane.EVIDENCE, 3)
    agent.send(Lane.DETECTION, [detection(evidence=refs)])
    agent.send_picture(second)

    agent.acked(Lane.EVIDENCE, 6)
    agent.acked(Lane.DETECTION, 1)  # which has a connection of its own
    for data, ref in zip((first, second), refs, strict=True):
        assert ingesting.evidence.path(ref.digest).read_bytes() == data
    assert rows(
        database_url,
        "SELECT count(*) FROM detection_evidence JOIN evidence USING (digest) "
        "WHERE complete_at IS NOT NULL",
    ) == [(2,)]


def test_chunks_that_do_not_add_up_are_refused_by_digest_and_welcome_again(
    agent: Agent, ingesting: Hub, database_url: str
) -> None:
    data = picture(60_000)
    (head, piece), (tail, rest) = chunks(data)
    agent.send(Lane.EVIDENCE, [head], payload=bytes(len(piece)))
    agent.send(Lane.EVIDENCE, [tail], payload=rest)

    nack = agent.hear(Down.NACK, lambda n: n.digests != [])
    assert nack.digests == [head.digest]
    assert not ingesting.evidence.has(head.digest)
    assert rows(database_url, "SELECT lane, seq FROM quarantine") == [("evidence", 2)]

    agent.send(Lane.EVIDENCE, [head], seq=1, payload=piece)  # under the numbers it had
    agent.send(Lane.EVIDENCE, [tail], seq=2, payload=rest)
    eventually(lambda: ingesting.evidence.has(head.digest))


def test_broken_evidence_is_asked_for_at_each_birth_until_it_comes_or_is_declared_lost(
    agent: Agent, ingesting: Hub, database_url: str, broker_port: int, station: str
) -> None:
    kept, gone = picture(30_000), picture(40_000)
    for data in (kept, gone):
        ((head, piece),) = chunks(data)
        agent.send(Lane.EVIDENCE, [head], payload=bytes(len(piece)))
    names = {chunks(data)[0][0].digest for data in (kept, gone)}
    eventually(lambda: rows(database_url, "SELECT count(*) FROM evidence_wanted") == [(2,)])

    with Agent(broker_port, station, agent.name) as back:  # it was away when it was asked
        back.bear()
        asked: set[str] = set()
        while asked != names:
            nack = back.hear(Down.NACK, lambda n: n.digests != [] and n.boot == back.boot)
            asked |= set(nack.digests)
        (head, piece), *_ = chunks(kept)
        back.send(Lane.EVIDENCE, [head], payload=piece)
        lost = Lost(first=2, last=2, reason="no longer here", evidence=chunks(gone)[0][0].digest)
        with Agent(broker_port, station) as other:  # which has no say in it
            other.bear()
            other.send(Lane.EVIDENCE, [msgspec.structs.replace(lost, first=1, last=1)])
            other.acked(Lane.EVIDENCE, 1)
        left = "SELECT count(*) FROM evidence_wanted WHERE digest = %s"
        assert rows(database_url, left, lost.evidence) == [(1,)]
        back.send(Lane.EVIDENCE, [lost])
        eventually(lambda: rows(database_url, "SELECT count(*) FROM evidence_wanted") == [(0,)])
    assert ingesting.evidence.has(head.digest)


def test_a_record_that_the_database_refuses_is_found_among_its_neighbours(
    agent: Agent, database_url: str
) -> None:
    good = [detection(stream=f"cam-{i:02}") for i in range(6)]
    poison = detection(label="poison")
    with psycopg.connect(database_url) as conn:
        conn.execute("ALTER TABLE detection ADD CHECK (label <> 'poison')")

    agent.send(Lane.DETECTION, [*good[:3], poison, *good[3:]])

    agent.acked(Lane.DETECTION, 7)
    assert rows(database_url, "SELECT count(*) FROM detection") == [(6,)]
    ((seq, reason),) = rows(database_url, "SELECT seq, reason FROM quarantine")
    assert seq == 4
    assert "cannot be stored" in reason


@pytest.mark.parametrize("fault", ["of its SQL", "of its Python"])
def test_a_record_that_trips_a_fault_of_the_hub_is_isolated_and_taken_after_the_fix(
    fault: str,
    agent: Agent,
    ingesting: Hub,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if fault == "of its SQL":
        trap(database_url)
        last_line = "psycopg.errors.UndefinedFunction: function nobody_wrote_this"
    else:

        def careless(record: Detection, *rest: Any) -> EpisodeState:
            if record.label == "trap":
                raise KeyError("trap")
            return from_record(record, *rest)

        monkeypatch.setattr(record_detections, "from_record", careless)
        last_line = "fault of the hub: KeyError: 'trap' (careless, line "
    good = [detection(stream=f"cam-{i:02}") for i in range(4)]

    agent.send(Lane.DETECTION, [*good[:2], detection(label="trap"), *good[2:]])
    agent.acked(Lane.DETECTION, 5)

    assert rows(database_url, "SELECT count(*) FROM detection") == [(4,)]
    ((id, seq, whose, reason),) = rows(
        database_url, "SELECT id, seq, fault, reason FROM quarantine"
    )
    assert (seq, whose) == (3, "hub")
    assert last_line in reason
    assert "is quarantined: fault of the hub" in caplog.text
    assert "Traceback" in caplog.text
    agent.send(Lane.DETECTION, [detection()])  # the hub goes on
    agent.acked(Lane.DETECTION, 6)

    monkeypatch.undo()
    trap(database_url, on=False)
    with ingesting.pool.connection() as conn:
        told = replay(conn, ingesting, id, Actor("chen", Role.DISPATCHER))
    assert told.outcome == "stored"
    assert rows(database_url, "SELECT count(*) FROM detection") == [(6,)]


def test_a_folder_of_evidence_that_cannot_be_written_is_waited_for(
    agent: Agent, ingesting: Hub, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As with a full disk: what passes is never a reason to put a record aside."""
    root = ingesting.evidence.root
    root.parent.mkdir(parents=True, exist_ok=True)
    root.write_bytes(b"")  # a file where the folder should be

    digest = agent.send_picture(picture(1000))
    eventually(lambda: "waits, acknowledging nothing" in caplog.text)
    root.unlink()

    agent.acked(Lane.EVIDENCE, 1)
    assert ingesting.evidence.has(digest)
    assert rows(database_url, "SELECT count(*) FROM quarantine") == [(0,)]


def test_a_fault_of_the_hub_itself_ends_it_and_puts_nothing_aside(
    database_url: str, broker_port: int, tmp_path: Path, station: str
) -> None:
    rename = "ALTER TABLE detection RENAME COLUMN {} TO {}"
    with psycopg.connect(database_url) as conn:
        conn.execute(rename.format("place", "spot").encode())
    settings = config(database_url, tmp_path, broker_port=broker_port, stations=(station,))
    with opened(settings) as hub, Agent(broker_port, station) as agent:
        with ThreadPoolExecutor() as threads:
            stop = threading.Event()
            ended = threads.submit(run_ingest, hub, stop)
            try:
                agent.bear()
                eventually(lambda: agent.acks != [])
                agent.send(Lane.DETECTION, [detection()])
                assert isinstance(ended.exception(30), psycopg.errors.UndefinedColumn)
            finally:
                stop.set()
        assert rows(database_url, "SELECT count(*) FROM quarantine") == [(0,)]
        assert all(Lane.DETECTION not in a.lanes for a in agent.acks)

        with psycopg.connect(database_url) as conn:
            conn.execute(rename.format("spot", "place").encode())
        with running(lambda stop: run_ingest(hub, stop)):
            heard = len(agent.acks)
            eventually(lambda: len(agent.acks) > heard)
            agent.send(Lane.DETECTION, [detection()], seq=1)
            agent.acked(Lane.DETECTION, 1)


def _with(message: bytes, **changes: object) -> bytes:
    return json.dumps({**json.loads(message), **changes}).encode()


def _record_with(message: bytes, **changes: object) -> bytes:
    envelope = json.loads(message)
    envelope["data"]["records"][0].update(changes)
    return json.dumps(envelope).encode()


def test_bad_input_ends_in_quarantine_with_reason_topic_and_bytes(
    agent: Agent, database_url: str
) -> None:
    good = agent.message(Lane.READING, 1, [reading(1.0)])
    crossed = agent.message(Lane.DETECTION, 1, [detection()])
    topic, base = agent.topic(Up.READING), agent.topic(Up.READING).rsplit("/", 1)[0]
    without_identity = {
        "a topic of an unknown kind": (f"{base}/gossip", good),
        "a topic with further levels": (f"{base}/reading/more", good + b" "),
        "another agent's topic": (topic, good.replace(agent.name.encode(), b"somebody-else")),
        "another lane's topic": (agent.topic(Up.SCORE), good),
        "not JSON": (topic, b"\x00\xff not json"),
        "another encoding": (topic, good.decode().encode("utf-16")),
        "deep nesting": (topic, b"[" * 30_000 + b"]" * 30_000),
        "an unknown type": (topic, _with(good, type="org.gridwarden.reading.v9")),
        "a missing attribute": (topic, _with(good, seq=None)),
        "a huge sequence number": (topic, _with(good, seq="9" * 19)),
        "no records": (topic, _with(good, data={"records": []})),
        "a payload above the limit": (topic, b" " * 200_000),
        "an empty birth": (agent.topic(Up.BIRTH), b"{}"),
        "a header length beyond the message": (agent.topic(Up.EVIDENCE), b"\xff\xff{}"),
    }
    for sent_to, payload in without_identity.values():
        agent.publish(sent_to, payload)
    refused = [
        _record_with(good, value="NaN"),
        _record_with(good, value=1e308),
        good.replace(b'"value":1.0', b'"value":NaN'),
        _record_with(good, captured_at="1970-01-01T00:00:00Z"),
        _record_with(good, captured_at="2100-01-01T00:00:00Z"),
        _record_with(good, captured_at="2026-01-01T00:00:00"),
        _record_with(good, metric="x" * 300),
        _record_with(good, device=None),
        good.replace(b"vehicle", b"\xff\xfe"),  # not UTF-8
    ]
    refused_detections = [
        _record_with(crossed, score=7),
        _record_with(crossed, box=[0.9, 0.9, 0.9, 0.9]),
        _record_with(crossed, position=[500, 0]),
        _record_with(crossed, episode="not-a-uuid-but-thirty-six-characters"),
    ]
    n = 0
    for lane, messages in ((Lane.READING, refused), (Lane.DETECTION, refused_detections)):
        for seq, message in enumerate(messages, 1):
            text = message.replace(f'/{lane}/1"'.encode(), f'/{lane}/{seq}"'.encode())
            text = text.replace(b'"seq": "1"', f'"seq": "{seq}"'.encode())
            text = text.replace(b'"seq":"1"', f'"seq":"{seq}"'.encode())
            agent.publish(agent.topic(Up(lane)), text)
            n += 1

    eventually(
        lambda: rows(
            database_url, "SELECT count(*) FROM quarantine WHERE seq IS NULL AND reason <> ''"
        ),
        [(len(without_identity) + 1,)],  # NaN is not JSON: no envelope can be read
    )
    eventually(
        lambda: rows(database_url, "SELECT count(*) FROM quarantine WHERE seq IS NOT NULL"),
        [(n - 1,)],
    )
    kept = rows(database_url, "SELECT topic, payload FROM quarantine WHERE seq IS NULL")
    for sent_to, payload in without_identity.values():
        assert (sent_to, payload[: 64 * 1024]) in kept
    assert rows(database_url, "SELECT count(*) FROM reading") == [(0,)]
    agent.send(Lane.READING, [reading(1.0)], seq=3)  # NaN's own number is still free
    agent.send(Lane.READING, [reading(1.0)], seq=20)
    agent.acked(Lane.READING, 9)


def test_a_key_that_stands_twice_counts_by_its_last_word_in_every_copy(
    agent: Agent, database_url: str
) -> None:
    """Read in one go or record by record: the same message is the same records."""
    topic, metric = agent.topic(Up.READING), b'"metric":"vehicle_crossing"'

    def odd(seq: int, values: tuple[float, ...]) -> bytes:
        message = agent.message(Lane.READING, seq, [reading(v) for v in values])
        message = message.replace(b'"boot":', b'"boot":"no name","boot":', 1)
        return message.replace(metric, b'"metric":"-",' + metric, 1)

    agent.publish(topic, odd(1, (1.0, 2.0)))
    agent.acked(Lane.READING, 2)
    agent.publish(topic, odd(2, (2.0, 3.0)))  # the first of it is here: record by record
    agent.acked(Lane.READING, 3)

    assert rows(database_url, "SELECT value FROM reading ORDER BY value") == [
        (1.0,),
        (2.0,),
        (3.0,),
    ]
    assert rows(database_url, "SELECT count(*) FROM quarantine") == [(0,)]


def test_what_has_no_identity_is_kept_once_and_counted(agent: Agent, database_url: str) -> None:
    for _ in range(7):
        agent.publish(agent.topic(Up.HEALTH), b"gibberish")

    eventually(lambda: rows(database_url, "SELECT times FROM quarantine"), [(7,)])


def test_unknown_fields_of_a_newer_edge_are_left_out(agent: Agent, database_url: str) -> None:
    message = _record_with(agent.message(Lane.READING, 1, [reading(1.0)]), colour="blue")

    agent.publish(agent.topic(Up.READING), _with(message, traceparent="00-1"))

    agent.acked(Lane.READING, 1)
    assert rows(database_url, "SELECT count(*) FROM reading") == [(1,)]


def test_an_agent_that_claims_another_station_than_its_own_is_refused(
    agent: Agent, database_url: str, ingesting: Hub
) -> None:
    with ingesting.pool.connection() as conn:
        conn.execute("INSERT INTO agent (agent, station) VALUES ('enrolled', 'elsewhere')")
    agent.name = "enrolled"

    agent.send(Lane.READING, [reading(1.0)])
    agent.bear()

    eventually(
        lambda: rows(
            database_url, "SELECT count(*) FROM quarantine WHERE reason LIKE '%elsewhere%'"
        ),
        [(2,)],
    )
    assert rows(database_url, "SELECT count(*) FROM reading") == [(0,)]
    assert rows(database_url, "SELECT boot FROM agent WHERE agent = 'enrolled'") == [(None,)]


def test_a_birth_names_the_cameras_and_a_later_one_retires_those_it_leaves_out(
    agent: Agent, database_url: str
) -> None:
    agent.bear(manifest(agent.boot, streams=["cam-01", "cam-02"]))
    eventually(lambda: rows(database_url, "SELECT count(*) FROM stream"), [(2,)])

    agent.bear(manifest(agent.boot, streams=["cam-02"]))

    eventually(
        lambda: rows(database_url, "SELECT stream FROM stream WHERE retired_at IS NULL"),
        [("cam-02",)],
    )


def test_a_late_will_does_not_mark_a_reconnected_agent_dead(
    agent: Agent, database_url: str
) -> None:
    old = agent.bear(manifest(agent.boot, at=START))
    new = agent.bear(manifest(agent.boot))
    online = "SELECT online, born_at FROM agent"
    eventually(lambda: rows(database_url, online), [(True, new.published_at)])

    agent.die(old)
    agent.send(Lane.HEALTH, [health()])
    agent.acked(Lane.HEALTH, 1)
    assert rows(database_url, online) == [(True, new.published_at)]

    agent.die(new)
    eventually(lambda: rows(database_url, online), [(False, new.published_at)])
    assert rows(database_url, "SELECT state FROM stream") == [("lost",)]


def test_a_birth_with_a_new_boot_closes_the_older_one(agent: Agent, database_url: str) -> None:
    agent.send(Lane.READING, [reading(1.0)])
    agent.acked(Lane.READING, 1)
    old, agent.boot = agent.boot, fresh("boot")

    agent.bear()
    agent.send(Lane.READING, [reading(2.0)], seq=1)

    agent.acked(Lane.READING, 1)
    assert rows(
        database_url, "SELECT boot, closed_at IS NOT NULL, watermark FROM ledger ORDER BY closed_at"
    ) == [(old, True, 1), (agent.boot, False, 1)]


def test_a_heartbeat_after_the_clock_was_set_back_is_still_the_latest_word(
    agent: Agent, database_url: str
) -> None:
    agent.send(Lane.HEALTH, [health(state=CameraState.ONLINE)])
    agent.send(Lane.HEALTH, [health(state=CameraState.FROZEN, at=START, offset_s=3600.0)])

    eventually(lambda: rows(database_url, "SELECT state FROM stream"), [("frozen",)])
    assert rows(database_url, "SELECT clock_offset_s FROM agent") == [(3600.0,)]


def test_a_command_reaches_the_agent_and_its_answer_the_command(
    agent: Agent, ingesting: Hub, database_url: str
) -> None:
    engineer = Actor("wang", Role.DISPATCHER)
    with ingesting.pool.connection() as conn:
        tune_threshold(conn, ingesting, agent.name, "cam-01", "flame", {"threshold": 0.7}, engineer)

    command = agent.hear(Down.COMMAND, lambda c: c.version == 1)
    assert command.parameters == {"cam-01": {"flame": {"threshold": 0.7}}}
    eventually(
        lambda: rows(database_url, "SELECT published_at IS NOT NULL FROM command"), [(True,)]
    )

    agent.bear(manifest(agent.boot, command_version=1, command_errors=["k is not for you"]))
    eventually(
        lambda: rows(database_url, "SELECT answered_at IS NOT NULL, errors FROM command"),
        [(True, ["k is not for you"])],
    )


def test_an_event_seen_before_the_birth_of_its_agent_gets_its_place_with_it(
    broker_port: int, station: str, ingesting: Hub, agent: Agent, database_url: str
) -> None:
    with Agent(broker_port, station) as late:
        late.send(Lane.DETECTION, [detection(position=None)])
        late.acked(Lane.DETECTION, 1)
        assert rows(database_url, "SELECT lon, lat FROM grid_event") == [(None, None)]

        late.bear(manifest(late.boot, position=Point(113.6, 34.7)))

        eventually(lambda: rows(database_url, "SELECT lon, lat FROM grid_event"), [(113.6, 34.7)])


def test_the_changes_of_an_episode_arriving_backwards_end_as_they_would_forwards(
    agent: Agent, database_url: str
) -> None:
    episode = episode_id()
    told = [
        detection(episode=episode, revision=1, score=0.6),
        detection(episode=episode, revision=2, phase=Phase.UPDATED, score=0.95),
        detection(episode=episode, revision=3, phase=Phase.CLEARED, score=0.1, peak_score=0.95),
    ]

    for seq in (3, 2, 1):
        agent.send(Lane.DETECTION, [told[seq - 1]], seq=seq)

    agent.acked(Lane.DETECTION, 3)
    assert rows(database_url, "SELECT phase, revision, score, peak_score FROM detection") == [
        ("cleared", 3, 0.1, 0.95)
    ]
    assert rows(
        database_url, "SELECT count(*), bool_and(scene_cleared_at IS NOT NULL) FROM grid_event"
    ) == [(1, True)]
    assert rows(database_url, "SELECT count(*) FROM detection_change") == [(3,)]


def test_another_agent_cannot_speak_of_an_episode_that_is_not_its_own(
    agent: Agent, broker_port: int, station: str, database_url: str
) -> None:
    episode = episode_id()
    agent.send(Lane.DETECTION, [detection(episode=episode)])
    agent.acked(Lane.DETECTION, 1)

    with Agent(broker_port, station) as stranger:
        stranger.send(Lane.DETECTION, [detection(episode=episode, revision=9, phase=Phase.CLEARED)])
        stranger.acked(Lane.DETECTION, 1)

    assert rows(database_url, "SELECT agent, phase FROM detection") == [(agent.name, "raised")]
    assert rows(database_url, "SELECT count(*) FROM quarantine WHERE seq = 1") == [(1,)]


def test_what_a_retained_birth_said_is_known_to_a_hub_that_starts_later(
    database_url: str, broker_port: int, tmp_path: Path, station: str
) -> None:
    with Agent(broker_port, station) as early:
        early.publish(
            early.topic(Up.BIRTH),
            encode_control(manifest(early.boot, at=system_clock())),
            retain=True,
        )
        settings = config(database_url, tmp_path, broker_port=broker_port, stations=(station,))
        with opened(settings) as hub, running(lambda stop: run_ingest(hub, stop)):
            eventually(lambda: len(early.acks) >= 1)
        assert rows(database_url, "SELECT agent, online FROM agent") == [(early.name, True)]
