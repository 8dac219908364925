"""People are told: once for each event, kind and person; mail keeps quiet hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from contract.taxonomy import Category, Severity
from hub.domain.actor import Actor, Role
from hub.domain.notice import NoticeKind
from hub.domain.quiet import QuietHours, may_ring_at
from hub.outward_settings import MailConfig
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.outward.share_outbox import share_outbox
from hub.services.outward.tell import tell
from hub.services.report_manually import ManualReport, report_manually
from hub.store import notices
from hub.store.notices import PreferenceRow
from hub.store.rows import GridEventRow
from tests.hub.builders import SQUARE, Clock, config, opened, rows

SHANGHAI = ZoneInfo("Asia/Shanghai")
DISPATCHER = Actor("operator", Role.DISPATCHER)


@dataclass(frozen=True, slots=True)
class Person:
    code: str
    email: str | None = None
    language: str = "zh"


LI = Person("P1001", "li@district.example")
WANG = Person("P1002")


def an_event(hub: Hub, severity: Severity = Severity.S3) -> GridEventRow:
    with hub.pool.connection() as conn:
        return report_manually(
            conn,
            hub,
            ManualReport(
                DISPATCHER, "Rubbish", SQUARE, Category.URBAN_MANAGEMENT, severity=severity
            ),
        )


def test_a_person_is_told_once_of_an_event_and_a_kind(hub: Hub) -> None:
    event = an_event(hub)
    with hub.pool.connection() as conn:
        first = tell(conn, hub, NoticeKind.SUPERVISION, event, [LI, WANG, LI])
        again = tell(conn, hub, NoticeKind.SUPERVISION, event, [LI, WANG])
        later = tell(conn, hub, NoticeKind.SUPERVISION, event, [LI], occasion="check")
        theirs = notices.inbox(conn, Actor("P1001", Role.LEADER), None, 10)
    assert (first, again, later) == (2, 0, 1)
    assert [n.title_en for n in theirs] == ["Overdue, under supervision: Rubbish"] * 2
    assert {n.number for n in theirs} == {event.number}


def test_what_is_told_to_nobody_by_name_reaches_the_dispatchers(hub: Hub) -> None:
    with hub.pool.connection() as conn:
        tell(conn, hub, NoticeKind.NEARLY_DUE, an_event(hub))
        assert notices.unread(conn, DISPATCHER, 99) == 1
        assert notices.unread(conn, Actor("x", Role.ASSISTANT), 99) == 0


def test_a_notice_of_a_rolled_back_step_is_never_there(hub: Hub) -> None:
    event = an_event(hub)
    with hub.pool.connection() as conn, conn.transaction(force_rollback=True):
        assert tell(conn, hub, NoticeKind.RECALLED, event, [LI]) == 1
    assert rows(hub.config.database.url, "SELECT count(*) FROM notice") == [(0,)]


def test_read_notices_no_longer_count(hub: Hub) -> None:
    li = Actor("P1001", Role.LEADER)
    with hub.pool.connection() as conn:
        tell(conn, hub, NoticeKind.TASK, an_event(hub), [LI])
        assert notices.read(conn, li, None, hub.now()) == 1
        assert notices.unread(conn, li, 99) == 0
        assert notices.read(conn, li, None, hub.now()) == 0


def test_old_notices_and_their_mail_are_forgotten_but_those_of_an_open_case(hub: Hub) -> None:
    with hub.pool.connection() as conn:
        tell(conn, hub, NoticeKind.SUPERVISION, an_event(hub), [LI])
        tell(conn, hub, NoticeKind.RECEIVER_DOWN, None, [LI, WANG], subject="city")
        conn.execute(
            """
            INSERT INTO mail (person, address, language, state, queued_at, next_at, ended_at)
            VALUES ('P1001', 'a', 'zh', 'sent', %(at)s, %(at)s, %(at)s)
            """,
            {"at": hub.now()},
        )
        conn.execute(
            """
            INSERT INTO mail (notice, person, address, language, state, folded_into, queued_at,
                next_at, ended_at)
            SELECT n.id, 'P1001', 'a', 'zh', 'folded', m.id, n.at, n.at, n.at
            FROM notice n, mail m WHERE n.kind = 'receiver_down' AND n.person = 'P1001'
            """
        )
        conn.execute(
            """
            INSERT INTO mail (notice, person, address, language, queued_at, next_at)
            SELECT id, person, 'b', 'zh', at, at FROM notice
            WHERE kind = 'receiver_down' AND person = 'P1002'
            """
        )
        assert notices.drop_before(conn, hub.now(), 99) == 0
        assert notices.drop_before(conn, hub.now() + timedelta(days=1), 99) == 1
    kept = "SELECT kind, person FROM notice ORDER BY kind"
    assert rows(hub.config.database.url, kept) == [
        ("receiver_down", "P1002"),  # its mail still waits
        ("supervision", "P1001"),
    ]
    assert rows(hub.config.database.url, "SELECT address FROM mail") == [("b",)]


@pytest.mark.parametrize(
    ("now", "severity", "rings"),
    [
        ("2026-11-24T22:00", Severity.S3, "2026-11-25T07:00"),
        ("2026-11-25T06:59", Severity.S3, "2026-11-25T07:00"),
        ("2026-11-25T07:00", Severity.S3, "2026-11-25T07:00"),
        ("2026-11-24T21:59", Severity.S4, "2026-11-24T21:59"),
        ("2026-11-24T23:00", Severity.S1, "2026-11-24T23:00"),
        ("2026-11-24T23:00", Severity.S2, "2026-11-24T23:00"),
        ("2026-11-24T23:00", None, "2026-11-25T07:00"),
    ],
)
def test_a_notice_rings_when_the_quiet_hours_are_over(
    now: str, severity: Severity | None, rings: str
) -> None:
    quiet = QuietHours(time(22), time(7))
    at = datetime.fromisoformat(now).replace(tzinfo=SHANGHAI).astimezone(UTC)
    then = datetime.fromisoformat(rings).replace(tzinfo=SHANGHAI)
    assert may_ring_at(at, quiet, SHANGHAI, severity) == then


def test_quiet_hours_may_lie_within_a_day_or_not_be_at_all() -> None:
    noon = QuietHours(time(12), time(14))
    assert [noon.covers(time(h)) for h in (11, 12, 13, 14)] == [False, True, True, False]
    assert not QuietHours(time(7), time(7)).covers(time(7))


def test_mail_waits_as_the_person_wishes(database_url: str, tmp_path: Path, clock: Clock) -> None:
    settings = replace(config(database_url, tmp_path), mail=MailConfig(host="mail.example"))
    clock.at = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # 23:00 in the district
    awake = PreferenceRow("P1003", True, time(0), time(0), ["half_time"])
    off = PreferenceRow("P1004", False, time(0), time(0), [])
    people = [LI, WANG, Person("P1003", "c@d.example"), Person("P1004", "e@d.example", "en")]
    with opened(settings, clock) as hub, hub.pool.connection() as conn:
        notices.prefer(conn, awake)
        notices.prefer(conn, off)
        event = an_event(hub)
        tell(conn, hub, NoticeKind.SUPERVISION, event, people)
        tell(conn, hub, NoticeKind.HALF_TIME, event, people[2:])
        queued = conn.execute("SELECT person, next_at FROM mail ORDER BY person").fetchall()
    assert queued == [
        ("P1001", datetime(2026, 11, 24, 23, 0, tzinfo=UTC)),  # 07:00
        ("P1003", clock.at),
    ]


def test_each_step_of_an_event_leaves_one_row_in_the_outbox(hub: Hub) -> None:
    event = an_event(hub)
    again = an_event(hub)  # joins it
    found = rows(
        hub.config.database.url,
        "SELECT n, name, data->>'number', data->>'state', (data->>'urgent')::boolean FROM outbox "
        "ORDER BY id",
    )
    assert again.number == event.number
    assert found == [
        (1, "report", event.number, "reported", False),
        (2, "join_report", event.number, "reported", True),
    ]


def test_what_is_grave_and_undecided_is_told_to_the_desk_once(hub: Hub) -> None:
    event = an_event(hub, Severity.S2)
    an_event(hub, Severity.S2)  # a second report joins it
    with hub.pool.connection() as conn:
        share_outbox(conn, hub)
        told = [(n.kind, n.number) for n in notices.inbox(conn, DISPATCHER, None, 9)]
    assert told == [("urgent", event.number)]


def test_work_is_told_to_the_unit_it_was_dispatched_to(hub: Hub) -> None:
    event = an_event(hub)
    with hub.pool.connection() as conn:
        for act in (Act("file"), Act("dispatch", responsible_unit="clean")):
            act_on_event(conn, hub, event.number, act, DISPATCHER, None)
        share_outbox(conn, hub)
        theirs = notices.inbox(conn, Actor("Wu", Role.DEPT, unit="clean"), None, 9)
        others = notices.inbox(conn, Actor("Xu", Role.DEPT, unit="fire"), None, 9)
    assert ([n.kind for n in theirs], others) == (["dispatched"], [])
