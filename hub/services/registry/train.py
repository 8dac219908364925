"""Training mode: people are given recorded detections with an answer key and get a score.

Nothing here writes to events, detections, verdicts or histories, so training changes neither a real
event nor an assessment: that reads histories only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection

from hub.domain.actor import OFFICE, Actor
from hub.domain.errors import ConflictError, InvalidError, WrongRoleError
from hub.domain.training import Answer, Marks, mark
from hub.services.context import Hub
from hub.store import people, training
from hub.store.part import Part
from hub.store.training import AttemptRow, Candidate, SetRow


def make_set(
    conn: Connection[Any],
    hub: Hub,
    name: str,
    chosen: Sequence[tuple[UUID, Answer]],
    latest: int,
    pass_mark: float,
    actor: Actor,
) -> SetRow:
    """A set of the detections named with their answers, or of the latest that were judged.

    latest: how many of them, where none is named. Raises InvalidError.
    """
    items = [Candidate(episode, answer) for episode, answer in chosen]
    if not items:
        items = training.judged(conn, latest)
    if not items:
        raise InvalidError(
            "no detection was judged yet: name detections with their answers", field="items"
        )
    if len({i.episode for i in items}) < len(items):
        raise InvalidError("a detection stands in the set twice", field="items")
    known = training.known_episodes(conn, [i.episode for i in items])
    for item in items:
        if item.episode not in known:
            raise InvalidError(f"there is no detection {item.episode}", field="items")
    if training.is_taken(conn, name):
        raise InvalidError(f"there is a training set {name!r} already", field="name")
    id = training.make_set(conn, name, items, pass_mark, actor.name, hub.now())
    return training.set_of(conn, id)


def begin(conn: Connection[Any], hub: Hub, id: int, person: str, actor: Actor) -> AttemptRow:
    """Somebody's go at a set: the one under way, else a new one. Raises NotFoundError,
    WrongRoleError, and ConflictError where the set was retired."""
    _check_theirs(actor, person)
    people.by_code(conn, person)
    found = training.set_of(conn, id)
    if found.retired_at is not None:
        raise ConflictError(
            f"training set {found.name!r} was retired on {found.retired_at:%Y-%m-%d}: choose "
            "another",
            action="begin",
        )
    return training.begin(conn, id, person, hub.now())


def answer(
    conn: Connection[Any], hub: Hub, attempt: int, n: int, said: Answer, actor: Actor
) -> AttemptRow:
    """The answer to one detection. Raises NotFoundError, WrongRoleError, InvalidError, and
    ConflictError once the go is over."""
    found = _under_way(conn, attempt, actor)
    if n not in training.key(conn, found.training):
        raise InvalidError(f"there is no item {n} in this set", field="n")
    training.answer(conn, attempt, n, said, hub.now())
    return found


def finish(conn: Connection[Any], hub: Hub, attempt: int, actor: Actor) -> Marks:
    """The marks of a go, which is over. Raises as `answer`."""
    found = _under_way(conn, attempt, actor)
    marks = marks_of(conn, found)
    training.finish(conn, attempt, marks.score, hub.now())
    return marks


def marks_of(conn: Connection[Any], attempt: AttemptRow) -> Marks:
    """The marks that its answers so far give."""
    pass_mark = training.set_of(conn, attempt.training).pass_mark
    key, given = training.key(conn, attempt.training), training.answers(conn, attempt.id)
    return mark(key, given, pass_mark)


def seen_by(conn: Connection[Any], attempt: int, actor: Actor) -> AttemptRow:
    """A go, for whoever does it and for those who teach. Raises NotFoundError, WrongRoleError."""
    found = training.attempt(conn, attempt)
    _check_theirs(actor, found.person)
    return found


def attempts_of(conn: Connection[Any], person: str, actor: Actor, part: Part) -> list[AttemptRow]:
    """What somebody did so far, for themselves and for those who teach; the newest first.

    Raises NotFoundError, WrongRoleError.
    """
    _check_theirs(actor, person)
    people.by_code(conn, person)
    return training.attempts_of(conn, person, part)


def _under_way(conn: Connection[Any], attempt: int, actor: Actor) -> AttemptRow:
    found = training.attempt(conn, attempt, lock=True)
    _check_theirs(actor, found.person)
    if found.finished_at is not None:
        raise ConflictError(
            f"attempt {attempt} was finished at {found.finished_at.isoformat()}: begin another",
            actor=found.person,
            action="finish",
            at=found.finished_at,
        )
    return found


def _check_theirs(actor: Actor, person: str) -> None:
    if actor.name != person and actor.role not in OFFICE:
        raise WrongRoleError(
            f"this is the training of {person}: for them and who teaches, not for {actor.name}",
            action="train",
            role=actor.role,
        )
