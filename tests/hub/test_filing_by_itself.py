"""Filed by itself where every condition holds, and every event says why or why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contract.geometry import Point
from contract.messages import Detection
from contract.taxonomy import Phase
from hub.config import DatabaseConfig, HubConfig, SiteConfig
from hub.domain.actor import Actor, Role
from hub.domain.categories import load_categories
from hub.domain.control_window import WindowKind
from hub.domain.errors import ConflictError, ForbiddenError, InvalidError, NotAllowedError
from hub.domain.filing import read
from hub.domain.filing_reason import reason
from hub.services.act import Act
from hub.services.act_on_event import act_on_event, undo
from hub.services.context import Hub
from hub.services.filing.control_windows import WantedWindow, end_window, make_window
from hub.services.filing.trust import trust_table
from hub.services.judge_detection import Judgement, Verdict, judge_detection
from hub.services.outward.share_outbox import share_outbox
from hub.services.record_detections import record_detections
from hub.store import agents, events, verdicts
from hub.store.detections import Change
from hub.store.rows import GridEventRow, HistoryRow
from tests.hub.builders import START, Clock, detection, episode_id, north, opened, rows
from tests.hub.staff import DISTRICT, EAST, WEST, found, small_grid

YARD = Point(113.605, 34.705)  # in the western cell
OPERATOR = Actor("wang", Role.DISPATCHER)
SMOKE_TOO = "by_itself = { on = true, probability = 0.7 }"


@pytest.fixture
def hub(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Hub]:
    """A hub with a grid, a fire brigade, and smoke that files by itself too; one sound camera."""
    given = Path(__file__).parents[2] / "configs" / "categories.toml"
    text = given.read_text(encoding="utf-8").replace(
        'id = "smoke"\n', f'id = "smoke"\n{SMOKE_TOO}\n', 1
    )
    (tmp_path / "categories.toml").write_text(text, encoding="utf-8")
    with psycopg.connect(database_url) as conn:
        small_grid(conn)
    config = HubConfig(
        database=DatabaseConfig(url=database_url),
        hub=SiteConfig(data_dir=tmp_path, categories_file=tmp_path / "categories.toml"),
    )
    with opened(config, clock) as hub:
        camera(hub)
        yield hub


def camera(hub: Hub, state: str = "online", stream: str = "cam-01") -> None:
    """An agent is heard of now, and its camera is in this state."""
    now = hub.now()
    with hub.pool.connection() as conn:
        agents.enrol(conn, {"edge-1": "demo"})
        agents.bear(conn, "edge-1", boot="b1", born_at=START, seen_at=now, manifest={})
        born = agents.StreamBirth(stream, "Gate", YARD, WEST, state)
        agents.save_streams(conn, "edge-1", [born], now, same_boot=True)


def brigade(hub: Hub, cell: str = DISTRICT) -> None:
    """The fire brigade answers for fires there."""
    with hub.pool.connection() as conn:
        found(conn, "brigade")
        conn.execute(
            "INSERT INTO responsibility (category, cell, unit, from_at)"
            " VALUES ('fire_safety', %s, 'brigade', '2026-01-01Z')",
            (cell,),
        )


def record(hub: Hub, *told: Detection) -> None:
    with hub.pool.connection() as conn:
        changes = [Change("demo", "edge-1", "b1", n, r, hub.now()) for n, r in enumerate(told, 1)]
        assert record_detections(conn, hub, changes) == []


def burns(
    hub: Hub,
    clock: Clock,
    *,
    seconds: float = 5.0,
    at: Point = YARD,
    score: float = 0.9,
    kind: str = "flame",
    test: bool = False,
    episode: str | None = None,
) -> GridEventRow:
    """The event of an episode that was raised and goes on for so long."""
    episode = episode or episode_id()
    begun = clock()
    first = detection(
        at=begun, episode=episode, kind=kind, label=kind, position=at, score=score, test=test
    )
    record(hub, first)
    clock.move(seconds)
    now = detection(
        at=clock(),
        episode=episode,
        revision=2,
        phase=Phase.UPDATED,
        kind=kind,
        label=kind,
        position=at,
        score=score,
        test=test,
    )
    record(hub, now)
    with hub.pool.connection() as conn:
        ((event,),) = rows(
            hub.config.database.url, "SELECT event FROM detection WHERE episode = %s", episode
        )
        return events.root_of(conn, event)


def why(hub: Hub, event: GridEventRow) -> str:
    assert event.by_itself is not None
    return reason(read(event.by_itself), hub.zone).en


def fresh(hub: Hub, event: GridEventRow) -> GridEventRow:
    with hub.pool.connection() as conn:
        now = events.by_id(conn, event.id)
        assert now is not None
        return now


def history(hub: Hub, event: GridEventRow) -> list[HistoryRow]:
    with hub.pool.connection() as conn:
        return events.history(conn, event.id)


def judge(hub: Hub, event: GridEventRow, verdict: Verdict, **more: Any) -> GridEventRow:
    said = Judgement(verdict, **more)
    with hub.pool.connection() as conn:
        return judge_detection(conn, hub, event.number, said, OPERATOR, None)


def window(hub: Hub, hours: float = 4, **more: Any) -> int:
    with hub.pool.connection() as conn:
        wanted = WantedWindow(
            WindowKind.WORKS,
            hub.now() + timedelta(hours=hours),
            "welding",
            **{"cells": (WEST,), **more},
        )
        return make_window(conn, hub, wanted, OPERATOR).id


def judged_before(hub: Hub, good: int, bad: int = 0, kind: str = "smoke") -> None:
    """So many verdicts stand on the camera's detections of a kind, one a minute until now."""
    with hub.pool.connection() as conn:
        for i in range(good + bad):
            at = hub.now() - timedelta(minutes=good + bad - i)
            conn.execute(
                "INSERT INTO judged SELECT 'edge-1', 'cam-01', %s, %s, %s, v.id, %s, 0.9"
                " FROM verdict v ORDER BY id LIMIT 1",
                (kind, kind, at, i < good),
            )


@pytest.fixture
def past(hub: Hub, clock: Clock) -> None:
    """One verdict on something far away, for rows of `judged` to belong to."""
    far = burns(hub, clock, at=north(YARD, 400), seconds=0, kind="dumping")
    with hub.pool.connection() as conn:
        verdicts.insert(conn, far.id, "unclear", "", "", "wang", hub.now(), 1)


# the policy ------------------------------------------------------------------------------------


def test_an_emergency_is_filed_and_sent_to_the_responsible_unit_at_once_unconfirmed(
    hub: Hub, clock: Clock
) -> None:
    brigade(hub)

    event = burns(hub, clock)

    assert (event.state, event.confirmation) == ("dispatched", "pending")
    assert event.responsible_unit == "brigade"
    assert [(h.name, h.role) for h in history(hub, event)][1:] == [
        ("auto_file", "rule"),
        ("dispatch", "rule"),
    ]
    assert why(hub, event).endswith("an emergency needs no earned trust; sent to brigade at once.")
    assert history(hub, event)[1].reason == (
        "Filed by itself: probability 0.90 at or above 0.80, seen for 3 s, device sound, no "
        "control window, an emergency needs no earned trust."
    )


def test_where_no_unit_is_responsible_it_is_filed_and_says_why_it_was_not_sent(
    hub: Hub, clock: Clock
) -> None:
    brigade(hub, EAST)
    event = burns(hub, clock)
    assert (event.state, event.confirmation) == ("filed", "pending")
    assert why(hub, event).endswith("not dispatched: no unit is responsible for it here.")


def test_a_low_score_a_short_sight_or_a_test_waits_for_a_person(hub: Hub, clock: Clock) -> None:
    doubtful = burns(hub, clock, score=0.6)
    brief = burns(hub, clock, at=north(YARD, 200), seconds=2)
    drill = burns(hub, clock, at=north(YARD, -200), test=True)

    assert [e.state for e in (doubtful, brief, drill)] == ["suspected", "suspected", "lapsed"]
    assert why(hub, doubtful) == "Not filed by itself: probability 0.60 < 0.80."
    assert why(hub, brief) == "Not filed by itself: seen for 2 of 3 s."
    assert why(hub, drill) == "Not filed by itself: it is a test."


@pytest.mark.parametrize("state", ["frozen", "covered", "moved", "lost"])
def test_a_camera_that_is_not_healthy_files_nothing(hub: Hub, clock: Clock, state: str) -> None:
    camera(hub, state)
    event = burns(hub, clock)
    assert event.state == "suspected"
    assert why(hub, event) == "Not filed by itself: the camera is not healthy."


def test_a_camera_whose_agent_fell_silent_files_nothing_until_it_is_heard_of(
    hub: Hub, clock: Clock
) -> None:
    clock.move(60)
    episode = episode_id()
    event = burns(hub, clock, episode=episode)
    assert why(hub, event) == "Not filed by itself: the device is not heard of."
    camera(hub)
    again = detection(at=clock(), episode=episode, revision=3, phase=Phase.UPDATED, position=YARD)
    record(hub, again)
    assert fresh(hub, event).state == "filed"


def test_a_category_that_is_off_says_so_and_is_asked_nothing(hub: Hub, clock: Clock) -> None:
    event = burns(hub, clock, kind="ponding")
    assert event.state == "suspected"
    assert why(hub, event) == "Not filed by itself: its category does not."


def test_smoke_in_an_event_of_fire_does_not_file_the_fire(hub: Hub, clock: Clock) -> None:
    fire = burns(hub, clock, seconds=1)
    burns(hub, clock, kind="smoke")
    assert fresh(hub, fire).state == "suspected"


def test_a_backlog_of_yesterday_files_nothing(hub: Hub, clock: Clock) -> None:
    event = burns(hub, clock, seconds=1)
    at = clock.at
    clock.move(7200)
    camera(hub)
    (episode,) = rows(hub.config.database.url, "SELECT episode FROM detection")[0]
    late = detection(at=at, episode=str(episode), revision=3, phase=Phase.UPDATED, position=YARD)
    record(hub, late)
    assert fresh(hub, event).state == "suspected"


# trust -----------------------------------------------------------------------------------------


def test_ordinary_kinds_are_filed_once_the_stream_has_earned_it_and_lose_it_again(
    hub: Hub, clock: Clock, past: None
) -> None:
    judged_before(hub, 12)
    first = burns(hub, clock, kind="smoke")
    assert first.state == "suspected"
    assert why(hub, first) == "Not filed by itself: 12 of 30 verdicts, trust 0.76 < 0.90."

    clock.move(1200)
    camera(hub)
    judged_before(hub, 40)
    second = burns(hub, clock, kind="smoke")
    assert (second.state, second.confirmation) == ("filed", "pending")
    assert "verdicts" in why(hub, second)

    judge(hub, second, Verdict.FALSE_ALARM, reason="steam, dust or fog")
    for i in range(1, 4):
        clock.move(1200)
        camera(hub)
        judged_before(hub, 0, 3)
        third = burns(hub, clock, kind="smoke", at=north(YARD, 100 * i))
    assert third.state == "suspected"
    assert "trust 0." in why(hub, third)


def test_a_verdict_counts_for_each_stream_and_class_and_not_once_it_is_taken_back(
    hub: Hub, clock: Clock
) -> None:
    def judged() -> list[tuple[object, ...]]:
        return rows(
            hub.config.database.url, "SELECT kind, good FROM judged ORDER BY kind, stream, at"
        )

    fire = burns(hub, clock, seconds=1)
    burns(hub, clock, seconds=1, kind="smoke")
    judge(hub, fire, Verdict.REAL_BUT_NOT_ACTIONABLE, reason="barbecue")  # benign: no false alarm
    assert judged() == [("flame", True), ("smoke", True)]

    with hub.pool.connection() as conn:
        undo(conn, hub, fire.number, OPERATOR)
    assert judged() == []

    judge(hub, fire, Verdict.FALSE_ALARM, reason="vehicle lights")
    assert judged() == [("flame", False), ("smoke", False)]


def test_the_trust_table_says_what_was_earned_since_when(
    hub: Hub, clock: Clock, past: None
) -> None:
    judged_before(hub, 35)
    with hub.pool.connection() as conn:
        (row,) = trust_table(conn, hub)
        assert trust_table(conn, hub, "edge-1") == [row]
        assert trust_table(conn, hub, "edge-2") == []
    assert (row.of.kind, row.on, row.target) == ("smoke", True, 0.9)
    assert (row.trust.verdicts, row.trust.earned) == (35, True)
    assert row.trust.since == hub.now() - timedelta(minutes=1)


def test_the_desk_is_told_once_when_a_verdict_costs_a_stream_its_trust(
    hub: Hub, clock: Clock, past: None
) -> None:
    judged_before(hub, 35)
    told = "SELECT kind, role, title_en, title_zh FROM notice WHERE kind = 'trust_lost'"
    filed = burns(hub, clock, kind="smoke")
    judge(hub, filed, Verdict.CONFIRMED)
    assert rows(hub.config.database.url, told) == []  # as good as before

    clock.move(1200)
    camera(hub)
    for metres in (100, 200):  # the first costs it, the second finds nothing left to lose
        filed = burns(hub, clock, kind="smoke", at=north(YARD, metres))
        judge(hub, filed, Verdict.FALSE_ALARM, reason="steam, dust or fog")
    assert rows(hub.config.database.url, told) == [
        (
            "trust_lost",
            "dispatcher",
            "A camera no longer files by itself: Gate (smoke)",
            "摄像机不再自动立案：Gate (smoke)",
        )
    ]


# windows ---------------------------------------------------------------------------------------


def test_a_window_keeps_it_from_being_filed_until_its_time_is_over_and_the_event_says_so(
    hub: Hub, clock: Clock
) -> None:
    window(hub, hours=1)
    episode = episode_id()
    event = burns(hub, clock, episode=episode)
    assert event.state == "suspected"
    assert why(hub, event) == (
        "Would have been filed by itself; approved works by wang until 2026-11-24 17:00: welding."
    )

    clock.move(3600)  # nobody does anything
    camera(hub)
    again = detection(at=clock(), episode=episode, revision=3, phase=Phase.UPDATED, position=YARD)
    record(hub, again)
    assert fresh(hub, event).state == "filed"


def test_a_window_elsewhere_or_of_another_kind_or_ended_by_hand_covers_nothing(
    hub: Hub, clock: Clock
) -> None:
    window(hub, cells=(EAST,))
    window(hub, subcategory="smoke")
    window(hub, from_at=hub.now() + timedelta(hours=1))
    ended = window(hub, cells=(), agent="edge-1", stream="cam-01")
    with hub.pool.connection() as conn:
        end_window(conn, hub, ended, OPERATOR)

    assert burns(hub, clock).state == "filed"

    with hub.pool.connection() as conn, pytest.raises(ConflictError, match="ended by wang"):
        end_window(conn, hub, ended, OPERATOR)


def test_a_window_that_makes_no_sense_is_refused_by_field(hub: Hub, clock: Clock) -> None:
    def refused(field: str, **changes: Any) -> None:
        with pytest.raises(InvalidError) as caught:
            window(hub, **changes)
        assert caught.value.field == field

    refused("until_at", hours=-1)
    refused("until_at", hours=24 * 32)
    refused("cells", cells=())
    refused("cells", cells=("410105999999999",))
    refused("cells", agent="edge-1", stream="cam-01")
    refused("stream", cells=(), agent="edge-1", stream="nobody")
    refused("category", category="weather")
    refused("subcategory", category="urban_management", subcategory="smoke")
    refused("from_at", from_at=datetime(2026, 11, 24, 8))
    leader = Actor("li", Role.LEADER, cells=(EAST,))
    wanted = WantedWindow(WindowKind.SILENCE, clock() + timedelta(hours=1), "fair", cells=(WEST,))
    with hub.pool.connection() as conn, pytest.raises(ForbiddenError, match="not in"):
        make_window(conn, hub, wanted, leader)


def test_a_leader_ends_windows_within_their_own_cells_only(hub: Hub) -> None:
    id = window(hub)
    elsewhere, here = (Actor("li", Role.LEADER, cells=(c,)) for c in (EAST, WEST))
    with hub.pool.connection() as conn:
        with pytest.raises(ForbiddenError, match=f"not in {WEST}"):
            end_window(conn, hub, id, elsewhere)
        assert end_window(conn, hub, id, here).ended_by == "li"


# a person looks --------------------------------------------------------------------------------


def test_the_operator_endorses_what_was_filed_by_itself(hub: Hub, clock: Clock) -> None:
    brigade(hub)
    event = burns(hub, clock)
    endorsed = judge(hub, event, Verdict.CONFIRMED)
    assert (endorsed.state, endorsed.confirmation) == ("dispatched", "human")
    assert rows(hub.config.database.url, "SELECT good FROM judged") == [(True,)]


def test_a_rejection_recalls_it_from_everyone_who_was_told(hub: Hub, clock: Clock) -> None:
    brigade(hub)
    event = burns(hub, clock)
    recalled = judge(hub, event, Verdict.FALSE_ALARM, reason="sun, lamp or reflection")
    assert (recalled.state, recalled.reject_reason) == ("voided", "sun, lamp or reflection")
    assert history(hub, event)[-1].facts["given"]["told"] == ["brigade"]
    with hub.pool.connection() as conn:
        share_outbox(conn, hub)
    told = rows(hub.config.database.url, "SELECT kind, unit FROM notice WHERE unit IS NOT NULL")
    assert ("recalled", "brigade") in told
    assert ("auto_filed",) in rows(hub.config.database.url, "SELECT kind FROM notice")
    assert rows(hub.config.database.url, "SELECT good FROM judged") == [(False,)]


def test_nobody_but_the_rule_files_by_itself(hub: Hub, clock: Clock) -> None:
    event = burns(hub, clock, seconds=1)
    for actor, passed in ((OPERATOR, True), (Actor("x", Role.RULE), False)):
        act = Act("auto_file", policy_pass=passed)
        with hub.pool.connection() as conn, pytest.raises(NotAllowedError):
            act_on_event(conn, hub, event.number, act, actor, None)


def test_the_settings_say_what_is_on_and_refuse_what_makes_no_sense(tmp_path: Path) -> None:
    given = Path(__file__).parents[2] / "configs" / "categories.toml"
    categories = load_categories(given)
    on = {s.id for s in categories.subcategories.values() if categories.bar(s).on}
    assert on == {s.id for s in categories.subcategories.values() if s.severity == "S1"}

    text = given.read_text(encoding="utf-8")
    for wrong, told in (
        (text.replace("verdicts = 30", "verdicts = 10"), "verdicts"),
        (text.replace("window = 100", "window = 20"), "window"),
        (text.replace("reopen_h = 6, ", "reopen_h = 999, ", 1), "reopen_h"),
    ):
        (tmp_path / "c.toml").write_text(wrong, encoding="utf-8")
        with pytest.raises(ValueError, match=told):
            load_categories(tmp_path / "c.toml")
