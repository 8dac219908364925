from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.errors import NotAllowedError
from hub.domain.guards import GUARDS, Facts
from hub.domain.lifecycle import (
    LIFECYCLE_FILE,
    Advance,
    EventState,
    LifecycleError,
    load_lifecycle,
    previous_state,
)

RAW: dict[str, Any] = yaml.safe_load(LIFECYCLE_FILE.read_text(encoding="utf-8"))
LIFECYCLE = load_lifecycle()
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FILED_STATES = {"dispatched", "disposing", "suspended", "disposed", "checking", "closed", "voided"}

GENEROUS = Facts(
    now=NOW,
    reason="smoke from a chimney",
    category=True,
    filing_condition="fire",
    closing_condition=True,
    evidence_viewed=True,
    evidence=("ab" * 32,),
    responsible_unit="Unit B",
    unit="Unit C",
    assignee="li",
    until=NOW + timedelta(hours=1),
    second_actor="second",
    reviewers_agree=True,
    policy_pass=True,
    parent="410105-20261124-00001",
    confirmation="pending",
    scene_clear=True,
    task_overdue=True,
    self_handle_allowed=True,
    machine_may_close=True,
    hang_requested=True,
    extension_asked_by="zhao",
    appealed_by="zhao",
    told=(),
    reopen_until=NOW + timedelta(days=1),
    same_place_and_group=True,
    last_actor="wang",
    last_at=NOW,
    last_is_latest=True,
    undo_to="suspected",
)
NOTHING = Facts(now=NOW, overdue=True, extension_count=2, appealed=True, handlers=frozenset({"li"}))


def _event(state: str | None) -> EventState:
    return EventState(state, previous="disposing", severity=Severity.S3)


def test_the_state_machine_has_the_states_transitions_and_verdicts_of_the_design() -> None:
    assert (len(LIFECYCLE.states), len(LIFECYCLE.transitions), len(LIFECYCLE.verdicts)) == (
        14,
        33,
        7,
    )
    assert set(LIFECYCLE.transitions) == {t["name"] for t in RAW["transitions"]}
    assert set(LIFECYCLE.acts) == {a["name"] for a in RAW["acts"]}


@pytest.mark.parametrize(
    "raw", [*RAW["transitions"], *RAW["acts"]], ids=lambda raw: str(raw["name"])
)
def test_each_step_goes_from_its_states_by_its_roles_and_no_other(raw: dict[str, Any]) -> None:
    sources = raw.get("from")
    for state in (None, *RAW["states"]):
        for role in Role:
            actor = Actor("wang", role)
            open_here = sources is None or state in sources or "*" in sources
            open_to = role in raw["by"] or "actor_of_last" in raw["by"]
            try:
                advance: Advance | None = LIFECYCLE.advance(
                    _event(state), raw["name"], actor, GENEROUS
                )
            except NotAllowedError:
                advance = None
            fixed = raw.get("to") not in (None, "same", "previous")
            if advance is not None:
                assert open_here
                assert open_to
                if fixed:
                    assert advance.to_state == raw["to"]
            elif fixed:
                assert not (open_here and open_to)


@pytest.mark.parametrize(
    "need", sorted({n for t in RAW["transitions"] for n in t.get("needs", [])})
)
def test_each_need_is_asked_and_named_when_it_is_missing(need: str) -> None:
    step = next(t for t in RAW["transitions"] if need in t.get("needs", []))
    role = next((r for r in ("li", *step["by"]) if r in set(Role)), "leader")
    actor = Actor("li", Role(role if role != "rule" else step["by"][-1]))
    facts = Facts(
        now=NOW,
        overdue=True,
        still_seen=True,
        handlers=frozenset({"li"}),
        assignee="li" if need == "checker_not_handler" else None,
        last_actor="li",
    )

    with pytest.raises(NotAllowedError) as caught:
        LIFECYCLE.advance(_event(next(iter(step["from"]))), step["name"], actor, facts)

    assert need in caught.value.missing
    assert str(caught.value).startswith(f"{step['name']} needs ")


def test_what_is_missing_is_told_in_words() -> None:
    with pytest.raises(NotAllowedError, match="confirm needs the evidence seen, or declared"):
        LIFECYCLE.advance(_event("suspected"), "confirm", Actor("li", Role.LEADER), NOTHING)
    with pytest.raises(NotAllowedError, match="not possible on an event that is closed"):
        LIFECYCLE.advance(_event("closed"), "dispatch", Actor("li", Role.LEADER), GENEROUS)
    with pytest.raises(NotAllowedError, match="not for the role citizen"):
        LIFECYCLE.advance(_event("filed"), "dispatch", Actor("li", Role.CITIZEN), GENEROUS)
    with pytest.raises(NotAllowedError, match="no transition or act 'explode'"):
        LIFECYCLE.advance(_event("filed"), "explode", Actor("li", Role.LEADER), GENEROUS)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted({*LIFECYCLE.transitions, *LIFECYCLE.acts})),
            st.sampled_from(list(Role)),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_on_every_walk_nothing_is_dispatched_or_closed_that_was_not_filed(
    steps: list[tuple[str, Role, bool]],
) -> None:
    event = EventState(None, severity=Severity.S3)
    visited: list[tuple[str, str]] = []
    states: list[str] = []
    for name, role, generous in steps:
        facts = GENEROUS if generous else NOTHING
        if name == "undo":
            continue  # undo restores a state that was reached before
        try:
            advance = LIFECYCLE.advance(event, name, Actor("wang", role), facts)
        except NotAllowedError:
            continue
        step = next(s for s in (*RAW["transitions"], *RAW["acts"]) if s["name"] == name)
        assert role in step["by"]
        assert step.get("from") is None or event.state in step["from"]
        assert generous or not step.get("needs")
        if advance.is_act:
            assert advance.to_state == event.state
        else:
            visited.append((name, advance.to_state))
            states.append(advance.to_state)
        if advance.to_state in FILED_STATES:
            assert "filed" in states
        flags = {**event.flags, **advance.changes}
        event = EventState(advance.to_state, previous_state(visited), Severity.S3, flags)
        assert int(flags.get("level", 1)) <= 3


def test_an_undo_takes_the_step_before_it_away() -> None:
    steps = [("accept", "disposing"), ("suspend", "suspended")]

    assert previous_state(steps) == "disposing"
    assert previous_state([*steps, ("force_close", "closed"), ("undo", "suspended")]) == "disposing"
    assert previous_state([*steps, ("endorse", "suspended")]) == "disposing"
    assert previous_state([("report", "reported")]) is None


def test_no_step_leads_back_to_a_merge_that_was_taken_back() -> None:
    steps = [("report", "reported"), ("send_verify", "verifying"), ("attach", "merged")]
    alone = [*steps, ("unmerge", "verifying")]

    assert previous_state(steps) == "verifying"
    assert previous_state(alone) == "reported"
    assert previous_state([*alone, ("undo", "merged")]) == "verifying"


def test_an_event_at_the_district_level_cannot_be_escalated_further() -> None:
    event = EventState("filed", flags={"level": 3})

    with pytest.raises(NotAllowedError, match="district's level already"):
        LIFECYCLE.advance(event, "escalate", Actor("li", Role.LEADER), GENEROUS)
    second = LIFECYCLE.advance(
        EventState("filed", flags={"level": 1}), "escalate", Actor("li", Role.LEADER), GENEROUS
    )
    assert second.changes == {"level": 2}


@pytest.mark.parametrize("severity", [Severity.S1, Severity.S2])
def test_a_rule_closes_neither_emergencies_nor_urgent_events(severity: Severity) -> None:
    with pytest.raises(NotAllowedError, match="a rule may close S3 and S4 only"):
        LIFECYCLE.advance(
            EventState("checking", severity=severity),
            "check_pass",
            Actor("rule", Role.RULE),
            GENEROUS,
        )


def test_a_checker_is_not_who_handled_it() -> None:
    facts = Facts(now=NOW, handlers=frozenset({"li"}), closing_condition=True)

    with pytest.raises(NotAllowedError, match="a checker who did not handle it"):
        LIFECYCLE.advance(_event("checking"), "check_pass", Actor("li", Role.LEADER), facts)
    passed = LIFECYCLE.advance(_event("checking"), "check_pass", Actor("he", Role.LEADER), facts)
    assert passed.to_state == "closed"


def test_a_verdict_on_what_is_filed_already_endorses_or_recalls() -> None:
    actions = {
        verdict: LIFECYCLE.verdict_action(verdict, "dispatched")
        for verdict in ("confirmed", "false_alarm", "duplicate")
    }

    assert actions == {"confirmed": "endorse", "false_alarm": "recall", "duplicate": "merge"}
    assert LIFECYCLE.verdict_action("other_kind", "suspected") == "confirm"
    with pytest.raises(NotAllowedError, match="no place on an event that is closed"):
        LIFECYCLE.verdict_action("confirmed", "closed")


def test_every_guard_is_used_and_none_is_unknown(tmp_path: Path) -> None:
    used = {n for s in (*RAW["transitions"], *RAW["acts"]) for n in s.get("needs", [])}
    assert used == set(GUARDS)

    broken = tmp_path / "lifecycle.yaml"
    text = LIFECYCLE_FILE.read_text(encoding="utf-8").replace("needs: [unit]", "needs: [moon]")
    broken.write_text(text, encoding="utf-8")
    with pytest.raises(LifecycleError, match="add_cohandler names unknown moon"):
        load_lifecycle(broken)
