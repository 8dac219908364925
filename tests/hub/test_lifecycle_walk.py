"""Random walks of the real services over a real database, against the test's own lifecycle.yaml.

What the file allows happens, what it does not is refused, and the history tells it all.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from hub.domain.actor import Actor, Role
from hub.domain.errors import NotAllowedError
from hub.domain.lifecycle import LIFECYCLE_FILE
from hub.services.context import Hub
from hub.services.event_history import verify_history
from hub.store import events
from hub.store.rows import GridEventRow
from tests.hub.builders import Clock
from tests.hub.cases import act, as_it_is, photo, reported, suspected

RAW: dict[str, Any] = yaml.safe_load(LIFECYCLE_FILE.read_text(encoding="utf-8"))
TRANSITIONS = {t["name"]: t for t in RAW["transitions"]}
ACTS = {a["name"]: a for a in RAW["acts"] if not a["name"].endswith("_evidence")}
STEPS = TRANSITIONS | ACTS
ROLES = RAW["roles"]
WAITS = (0, 0, 5, 40, 4000)  # seconds
UNFILED = {"suspected", "reported", "verifying", "rejected", "merged", "lapsed"}
ENDS = {"terminal": True}
HANDLING = ("accept", "feedback", "self_handle")


@dataclass
class Columns:
    """What an undo restores."""

    state: str
    confirmation: str = "none"
    level: int = 1
    unit: bool = False
    rework_count: int = 0
    reopened_count: int = 0


@dataclass
class Model:
    """The event as the test's own reading of the file has it."""

    now: Columns
    machine: bool  # a fire that a camera saw; otherwise rubbish that a citizen reported
    before: list[Columns] = field(default_factory=list)  # of each standing transition
    trail: list[str] = field(default_factory=list)  # states of the standing transitions
    trails: list[list[str]] = field(default_factory=list)  # before each of them
    said: list[tuple[str, str, datetime]] = field(default_factory=list)  # name, actor, at
    extension_count: int = 0

    def transitions(self) -> list[tuple[str, str, datetime]]:
        return [s for s in self.said if s[0] in TRANSITIONS]

    def since(self, *names: str) -> list[tuple[str, str, datetime]]:
        last = max((i + 1 for i, s in enumerate(self.said) if s[0] in names), default=0)
        return self.said[last:]

    def waiting(self, entries: list[tuple[str, str, datetime]], asked: str, decided: str) -> bool:
        last = next((s[0] for s in reversed(entries) if s[0] in (asked, decided)), None)
        return last == asked

    def last_by(self, name: str, *over: str) -> str | None:
        """Who did it last, unless one of `over` was done since."""
        last = next((s for s in reversed(self.said) if s[0] in (name, *over)), None)
        return last[1] if last is not None and last[0] == name else None

    def previous(self) -> str | None:
        return next((s for s in reversed(self.trail) if s != self.trail[-1]), None)


class Walk(RuleBasedStateMachine):
    """One event, walked by everybody."""

    hub: Hub
    clock: Clock
    photo: str
    parent: str
    metres = 20_000.0

    @initialize(machine=st.booleans())
    def begin(self, machine: bool) -> None:
        Walk.metres += 1000.0
        event = (
            suspected(self.hub, self.metres) if machine else reported(self.hub, metres=self.metres)
        )
        self.id = event.id
        self.model = Model(Columns(event.state), machine)
        self.model.trails.append([])
        self.model.trail.append(event.state)
        self.model.before.append(self.model.now)
        with self.hub.pool.connection() as conn:
            (first,) = events.history(conn, event.id)
        self.model.said.append((first.name, first.actor, first.at))

    @rule(seed=st.integers(0, 2**32))
    def walk(self, seed: int) -> None:
        chance = Random(seed)
        for _ in range(6):
            self._step(chance)
            self.the_event_is_as_the_file_says()

    def _step(self, chance: Random) -> None:
        model = self.model
        generous = chance.random() < 0.85
        self.clock.move(chance.choice(WAITS))
        open_here = [n for n, s in STEPS.items() if _goes_from(s, model.now.state)]
        strange = chance.random() < 0.1
        name = chance.choice(list(STEPS) if strange else _weighed(open_here))
        raw = STEPS[name]
        by = [r for r in raw["by"] if r in ROLES]
        role = Role(chance.choice(ROLES if not by or chance.random() < 0.1 else by))
        actor = Actor(f"{role}-1", role)
        if name == "undo" and not strange:
            _, who, _ = model.transitions()[-1]
            actor = Actor(who, role)
        before = as_it_is(self.hub, self._row())
        allowed = self._allowed(name, raw, actor, before, generous)
        try:
            after = act(self.hub, before, name, actor, **self._given(name, generous))
        except NotAllowedError:
            after = as_it_is(self.hub, before)
        assert (after.version == before.version + 1) is allowed, f"{name} by {role}"
        if allowed:
            self._follow(name, raw, actor)
        else:
            assert after == before

    def the_event_is_as_the_file_says(self) -> None:
        event, now = as_it_is(self.hub, self._row()), self.model.now
        assert (event.state, event.confirmation, event.level) == (
            now.state,
            now.confirmation,
            now.level,
        )
        assert (event.rework_count, event.reopened_count, event.extension_count) == (
            now.rework_count,
            now.reopened_count,
            self.model.extension_count,
        )
        assert (event.ended_at is not None) is RAW["states"][event.state]["terminal"]
        if event.state not in UNFILED:
            assert "filed" in self.model.trail
            assert event.filed_at is not None
        assert event.due_at is None or event.ended_at is None

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        event = self._row()
        with self.hub.pool.connection() as conn:
            assert verify_history(conn, event.number) is None
            told = [(h.name, h.actor, h.at) for h in events.history(conn, event.id)]
        assert told == self.model.said

    def _row(self) -> GridEventRow:
        with self.hub.pool.connection() as conn:
            event = events.by_id(conn, self.id)
        assert event is not None
        return event

    def _given(self, name: str, generous: bool) -> dict[str, object]:
        always: dict[str, object] = {
            "granted": True,
            "satisfaction": 3,
            "report": 1 if name == "take_down_comment" else None,
        }
        if not generous:
            return always
        return always | {
            "reason": "because",
            "evidence_viewed": True,
            "closing_condition_met": True,
            "responsible_unit": "unit-b",
            "unit": "unit-c",
            "assignee": None if name == "check_pass" else "somebody",
            "parent": self.parent if name in ("attach", "merge") else None,
            "until": self.clock() + timedelta(hours=1),
            "evidence": (self.photo,),
            "policy_pass": True,
            "same_place_and_group": True,
        }

    def _allowed(
        self, name: str, raw: dict[str, Any], actor: Actor, event: GridEventRow, generous: bool
    ) -> bool:
        model = self.model
        if not _goes_from(raw, model.now.state):
            return False
        _, last_actor, _ = model.transitions()[-1]
        if "actor_of_last" in raw["by"]:
            if actor.name != last_actor:
                return False
        elif actor.role not in raw["by"]:
            return False
        if name == "check_pass" and actor.role is Role.RULE and model.machine:
            return False  # a fire is S1; rubbish is S3 of a category that lets a rule close it
        if name == "escalate" and model.now.level == 3:
            return False
        if raw.get("to") == "previous" and name != "undo" and model.previous() is None:
            return False
        return all(self._met(need, name, actor, event, generous) for need in raw.get("needs", ()))

    def _met(self, need: str, name: str, actor: Actor, event: GridEventRow, generous: bool) -> bool:
        model, now = self.model, self.clock()
        last_name, _, last_at = model.transitions()[-1]
        match need:
            case "category" | "filing_condition" | "notify_all":
                return True
            case "within_reopen_window" | "decider_did_not_ask":
                return True  # a walk lasts no 15 days; nobody here has two roles
            case "scene_clear_for_T":
                return False
            case "confirmation_pending":
                return model.now.confirmation == "pending"
            case "task_overdue":
                sent = next(s for s in reversed(model.said) if s[0] == "send_verify")
                return now > sent[2] + timedelta(hours=1)
            case "self_handle_allowed":
                return not model.machine
            case "responsible_unit":
                return generous or model.now.unit
            case "approved_request":
                return any(s[0] == "request_hang" for s in model.since("dispatch", "resume"))
            case "checker_not_handler":
                handlers = {s[1] for s in model.since("dispatch") if s[0] in HANDLING}
                if name == "start_check" and generous:
                    return True
                return actor.role is Role.RULE or actor.name not in handlers
            case "within_30s":
                return now - last_at <= timedelta(seconds=30)
            case "no_later_transition_or_verdict":
                return last_name not in ("undo", "report", "ingest_detection")
            case "not_overdue":
                return event.due_at is None or now <= event.due_at
            case "extension_count_below_2":
                return model.extension_count < 2
            case "open_extension_request":
                asked = model.since("dispatch", "check_fail", "reopen")
                return model.waiting(asked, "request_extension", "decide_extension")
            case "first_appeal":
                return not any(s[0] == "appeal" for s in model.said)
            case "open_appeal":
                return model.waiting(model.said, "appeal", "decide_appeal")
            case "did_not_appeal":
                return model.last_by("appeal") != actor.name
            case "four_eyes":
                return model.last_by("propose_close", *TRANSITIONS) not in (None, actor.name)
            case "two_reviewers":
                reviewer = model.last_by("review_appeal", "appeal")
                two = reviewer not in (None, actor.name)
                return two and model.last_by("appeal") not in (reviewer, actor.name)
            case "reviewers_agree":
                return model.last_by("review_appeal", "appeal") is not None
            case "part_to_do":
                return generous and model.waiting(model.said, "add_cohandler", "finish_part")
            case _:
                return generous

    def _follow(self, name: str, raw: dict[str, Any], actor: Actor) -> None:
        model = self.model
        if name in ACTS:
            model.extension_count += name == "decide_extension"
        elif name == "undo":
            model.trail = model.trails.pop()
            model.now = model.before.pop()
        else:
            model.before.append(model.now)
            model.trails.append(list(model.trail))
            target = {"same": model.now.state, "previous": model.previous()}.get(
                raw["to"], raw["to"]
            )
            model.now = copy.copy(model.now)
            model.now.state = str(target)
            if name == "unmerge":  # as if it had not been merged
                model.trail.pop()
            else:
                model.trail.append(model.now.state)
            for text in raw.get("sets", ()):
                flag, _, value = text.partition("=") if "=" in text else text.partition("+")
                if hasattr(model.now, flag):
                    old = getattr(model.now, flag)
                    setattr(model.now, flag, value if "=" in text else old + int(value))
            if name in ("dispatch", "self_handle"):
                model.now.unit = True
            elif name in ("return_unit", "escalate", "reopen", "recur"):
                model.now.unit = False
        model.said.append((name, actor.name, self.clock()))


def _weighed(names: list[str]) -> list[str]:
    """More of what leads on than of what ends a walk or leaves it where it is."""
    heavy = [n for n in names if not RAW["states"].get(STEPS[n].get("to"), ENDS)["terminal"]]
    asked = [n for n in names if n.startswith(("request_", "decide_"))]
    return [*names, *heavy * 5, *asked * 4]


def _goes_from(raw: dict[str, Any], state: str) -> bool:
    sources = raw.get("from")
    return sources is None or "*" in sources or state in sources


def test_every_walk_is_as_the_file_says(hub: Hub, clock: Clock) -> None:
    Walk.hub, Walk.clock, Walk.photo = hub, clock, photo(hub)
    Walk.parent = reported(hub, "petition", 90_000).number

    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=6,
            stateful_step_count=12,
            deadline=None,
            phases=(Phase.generate,),  # a walk is drawn from seeds, which shrink to nothing simpler
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_case_that_was_merged_and_is_alone_again_goes_back_to_where_it_came_from(
    hub: Hub, clock: Clock
) -> None:
    parent, event = reported(hub, "petition", 90_000), reported(hub, metres=21_000.0)
    desk, rule = Actor("dispatcher-1", Role.DISPATCHER), Actor("rule-1", Role.RULE)
    steps: list[tuple[str, Actor, dict[str, object]]] = [
        ("send_verify", desk, {"assignee": "somebody"}),
        ("attach", desk, {"parent": parent.number}),
        ("comment", desk, {"reason": "because", "note": "the same?"}),
        ("unmerge", desk, {"reason": "another bin"}),
    ]
    for name, actor, given in steps:
        event = act(hub, event, name, actor, **given)
    assert event.state == "verifying"
    clock.move(4000)
    assert act(hub, event, "verify_expired", rule).state == "reported"
