"""The lifecycle of grid events: which transition and act is open to whom, and what it needs.

`lifecycle.yaml` is the state machine; this module reads it and decides. No code path changes the
state of a grid event except by an `Advance` from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from contract.errors import GridwardenError
from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.errors import NotAllowedError, WrongRoleError
from hub.domain.guards import GUARDS, Facts
from hub.domain.scope import Ground, out_of_scope

LIFECYCLE_FILE = Path(__file__).with_name("lifecycle.yaml")
SAME, PREVIOUS, ANY = "same", "previous", "*"
UNDO = "undo"
UNMERGE = "unmerge"
ACTOR_OF_LAST = "actor_of_last"
OTHER_CATEGORY = "confirm_as_other_category"  # the verdict's name for confirm with another category
HIGHEST_LEVEL = 3  # district
# the reader written in C, where PyYAML was built with it, takes a tenth of the time
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class LifecycleError(GridwardenError, ValueError):
    """The description of the lifecycle makes no sense."""


@dataclass(frozen=True, slots=True)
class State:
    """A state of a grid event."""

    name: str
    stage: str  # discovery | filing | dispatch | closing
    name_zh: str
    open311: str | None  # open | closed | parent; None: not shown to the public
    terminal: bool
    counted_as_reported: bool | str


@dataclass(frozen=True, slots=True)
class Setting:
    """What a transition or act does to a flag: sets a value, or adds one where `add`."""

    flag: str
    value: object = True
    add: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state, or an act, which leaves the state as it is."""

    name: str
    sources: frozenset[str | None] | None  # None: from any
    target: str  # a state, "same" or "previous"
    by: frozenset[str]
    needs: tuple[str, ...] = ()
    sets: tuple[Setting, ...] = ()
    is_act: bool = False


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """What a verdict does to a suspected event, and which label it gives the detection."""

    name: str
    transition: str
    label: str
    offers: str | None = None


@dataclass(frozen=True, slots=True)
class EventState:
    """What the lifecycle needs to know of an event. state None: it does not exist yet."""

    state: str | None
    previous: str | None = None  # the state before the last change of state
    severity: Severity = Severity.S3
    flags: Mapping[str, Any] = field(default_factory=dict)  # level, rework_count, ... as they are
    ground: Ground = field(default_factory=Ground)


@dataclass(frozen=True, slots=True)
class Advance:
    """A decision: this event may go from here to there, and these flags change."""

    name: str
    from_state: str | None
    to_state: str
    changes: Mapping[str, object]
    is_act: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that is open to a role in a state, and what it needs."""

    name: str
    needs: tuple[str, ...]
    is_act: bool


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The state machine. Thread-safe: never changed once loaded."""

    states: Mapping[str, State]
    transitions: Mapping[str, Transition]
    acts: Mapping[str, Transition]
    verdicts: Mapping[str, VerdictRule]

    def advance(self, event: EventState, name: str, actor: Actor, facts: Facts) -> Advance:
        """What becomes of the event if `actor` does `name`.

        Raises NotAllowedError that says what is in the way: the name, the state, the role, or
        everything that is missing.
        """
        step = self._step(name)
        if step.sources is not None and event.state not in step.sources:
            raise NotAllowedError(
                f"{name} is not possible on an event that is {event.state or 'not there yet'}; "
                f"it goes from {_names(step.sources)}",
                action=name,
                state=event.state,
                role=actor.role,
            )
        if ACTOR_OF_LAST in step.by:
            if facts.last_actor != actor.name:
                raise WrongRoleError(
                    f"{name} is open to {facts.last_actor or 'nobody'}, who made the last change, "
                    f"not to {actor.name}",
                    action=name,
                    state=event.state,
                    role=actor.role,
                )
        elif actor.role not in step.by:
            raise WrongRoleError(
                f"{name} is not for the role {actor.role}; it is for {_names(step.by)}",
                action=name,
                state=event.state,
                role=actor.role,
            )
        elsewhere = out_of_scope(actor, name, event.ground)
        if elsewhere is not None:
            raise WrongRoleError(elsewhere, action=name, state=event.state, role=actor.role)
        self._check_needs(step, event, actor, facts)
        return Advance(
            name=name,
            from_state=event.state,
            to_state=self._target(step, event, facts),
            changes={s.flag: _apply(s, event, name, actor) for s in step.sets},
            is_act=step.is_act,
        )

    def offers_to(self, actor: Actor, state: str, ground: Ground) -> list[Offer]:
        """What is open to this actor on an event that lies there."""
        return [
            o for o in self.offers(state, actor.role) if out_of_scope(actor, o.name, ground) is None
        ]

    def offers(self, state: str, role: Role) -> list[Offer]:
        """What is open to a role in a state, transitions first, each with what it needs."""
        return [
            Offer(step.name, step.needs, step.is_act)
            for step in (*self.transitions.values(), *self.acts.values())
            if (step.sources is None or state in step.sources)
            and (role in step.by or ACTOR_OF_LAST in step.by)
        ]

    def verdict_action(self, verdict: str, state: str) -> str:
        """The transition a verdict makes: from suspected its own; where the event is filed
        already a confirming one endorses and a rejecting one recalls.

        Raises NotAllowedError where a verdict has no place in this state.
        """
        rule = self.verdicts[verdict]
        own = "confirm" if rule.transition == OTHER_CATEGORY else rule.transition
        sources = self.transitions[own].sources
        if sources is None or state in sources:
            return own
        filed = {"confirm": "endorse", "reject": "recall", "attach": "merge"}.get(rule.transition)
        if filed is not None and state in (self.transitions[filed].sources or ()):
            return filed
        raise NotAllowedError(
            f"the verdict {verdict} has no place on an event that is {state}",
            action=own,
            state=state,
        )

    def _step(self, name: str) -> Transition:
        step = self.transitions.get(name) or self.acts.get(name)
        if step is None:
            raise NotAllowedError(
                f"there is no transition or act {name!r}; there are "
                f"{', '.join((*self.transitions, *self.acts))}",
                action=name,
            )
        return step

    def _check_needs(self, step: Transition, event: EventState, actor: Actor, facts: Facts) -> None:
        missing = {need: GUARDS[need](facts, actor) for need in step.needs}
        if step.name == "check_pass" and actor.role is Role.RULE:
            missing["machine_may_close"] = _machine_may_close(event, facts)
        lacking = {need: text for need, text in missing.items() if text is not None}
        if lacking:
            raise NotAllowedError(
                f"{step.name} needs {'; and '.join(lacking.values())}",
                action=step.name,
                state=event.state,
                role=actor.role,
                missing=tuple(lacking),
            )

    def _target(self, step: Transition, event: EventState, facts: Facts) -> str:
        if step.name == UNDO:
            target = facts.undo_to
        elif step.target == SAME:
            target = event.state
        elif step.target == PREVIOUS:
            target = event.previous
        else:
            target = step.target
        if target is None:
            raise NotAllowedError(
                f"{step.name} has no earlier state to go back to",
                action=step.name,
                state=event.state,
            )
        return target


def previous_state(steps: Iterable[tuple[str, str]]) -> str | None:
    """The state before the last change of state.

    steps: (name, to_state) of every transition, acts left out, oldest first. An undo takes
    the step before it away, so that a suspended case resumes where it was suspended. What was
    merged and is on its own again was never merged: no step leads back to that.
    """
    standing: list[tuple[str, str]] = []
    for step in steps:
        if step[0] == UNDO and standing:
            standing.pop()
        else:
            standing.append(step)
    trail: list[str] = []
    for name, to_state in standing:
        if name == UNMERGE and trail:
            trail.pop()
        else:
            trail.append(to_state)
    return next((s for s in reversed(trail) if s != trail[-1]), None)


def load_lifecycle(path: Path = LIFECYCLE_FILE) -> Lifecycle:
    """The lifecycle in the file; raises LifecycleError where it contradicts itself."""
    return _read_lifecycle(path.read_text(encoding="utf-8"))


@cache
def _read_lifecycle(text: str) -> Lifecycle:
    """Reading YAML takes a moment: once for each text."""
    raw = yaml.load(text, _LOADER)
    states = {
        name: State(
            name,
            s["stage"],
            s["cn"],
            s["open311"],
            s["terminal"],
            s["counted_as_reported"],
        )
        for name, s in raw["states"].items()
    }
    transitions = [_transition(t, is_act=False) for t in raw["transitions"]]
    acts = [_transition(t, is_act=True) for t in raw["acts"]]
    roles = {*raw["roles"], ACTOR_OF_LAST}
    for step in (*transitions, *acts):
        unknown = [
            *((step.sources or frozenset()) - {None, *states}),
            *({step.target} - {SAME, PREVIOUS, *states}),
            *(step.by - roles),
            *(n for n in step.needs if n not in GUARDS),
        ]
        if unknown:
            raise LifecycleError(f"lifecycle: {step.name} names unknown {_names(unknown)}")
    verdicts = {
        name: VerdictRule(name, v["transition"], v["label"], v.get("offers"))
        for name, v in raw["verdicts"].items()
    }
    by_name = {t.name: t for t in transitions}
    for v in verdicts.values():
        if v.transition not in by_name and v.transition != OTHER_CATEGORY:
            raise LifecycleError(f"lifecycle: verdict {v.name} names no transition {v.transition}")
    return Lifecycle(states, by_name, {a.name: a for a in acts}, verdicts)


def _transition(raw: Mapping[str, Any], *, is_act: bool) -> Transition:
    sources: Sequence[str | None] | None = raw.get("from")
    return Transition(
        name=raw["name"],
        sources=None if sources is None or ANY in sources else frozenset(sources),
        target=SAME if is_act else raw["to"],
        by=frozenset(raw["by"]),
        needs=tuple(raw.get("needs", ())),
        sets=tuple(_setting(text) for text in raw.get("sets", ())),
        is_act=is_act,
    )


def _setting(text: str) -> Setting:
    """`urgent` sets true, `confirmation=human` a word, `level+1` adds."""
    if "+" in text:
        flag, _, amount = text.partition("+")
        return Setting(flag, int(amount), add=True)
    flag, equals, value = text.partition("=")
    return Setting(flag, {"true": True, "false": False}.get(value, value) if equals else True)


def _apply(setting: Setting, event: EventState, name: str, actor: Actor) -> object:
    if not setting.add:
        return setting.value
    value = int(event.flags.get(setting.flag, 0)) + int(str(setting.value))
    if setting.flag == "level" and value > HIGHEST_LEVEL:
        raise NotAllowedError(
            f"{name} is not possible: the event is at the district's level already",
            action=name,
            state=event.state,
            role=actor.role,
        )
    return value


def _machine_may_close(event: EventState, facts: Facts) -> str | None:
    if event.severity in (Severity.S3, Severity.S4) and facts.machine_may_close:
        return None
    return "a person to pass the check: a rule may close S3 and S4 only, where the category allows"


def _names(names: Iterable[str | None]) -> str:
    return ", ".join(sorted(n or "nothing" for n in names))
