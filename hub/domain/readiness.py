"""Whether every cell is ready for work: who and what it needs, and each thing it lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.domain.grid import SECONDARY, Cell


class Need(StrEnum):
    """What a cell needs."""

    LEADER = "leader"  # of its secondary grid
    ASSISTANT = "assistant"  # of a basic grid
    TERMINAL = "terminal"  # of its assistant; of a secondary grid, of its leader
    ACCOUNT = "account"  # of the same
    BUDGET_LINE = "budget_line"  # of its own, for the year
    POLYGON = "polygon"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is there: people by the cell they hold a post for, and what they have."""

    leaders: Mapping[str, Collection[str]]  # cell -> people in post there
    assistants: Mapping[str, Collection[str]]
    trainees: Mapping[str, Collection[str]]  # the same posts, by people who are in training
    with_terminal: Collection[str]
    with_account: Collection[str]
    budgeted: Collection[str]  # cells


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that a cell lacks."""

    cell: str
    need: Need
    detail: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """How a district stands: how many cells were looked at, and what they lack."""

    cells: int
    ready: int
    gaps: tuple[Gap, ...]  # by cell, then in the order of `Need`


def readiness(cells: Iterable[Cell], there: Standing) -> Readiness:
    """What every basic and secondary grid lacks."""
    looked_at = sorted((c for c in cells if c.level < 3), key=lambda c: c.code)
    gaps = tuple(gap for cell in looked_at for gap in _gaps(cell, there))
    ready = len(looked_at) - len({g.cell for g in gaps})
    return Readiness(len(looked_at), ready, gaps)


def _gaps(cell: Cell, there: Standing) -> Iterable[Gap]:
    code, above = cell.code, cell.code[:SECONDARY]
    leaders = there.leaders.get(above, ())
    if not leaders:
        yield Gap(code, Need.LEADER, _nobody("leader", above, there))
    staff, post = leaders, "leader"
    if cell.level == 1:
        staff, post = there.assistants.get(code, ()), "assistant"
        if not staff:
            yield Gap(code, Need.ASSISTANT, _nobody("assistant", code, there))
    who = ", ".join(sorted(staff))
    if not any(p in there.with_terminal for p in staff):
        yield Gap(code, Need.TERMINAL, f"{who or f'nobody as {post}'} has no terminal")
    if not any(p in there.with_account for p in staff):
        yield Gap(code, Need.ACCOUNT, f"{who or f'nobody as {post}'} has no account")
    if code not in there.budgeted:
        yield Gap(code, Need.BUDGET_LINE, "no budget line of this year names it")
    if cell.polygon.is_empty:
        yield Gap(code, Need.POLYGON, "nobody surveyed it yet")


def _nobody(post: str, cell: str, there: Standing) -> str:
    trainees = there.trainees.get(cell, ())
    if trainees:
        return f"{', '.join(sorted(trainees))} is in training for {post} of {cell}"
    return f"nobody is {post} of {cell}"
