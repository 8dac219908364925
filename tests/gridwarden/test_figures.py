"""The report's figures, read from a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from contract.geometry import Point
from contract.taxonomy import CameraState, Lane
from gridwarden import figures
from gridwarden.cameras import Camera
from gridwarden.report import print_figures
from gridwarden.watch import AgentStatus, LaneStatus, StreamStatus

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EPISODE = "11111111-1111-1111-1111-111111111111"
CAMERA = Camera("gate", "gate.mp4", "/videos/gate.mp4", Point(113.65, 34.78), False)
STATUS = AgentStatus(
    boot="b1",
    streams={"gate": StreamStatus(state=CameraState.ENDED, captured=90, observed=80, ended=True)},
    lanes={Lane.DETECTION: LaneStatus(next_seq=11)},
)


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as connection:
        yield connection


def ledger(
    conn: psycopg.Connection, watermark: int, received: str = "{}", lost: str = "{}"
) -> None:
    conn.execute(
        "INSERT INTO ledger (agent, boot, lane, watermark, received, lost)"
        " VALUES ('demo-01', 'b1', 'detection', %s, %s, %s)",
        (watermark, received, lost),
    )


def fire(conn: psycopg.Connection) -> None:
    """A fire of three changes in one grid event, with one complete picture and one on its way."""
    conn.execute(
        "INSERT INTO grid_event (number, state, origin, ever_reported, category, subcategory,"
        " merge_group, severity, title, lon, lat, occurred_at, last_seen_at, opened_at, version)"
        " VALUES ('410105-20260504-00001', 'suspected', 'machine', false, 'fire_safety', 'flame',"
        " 'fire', 'S1', 'Open flame', 113.65, 34.78, %(at)s, %(at)s, %(at)s, 1)",
        {"at": AT},
    )
    conn.execute(
        "INSERT INTO grid_event_history (event, n, at, name, to_state, role, actor, prev_hash,"
        " hash) SELECT id, 1, %s, 'ingest_detection', 'suspected', 'device', 'demo-01/gate', '',"
        " '' FROM grid_event",
        (AT,),
    )
    conn.execute(
        "INSERT INTO detection (episode, station, agent, boot, stream, kind, label, phase,"
        " revision, started_at, raised_at, raised_frame, captured_at, score, peak_score, rule,"
        " received_at, event) SELECT %s, 'demo', 'demo-01', 'b1', 'gate', 'flame', 'flame',"
        " 'cleared', 3, %s, %s, 42, %s, 0.4, 0.9, %s, %s, id FROM grid_event",
        (EPISODE, AT, AT, AT, json.dumps({"reason": "the video ended"}), AT),
    )
    reasons = ("6 of 8 above 0.5", "still burning", "the video ended")
    for seq, phase in enumerate(("raised", "updated", "cleared"), start=1):
        body = json.dumps({"rule": {"reason": reasons[seq - 1]}})
        conn.execute(
            "INSERT INTO detection_change (agent, boot, seq, episode, revision, phase,"
            " captured_at, received_at, committed_at, body)"
            " VALUES ('demo-01', 'b1', %s, %s, %s, %s, %s, %s, %s, %s)",
            (seq, EPISODE, seq, phase, AT, AT, AT + timedelta(seconds=0.1 * seq), body),
        )
    for digest, complete_at in (("a" * 64, AT), ("b" * 64, None)):
        conn.execute(
            "INSERT INTO evidence (digest, agent, stream, media_type, total, captured_at,"
            " complete_at) VALUES (%s, 'demo-01', 'gate', 'image/jpeg', 9, %s, %s)",
            (digest, AT, complete_at),
        )
        conn.execute(
            "INSERT INTO detection_evidence (episode, digest, role, captured_at)"
            " VALUES (%s, %s, 'box', %s)",
            (EPISODE, digest, AT),
        )


def crossing(conn: psycopg.Connection, direction: str) -> None:
    conn.execute(
        "INSERT INTO reading (captured_at, received_at, agent, device, metric, label, place,"
        " value, unit) VALUES (%s, %s, 'demo-01', 'gate', 'vehicle_crossing', %s, 'line-1', 1,"
        " '1')",
        (AT, AT, direction),
    )


def collected(conn: psycopg.Connection, spooled: int = 10) -> figures.Figures:
    return figures.collect(conn, [CAMERA], STATUS, {Lane.DETECTION: spooled}, "ended", 3.21)


def test_a_fire_is_reported_with_its_frame_event_pictures_and_latency(
    conn: psycopg.Connection,
) -> None:
    fire(conn)
    ledger(conn, 10)
    found = collected(conn)
    assert found.complete
    (detection,) = found.detections
    assert (detection.raised, detection.updated, detection.cleared) == (1, 1, 1)
    assert (detection.raised_frame, detection.peak_score) == (42, 0.9)
    assert detection.reason == "6 of 8 above 0.5"
    (event,) = found.grid_events
    assert event.number == detection.grid_event == "410105-20260504-00001"
    assert (event.detections, event.evidence, event.cell) == (1, 1, None)
    assert found.latency_s.n == 3
    assert found.latency_s.p50 == pytest.approx(0.2)
    assert found.latency_s.p99 == pytest.approx(0.298)


def test_crossings_are_counted_by_line_and_direction(conn: psycopg.Connection) -> None:
    for direction in ("down", "down", "up"):
        crossing(conn, direction)
    assert [(c.stream, c.line, c.direction, c.count) for c in collected(conn).crossings] == [
        ("gate", "line-1", "down", 2),
        ("gate", "line-1", "up", 1),
    ]


@pytest.mark.parametrize(
    ("watermark", "received", "lost", "complete", "lane"),
    [
        (10, "{}", "{}", True, figures.LaneFigures(10, 10, 0)),
        (14, "{}", "{}", True, figures.LaneFigures(10, 10, 0)),  # more came since
        (10, "{}", "{[3,5)}", True, figures.LaneFigures(10, 8, 2)),
        (8, "{[11,15)}", "{}", False, figures.LaneFigures(10, 8, 0)),  # 9 and 10 are missing
        (7, "{[9,11)}", "{}", False, figures.LaneFigures(10, 9, 0)),
        (0, "{}", "{}", False, figures.LaneFigures(10, 0, 0)),
    ],
)
def test_complete_means_that_each_spooled_record_is_there_or_declared_lost(
    conn: psycopg.Connection,
    watermark: int,
    received: str,
    lost: str,
    complete: bool,
    lane: figures.LaneFigures,
) -> None:
    ledger(conn, watermark, received, lost)
    found = collected(conn)
    assert found.complete is complete
    assert found.lanes[Lane.DETECTION] == lane


def test_an_agent_the_hub_never_heard_of_is_not_complete(conn: psycopg.Connection) -> None:
    assert not collected(conn).complete


def test_the_json_has_exactly_the_documented_keys(conn: psycopg.Connection) -> None:
    fire(conn)
    crossing(conn, "up")
    ledger(conn, 10)
    told = json.loads(figures.to_json(collected(conn)))
    keys = set(told) | set(told["lanes"]["detection"])
    for name in ("streams", "detections", "crossings", "grid_events"):
        keys |= set(told[name][0])
    keys |= set(told["latency_s"])
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    table = text[text.index("## Keys") :]
    missing = {key for key in keys if f"`{key}" not in table and f"`.{key}" not in table}
    assert missing == set()


def test_a_person_reads_the_same_figures(conn: psycopg.Connection) -> None:
    fire(conn)
    crossing(conn, "down")
    ledger(conn, 10)
    said: list[str] = []
    print_figures(collected(conn), said.append)
    text = "\n".join(said)
    assert "gate flame/flame: raised at frame 42" in text
    assert "crossings of gate line-1, down: 1" in text
    assert "410105-20260504-00001 S1 Open flame" in text
    assert "detection: 10 spooled, 10 committed, 0 lost" in text
    assert text.endswith("everything spooled was committed")
