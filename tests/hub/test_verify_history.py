"""One altered byte and one missing event are found, whoever did it."""

from __future__ import annotations

import logging
from pathlib import Path

import psycopg
import pytest

from gridwarden.cli import main
from hub.services.context import Hub
from hub.services.seal_history import EVERY, seal_history
from hub.services.verify_history import Verified, verify_all
from tests.hub.builders import Clock
from tests.hub.cases import DISPATCHER, act, reported


def seal(hub: Hub) -> object:
    with hub.pool.connection() as conn:
        return seal_history(conn, hub)


def verified(hub: Hub) -> Verified:
    with psycopg.connect(hub.config.database.url) as conn:
        return verify_all(conn)


def tamper(hub: Hub, *statements: str) -> None:
    """As a superuser who switches every trigger and foreign key off."""
    with psycopg.connect(hub.config.database.url) as conn:
        conn.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            conn.execute(statement.encode())


@pytest.fixture
def sealed(hub: Hub, clock: Clock) -> Hub:
    """Three events of which two go on after the first checkpoint, and a second checkpoint."""
    filed = [act(hub, reported(hub, metres=1000.0 * n), "file", DISPATCHER) for n in range(3)]
    seal(hub)
    clock.at += EVERY
    for event in filed[:2]:
        act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")
    seal(hub)
    act(hub, filed[0], "comment", DISPATCHER, note="not sealed yet")
    return hub


def test_what_is_as_it_was_written_is_told_with_how_much_was_read(sealed: Hub) -> None:
    found = verified(sealed)

    assert found.flaws == []
    assert (found.events, found.entries, found.checkpoints, found.heads) == (3, 9, 2, 5)


TAMPERINGS = (
    (
        "UPDATE grid_event_history SET actor = 'wanh' WHERE event = 3 AND n = 2",
        "00003",
        "entry 2 (file by wanh) is not as it was written",
    ),
    (
        "UPDATE grid_event_history SET at = at + interval '1 us' WHERE event = 1 AND n = 1",
        "00001",
        "entry 1 (report by zhang) is not as it was written",
    ),
    (
        "UPDATE grid_event_history SET facts = jsonb_set(facts, '{given,note}', '\"x\"')"
        " WHERE event = 1 AND n = 4",
        "00001",
        "entry 4 (comment by wang) is not as it was written",
    ),
    ("DELETE FROM grid_event_history WHERE event = 2 AND n = 2", "00002", "entry 2 is missing"),
    (
        "DELETE FROM grid_event_history WHERE event = 1 AND n = 4",
        "00001",
        "its history ends with entry 3, the event counts 4",
    ),
    (
        "UPDATE grid_event SET state = 'filed' WHERE id = 2",
        "00002",
        "it is filed, its history says dispatched",
    ),
    ("DELETE FROM grid_event_history WHERE event = 2", "00002", "has no history"),
    ("DELETE FROM grid_event WHERE id = 3", "event 3", "is missing: only its history is left"),
    (
        "UPDATE history_checkpoint SET at = at + interval '1 us' WHERE id = 1",
        "checkpoint 1",
        "is not as it was written",
    ),
    ("DELETE FROM history_head WHERE event = 3", "checkpoint 1", "is not as it was written"),
    (
        "DELETE FROM history_checkpoint WHERE id = 1",
        "checkpoint 1",
        "is not as it was written",
    ),
)


def test_each_kind_of_tampering_is_found_and_named(sealed: Hub) -> None:
    with psycopg.connect(sealed.config.database.url) as conn:
        for statement, number, what in TAMPERINGS:
            conn.execute("SET LOCAL session_replication_role = replica")
            conn.execute(statement.encode())
            flaws = [(f.number, f.what) for f in verify_all(conn).flaws]
            conn.rollback()
            assert any(n.endswith(number) and w == what for n, w in flaws), (statement, flaws)


def test_an_event_deleted_with_all_its_history_is_missed(sealed: Hub) -> None:
    tamper(
        sealed,
        "DELETE FROM grid_event WHERE id = 2",
        "DELETE FROM grid_event_history WHERE event = 2",
    )
    flaws = {(f.number[-5:], f.what) for f in verified(sealed).flaws}

    assert flaws == {
        ("00002", "is missing: the number was given and there is no such event"),
        ("00002", "entry 2, sealed by checkpoint 1, is missing"),
        ("00002", "entry 3, sealed by checkpoint 2, is missing"),
    }


def test_the_last_event_is_missed_by_the_checkpoint_even_if_its_number_is_taken_back(
    sealed: Hub,
) -> None:
    tamper(
        sealed,
        "DELETE FROM grid_event WHERE id = 3",
        "DELETE FROM grid_event_history WHERE event = 3",
        "UPDATE grid_event_counter SET last = 2",
    )
    assert [(f.number[-5:], f.what) for f in verified(sealed).flaws] == [
        ("00003", "entry 2, sealed by checkpoint 1, is missing")
    ]


def test_a_history_rewritten_whole_with_good_hashes_is_found_by_the_checkpoint(
    sealed: Hub,
) -> None:
    from hub.domain.history import FIRST, entry_hash
    from hub.services.event_history import _entry
    from hub.store import events

    with sealed.pool.connection() as conn:
        event = events.by_id(conn, 3)
        assert event is not None
        first, second = events.history(conn, 3)
    forged_first = entry_hash(_entry(event.number, first), FIRST)
    tamper(sealed, "UPDATE grid_event_history SET actor = 'nobody' WHERE event = 3 AND n = 2")
    with sealed.pool.connection() as conn:
        second = events.history(conn, 3)[1]
    forged = entry_hash(_entry(event.number, second), forged_first)
    tamper(sealed, f"UPDATE grid_event_history SET hash = '{forged}' WHERE event = 3 AND n = 2")

    assert [f.what for f in verified(sealed).flaws] == [
        "entry 2, sealed by checkpoint 1, is not as it was"
    ]


def test_a_checkpoint_is_made_once_an_hour_and_only_of_what_changed(
    hub: Hub, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert seal(hub) is None
    reported(hub)
    assert seal(hub) is not None
    reported(hub, metres=2000)
    assert seal(hub) is None
    clock.at += EVERY
    assert seal(hub) is not None
    clock.at += EVERY
    assert seal(hub) is None
    assert [r.message[:30] for r in caplog.records if "checkpoint" in r.message] == [
        "checkpoint 1 seals 1 histories",
        "checkpoint 2 seals 1 histories",
    ]


def test_checkpoints_are_append_only(sealed: Hub) -> None:
    with psycopg.connect(sealed.config.database.url, autocommit=True) as conn:
        for statement in (
            "DELETE FROM history_checkpoint",
            "UPDATE history_checkpoint SET hash = ''",
            "TRUNCATE history_checkpoint CASCADE",
            "DELETE FROM history_head",
            "UPDATE history_head SET hash = ''",
            "TRUNCATE history_head",
        ):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                conn.execute(statement.encode())


def test_the_command_says_how_much_it_verified_and_fails_where_something_is_wrong(
    sealed: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "hub.toml"
    config.write_text(f'[database]\nurl = "{sealed.config.database.url}"\n', encoding="utf-8")
    command = ["hub", "verify-history", "--config", str(config)]

    assert main(command) == 0
    said = capsys.readouterr().out
    assert "verified 9 entries of 3 events and 2 checkpoints over 5 heads" in said
    assert "all as it was written" in said

    tamper(sealed, "UPDATE grid_event_history SET actor = 'x' WHERE event = 3 AND n = 2")
    assert main(command) == 1
    said = capsys.readouterr().out
    assert "-00003: entry 2 (file by x) is not as it was written" in said
    assert "1 flaws" in said
