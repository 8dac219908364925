"""What is whose to do: tasks to answer, cases to accept and to deal with, parts to help with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.store import my_cases, tasks
from hub.store.my_cases import CaseView
from hub.store.tasks import TaskRow

MOST = 50  # of each kind


@dataclass(frozen=True, slots=True)
class MyTask:
    """A task with the case it is about."""

    task: TaskRow
    case: CaseView


@dataclass(frozen=True, slots=True)
class MyWork:
    """Everything that waits for somebody, what is due first first."""

    tasks: list[MyTask]
    to_accept: list[CaseView]
    to_handle: list[CaseView]
    to_help: list[CaseView]  # this unit has a part that is not done

    @property
    def count(self) -> int:
        """How much waits."""
        return len(self.tasks) + len(self.to_accept) + len(self.to_handle) + len(self.to_help)


def my_work(conn: Connection[Any], actor: Actor) -> MyWork:
    """What waits for the actor: by name, for a department's account by its unit, and for those of
    the grid also what was dispatched in their cells to nobody by name."""
    unit = actor.unit if actor.role is Role.DEPT else None
    cells = list(actor.cells) if actor.role in (Role.ASSISTANT, Role.LEADER) else []
    mine = tasks.open_of(conn, actor.name, MOST)
    cases = {c.id: c for c in my_cases.by_ids(conn, [t.event for t in mine])}
    return MyWork(
        tasks=[MyTask(t, cases[t.event]) for t in mine if t.event in cases],
        to_accept=my_cases.given_to(conn, actor.name, unit, cells, ["dispatched"], MOST),
        to_handle=my_cases.given_to(conn, actor.name, unit, [], ["disposing", "suspended"], MOST),
        to_help=my_cases.helped_by(conn, unit, MOST) if unit else [],
    )
