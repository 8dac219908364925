"""What transitions and acts need, each as a named predicate over given facts.

A guard answers None where it is met, otherwise what is missing, as the end of a sentence that
begins "confirm needs ...".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.actor import Actor, Role

UNDO_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when somebody acts: said by the actor, or found by the service."""

    now: datetime
    # said by the actor
    reason: str = ""
    category: bool = False  # the event has, or is given, a sub-category that exists
    filing_condition: str | None = None  # id of a condition of that sub-category
    closing_condition: bool = False
    evidence_viewed: bool = False
    evidence_missing: bool = False
    evidence: tuple[str, ...] = ()  # digests that are there
    responsible_unit: str | None = None
    unit: str | None = None
    assignee: str | None = None
    until: datetime | None = None
    policy_pass: bool = False
    # found by the service
    parent: str | None = None  # number of the parent where it is one that can be joined
    confirmation: str = "none"
    scene_clear: bool = False
    task_overdue: bool = False
    overdue: bool = False
    self_handle_allowed: bool = False
    machine_may_close: bool = False
    still_seen: bool = False  # by a camera, as its last look says
    handlers: frozenset[str] = frozenset()  # who handled it since it was last dispatched
    handler: str | None = None  # who accepted it last, to whom rework goes back
    parts_to_do: frozenset[str] = frozenset()  # units whose part is not done
    hang_requested: bool = False
    extension_count: int = 0
    extension_asked_by: str | None = None  # of a request that is not decided yet
    appealed: bool = False
    appealed_by: str | None = None  # of an appeal that is not decided yet
    second_actor: str | None = None  # who signed before what two have to sign
    reviewers_agree: bool = False  # on an appeal
    told: tuple[str, ...] | None = None  # who is told of a recall
    reopen_until: datetime | None = None
    same_place_and_group: bool = False
    # of the last transition
    last_actor: str | None = None
    last_at: datetime | None = None
    last_is_latest: bool = False  # no later transition and no later verdict
    undo_to: str | None = None


Guard = Callable[[Facts, Actor], str | None]


def _needs(text: str, met: Callable[[Facts, Actor], object]) -> Guard:
    return lambda facts, actor: None if met(facts, actor) else text


def _checker_is_not_handler(facts: Facts, actor: Actor) -> bool:
    checker = facts.assignee or (None if actor.role is Role.RULE else actor.name)
    return checker is None or checker not in facts.handlers


def _other_eyes(facts: Facts, actor: Actor) -> bool:
    return bool(facts.second_actor) and facts.second_actor != actor.name


def _two_reviewers(facts: Facts, actor: Actor) -> bool:
    """Two persons, neither of whom appealed."""
    reviewers = {actor.name, facts.second_actor}
    return _other_eyes(facts, actor) and facts.appealed_by not in reviewers


def _own_part(facts: Facts, actor: Actor) -> bool:
    """A department finishes its own part, the others whichever they name."""
    own = actor.role is not Role.DEPT or actor.unit is None or facts.unit == actor.unit
    return own and facts.unit in facts.parts_to_do


def _checker_needed(facts: Facts, actor: Actor) -> str | None:
    if _checker_is_not_handler(facts, actor):
        return None
    checker = facts.assignee or actor.name
    return f"a checker who did not handle it, as {checker} did"


GUARDS: Mapping[str, Guard] = {
    "policy_pass": _needs("a policy that lets it be filed by itself", lambda f, _: f.policy_pass),
    "evidence_viewed_or_declared_missing": _needs(
        "the evidence seen, or declared missing",
        lambda f, _: f.evidence_viewed or f.evidence_missing,
    ),
    "category": _needs("a category", lambda f, _: f.category),
    "filing_condition": _needs(
        "a filing condition of its category", lambda f, _: f.filing_condition
    ),
    "confirmation_pending": _needs(
        "a confirmation that is pending", lambda f, _: f.confirmation == "pending"
    ),
    "reject_reason": _needs("a reason for the rejection", lambda f, _: f.reason.strip()),
    "scene_clear_for_T": _needs(
        "a scene that has been clear long enough", lambda f, _: f.scene_clear
    ),
    "parent_event": _needs("the number of a live event it belongs to", lambda f, _: f.parent),
    "assignee": _needs("somebody who goes and looks", lambda f, _: f.assignee),
    "evidence": _needs("evidence: at least one photo or clip", lambda f, _: f.evidence),
    "task_overdue": _needs("a verification that is overdue", lambda f, _: f.task_overdue),
    "after_evidence": _needs("evidence of the state afterwards", lambda f, _: f.evidence),
    "self_handle_allowed": _needs(
        "a category that may be settled on the spot", lambda f, _: f.self_handle_allowed
    ),
    "responsible_unit": _needs("a responsible unit", lambda f, _: f.responsible_unit),
    "reason": _needs("a reason", lambda f, _: f.reason.strip()),
    "approved_request": _needs(
        "a request to hang it (request_hang) since it was dispatched", lambda f, _: f.hang_requested
    ),
    "until": _needs(
        "a time in the future until which it holds", lambda f, _: f.until and f.until > f.now
    ),
    "checker_not_handler": _checker_needed,
    "closing_condition": _needs(
        "the closing condition stated to be met", lambda f, _: f.closing_condition
    ),
    "not_still_seen": _needs(
        "a reason why it is done, since a camera that saw it still sees it; send it back otherwise",
        lambda f, _: not f.still_seen or f.reason.strip(),
    ),
    "four_eyes": _needs(
        "to be proposed first (propose_close), since its last change, by another person",
        _other_eyes,
    ),
    "two_reviewers": _needs(
        "a first review (review_appeal) by another person, and that neither of the two appealed",
        _two_reviewers,
    ),
    "reviewers_agree": _needs(
        "to be decided as the first review said; review it anew (review_appeal) otherwise",
        lambda f, _: f.reviewers_agree,
    ),
    "did_not_appeal": _needs(
        "somebody to review it who did not appeal", lambda f, a: f.appealed_by != a.name
    ),
    "open_appeal": _needs("an appeal that waits for a decision", lambda f, _: f.appealed_by),
    "open_extension_request": _needs(
        "a request for an extension that waits for a decision", lambda f, _: f.extension_asked_by
    ),
    "decider_did_not_ask": _needs(
        "somebody to decide who did not ask", lambda f, a: f.extension_asked_by != a.name
    ),
    "notify_all": _needs("everyone who was told to be told again", lambda f, _: f.told is not None),
    "within_reopen_window": _needs(
        "to be within the time in which it can be reopened",
        lambda f, _: f.reopen_until and f.now <= f.reopen_until,
    ),
    "same_place_and_group": _needs(
        "a finding of the same kind at the same place", lambda f, _: f.same_place_and_group
    ),
    "within_30s": _needs(
        "to be done within 30 s of the change",
        lambda f, _: f.last_at and f.now - f.last_at <= UNDO_WITHIN,
    ),
    "no_later_transition_or_verdict": _needs(
        "that nothing happened since, and something to take back", lambda f, _: f.last_is_latest
    ),
    "not_overdue": _needs("to be asked for before it is overdue", lambda f, _: not f.overdue),
    "extension_count_below_2": _needs(
        "fewer than two extensions so far", lambda f, _: f.extension_count < 2
    ),
    "first_appeal": _needs("to be the first appeal", lambda f, _: not f.appealed),
    "unit": _needs("a unit", lambda f, _: f.unit),
    "part_to_do": _needs("a unit whose own part is not done yet", _own_part),
}
