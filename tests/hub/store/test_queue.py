"""The queue's page: the same as lists say of its events, and nothing is read beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from hub.domain.reach import Within
from hub.store import views

PAGE = 200
HERE, THERE = "410105000001", "410105000002"

# Every property that tells events apart comes with each of the others; deadlines and scores tie.
EVENTS = """
INSERT INTO grid_event (number, state, origin, ever_reported, category, subcategory, merge_group,
    severity, title, lon, lat, cell, occurred_at, last_seen_at, opened_at, decide_by, filed_at,
    confirmation, test, version)
SELECT 'q' || n,
    CASE WHEN n % 47 = 0 THEN 'filed' WHEN n % 2 = 0 THEN 'suspected' ELSE 'reported' END,
    'machine', false, 'fire_safety', 'open_flame', 'flame', 'S' || 1 + n % 4, 'fire ' || n,
    113.65, 34.76, (ARRAY['410105000001', '410105000002', NULL])[1 + n % 3],
    at, at + interval '3 s', at + interval '1 s',
    CASE WHEN n % 7 > 0 THEN at + n % 5 * interval '1 min' END, at,
    CASE WHEN n % 47 = 0 THEN 'pending' ELSE 'none' END, n % 41 = 0, 1 + n % 9
FROM generate_series(1, 3000) n, (VALUES (timestamptz '2026-11-24 08:00Z')) AS t (at)
"""
SEEN = """
INSERT INTO detection (episode, station, agent, boot, stream, kind, label, phase, revision,
    started_at, raised_at, raised_frame, captured_at, score, peak_score, rule, event, received_at)
SELECT md5(e.id || '/' || n)::uuid, 'north', 'edge-' || n % 2, 'b', 'cam-' || n, 'flame', 'flame',
    'raised', 1, at, at + n % 2 * interval '1 s', 1, at, 0.5, 0.5 + (e.id * n) % 3 * 0.1, '{}',
    e.id, at
FROM grid_event e, generate_series(1, 4) n, (VALUES (timestamptz '2026-11-24 08:00Z')) AS t (at)
WHERE n <= e.id % 5;
INSERT INTO evidence (digest, agent, stream, media_type, total, captured_at, complete_at,
    erased_at, erased_by, erased_why)
SELECT repeat(md5(n::text), 2), 'edge-0', 'cam-1',
    CASE WHEN n % 3 = 0 THEN 'video/mp4' ELSE 'image/jpeg' END, 9, at,
    CASE WHEN n % 5 > 0 THEN at END, CASE WHEN n % 7 = 0 THEN at END,
    CASE WHEN n % 7 = 0 THEN 'li' END, CASE WHEN n % 7 = 0 THEN 'asked' END
FROM generate_series(1, 400) n, (VALUES (timestamptz '2026-11-24 08:00Z')) AS t (at);
INSERT INTO detection_evidence (episode, digest, role, captured_at)
SELECT d.episode, repeat(md5(n::text), 2),
    CASE WHEN n % 3 = 0 THEN 'clip' ELSE (ARRAY['box', 'before', 'after'])[1 + n % 2] END,
    d.raised_at + n % 4 * interval '1 s'
FROM (SELECT *, row_number() OVER (ORDER BY episode) AS i FROM detection) d,
    generate_series(1, 400) n WHERE n % 100 BETWEEN d.i % 90 AND d.i % 90 + i % 3;
INSERT INTO event_evidence (event, digest, history_n)
SELECT id, repeat(md5((1 + id % 400)::text), 2), 1 FROM grid_event WHERE id % 6 = 0;
INSERT INTO report (event, reporter, role, description, lon, lat, reported_at)
SELECT e.id, 'zhang', 'citizen', 'fire', lon, lat, occurred_at
FROM grid_event e, generate_series(1, 3) n WHERE n <= e.id % 4;
INSERT INTO agent (agent, station, boot, online, born_at, manifest, clock_offset_s, first_seen_at)
SELECT 'edge-' || n, 'north', 'b', true, now(), '{}', 0, now() FROM generate_series(0, 1) n;
INSERT INTO stream (agent, stream, name)
VALUES ('edge-0', 'cam-2', 'Yard'), ('edge-1', 'cam-1', 'Gate');
INSERT INTO sensor (agent, device, source, name) VALUES ('edge-0', 'cam-4', 'modbus', 'Smoke');
ANALYZE grid_event, detection, evidence, detection_evidence, event_evidence, report
"""
CELLS = """
INSERT INTO grid_cell (code, level, parent, name_en, name_zh, polygon)
SELECT code, CASE length(code) WHEN 6 THEN 3 ELSE 2 END,
    CASE length(code) WHEN 12 THEN left(code, 6) END, '', '', '{}'
FROM unnest(%s::text[]) code
"""


@pytest.fixture(scope="module")
def busy(shared_database_url: str) -> Iterator[Connection[Any]]:
    """A desk with three thousand events, and what was seen of them."""
    with (
        psycopg.connect(shared_database_url, prepare_threshold=1) as conn,
        conn.transaction(force_rollback=True),
    ):
        conn.execute(CELLS, ([HERE[:6], HERE, THERE],))
        conn.execute(EVENTS)
        conn.execute(SEEN)
        yield conn


def waiting(conn: Connection[Any], within: Within) -> list[str]:
    """The numbers of what waits, sorted here and not there."""
    found = conn.execute(
        "SELECT number, state, severity, decide_by, id, cell FROM grid_event"
        " WHERE number LIKE 'q%' AND (state = 'filed' OR NOT test)"
    ).fetchall()
    cells = within.cells
    here = [r for r in found if cells is None or (r[5] or "").startswith(tuple(cells))]
    pending = sorted((r for r in here if r[1] == "filed"), key=lambda r: (r[2], r[4]))
    rest = sorted(
        (r for r in here if r[1] != "filed"),
        key=lambda r: (r[2], r[3] is None, r[3] or 0, r[4]),
    )
    shown = sorted(pending[:PAGE], key=lambda r: (r[2], r[3] is None, r[3] or 0, r[4]))
    return [r[0] for r in shown + rest]


@pytest.mark.parametrize("cells", [None, [HERE], [HERE, THERE], [THERE[:6]], ["999999"]])
def test_the_queue_is_in_order_and_says_what_lists_say(
    busy: Connection[Any], cells: list[str] | None
) -> None:
    within = Within(cells, None)

    queue = views.queue(busy, PAGE, within)

    expected = waiting(busy, within)
    assert [e.number for e in queue] == expected[:PAGE]
    assert views.queue_size(busy, within) == len(expected)
    lists = {e.number: asdict(e) for e in views.events_named(busy, expected[:PAGE])}
    for row in map(asdict, queue):
        assert row == {name: lists[row["number"]][name] for name in row}


def test_the_desk_of_these_tests_shows_every_kind_of_row(busy: Connection[Any]) -> None:
    queue = views.queue(busy, PAGE)

    assert {e.camera for e in queue} == {None, "Yard", "Gate", "Smoke"}
    assert {e.confirmation for e in queue} == {"none", "pending"}
    for values in ({e.picture is None for e in queue}, {e.peak_score is None for e in queue}):
        assert values == {True, False}
    assert {e.reports for e in queue} == {0, 1, 2, 3}
    assert len({e.clips for e in queue}) > 1


def test_nothing_is_read_beyond_the_page(busy: Connection[Any]) -> None:
    pending = len([e for e in views.queue(busy, PAGE) if e.confirmation == "pending"])
    assert 0 < pending < PAGE
    for _ in range(12):  # also once the server plans for any value
        before = _read(busy)
        views.queue(busy, PAGE)
        read = {table: n - before[table] for table, n in _read(busy).items()}
        assert read["grid_event"] <= pending + PAGE  # a page of what waits, whatever is before it
        assert read["detection"] <= 4 * PAGE  # an event has four at most


def _read(conn: Connection[Any]) -> dict[str, int]:
    """Rows read in this transaction so far, by table."""
    found = conn.execute(
        "SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)"
        " FROM pg_stat_xact_user_tables WHERE relname IN ('grid_event', 'detection')"
    ).fetchall()
    return {str(table): int(n) for table, n in found}
