"""`gridwarden hub try-merging` and `gridwarden hub windows`, as a person at the hub meets them."""

from __future__ import annotations

import contextlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from contract.messages import Detection
from gridwarden.cli import main
from hub.services.record_detections import record_detections
from hub.store.detections import Change
from tests.hub.builders import SQUARE, config, detection, north, opened, rows
from tests.hub.staff import DISTRICT, WEST, small_grid


def told(*arguments: str, code: int = 0) -> list[str]:
    """The lines of a command that ends with this code."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert main(["hub", *arguments]) == code, err.getvalue()
    return (out if code == 0 else err).getvalue().splitlines()


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that the command finds by its environment."""
    monkeypatch.setenv("GRIDWARDEN_HUB__DATABASE__URL", database_url)
    return database_url


def test_a_rule_is_tried_on_history_and_nothing_is_written(url: str, tmp_path: Path) -> None:
    begun = datetime.now(UTC) - timedelta(hours=6)
    history: list[Detection] = [
        detection(at=begun + timedelta(minutes=2 * i), position=north(SQUARE, 100.0 * (i % 5)))
        for i in range(150)
    ]
    with opened(config(url, tmp_path), lambda: begun + timedelta(hours=5)) as hub:
        changes = [Change("demo", "edge-1", "b1", n, d, begun) for n, d in enumerate(history, 1)]
        with hub.pool.connection() as conn:
            assert record_detections(conn, hub, changes) == []
    before = _everything(url)

    wide = told("try-merging", "--group", "fire", "--radius-m", "600")
    short = told("try-merging", "--group", "fire", "--time-s", "60")

    assert wide == [
        "fire: 150 detections become 1 event within 600 m / 900 s; 5 within 80 m / 900 s, the rule "
        "in force"
    ]
    assert short[0].startswith("fire: 150 detections become 150 events within 80 m / 60 s")
    assert told("try-merging") == [
        "fire: 150 detections become 5 events within 80 m / 900 s, the rule in force"
    ]
    assert told("try-merging", "--days", "0.01") == ["nothing was seen in the last 0.01 days"]
    assert _everything(url) == before


def test_what_cannot_be_tried_is_refused_in_one_line(url: str) -> None:
    assert told("try-merging", "--group", "fir", code=1)[0].startswith(
        "gridwarden: there is no merge group 'fir'; there are fire, congestion"
    )
    assert "name it with --group" in told("try-merging", "--radius-m", "5", code=1)[0]


def test_a_window_is_made_listed_and_ended(url: str) -> None:
    with psycopg.connect(url) as conn:
        small_grid(conn)
    assert told("windows", "list") == ["no control window holds or is coming"]

    new = ("windows", "add", "--kind", "works", "--cell", WEST, "--hours", "4")
    (made,) = told(*new, "--category", "fire_safety", "--permit", "HW-1", "--reason", "welding")

    assert "in force  works  fire_safety" in made
    assert made.endswith("welding (permit HW-1)")
    assert told("windows", "list") == [made]
    number = made.split()[0]
    assert "  over  " in told("windows", "end", number)[0]
    assert "is over since" in told("windows", "end", number, code=1)[0]
    assert len(told("windows", "list", "--all")) == 1
    unknown = ("windows", "add", "--kind", "silence", "--cell", f"{DISTRICT}999999", "--hours", "1")
    assert "no grid cell" in told(*unknown, "--reason", "x", code=1)[0]


def _everything(url: str) -> list[tuple[object, ...]]:
    """What would differ if anything of it had been written anew."""
    return rows(
        url,
        "SELECT (SELECT count(*) FROM detection), (SELECT count(*) FROM grid_event_history),"
        " (SELECT array_agg(xmin::text ORDER BY id) FROM grid_event)",
    )
