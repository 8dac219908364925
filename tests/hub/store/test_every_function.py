"""Every function of the store runs on every kind of server, and answers the same.

The functions are found, and called with examples for their parameters: by name where a value has
to fit the rows of `tests/migration/rows`, else by type. A new function needs nothing here unless it
takes a type that has no example yet.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
from shapely import box

import hub.store
from contract.errors import GridwardenError
from contract.geometry import Point
from contract.messages import (
    Detection,
    EvidenceChunk,
    EvidenceRef,
    GroundPoint,
    Health,
    Looked,
    Reading,
    ScoreBlock,
)
from contract.ranges import SequenceSet
from contract.taxonomy import Category
from hub.domain.actor import Role
from hub.domain.grid import Cell
from hub.domain.lane_ledger import LaneLedger
from hub.domain.merge import EpisodeState, from_record
from hub.domain.people import Post
from hub.domain.reach import Within
from hub.domain.responsibility import Assignment
from hub.store import events
from hub.store.alerts import AlertRow
from hub.store.bulk import Insert, InsertPath, by_copy, by_unnest, choose_insert
from hub.store.checkpoints import Checkpoint
from hub.store.control_windows import NewWindow
from hub.store.duty import NewShift
from hub.store.enrolments import Credential, Enrolment
from hub.store.equipment import BudgetLine, TerminalRow
from hub.store.events import NewEvent
from hub.store.judged import StreamClass
from hub.store.migrate import migrate
from hub.store.notices import NewNotice
from hub.store.open311 import NewRequest, RequestFilter
from hub.store.people import PeopleFilter, PersonRow
from hub.store.ratings import RatingRow
from hub.store.registry import EntryFacts, EntryFilter
from hub.store.rows import GridEventRow
from hub.store.training import Candidate
from hub.store.units import UnitRow
from hub.store.view_rows import EventFilter, QuarantineFilter
from tests import pglite
from tests.hub.builders import chunks, detection, health, reading, score_block
from tests.hub.store.conftest import Server
from tests.migration.growing import contents, grow

pytestmark = pytest.mark.timescale

AT = datetime(2026, 3, 1, 8, 15, tzinfo=UTC)
LOOK = UUID("6f8b2c1e-0000-4000-8000-000000000002")
EPISODE = UUID("4f8b2c1e-0000-4000-8000-000000000001")
DIGEST = "ab" * 32
ANSWERS_OF_ITS_OWN = {  # tested where they are meant for one kind of server, or answer by chance
    "bulk",
    "hypertables",
    "series",
    "epoch",
}

CELL = "410105000001001"
ENTRY = EntryFacts("place", "Yard", CELL, 113.65, 34.76, {"risk": "fire"})
SHOWN = EvidenceRef(digest="ef" * 32, role="box", media_type="image/jpeg", size=7, captured_at=AT)

NAMED: dict[str, Any] = {
    "agent": "yard-02",
    "agents": {"yard-02": (AT, 0.5)},
    "stations": {"yard-02": "north"},
    "station": "north",
    "stream": "cam-01",
    "streams": [("yard-02", "cam-01")],
    "boots": [("yard-02", "b7f3")],
    "boot": "b7f3",
    "cell": CELL,
    "cells": [],
    "district": "410105",
    "number": "410105-20260301-00001",
    "numbers": ["410105-20260301-00001"],
    "event": 1,
    "event_id": 1,
    "id": 1,
    "parent": None,
    "version": 7,
    "digest": DIGEST,
    "digests": [DIGEST],
    "state": "suspected",
    "origin": "machine",
    "category": "fire_safety",
    "severity": "S1",
    "group": "fire",
    "merge_group": "fire",
    "changes": {"title": "Another title"},
    "names": ["confirm"],
    "verdict": "unclear",
    "width": "1m",
    "metric": "vehicle_crossing",
    "key": "key-1",
    "request_key": "key-2",
    "topic": "event",
    "n": 3,
    "lon": (113.0, 114.0),
    "lat": (34.0, 35.0),
    "limit": 5,
    "skip": 0,
    "until": AT + timedelta(days=1),
    "lock": True,
    "name": "yard-02",
    "kind": "flame",
    "device": "cam-01",
    "devices": [("yard-02", "cam-01"), ("yard-02", "well-1")],
    "actor": "wang",
    "before": None,
    "since": AT - timedelta(hours=1),
    "seq": 18,
    "wanted": EventFilter(),
    "person": "li",
    "persons": ["li", "wang"],
    "training": 1,
    "attempt": 1,
    "outbox": [3],
    "webhook": 1,
    "identifier": "410105-20260301-00001.2.Alert",
    "msg_type": "Alert",
    "language": "zh",
}
PGLITES_UTC = "zoneinfo.ZoneInfo(key='GMT')", "datetime.timezone.utc"
RAISES = "raises"
TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00|datetime\.datetime\(([\d, ]+\d)"
)
NOTHING = ("[]", "{}", "set()", "False", "0")
# where the name alone says too little
OF: dict[tuple[str, str], Any] = {
    ("notices.drop_before", "before"): AT,
    ("notices.insert", "notice"): NewNotice(
        1, "half_time", "li", None, None, None, "S1", "Half-time", "时限过半", "", AT, "key-3"
    ),
    ("notices.read", "ids"): [1, 2],
    ("agents.boots", "agents"): ["yard-02"],
    ("agents.clock_offsets", "agents"): ["yard-02"],
    ("agents.addresses", "stations"): ["north"],
    ("agents.bury", "born_at"): AT - timedelta(minutes=15),
    ("tasks.open_task", "kind"): "verify",
    ("tasks.end_task", "outcome"): "absent",
    ("tasks.find", "found"): "passed",
    ("tasks.open_of", "person"): "wang",
    ("camera_looks.keep", "outcome"): "clear",
    ("camera_looks.due", "now"): AT + timedelta(days=1),
    ("my_cases.by_ids", "ids"): [1, 2],
    ("my_cases.given_to", "states"): ["suspected", "closed"],
    ("my_cases.given_to", "cells"): ["410105"],
    ("my_cases.helped_by", "unit"): "water",
    ("due_events.filed_never_dispatched", "before"): AT + timedelta(days=1),
    ("due_events.filed_never_dispatched", "subcategories"): ["open_flame"],
    ("commands.answered", "version"): 1,
    ("detections.link_evidence", "refs"): [(str(EPISODE), SHOWN)],
    ("commands.published", "version"): 1,
    ("due_events.suspected_and_clear", "before"): AT,
    ("nearby.live_in_cells", "cells"): ["410105000001001"],
    ("nearby.live_in_cells", "kinds"): ["flame"],
    ("control_windows.end", "id"): 1,
    ("control_windows.page", "state"): "all",
    ("case_facts.kept", "rules"): "rules-1",
    ("case_facts.renew", "rules"): "rules-2",
    ("case_facts.kept", "as_of"): AT + timedelta(days=1),
    ("case_facts.said", "ids"): [1, 2],
    ("case_facts.unit_names", "codes"): ["fire"],
    ("case_facts.person_names", "codes"): ["li"],
    ("judged.note", "verdict"): 1,
    ("judged.last", "wanted"): [StreamClass("yard-02", "cam-01", "flame", "flame")],
    ("reports.by_id", "id"): 1,
    ("views.repeats", "event_id"): 1,
    ("camera_states.blind", "now"): AT + timedelta(days=1),
    ("camera_states.drop_before", "cutoff"): AT,
    ("camera_states.lose", "state"): "lost",
    ("commands.latest_of_stations", "stations"): ["north"],
    ("events.see_scenes", "ids"): [1, 2],
    ("events.move", "state"): "closed",
    ("due_events.with_rung_due", "now"): AT + timedelta(days=1),
    ("due_events.with_state_ending", "now"): AT + timedelta(days=1),
    ("checkpoints.chained", "after"): (0, 0),
    ("checkpoints.sealed_heads", "checkpoint"): 1,
    ("checkpoints.insert", "checkpoint"): Checkpoint(2, AT, 1, "b", "d"),
    ("detections.lock_episodes", "ids"): [str(EPISODE)],
    ("verdicts.insert", "event"): 2,
    ("evidence_keeping.mark_gone", "digests"): ["04" * 32],
    ("evidence_keeping.place_hold", "event"): None,
    ("evidence_keeping.to_look_at", "now"): AT + timedelta(days=36_500),
    ("sensor_views.sensor", "device"): "well-1",
    ("sensor_views.sensors", "device"): "well-1",
    ("evidence_keeping.mark_erased", "digests"): ["cd" * 32],  # the other one is held
    ("units.unit", "code"): "fire",
    ("units.close_unit", "code"): "fire",
    ("units.save_units", "rows"): [UnitRow("u", "station", "U", "甲", None, "", "", None)],
    ("units.matrix", "unit"): None,
    ("units.matrix", "cell"): "410105",
    ("units.assign", "assignments"): [
        Assignment(Category.FIRE_SAFETY, None, "410105", "office", AT, None)
    ],
    ("people.on_duty", "role"): Role.ASSISTANT,
    ("people.on_duty", "unit"): None,
    ("people.holders", "role"): Role.LEADER,
    ("people.holders", "unit"): None,
    ("looks.ask", "id"): UUID("6f8b2c1e-0000-4000-8000-000000000003"),
    ("looks.ask", "question"): {"kind": "flame", "label": "flame", "episode": str(EPISODE)},
    ("looks.unsent", "stations"): ["north"],
    ("looks.unsent", "now"): AT + timedelta(seconds=10),
    ("looks.sent", "id"): LOOK,
    ("looks.answer", "said"): Looked(
        look=str(LOOK), stream="cam-01", outcome="seen", reason="", captured_at=AT
    ),
    ("looks.of_event", "since"): AT - timedelta(hours=1),
    ("camera_looks.wake", "at"): AT - timedelta(hours=1),
    ("people.serving", "code"): "li",
    ("mail.queue", "notice"): 2,
    ("mail.queue_letter", "report"): 1,
    ("ratings.add_token", "report"): 1,
    ("ratings.add_token", "digest"): "12" * 32,
    ("ratings.save", "rating"): RatingRow(1, 1, AT, 2, "", AT, AT),
    ("ratings.take_down_comment", "report"): 2,
    ("ratings.with_comments", "event"): None,
    ("ratings.report_of_token", "digest"): "cd" * 32,
    ("ratings.of_closing", "ended_at"): datetime(2026, 3, 1, 9, tzinfo=UTC),
    ("ratings.last_report_by", "reporter"): "open311",
    ("open311.event_of_token", "digest"): "cd" * 32,
    ("open311.insert", "request"): NewRequest(
        "12" * 32, 1, 1, AT, "It burns", "", DIGEST, "San", "Zhang", "", ""
    ),
    ("open311.requests", "wanted"): RequestFilter(["410105-20260301-00001"], ["open_flame"]),
    ("open311.requests", "categories"): ["fire_safety"],
    ("outside_alerts.event_of", "fingerprint"): "f1ngerprint",
    ("outside_alerts.resolve", "fingerprint"): "f1ngerprint",
    ("outside_alerts.is_clear", "event"): 3,
    ("people.people", "wanted"): PeopleFilter(),
    ("people.people", "after"): "",
    ("people.by_code", "code"): "li",
    ("people.leave", "code"): "li",
    ("people.save_people", "rows"): [PersonRow("p", "P", None, "", "", "zh", False, None)],
    ("people.set_posts", "posts"): [Post("wang", Role.ASSISTANT, CELL, None, AT, None)],
    ("duty.save_shifts", "shifts"): [NewShift("wang", CELL, AT, AT + timedelta(hours=8))],
    ("duty.shifts", "after"): 0,
    ("duty.remove_shift", "id"): 1,
    ("training.make_set", "items"): [Candidate(EPISODE, "confirmed")],
    ("training.is_taken", "name"): "Fire or not",
    ("training.shows", "person"): "wang",
    ("equipment.save_budget", "lines"): [BudgetLine(CELL, 2026, 7, "")],
    ("equipment.save_terminals", "rows"): [TerminalRow("t-2", "li", "", "", None)],
    ("registry.entries", "wanted"): EntryFilter(),
    ("registry.entries", "after"): 0,
    ("registry.add", "said"): ENTRY,
    ("registry.change", "said"): ENTRY,
    **{(f"registry.{name}", "expected_version"): 1 for name in ("change", "retire", "restore")},
    ("registry.link", "entry"): 1,
    ("registry.link", "relation"): "concerns",
    ("registry.unlink", "link"): 1,
    ("registry.links_of_entry", "entry"): 1,
    ("registry.links_of_entry", "cells"): ["410105"],
    ("evidence_keeping.standing_holds", "cells"): ["410105"],
    ("evidence_index.is_of_case_of", "person"): "li",
    ("evidence_wanted.want", "broken"): [("yard-02", DIGEST)],
    ("evidence_wanted.ask_again", "born"): ["yard-02"],
    ("evidence_wanted.ask_again", "stations"): ["north"],
    ("outbox.prune", "before"): AT + timedelta(days=30),
    ("alerts.expiring", "before"): AT + timedelta(days=2),
    ("alerts.issue", "alert"): AlertRow(
        identifier="410105-20260301-00001.3.Update",
        event=1,
        number="410105-20260301-00001",
        msg_type="Update",
        sender="alerts@district.example",
        sent="2026-03-01T16:15:00+08:00",
        sent_at=AT,
        expires_at=AT + timedelta(days=1),
        severity="S1",
        title="明火",
        facts="other facts",
        ended=False,
        xml="<alert/>",
    ),
    ("webhooks.prune_tests", "before"): AT + timedelta(days=30),
    ("webhooks.deliveries", "state"): "dead",
    ("webhooks.redeliver", "ids"): None,
    ("webhooks.claim", "now"): AT + timedelta(days=1),
    ("webhooks.next_due", "now"): AT + timedelta(days=1),
    ("mail.claim", "now"): AT + timedelta(days=1),
    ("mail.fold", "into"): 3,
    ("mail.folded", "into"): 2,
    ("mail.sent", "id"): 1,
    ("accounts.account_of", "login_key"): "wang",
    ("accounts.add_account", "role"): "leader",
    ("accounts.add_account", "person"): None,
    ("sessions.use_session", "token_hash"): "session-1",
    ("sessions.use_session", "idle_since"): AT - timedelta(hours=1),
    ("sessions.open_sessions", "account"): 1,
    ("sessions.end_sessions", "account"): 1,
    ("sessions.begin_session", "account"): 1,
    ("sessions.begin_session", "token_hash"): "session-2",
    ("sessions.add_link", "account"): 1,
    ("sessions.add_link", "token_hash"): "link-2",
    ("sessions.use_link", "token_hash"): "link-1",
    ("sessions.nth_failure_of_login", "login_key"): "wang",
    ("sessions.nth_failure_of_login", "n"): 1,
    ("sessions.nth_failure_of_login", "known"): AT,
    ("sessions.nth_failure_of_net", "net"): "203.0.113.9",
    ("sessions.nth_failure_of_net", "n"): 1,
    ("sessions.forget", "before"): AT + timedelta(days=60),
    ("tokens.add_token", "account"): 2,
    ("tokens.add_token", "token_hash"): "token-2",
    ("tokens.use_token", "token_hash"): "token-1",
    ("tokens.every_token", "account"): 2,
    ("tokens.revoke_tokens", "account"): 2,
    ("audit.write", "via"): "session",
    ("audit.write", "outcome"): "done",
    ("audit.finish", "id"): 2,
    ("audit.finish", "outcome"): "done",
    ("audit.entries", "subject"): None,
    ("audit.entries", "action"): None,
    ("audit.entries", "outcome"): None,
    ("enrolments.revoked_certificates", "now"): AT + timedelta(days=1),
    ("enrolments.expiring", "before"): AT + timedelta(days=400),
    ("enrolments.over", "now"): AT + timedelta(days=2),
    ("views.curves_of", "episode"): UUID("4f8b2c1e-0000-4000-8000-000000000004"),
    ("views.quarantine", "wanted"): QuarantineFilter(agent="yard-02"),
    ("enrolments.save", "enrolment"): Enrolment(
        "yard-02", "north", Credential.PASSWORD, "hash", None, AT, AT, None, None
    ),
}


def functions() -> dict[str, Callable[..., Any]]:
    """The public functions of the store that take a connection, by module and name."""
    found: dict[str, Callable[..., Any]] = {}
    for module in pkgutil.iter_modules(hub.store.__path__):
        loaded = importlib.import_module(f"hub.store.{module.name}")
        for name, function in vars(loaded).items():
            ours = inspect.isfunction(function) and function.__module__ == loaded.__name__
            if ours and not name.startswith("_") and module.name not in ANSWERS_OF_ITS_OWN:
                found[f"{module.name}.{name}"] = function
    return {name: f for name, f in found.items() if "conn" in inspect.signature(f).parameters}


def example(kind: Any, name: str, function: str, server: Server) -> Any:
    """A value for the parameter of that name."""
    by_type: dict[Any, Callable[[], Any]] = {
        Insert: lambda: server.insert,
        Detection: lambda: detection(at=AT, episode=str(EPISODE)),
        EpisodeState: lambda: from_record(
            detection(at=AT, episode=str(EPISODE)), "north", "yard-02", "b7f3", AT
        ),
        Reading: lambda: reading(1.5, at=AT),
        ScoreBlock: lambda: score_block(AT),
        Health: lambda: health(at=AT),
        EvidenceChunk: lambda: chunks(b"picture")[0][0],
        EvidenceRef: lambda: SHOWN,
        LaneLedger: lambda: LaneLedger(SequenceSet(50, []), []),
        GridEventRow: lambda: events.by_id(server.conn, 1),
        NewEvent: lambda: NewEvent(
            number="410105-20260301-00009",
            state="suspected",
            origin="machine",
            ever_reported=False,
            category="fire_safety",
            subcategory="open_flame",
            merge_group="fire",
            severity="S1",
            title="Open flame",
            position=Point(113.65, 34.76),
            cell=None,
            occurred_at=AT,
            last_seen_at=AT,
            opened_at=AT,
            decide_by=AT,
            urgent=False,
            test=False,
            due_at=AT,
            close_by=AT,
            next_rung_at=AT,
        ),
        NewWindow: lambda: NewWindow(
            kind="silence",
            category=None,
            subcategory=None,
            detector=None,
            cells=("410105",),
            agent=None,
            stream=None,
            from_at=AT,
            until_at=AT + timedelta(hours=1),
            reason="a fair",
            permit="",
            event=1,
        ),
        Within: lambda: Within(["410105"], None),
        Cell: lambda: Cell("410105000002", "Other", "另一个", box(113, 34, 114, 35)),
        ZoneInfo: lambda: ZoneInfo("Asia/Shanghai"),
        Point: lambda: Point(113.65, 34.76),
        GroundPoint: lambda: GroundPoint(0.5, 0.9, 113.65, 34.76),
        UUID: lambda: EPISODE,
        datetime: lambda: AT,
        date: AT.date,
        time: AT.time,
        str: lambda: f"some {name}",
        bytes: lambda: b"\x00payload",
        int: lambda: 3,
        float: lambda: 0.5,
        bool: lambda: False,
        types.NoneType: lambda: None,
        Any: lambda: {"some": "value"},
        object: lambda: {"some": "value"},
    }
    if kind in by_type:
        return by_type[kind]()
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return example(parts[0], name, function, server)
    if origin is typing.Literal:
        return parts[0]
    if origin in (Mapping, dict):
        return {given(parts[0], name, function, server): given(parts[1], name, function, server)}
    if origin in (Collection, Iterable, Sequence, list, set, frozenset):
        return [example(parts[0], name, function, server)]
    if origin is tuple:
        return tuple(example(p, name, function, server) for p in parts if p is not ...)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(
            **{f.name: given(hints[f.name], f.name, "", server) for f in dataclasses.fields(kind)}
        )
    if isinstance(kind, type) and issubclass(kind, tuple):  # with names
        hints = typing.get_type_hints(kind)
        return kind(*(given(hints[f], f, "", server) for f in hints))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    raise AssertionError(f"{function}: no example for {name}: {kind}; add one to `by_type`")


def given(kind: Any, name: str, function: str, server: Server) -> Any:
    """The example by name, if it is of a fitting kind, else by type."""
    if (function, name) in OF:
        return OF[function, name]
    made_up = any(_is_record(part) for part in (kind, *typing.get_args(kind)))
    return NAMED[name] if name in NAMED and not made_up else example(kind, name, function, server)


def _is_record(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) and kind is not EventFilter


def answer(server: Server, name: str, function: Callable[..., Any]) -> str:
    """What the function answered, or that it found nothing."""
    hints = typing.get_type_hints(function)
    arguments = {
        p: given(hints[p], p, name, server)
        for p in list(inspect.signature(function).parameters)[1:]
    }
    with server.conn.transaction(force_rollback=True):
        try:
            found = function(server.conn, **arguments)
            found = list(found) if isinstance(found, Iterator) else found
            said = repr(found).replace(*PGLITES_UTC)
            if said == "None":
                said = f"None, and leaves {contents(server.conn)}"
            return TIME.sub(_now_or_then, said)
        except (GridwardenError, LookupError) as e:
            return f"{RAISES} {e!r}"
        except psycopg.IntegrityError as e:
            return f"{RAISES} {type(e).__name__} of {e.diag.constraint_name}"


def _now_or_then(found: re.Match[str]) -> str:
    """Times of this run, which columns have by default, are the same everywhere."""
    said, parts = found[0], found[1]
    at = datetime.fromisoformat(said) if parts is None else datetime(*map(int, parts.split(",")))  # type: ignore[arg-type]
    return "now" if abs(datetime.now(UTC) - at.replace(tzinfo=UTC)) < timedelta(hours=1) else said


Answers = dict[str, str]


def ask(url: str, folder: Path, insert: Insert | None = None) -> Answers:
    """What every function answers in a database that grew up; the database is emptied first."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        pglite.empty(conn)
    for _ in grow(url, folder):
        pass
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        conn.execute("SET timezone = 'UTC'")
        chosen = insert or choose_insert(conn, InsertPath.AUTO)
        return {name: answer(Server(conn, chosen), name, f) for name, f in FUNCTIONS.items()}


FUNCTIONS = functions()


@pytest.fixture(scope="module")
def answers(scratch_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """By COPY, without TimescaleDB."""
    return ask(scratch_database_url, tmp_path_factory.mktemp("copy"), by_copy)


def test_the_store_answers_the_same_by_unnest(
    answers: Answers, scratch_database_url: str, tmp_path: Path
) -> None:
    assert differing(answers, ask(scratch_database_url, tmp_path, by_unnest)) == {}


def test_the_store_answers_the_same_with_timescaledb(
    answers: Answers, timescale_url: str, tmp_path: Path
) -> None:
    try:
        assert differing(answers, ask(timescale_url, tmp_path)) == {}
    finally:
        with psycopg.connect(timescale_url, autocommit=True, prepare_threshold=None) as conn:
            pglite.empty(conn)
        migrate(timescale_url)


def test_every_example_is_for_a_parameter() -> None:
    taken = {(name, p) for name, f in FUNCTIONS.items() for p in inspect.signature(f).parameters}
    assert set(OF) - taken == set()


def test_the_examples_find_what_they_ask_for(answers: Answers) -> None:
    assert len(answers) > 80
    missed = {n: said for n, said in answers.items() if said in NOTHING or RAISES in said}
    assert len(missed) < len(answers) / 10, f"give these better examples: {missed}"


def differing(one: Answers, other: Answers) -> dict[str, tuple[str, str]]:
    """Where answers differ, from the first character that does."""
    found = {}
    for name, said in one.items():
        if said != other[name]:
            pairs = zip(said, other[name], strict=False)
            n = next((i for i, (a, b) in enumerate(pairs) if a != b), 0)
            found[name] = (said[max(0, n - 80) : n + 80], other[name][max(0, n - 80) : n + 80])
    return found
