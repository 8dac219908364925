"""No other path changes the state of a grid event: the database refuses what the code cannot do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest
import yaml

import hub as hub_package
from hub.domain.lifecycle import LIFECYCLE_FILE
from hub.services.context import Hub
from tests.hub.builders import rows
from tests.hub.cases import DISPATCHER, act, reported

HUB = Path(hub_package.__file__).parent
RAW = yaml.safe_load(LIFECYCLE_FILE.read_text(encoding="utf-8"))
WRITES = re.compile(r"\b(UPDATE\s+(ONLY\s+)?|INSERT\s+INTO\s+|MERGE\s+INTO\s+)grid_event\b", re.I)
SETS_STATE = re.compile(r"\bSET\b[^;]*\bstate\s*=", re.I | re.S)


@cache
def trees() -> dict[str, ast.Module]:
    return {
        str(path.relative_to(HUB)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(HUB.rglob("*.py"))
    }


def texts(tree: ast.AST) -> Iterator[str]:
    """Every string of the code, of f-strings what is written out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield f"{ast.unparse(node.func.value)}.{node.func.attr}"


def test_grid_events_are_written_in_one_module() -> None:
    writers = {name for name, tree in trees().items() for t in texts(tree) if WRITES.search(t)}

    assert writers == {"store/events.py"}


def test_a_state_is_written_by_one_function_which_one_service_calls() -> None:
    store = trees()["store/events.py"]
    functions = {n.name: n for n in ast.walk(store) if isinstance(n, ast.FunctionDef)}
    setting = {name for name, f in functions.items() if any("state = {}" in t for t in texts(f))}
    assert setting == {"move"}
    for name, tree in trees().items():
        assert not [t for t in texts(tree) if "grid_event" in t and SETS_STATE.search(t)], name
    moving = {name for name, tree in trees().items() for c in called(tree) if c == "events.move"}
    assert moving == {"services/event_history.py"}


def test_the_state_is_no_column_that_can_be_changed_like_another(hub: Hub) -> None:
    from hub.store import events

    event = reported(hub)
    with hub.pool.connection() as conn, pytest.raises(ValueError, match="column state"):
        events.note(conn, event.id, {"state": "closed"})
    with hub.pool.connection() as conn, pytest.raises(ValueError, match="column state"):
        events.move(conn, event.id, "filed", {"state": "closed"})


BY_HAND = (
    "UPDATE grid_event SET state = 'filed', filed_at = now()",
    "UPDATE grid_event SET state = 'filed', filed_at = now(), version = version + 1",
    "UPDATE grid_event SET version = version + 1",
    # an entry that tells of another state
    "WITH e AS (UPDATE grid_event SET state = 'filed', filed_at = now(), version = version + 1"
    " RETURNING id, version) INSERT INTO grid_event_history (event, n, at, name, from_state,"
    " to_state, role, actor, prev_hash, hash) SELECT id, version, now(), 'file', 'reported',"
    " 'closed', 'rule', 'x', '', '' FROM e",
    # an entry from a state in which it was not
    "WITH e AS (UPDATE grid_event SET state = 'filed', filed_at = now(), version = version + 1"
    " RETURNING id, version) INSERT INTO grid_event_history (event, n, at, name, from_state,"
    " to_state, role, actor, prev_hash, hash) SELECT id, version, now(), 'file', 'closed',"
    " 'filed', 'rule', 'x', '', '' FROM e",
    # an entry of something that did not happen
    "INSERT INTO grid_event_history (event, n, at, name, from_state, to_state, role, actor,"
    " prev_hash, hash) SELECT id, version + 1, now(), 'file', 'reported', 'filed', 'rule', 'x',"
    " '', '' FROM grid_event",
    # an event that nobody opened
    "INSERT INTO grid_event (number, state, origin, ever_reported, category, subcategory,"
    " merge_group, severity, title, occurred_at, last_seen_at, opened_at, version) VALUES"
    " ('410105-20261124-09999', 'reported', 'manual', true, 'fire_safety', 'x', 'fire', 'S1',"
    " 'x', now(), now(), now(), 1)",
)


def test_the_database_refuses_a_state_without_the_entry_that_tells_it(hub: Hub) -> None:
    event = reported(hub)

    for statement in BY_HAND:
        with psycopg.connect(hub.config.database.url) as conn:
            conn.execute(statement.encode())
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
                conn.commit()

    assert rows(hub.config.database.url, "SELECT number, state, version FROM grid_event") == [
        (event.number, "reported", 1)
    ]


def test_several_steps_in_one_transaction_are_each_told(hub: Hub) -> None:
    from hub.services.act import Act
    from hub.services.act_on_event import act_on_event

    event = reported(hub)
    with hub.pool.connection() as conn:
        for step in (
            Act("file"),
            Act("dispatch", responsible_unit="unit-b"),
            Act("comment", note="urgent"),
        ):
            act_on_event(conn, hub, event.number, step, DISPATCHER, None)

    assert rows(hub.config.database.url, "SELECT state, version FROM grid_event") == [
        ("dispatched", 4)
    ]


def test_the_checks_of_the_database_know_the_states_of_the_lifecycle(database_url: str) -> None:
    checks = [
        str(text)
        for (text,) in rows(
            database_url,
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'"
            " AND conrelid = 'grid_event'::regclass",
        )
    ]

    def states_in(check: str) -> set[str]:
        return set(re.findall(r"'([a-z]+)'::text", check)) & set(RAW["states"])

    about_state = [c for c in checks if re.search(r"\bstate\b", c)]
    assert set(RAW["states"]) in [states_in(c) for c in about_state]
    terminal = {name for name, s in RAW["states"].items() if s["terminal"]}
    assert [states_in(c) for c in about_state if "ended_at" in c] == [terminal]
    before_filing = {"suspected", "reported", "verifying", "rejected", "merged", "lapsed"}
    assert [states_in(c) for c in about_state if "filed_at" in c] == [
        set(RAW["states"]) - before_filing
    ]


def test_what_was_never_filed_can_be_neither_dispatched_nor_closed_even_by_hand(hub: Hub) -> None:
    event = act(hub, reported(hub), "file", DISPATCHER)

    for state in ("dispatched", "closed"):
        with (
            pytest.raises(psycopg.errors.CheckViolation),
            psycopg.connect(hub.config.database.url) as conn,
        ):
            conn.execute(
                "UPDATE grid_event SET state = %s, filed_at = NULL WHERE id = %s", (state, event.id)
            )
