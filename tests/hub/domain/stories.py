"""Histories to test with, written as stories; every step is checked against the lifecycle."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import hub.domain
from contract.taxonomy import Category, Severity
from hub.domain.actor import Role
from hub.domain.case_facts import Case, CaseFacts, facts_of
from hub.domain.case_history import ACTS, Entry
from hub.domain.deadline import Limit
from hub.domain.stages import Limits, Stage
from tests.hub.domain.clock_cases import shanghai

LIMITS: Limits = {
    Stage.ACCEPT: Limit.parse("15 minutes"),
    Stage.DISPATCH: Limit.parse("30 minutes"),
    Stage.DISPOSE: Limit.parse("4 work hours"),
    Stage.CHECK: Limit.parse("2 work hours"),
    Stage.TOTAL: Limit.parse("1 work day"),
}
CELL = "410105001002003"


@cache
def lifecycle() -> dict[str, Any]:
    """The state machine as data."""
    text = Path(hub.domain.__file__).with_name("lifecycle.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


@cache
def _transitions() -> dict[str, dict[str, Any]]:
    return {t["name"]: t for t in lifecycle()["transitions"]}


class Story:
    """What happens to one case, step by step; `after` moves the time on."""

    def __init__(self, start: datetime, number: str = "410105-20250905-00001") -> None:
        self.now = start
        self.number = number
        self.entries: list[Entry] = []
        self.states: list[str] = []

    def after(self, **passed: float) -> Story:
        """Let time pass: after(minutes=5)."""
        self.now += timedelta(**passed)
        return self

    def do(self, name: str, role: Role, actor: str = "", **said: Any) -> Story:
        """Take a step that the lifecycle allows from where the case is."""
        state = self.states[-1] if self.states else None
        if name in ACTS:
            assert state is not None
            target = state
        else:
            step = _transitions()[name]
            assert state in step["from"] or step["from"] == ["*"], f"{name} from {state}"
            assert role in step["by"] or name == "undo", f"{name} by {role}"
            target = step["to"]
            if target == "same":
                assert state is not None
                target = state
            elif target == "previous":
                target = next(s for s in reversed(self.states) if s != state)
            self.states.append(target)
        self.entries.append(Entry(self.now, name, target, role, actor or role, **said))
        return self

    def reported(self, role: Role = Role.CITIZEN, actor: str = "") -> Story:
        """A person reports it."""
        return self.do("report", role, actor)

    def detected(self) -> Story:
        """A machine sees it."""
        return self.do("ingest_detection", Role.DEVICE, "cam-01")

    def filed(self) -> Story:
        """The dispatcher files it."""
        if self.states[-1] == "suspected":
            return self.do("confirm", Role.DISPATCHER, "dan", verdict="confirmed")
        return self.do("file", Role.DISPATCHER, "dan")

    def dispatched(self, unit: str = "sanitation") -> Story:
        """It goes to a unit, which takes it."""
        self.do("dispatch", Role.DISPATCHER, "dan", unit=unit)
        return self.do("accept", Role.DEPT, f"{unit}-1")

    def disposed(self) -> Story:
        """The handler says it is done."""
        return self.do("feedback", Role.DEPT, self._handler())

    def checked(self, passed: bool = True) -> Story:
        """Somebody looks."""
        self.do("start_check", Role.LEADER, "lea")
        return self.do("check_pass" if passed else "check_fail", Role.LEADER, "lea")

    def closed_in(self, hours: float) -> Story:
        """The straight way to closing, `hours` of wall-clock time after filing."""
        return self.filed().dispatched().after(hours=hours).disposed().checked()

    def case(self, limits: Limits = LIMITS, **given: Any) -> Case:
        """The case with this history."""
        head: dict[str, Any] = {
            "category": Category.URBAN_MANAGEMENT,
            "severity": Severity.S3,
            "cell": CELL,
        }
        return Case(number=self.number, entries=self.entries, limits=limits, **{**head, **given})

    def facts(self, as_of: datetime | None = None, **given: Any) -> CaseFacts:
        """The facts of this case on the shipped calendar."""
        return facts_of(self.case(**given), shanghai(), as_of)

    def _handler(self) -> str:
        return next(e.actor for e in reversed(self.entries) if e.name == "accept")
