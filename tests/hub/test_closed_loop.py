"""From a verdict to closing: every act leaves its history, and undo takes exactly it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import psycopg
import pytest

from contract.taxonomy import Category
from hub.domain.actor import Actor, Role
from hub.domain.errors import (
    ConflictError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
)
from hub.services.act_on_event import undo
from hub.services.context import Hub
from hub.services.event_history import verify_history
from hub.services.judge_detection import Judgement, Verdict
from hub.services.report_manually import ManualReport, report_manually
from hub.services.tune_threshold import tune_threshold
from hub.store import agents, events, views
from hub.store.rows import CommandRow, GridEventRow
from tests.hub.builders import SQUARE, Clock, manifest, rows, together
from tests.hub.cases import (
    CITIZEN,
    DEPT,
    DISPATCHER,
    LEADER,
    MASTER,
    OTHER_LEADER,
    SUPERVISOR,
    act,
    force_close,
    judge,
    photo,
    suspected,
)


def take_back(hub: Hub, event: GridEventRow, actor: Actor = DISPATCHER) -> GridEventRow:
    with hub.pool.connection() as conn:
        return undo(conn, hub, event.number, actor)


def names(hub: Hub, event: GridEventRow) -> list[str]:
    with hub.pool.connection() as conn:
        assert verify_history(conn, event.number) is None
        return [h.name for h in events.history(conn, event.id)]


CONFIRMED = Judgement(Verdict.CONFIRMED, evidence_viewed=True)


def test_a_fire_goes_from_suspected_to_closed(hub: Hub, clock: Clock) -> None:
    event = judge(hub, suspected(hub), CONFIRMED)
    assert (event.state, event.confirmation, event.filed_at) == ("filed", "human", clock())
    assert (event.ever_reported, event.filing_condition) == (True, "fire")
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")
    event = act(hub, event, "accept", DEPT)
    event = act(hub, event, "feedback", DEPT, evidence=(photo(hub),))
    event = act(hub, event, "start_check", LEADER)
    event = act(hub, event, "check_pass", LEADER, closing_condition_met=True)

    assert (event.state, event.ended_at, event.version) == ("closed", clock(), 7)
    assert names(hub, event) == [
        "ingest_detection",
        "confirm",
        "dispatch",
        "accept",
        "feedback",
        "start_check",
        "check_pass",
    ]
    assert rows(hub.config.database.url, "SELECT history_n FROM event_evidence") == [(5,)]


def test_who_handled_an_event_does_not_pass_its_check(hub: Hub) -> None:
    event = judge(hub, suspected(hub), CONFIRMED)
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="li")
    event = act(hub, event, "accept", LEADER)
    event = act(hub, event, "feedback", LEADER, evidence=(photo(hub),))
    with pytest.raises(NotAllowedError, match="start_check needs a checker who did not handle it"):
        act(hub, event, "start_check", LEADER)
    event = act(hub, event, "start_check", OTHER_LEADER)
    with pytest.raises(NotAllowedError, match="who did not handle it"):
        act(hub, event, "check_pass", LEADER, closing_condition_met=True)
    with pytest.raises(NotAllowedError, match="closing condition stated"):
        act(hub, event, "check_pass", OTHER_LEADER)
    failed = act(hub, event, "check_fail", OTHER_LEADER, reason="still smoking")
    assert (failed.state, failed.rework_count) == ("dispatched", 1)


@pytest.mark.parametrize(
    ("judgement", "state"),
    [
        (Judgement(Verdict.FALSE_ALARM, reason="steam"), "rejected"),
        (Judgement(Verdict.REAL_BUT_NOT_ACTIONABLE, reason="barbecue"), "rejected"),
        (Judgement(Verdict.REAL_BUT_AUTHORISED, reason="hot work"), "rejected"),
        (Judgement(Verdict.UNCLEAR, assignee="li"), "verifying"),
        (
            Judgement(Verdict.OTHER_KIND, evidence_viewed=True, subcategory="burning_rubbish"),
            "filed",
        ),
        (replace(CONFIRMED, evidence_viewed=False, evidence_missing=True), "filed"),
    ],
    ids=lambda x: str(getattr(x, "verdict", x)),
)
def test_each_verdict_becomes_its_transition_and_a_label(
    hub: Hub, judgement: Judgement, state: str
) -> None:
    event = judge(hub, suspected(hub), judgement)

    assert event.state == state
    with hub.pool.connection() as conn:
        standing = views.verdict(conn, event.id)
    assert standing is not None
    assert (standing.verdict, standing.reason, standing.history_n) == (
        judgement.verdict,
        judgement.reason,
        event.version,
    )
    if judgement.subcategory:
        assert (event.category, event.subcategory, event.severity) == (
            "environmental_safety",
            "burning_rubbish",
            "S2",
        )


def test_a_verdict_that_lacks_something_is_refused_and_changes_nothing(hub: Hub) -> None:
    event = suspected(hub)
    for judgement, error, message in (
        (Judgement(Verdict.CONFIRMED), NotAllowedError, "the evidence seen, or declared missing"),
        (Judgement(Verdict.FALSE_ALARM), NotAllowedError, "a reason for the rejection"),
        (Judgement(Verdict.UNCLEAR), NotAllowedError, "somebody who goes and looks"),
        (Judgement(Verdict.DUPLICATE), NotAllowedError, "the number of a live event"),
        (Judgement(Verdict.DUPLICATE, parent=event.number), InvalidError, "cannot join itself"),
        (Judgement(Verdict.DUPLICATE, parent="410105-x"), NotFoundError, "no grid event"),
        (Judgement(Verdict.OTHER_KIND, evidence_viewed=True), InvalidError, "other_kind needs"),
        (replace(CONFIRMED, subcategory="moon"), InvalidError, "no sub-category 'moon'"),
        (replace(CONFIRMED, filing_condition="moon"), NotAllowedError, "a filing condition"),
    ):
        with pytest.raises(error, match=message):
            judge(hub, event, judgement)
    assert names(hub, event) == ["ingest_detection"]
    assert rows(hub.config.database.url, "SELECT count(*) FROM verdict") == [(0,)]


def test_a_duplicate_is_merged_and_can_be_taken_apart_again(hub: Hub, clock: Clock) -> None:
    parent, child = suspected(hub), suspected(hub, 500)
    merged = judge(hub, child, Judgement(Verdict.DUPLICATE, parent=parent.number))
    assert (merged.state, merged.parent) == ("merged", parent.id)
    clock.move(60)

    apart = act(hub, merged, "unmerge", LEADER, reason="two fires after all")

    assert (apart.state, apart.parent, apart.ended_at) == ("suspected", None, None)
    again = judge(hub, apart, CONFIRMED)
    assert again.state == "filed"
    assert rows(
        hub.config.database.url, "SELECT verdict, undone_at IS NULL FROM verdict ORDER BY id"
    ) == [("duplicate", False), ("confirmed", True)]


def test_a_wrong_event_that_was_filed_is_recalled_by_the_verdict(hub: Hub) -> None:
    event = act(hub, suspected(hub), "auto_file", Actor("rule", Role.RULE), policy_pass=True)
    assert event.confirmation == "pending"
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")

    voided = judge(hub, event, Judgement(Verdict.FALSE_ALARM, reason="sunset"))

    assert (voided.state, voided.reject_reason) == ("voided", "sunset")
    other = act(hub, suspected(hub, 500), "auto_file", Actor("rule", Role.RULE), policy_pass=True)
    endorsed = judge(hub, other, CONFIRMED)
    assert (endorsed.state, endorsed.confirmation) == ("filed", "human")


def test_what_a_person_reported_is_filed_or_refused_not_judged(hub: Hub) -> None:
    with hub.pool.connection() as conn:
        event = report_manually(
            conn, hub, ManualReport(CITIZEN, "Fire", SQUARE, Category.FIRE_SAFETY)
        )
    with pytest.raises(InvalidError, match="file or refuse it"):
        judge(hub, event, CONFIRMED)

    event = act(hub, event, "send_verify", DISPATCHER, assignee="assistant-7")
    assert event.assignee == "assistant-7"
    assistant = Actor("assistant-7", Role.ASSISTANT)
    event = act(hub, event, "verified_exists", assistant, evidence=(photo(hub),))
    event = act(hub, event, "file", DISPATCHER)
    assert (event.state, event.assignee) == ("filed", None)


def test_whoever_saw_an_older_version_is_told_who_was_faster(hub: Hub, clock: Clock) -> None:
    seen = suspected(hub)
    judge(hub, seen, Judgement(Verdict.FALSE_ALARM, reason="steam"), seen.version)
    clock.move(3)

    with pytest.raises(ConflictError, match=r"wang did reject at .*nothing of yours was done") as c:
        judge(hub, seen, CONFIRMED, seen.version)

    assert (c.value.version, c.value.actor, c.value.action) == (2, "wang", "reject")


def test_of_many_who_decide_at_once_one_does(hub: Hub) -> None:
    event = suspected(hub)

    outcomes = together([lambda: judge(hub, event, CONFIRMED, event.version)] * 8)

    assert sorted(type(o).__name__ for o in outcomes) == ["ConflictError"] * 7 + ["GridEventRow"]
    assert names(hub, event) == ["ingest_detection", "confirm"]


def test_an_undo_within_thirty_seconds_restores_what_was_and_takes_the_verdict_back(
    hub: Hub, clock: Clock
) -> None:
    before = suspected(hub)
    other = Judgement(Verdict.OTHER_KIND, evidence_viewed=True, subcategory="burning_rubbish")
    judge(hub, before, other)
    clock.move(30)

    after = take_back(hub, before)

    assert after == replace(before, version=3)
    assert names(hub, before) == ["ingest_detection", "confirm", "undo"]
    assert rows(hub.config.database.url, "SELECT undone_at FROM verdict") == [(clock(),)]
    assert judge(hub, after, CONFIRMED).state == "filed"


def test_an_undo_is_for_who_did_it_in_time_and_once(hub: Hub, clock: Clock) -> None:
    event = judge(hub, suspected(hub), CONFIRMED)
    with pytest.raises(NotAllowedError, match="open to wang, who made the last change, not to li"):
        take_back(hub, event, LEADER)
    clock.move(31)
    with pytest.raises(NotAllowedError, match="within 30 s"):
        take_back(hub, event)
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")
    event = take_back(hub, event)
    assert (event.state, event.responsible_unit) == ("filed", None)
    with pytest.raises(NotAllowedError, match="nothing happened since"):
        take_back(hub, event)


def test_opening_an_event_cannot_be_undone(hub: Hub) -> None:
    with hub.pool.connection() as conn:
        event = report_manually(
            conn, hub, ManualReport(DISPATCHER, "Fire", SQUARE, Category.FIRE_SAFETY)
        )

    with pytest.raises(NotAllowedError, match="something to take back"):
        take_back(hub, event)


def test_an_undo_of_a_confirmation_keeps_that_a_person_reported_it_since(
    hub: Hub, clock: Clock
) -> None:
    event = judge(hub, suspected(hub), CONFIRMED)
    clock.move(5)
    with hub.pool.connection() as conn:
        report_manually(conn, hub, ManualReport(CITIZEN, "Fire", SQUARE, Category.FIRE_SAFETY))

    event = take_back(hub, event)

    assert (event.state, event.urgent, event.ever_reported) == ("suspected", True, True)


def test_a_suspended_case_resumes_where_it_was(hub: Hub, clock: Clock) -> None:
    event = judge(hub, suspected(hub), CONFIRMED)
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")
    event = act(hub, event, "accept", DEPT)
    until = clock() + timedelta(days=3)
    with pytest.raises(NotAllowedError, match="a request to hang it"):
        act(hub, event, "suspend", MASTER, until=until)
    event = act(hub, event, "request_hang", DEPT, reason="waits for parts", until=until)
    assert event.state == "disposing"
    event = act(hub, event, "suspend", MASTER, until=until)
    event = force_close(hub, event, "dispute")
    assert event.forced
    event = take_back(hub, event, SUPERVISOR)
    assert (event.state, event.forced, event.ended_at) == ("suspended", False, None)

    assert act(hub, event, "resume", MASTER).state == "disposing"


def test_acts_change_flags_not_the_state(hub: Hub) -> None:
    event = judge(hub, suspected(hub), CONFIRMED)
    event = act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")
    event = act(hub, event, "comment", LEADER, note="on my way")
    event = act(hub, event, "supervise", SUPERVISOR)
    for extension in (1, 2):
        event = act(hub, event, "request_extension", DEPT, reason="rain")
        refused = act(hub, event, "decide_extension", DISPATCHER, granted=False)
        assert refused.extension_count == extension - 1
        event = act(hub, event, "request_extension", DEPT, reason="still rain")
        event = act(hub, event, "decide_extension", DISPATCHER, granted=True)
        assert event.extension_count == extension
    with pytest.raises(NotAllowedError, match="fewer than two extensions"):
        act(hub, event, "request_extension", DEPT, reason="rain")
    with pytest.raises(NotAllowedError, match="a request for an extension that waits"):
        act(hub, event, "decide_extension", DISPATCHER, granted=True)
    with pytest.raises(InvalidError, match="whether it is granted"):
        act(hub, event, "decide_extension", DISPATCHER)
    assert (event.state, event.supervised) == ("dispatched", True)
    event = act(hub, event, "recall", SUPERVISOR, reason="wrong place")
    event = act(hub, event, "reopen", SUPERVISOR, reason="right place after all")
    assert (event.state, event.reopened_count, event.reject_reason) == ("filed", 1, None)


def test_the_citizen_rates_and_the_department_appeals_once(hub: Hub, clock: Clock) -> None:
    event = judge(hub, suspected(hub), CONFIRMED)
    event = force_close(hub, event, "settled otherwise")
    with pytest.raises(InvalidError, match="1 to 5"):
        act(hub, event, "rate", CITIZEN, satisfaction=9)
    event = act(hub, event, "rate", CITIZEN, satisfaction=2)
    event = act(hub, event, "appeal", DEPT, reason="not ours")
    with pytest.raises(NotAllowedError, match="first appeal"):
        act(hub, event, "appeal", DEPT, reason="not ours")
    act(hub, event, "review_appeal", MASTER, granted=True)
    event = act(hub, event, "decide_appeal", SUPERVISOR, granted=True)
    assert (event.state, event.satisfaction, event.exempt) == ("closed", 2, True)
    clock.move(16 * 86_400)
    with pytest.raises(NotAllowedError, match="within the time in which it can be reopened"):
        act(hub, event, "reopen", SUPERVISOR, reason="again")


def test_an_altered_history_shows_and_so_does_one_cut_short(hub: Hub) -> None:
    event = judge(hub, suspected(hub), CONFIRMED)
    url = hub.config.database.url

    def tamper(statement: str) -> int | None:
        with psycopg.connect(url) as conn:
            conn.execute("ALTER TABLE grid_event_history DISABLE TRIGGER USER")
            conn.execute(statement.encode())
            found = verify_history(conn, event.number)
            conn.rollback()
            return found

    assert tamper("UPDATE grid_event_history SET actor = 'nobody' WHERE n = 2") == 2
    assert tamper("UPDATE grid_event_history SET at = at + interval '1 us' WHERE n = 1") == 1
    assert tamper("DELETE FROM grid_event_history WHERE n = 2") == 2
    assert tamper("DELETE FROM grid_event_history WHERE n = 1") == 1
    assert tamper("SELECT 1") is None


def _born(hub: Hub) -> None:
    with hub.pool.connection() as conn:
        agents.enrol(conn, {"edge-1": "demo"})
        born = manifest("b1")
        agents.bear(
            conn,
            "edge-1",
            boot="b1",
            born_at=born.published_at,
            seen_at=hub.now(),
            manifest=_as_json(born),
        )


def _as_json(born: object) -> dict[str, object]:
    return msgspec.json.decode(msgspec.json.encode(born), type=dict[str, object])


def tune(
    hub: Hub, changes: dict[str, object], stream: str = "cam-01", kind: str = "flame"
) -> CommandRow:
    with hub.pool.connection() as conn:
        return tune_threshold(conn, hub, "edge-1", stream, kind, changes, DISPATCHER, "too many")


def test_each_tuning_is_a_complete_command_of_the_next_version(hub: Hub) -> None:
    _born(hub)

    assert tune(hub, {"threshold": 0.7}).parameters == {"cam-01": {"flame": {"threshold": 0.7}}}
    second = tune(hub, {"k": 4})
    assert (second.version, second.parameters) == (
        2,
        {"cam-01": {"flame": {"threshold": 0.7, "k": 4}}},
    )
    third = tune(hub, {"threshold": None, "k": None})
    assert (third.version, third.parameters, third.issued_by) == (3, {}, "wang")


def test_a_tuning_that_the_manifest_does_not_allow_says_what_it_takes(hub: Hub) -> None:
    _born(hub)

    with pytest.raises(InvalidError, match=r"threshold: 7 is greater.*it takes 0.05 to 1.0"):
        tune(hub, {"threshold": 7})
    with pytest.raises(InvalidError, match=r"no parameter 'treshold' \(it has: k, threshold\)"):
        tune(hub, {"treshold": 0.5})
    with pytest.raises(InvalidError, match="no parameter is changed"):
        tune(hub, {})
    with pytest.raises(InvalidError, match="is not of type 'integer'"):
        tune(hub, {"k": "many"})
    with pytest.raises(NotFoundError, match="no stream 'cam-99'"):
        tune(hub, {"k": 1}, stream="cam-99")
    with pytest.raises(NotFoundError, match="no detector 'smoke on cam-01'"):
        tune(hub, {"k": 1}, kind="smoke")


def test_tunings_at_once_take_versions_one_after_another(hub: Hub) -> None:
    _born(hub)

    tuned = together([lambda: tune(hub, {"threshold": 0.7})] * 6)

    assert sorted(t.version for t in tuned if isinstance(t, CommandRow)) == [1, 2, 3, 4, 5, 6]
