"""Many rows at once are the same rows, by COPY or by unnest, on every kind of server."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from msgspec import structs

from contract.messages import Reading
from hub.store import detections, health, readings, scores
from hub.store.bulk import InsertPath, by_copy, by_unnest, choose_insert
from hub.store.detections import Change
from hub.store.health import ReceivedHealth
from hub.store.readings import ReadingRows
from hub.store.scores import ReceivedScores
from tests.hub.builders import START, detection, score_block
from tests.hub.builders import health as heartbeat
from tests.hub.store.conftest import Server

pytestmark = pytest.mark.timescale

ZONE = ZoneInfo("Asia/Shanghai")
ODD = '{"a,b"}\\ NULL\t\n网格 \U0001f525'  # text that a list's own syntax could trip over


def _reading(
    device: str, at: datetime, *, value: float = 1.0, unit: str = "1", label: str = ""
) -> Reading:
    return Reading(
        device=device, metric="metric", value=value, captured_at=at, unit=unit, label=label
    )


def _rows(records: Iterable[Reading]) -> ReadingRows:
    rows = ReadingRows()
    for record in records:
        rows.add("agent", record)
    return rows


def test_readings_come_back_as_they_were_stored(server: Server) -> None:
    values = [0.1, -0.0, 9e299, 5e-324, 123456789.123456789]
    records = [_reading(ODD, START, value=v, unit="°C", label=ODD) for v in values]

    received_at = START + timedelta(microseconds=1)
    readings.append(server.conn, _rows(records), received_at, ZONE, server.insert)

    found = server.conn.execute(
        "SELECT device, value, captured_at, unit, label, place, received_at FROM reading"
    ).fetchall()
    assert found == [(ODD, v, START, "°C", ODD, "", received_at) for v in values]


def test_scores_are_rounded_to_the_same_floats(server: Server) -> None:
    given = [0.1, 1 / 3, 0.9999999999999999, 0.0, 1.0, 1e-40]
    block = structs.replace(score_block(START), offsets_ms=list(range(6)), scores=given)

    scores.append(
        server.conn,
        [ReceivedScores("agent", b, START) for b in (block, score_block(START))],
        server.insert,
    )

    found = server.conn.execute("SELECT offsets_ms, scores FROM score_block").fetchall()
    assert found[0][0] == block.offsets_ms
    assert found[0][1] == pytest.approx(given, rel=1e-6)
    same = "SELECT scores = %s::float8[]::float4[] FROM score_block"
    assert server.conn.execute(same.encode(), (given,)).fetchone() == (True,)
    assert len(found[1][0]) == 3  # blocks may be of different lengths


def test_heartbeats_and_changes_come_back_as_they_were_stored(server: Server) -> None:
    beat, seen = heartbeat(at=START), detection(at=START, stream="cam")
    health.append(server.conn, [ReceivedHealth("agent", "boot", 1, beat, START)], server.insert)
    change = Change("demo", "agent", "boot", 2**62, seen, START)
    detections.append_changes(server.conn, [change], server.insert)

    assert server.conn.execute(
        "SELECT body ->> 'uptime_s', received_at FROM health"
    ).fetchone() == (
        "5.0",
        START,
    )
    assert server.conn.execute(
        "SELECT seq, episode, phase, body ->> 'stream' FROM detection_change"
    ).fetchone() == (2**62, uuid.UUID(seen.episode), "raised", "cam")


def test_nothing_to_insert_inserts_nothing(server: Server) -> None:
    scores.append(server.conn, [], server.insert)

    assert server.conn.execute("SELECT count(*) FROM score_block").fetchone() == (0,)


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
def test_text_that_no_database_holds_is_refused_and_leaves_the_server_alive(
    server: Server, text: str
) -> None:
    record = _reading(f"a{text}b", START)

    with pytest.raises((psycopg.DataError, ValueError)), server.conn.transaction():
        readings.append(server.conn, _rows([record]), START, ZONE, server.insert)

    assert server.conn.execute("SELECT count(*) FROM reading").fetchone() == (0,)


def test_late_and_early_clocks_never_fail_an_insert(server: Server) -> None:
    times = [datetime(2015, 1, 1, tzinfo=UTC), datetime(2098, 12, 31, 23, 59, tzinfo=UTC), START]
    received = [START, START - timedelta(days=400), START + timedelta(days=4000)]

    for at in received:
        records = _rows(_reading("d", t) for t in times)
        readings.append(server.conn, records, at, ZONE, server.insert)

    assert server.conn.execute("SELECT count(*) FROM reading").fetchone() == (9,)
    assert server.conn.execute(
        "SELECT sum(n) FROM reading_rollup WHERE width = '1d'"
    ).fetchone() == (9,)


def test_copy_is_chosen_where_the_server_is_not_known_to_lack_it(
    server: Server, request: pytest.FixtureRequest
) -> None:
    lacks_copy = request.node.callspec.params["server"] == "timescale"

    chosen = choose_insert(server.conn, InsertPath.AUTO)

    assert chosen is (by_unnest if lacks_copy else by_copy)
    assert choose_insert(server.conn, InsertPath.UNNEST) is by_unnest
    assert choose_insert(server.conn, InsertPath.COPY) is by_copy
