"""Whoever has to know of a step is told of it: by name, once, and as long as they work here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.geometry import Point
from contract.taxonomy import Category
from hub.domain.actor import Actor, Role
from hub.domain.notice import PHRASES, NoticeKind
from hub.outward_settings import MailConfig
from hub.services.climb_ladder import climb_ladders
from hub.services.context import Hub
from hub.services.report_manually import ManualReport, report_manually
from hub.store import people
from hub.store.rows import GridEventRow
from tests.hub.builders import Clock, config, opened, rows
from tests.hub.cases import act, as_it_is, photo
from tests.hub.staff import DISTRICT, SECONDARY, WEST, found, hire, small_grid

PLACE = Point(113.605, 34.705)  # in WEST
CHEN = Actor("chen", Role.DISPATCHER)
HE = Actor("he", Role.MASTER)
SUN = Actor("sun", Role.SUPERVISOR)
LEADER = Actor("leader", Role.LEADER, (SECONDARY,))
OTHER = Actor("other", Role.LEADER, (SECONDARY,))
NEAR = Actor("near", Role.ASSISTANT, (WEST,))
OL = Actor("ol", Role.DEPT, unit="street")


@pytest.fixture
def hub(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Hub]:
    """A small district where everybody can be told, and mail is sent."""
    settings = replace(config(database_url, tmp_path), mail=MailConfig(host="mail.example"))
    with opened(settings, clock) as first, first.pool.connection() as conn:
        small_grid(conn)
        found(conn, "street", "water")
        hire(conn, "near", Role.ASSISTANT, WEST)
        hire(conn, "leader", Role.LEADER, SECONDARY)
        hire(conn, "other", Role.LEADER, SECONDARY)
        hire(conn, "chen", Role.DISPATCHER, None)
        hire(conn, "he", Role.MASTER, None)
        hire(conn, "sun", Role.SUPERVISOR, DISTRICT)
        hire(conn, "ol", Role.DEPT, None, unit="street")
        conn.execute("UPDATE person SET email = code || '@district.example'")
    with opened(settings, clock) as again:  # it reads the grid at its start
        yield again


def told(hub: Hub, kind: NoticeKind) -> list[tuple[object, ...]]:
    """(person or unit or role, title in English, in Chinese), as they were written."""
    return rows(
        hub.config.database.url,
        f"SELECT coalesce(person, unit, role), title_en, title_zh FROM notice "
        f"WHERE kind = '{kind}' ORDER BY id",
    )


def who(hub: Hub, kind: NoticeKind) -> list[object]:
    return [row[0] for row in told(hub, kind)]


def handled(hub: Hub, reporter: Actor = NEAR) -> GridEventRow:
    """Reported by the staff, and being handled by Ol of the unit street."""
    with hub.pool.connection() as conn:
        event = report_manually(
            conn, hub, ManualReport(reporter, "Rubbish", PLACE, Category.ENVIRONMENTAL_SAFETY)
        )
    act(hub, event, "file", CHEN)
    act(hub, event, "dispatch", CHEN, responsible_unit="street")
    return act(hub, event, "accept", OL)


def closed(hub: Hub, event: GridEventRow) -> GridEventRow:
    act(hub, event, "feedback", OL, evidence=(photo(hub),))
    act(hub, event, "start_check", LEADER)
    return act(hub, event, "check_pass", LEADER, closing_condition_met=True)


def leaves(hub: Hub, person: str) -> None:
    with hub.pool.connection() as conn:
        assert people.leave(conn, person, hub.now())


def test_whoever_may_decide_is_asked_and_whoever_asked_is_answered(hub: Hub) -> None:
    event = handled(hub)
    act(hub, event, "request_extension", OL, reason="a crane is needed")
    assert told(hub, NoticeKind.ASKED) == [
        ("chen", "Waits for your answer (more time): Rubbish", "待您审批（延期）：Rubbish"),
        ("he", "Waits for your answer (more time): Rubbish", "待您审批（延期）：Rubbish"),
    ]
    act(hub, event, "decide_extension", CHEN, granted=False, reason="there is one")
    assert told(hub, NoticeKind.ANSWERED) == [
        (
            "ol",
            "Your request was decided (more time: not granted): Rubbish",
            "申请已有结果（延期：不同意）：Rubbish",
        )
    ]


def test_a_suspension_is_asked_for_and_granted(hub: Hub, clock: Clock) -> None:
    event = handled(hub)
    until = datetime(2026, 12, 24, tzinfo=UTC)
    act(hub, event, "request_hang", OL, reason="frost", until=until)
    assert who(hub, NoticeKind.ASKED) == ["chen", "he"]
    act(hub, event, "suspend", HE, until=until)
    ((person, title, _),) = told(hub, NoticeKind.ANSWERED)
    assert (person, title) == ("ol", "Your request was decided (suspension: granted): Rubbish")


def test_an_answer_to_somebody_who_left_goes_to_their_unit(hub: Hub) -> None:
    event = handled(hub)
    act(hub, event, "request_extension", OL, reason="a crane is needed")
    leaves(hub, "ol")
    act(hub, event, "decide_extension", CHEN, granted=True)
    assert who(hub, NoticeKind.ANSWERED) == ["street"]


def test_an_appeal_passes_through_two_reviews_and_its_end_is_told(hub: Hub) -> None:
    event = closed(hub, handled(hub))
    act(hub, event, "appeal", OL, reason="the road was closed")
    assert who(hub, NoticeKind.ASKED) == ["chen", "he", "sun"]
    act(hub, event, "review_appeal", HE, granted=True)
    assert who(hub, NoticeKind.ASKED)[3:] == ["sun"]
    act(hub, event, "decide_appeal", SUN, granted=True)
    ((person, title, _),) = told(hub, NoticeKind.ANSWERED)
    assert (person, title) == ("ol", "Your request was decided (appeal: granted): Rubbish")


def test_who_proposes_a_forced_closing_hears_of_it_as_everybody_does(hub: Hub) -> None:
    event = handled(hub)
    act(hub, event, "propose_close", HE, reason="the street is gone")
    assert who(hub, NoticeKind.ASKED) == ["sun"]
    act(hub, event, "force_close", SUN, reason="the street is gone")
    assert sorted(map(str, who(hub, NoticeKind.CLOSED))) == ["he", "near", "ol"]


def test_who_had_a_hand_in_a_case_hears_that_it_is_closed_once(hub: Hub) -> None:
    event = handled(hub)
    act(hub, event, "add_cohandler", CHEN, unit="water", note="the drain")
    assert closed(hub, event).state == "closed"
    # the unit hears of it by Ol; the leader did it
    assert told(hub, NoticeKind.CLOSED) == [
        ("ol", "Closed: Rubbish", "已结案：Rubbish"),
        ("near", "Closed: Rubbish", "已结案：Rubbish"),
        ("water", "Closed: Rubbish", "已结案：Rubbish"),
    ]


def test_where_its_handler_left_the_unit_hears_that_a_case_is_closed(hub: Hub) -> None:
    event = handled(hub, reporter=OL)
    act(hub, event, "feedback", OL, evidence=(photo(hub),))
    leaves(hub, "ol")
    act(hub, event, "start_check", LEADER)
    act(hub, event, "check_pass", LEADER, closing_condition_met=True)
    assert who(hub, NoticeKind.CLOSED) == ["street"]


def test_what_is_over_wakes_nobody_however_grave_it_was(hub: Hub, clock: Clock) -> None:
    event = handled(hub)
    with hub.pool.connection() as conn:
        conn.execute("UPDATE grid_event SET severity = 'S2' WHERE id = %s", (event.id,))
    clock.at = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # 23:00 in the district
    act(hub, event, "request_extension", OL, reason="a crane is needed")
    closed(hub, event)
    waits = rows(
        hub.config.database.url,
        "SELECT DISTINCT n.kind, m.next_at FROM mail m JOIN notice n ON n.id = m.notice "
        "WHERE n.kind IN ('asked', 'closed') ORDER BY 1",
    )
    assert waits == [("asked", clock.at), ("closed", datetime(2026, 11, 24, 23, tzinfo=UTC))]


def test_the_ladder_tells_the_unit_of_a_handler_who_left(hub: Hub, clock: Clock) -> None:
    event = handled(hub)
    leaves(hub, "ol")
    half = as_it_is(hub, event).next_rung_at
    assert half is not None
    clock.at = half
    clock.move(1)
    with hub.pool.connection() as conn:
        assert climb_ladders(conn, hub) == 1
    assert who(hub, NoticeKind.HALF_TIME) == ["street"]


def test_the_ladder_tells_the_desk_where_whoever_checks_holds_no_post_any_more(
    hub: Hub, clock: Clock
) -> None:
    event = handled(hub)
    act(hub, event, "feedback", OL, evidence=(photo(hub),))
    act(hub, event, "start_check", CHEN, assignee="other")
    with hub.pool.connection() as conn:
        people.set_posts(conn, ["other"], [], clock())
    half = as_it_is(hub, event).next_rung_at
    assert half is not None
    clock.at = half
    clock.move(1)
    with hub.pool.connection() as conn:
        assert climb_ladders(conn, hub) == 1
    assert who(hub, NoticeKind.HALF_TIME) == ["chen"]


def test_every_kind_has_words_in_both_languages() -> None:
    assert list(PHRASES) == list(NoticeKind)
    assert all(words.en and words.zh for words in PHRASES.values())
