"""What could not be taken is kept, and taken once it can be, however often that is asked for."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from contract.control import encode_control
from contract.envelope import Identity, build, encode_record
from contract.messages import Lost, Record
from contract.taxonomy import Lane
from contract.topics import Topic, Up
from hub.domain.actor import Actor, Role
from hub.domain.errors import InvalidError, NotFoundError
from hub.ingest.births import take_control
from hub.ingest.decode import decode
from hub.ingest.limits import Limits
from hub.ingest.replay import Settled, give_up, replay
from hub.ingest.transaction import write
from hub.services.context import Hub
from hub.store.quarantine import Reject
from tests.hub.builders import (
    START,
    Clock,
    chunks,
    detection,
    episode_id,
    manifest,
    picture,
    reading,
    rows,
    together,
    trap,
)

CHEN = Actor("chen", Role.DISPATCHER)
UNSET = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)


def message(
    lane: Lane, *records: Record | Lost, seq: int = 1, payload: bytes = b"", station: str = "demo"
) -> bytes:
    identity = Identity(station, "edge-1", "b1", lane, seq)
    return build(identity, [encode_record(r) for r in records], START, payload)


def changed(good: bytes, **values: object) -> bytes:
    """The message with values of its first record changed."""
    envelope = json.loads(good)
    envelope["data"]["records"][0].update(values)
    return json.dumps(envelope).encode()


def arrive(hub: Hub, lane: Lane, *payloads: bytes, station: str = "demo") -> None:
    """Messages arrive in one batch."""
    topic = str(Topic(station, "edge-1", Up(lane)))
    decoded = [decode(topic, p) for p in payloads]
    rejects = [d for d in decoded if isinstance(d, Reject)]
    entries = [e for d in decoded if not isinstance(d, Reject) for e in d]
    with hub.pool.connection() as conn:
        write(conn, hub, entries, rejects, Limits(hub.config.limits))


def waiting(hub: Hub) -> Sequence[tuple[int, str]]:
    return rows(
        hub.config.database.url,
        "SELECT id, reason FROM quarantine WHERE settled_at IS NULL ORDER BY id",
    )


def replayed(hub: Hub, id: int, **options: str) -> Settled:
    with hub.pool.connection() as conn:
        return replay(conn, hub, id, CHEN, **options)  # type: ignore[arg-type]


def values(hub: Hub) -> list[float]:
    found = rows(hub.config.database.url, "SELECT value FROM reading ORDER BY value")
    return [v for (v,) in found]


def fixed(hub: Hub, id: int, good: bytes) -> None:
    """Stands for a new version of the hub that reads what the old one refused."""
    raw = json.dumps(json.loads(good)["data"]["records"][0]).encode()
    with psycopg.connect(hub.config.database.url) as conn:
        conn.execute(
            "UPDATE quarantine SET payload = %s, hash = encode(sha256(%s || chunk), 'hex') "
            "WHERE id = %s",
            (raw, raw, id),
        )


def test_a_record_that_was_refused_is_taken_once_however_often_it_is_replayed(hub: Hub) -> None:
    good = message(Lane.READING, reading(1.0), reading(2.0))
    arrive(hub, Lane.READING, changed(good, unit=7))
    ((id, reason),) = waiting(hub)
    assert "unit" in reason
    again = replayed(hub, id)
    assert again.outcome is None
    assert "refused again" in again.detail

    fixed(hub, id, good)
    told = [replayed(hub, id) for _ in range(3)]

    assert [t.outcome for t in told] == ["stored"] * 3
    assert told[0].detail == "stored"
    assert told[1].detail.startswith("was stored before: ")
    assert "by chen" in told[1].detail
    assert values(hub) == [1.0, 2.0]
    assert waiting(hub) == []
    assert rows(hub.config.database.url, "SELECT watermark FROM ledger") == [(2,)]


def test_two_people_who_replay_at_once_store_it_once(hub: Hub) -> None:
    good = message(Lane.READING, reading(1.0))
    arrive(hub, Lane.READING, changed(good, unit=7))
    ((id, _),) = waiting(hub)
    fixed(hub, id, good)

    told = together([lambda: replayed(hub, id)] * 4)

    assert sorted(t.detail[:6] for t in told if isinstance(t, Settled)) == [
        "stored",
        *["was st"] * 3,
    ]
    assert values(hub) == [1.0]


def test_a_detection_of_a_replay_opens_its_event_and_a_late_one_pages_nobody(
    hub: Hub, clock: Clock
) -> None:
    good = message(Lane.DETECTION, detection(at=clock()))
    arrive(hub, Lane.DETECTION, changed(good, score=7))
    ((id, _),) = waiting(hub)
    fixed(hub, id, good)
    clock.move(3 * 24 * 3600.0)

    assert replayed(hub, id).outcome == "stored"

    assert rows(hub.config.database.url, "SELECT late, event FROM detection") == [(True, None)]
    assert rows(hub.config.database.url, "SELECT count(*) FROM grid_event") == [(0,)]


def test_a_device_whose_clock_was_never_set_is_taken_as_captured_when_it_arrived(
    hub: Hub, clock: Clock
) -> None:
    good = message(Lane.READING, reading(1.0))
    arrive(hub, Lane.READING, changed(good, captured_at=UNSET.isoformat()))
    ((id, reason),) = waiting(hub)
    assert "1970" in reason
    arrived = clock()
    clock.move(3600.0)
    assert replayed(hub, id).outcome is None

    told = replayed(hub, id, clock="received")

    assert told.outcome == "stored"
    assert "its times moved by +" in told.detail
    assert rows(hub.config.database.url, "SELECT captured_at FROM reading") == [(arrived,)]
    ((kept,),) = rows(hub.config.database.url, "SELECT payload FROM quarantine")
    assert json.loads(kept)["captured_at"].startswith("1970")  # the original stays


def test_a_chunk_of_evidence_is_kept_with_its_bytes_and_completes_its_picture(hub: Hub) -> None:
    data = picture(1000)
    ((head, piece),) = chunks(data)
    good = message(Lane.EVIDENCE, head, payload=piece)
    header = changed(good[2 : -len(piece)], media_type=7)
    arrive(hub, Lane.EVIDENCE, struct.pack(">H", len(header)) + header + piece)
    ((id, _),) = waiting(hub)
    raw = encode_record(head)
    with psycopg.connect(hub.config.database.url) as conn:
        conn.execute(
            "UPDATE quarantine SET payload = %s, hash = encode(sha256(%s || chunk), 'hex')",
            (raw, raw),
        )

    assert replayed(hub, id).outcome == "stored"

    assert hub.evidence.path(head.digest).read_bytes() == data


def test_a_message_without_identity_goes_through_the_ledger(hub: Hub) -> None:
    """The edge has no word on it, so it may have sent it again."""
    good = message(Lane.READING, reading(1.0), reading(2.0))
    arrive(hub, Lane.READING, b"not JSON", b"not JSON")
    ((id, _),) = waiting(hub)
    with psycopg.connect(hub.config.database.url) as conn:
        conn.execute(
            "UPDATE quarantine SET payload = %s, hash = encode(sha256(%s), 'hex')", (good, good)
        )
    arrive(hub, Lane.READING, message(Lane.READING, reading(1.0)))

    told = replayed(hub, id)

    assert (told.outcome, told.detail) == ("stored", "1 of 2 records were new")
    assert values(hub) == [1.0, 2.0]


def test_what_the_edge_sent_again_meanwhile_is_found_here_already(hub: Hub) -> None:
    good = message(Lane.READING, reading(1.0))
    with hub.pool.connection() as conn:
        conn.execute("INSERT INTO agent (agent, station) VALUES ('edge-1', 'elsewhere')")
    arrive(hub, Lane.READING, good, good)
    ((id, reason),) = waiting(hub)
    assert "enrolled at station elsewhere" in reason
    assert replayed(hub, id).outcome is None
    with hub.pool.connection() as conn:
        conn.execute("UPDATE agent SET station = 'demo'")
    arrive(hub, Lane.READING, good)

    assert replayed(hub, id).outcome == "here_already"

    assert values(hub) == [1.0]


def test_what_was_cut_cannot_be_replayed_but_given_up(hub: Hub) -> None:
    arrive(hub, Lane.READING, b" " * 200_000)
    ((id, reason),) = waiting(hub)
    assert "200000 bytes" in reason

    with pytest.raises(InvalidError, match=r"cut to 65536 bytes.*give it up"):
        replayed(hub, id)
    with hub.pool.connection() as conn:
        with pytest.raises(InvalidError, match="say why"):
            give_up(conn, hub, id, CHEN, "  ")
        told = give_up(conn, hub, id, CHEN, "a test of the installer")
        assert (told.outcome, told.detail) == ("given_up", "a test of the installer")
        assert give_up(conn, hub, id, CHEN, "again").detail.startswith("was given up before")
    assert replayed(hub, id).outcome == "given_up"


def test_what_comes_again_after_it_was_given_up_waits_anew(hub: Hub) -> None:
    arrive(hub, Lane.READING, b"not JSON")
    ((first, _),) = waiting(hub)
    with hub.pool.connection() as conn:
        give_up(conn, hub, first, CHEN, "the firmware is to blame")

    arrive(hub, Lane.READING, b"not JSON")

    ((second, _),) = waiting(hub)
    assert second != first


def test_a_replayed_birth_does_not_bring_back_an_older_boot(hub: Hub) -> None:
    topic = str(Topic("demo", "edge-1", Up.BIRTH))
    old = encode_control(manifest("old", at=START))
    with hub.pool.connection() as conn:
        conn.execute("INSERT INTO agent (agent, station) VALUES ('edge-1', 'elsewhere')")
        take_control(conn, hub, topic, old)
        conn.execute("UPDATE agent SET station = 'demo'")
        take_control(
            conn, hub, topic, encode_control(manifest("new", at=START + timedelta(hours=1)))
        )
    ((id, _),) = waiting(hub)

    told = replayed(hub, id)

    assert told.outcome is None
    assert "was born anew" in told.detail
    assert rows(hub.config.database.url, "SELECT boot FROM agent") == [("new",)]


def test_an_entry_that_is_not_there_is_named(hub: Hub) -> None:
    with pytest.raises(NotFoundError, match="quarantine entry '7'"):
        replayed(hub, 7)


def test_a_replay_that_trips_a_fault_of_the_hub_changes_nothing_and_waits_on(hub: Hub) -> None:
    good = message(Lane.DETECTION, detection(episode=episode_id(), label="trap"))
    arrive(hub, Lane.DETECTION, changed(good, score=7))
    ((id, _),) = waiting(hub)
    fixed(hub, id, good)
    trap(hub.config.database.url)

    told = replayed(hub, id)

    assert told.outcome is None
    assert "fault of the hub: psycopg.errors.UndefinedFunction" in told.detail
    assert rows(hub.config.database.url, "SELECT fault FROM quarantine") == [("hub",)]
    assert rows(hub.config.database.url, "SELECT count(*) FROM detection_change") == [(0,)]
