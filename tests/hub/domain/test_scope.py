"""Who may do what, where: role x subtree x transition."""

from __future__ import annotations

import pytest

from hub.domain.actor import Actor, Role
from hub.domain.errors import WrongRoleError
from hub.domain.guards import Facts
from hub.domain.lifecycle import EventState, load_lifecycle
from hub.domain.scope import Ground, out_of_scope
from tests.hub.builders import START

CELL = "410105003012007"
HERE, SECOND, STREET, ELSEWHERE = CELL, CELL[:12], CELL[:9], "410105003013"
OURS = Ground(CELL, frozenset({"unit-b"}), frozenset({"unit-b", "zhou"}))
LIFECYCLE = load_lifecycle()


def who(role: str, *cells: str, unit: str | None = None, name: str = "li") -> Actor:
    return Actor(name, Role(role), cells, unit)


@pytest.mark.parametrize(
    ("actor", "step", "ground", "may"),
    [
        # the subtree: the basic grid, the secondary grid, the street, the district
        (who("assistant", HERE), "accept", OURS, True),
        (who("leader", SECOND), "confirm", OURS, True),
        (who("master", STREET), "suspend", OURS, True),
        (who("dispatcher"), "dispatch", OURS, True),
        (who("leader", ELSEWHERE), "confirm", OURS, False),
        (who("leader", ELSEWHERE, SECOND), "confirm", OURS, True),
        (who("assistant", CELL[:14] + "8"), "accept", OURS, False),
        # an event in no cell is the district's
        (who("leader", SECOND), "confirm", Ground(), False),
        (who("supervisor"), "force_close", Ground(), True),
        # what was given to somebody by name is theirs wherever it lies
        (who("assistant", ELSEWHERE, name="zhou"), "accept", OURS, True),
        # a department has what it was given, as the responsible unit or a co-handler
        (who("dept", unit="unit-b"), "feedback", OURS, True),
        (who("dept", unit="unit-c"), "feedback", OURS, False),
        (who("dept", unit="unit-c"), "feedback", Ground(CELL), False),
        (who("dept"), "feedback", OURS, True),
        (who("dept", ELSEWHERE, unit="unit-b"), "feedback", OURS, False),
        # whoever sees something may say so
        (who("assistant", ELSEWHERE), "join_report", OURS, True),
        (who("leader", ELSEWHERE), "report", Ground(), True),
        # machines, rules and citizens have no subtree
        (who("device"), "raise_severity", OURS, True),
        (who("rule"), "auto_file", OURS, True),
        (who("citizen"), "rate", OURS, True),
    ],
)
def test_a_right_ends_where_the_subtree_ends(
    actor: Actor, step: str, ground: Ground, may: bool
) -> None:
    assert (out_of_scope(actor, step, ground) is None) is may


@pytest.mark.parametrize(
    "step", sorted({*LIFECYCLE.transitions, *LIFECYCLE.acts} - {"report", "join_report", "undo"})
)
def test_no_step_is_open_to_somebody_of_another_grid(step: str) -> None:
    rule = LIFECYCLE.transitions.get(step) or LIFECYCLE.acts[step]
    for role in rule.by - {"device", "rule", "citizen"}:
        actor = who(role, ELSEWHERE)
        for state in rule.sources or {"filed"}:
            event = EventState(state, ground=Ground(CELL))
            with pytest.raises(WrongRoleError, match=f"answers for {ELSEWHERE}: the event lies"):
                LIFECYCLE.advance(event, step, actor, Facts(START))


def test_what_is_offered_is_what_is_allowed_there() -> None:
    at_home = {o.name for o in LIFECYCLE.offers_to(who("leader", SECOND), "suspected", OURS)}
    abroad = {o.name for o in LIFECYCLE.offers_to(who("leader", ELSEWHERE), "suspected", OURS)}

    assert {"confirm", "reject", "attach", "comment"} <= at_home
    assert abroad == {"join_report"}
