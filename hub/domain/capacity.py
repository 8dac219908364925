"""In what somebody may act: the posts they hold, those of one role and unit taken together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.domain.actor import Role

# who answers for most comes first
_RANK = (
    Role.SUPERVISOR,
    Role.MASTER,
    Role.DISPATCHER,
    Role.LEADER,
    Role.DEPT,
    Role.ASSISTANT,
)


@dataclass(frozen=True, slots=True)
class Capacity:
    """A role, where, and for which unit."""

    role: Role
    cells: tuple[str, ...] = ()  # grid codes whose subtrees it is for; empty: the district
    unit: str | None = None

    def __str__(self) -> str:
        unit = f" of {self.unit}" if self.unit else ""
        return f"{self.role}{unit} in {', '.join(self.cells) or 'the whole district'}"


def joined(posts: Iterable[Capacity]) -> tuple[Capacity, ...]:
    """One capacity for each role and unit, the most responsible role first.

    posts: one each. A post for the whole district makes its capacity one for the whole district.
    """
    cells: dict[tuple[Role, str | None], list[tuple[str, ...]]] = {}
    for post in posts:
        cells.setdefault((post.role, post.unit), []).append(post.cells)
    found = [
        Capacity(role, tuple(sorted({c for part in parts for c in part})) if all(parts) else (), u)
        for (role, u), parts in cells.items()
    ]
    return tuple(sorted(found, key=lambda c: (_RANK.index(c.role), c.unit or "")))


def choose(
    capacities: Iterable[Capacity], *wanted: tuple[str | None, str | None]
) -> Capacity | None:
    """The first that a wish fits, the first of all where none does; None where there is none.

    wanted: (role, unit), the dearest first; the unit is a matter of taste where the role fits.
    """
    found = list(capacities)
    for role, unit in wanted:
        fitting = [c for c in found if c.role == role]
        fitting.sort(key=lambda c: c.unit != unit)
        if fitting:
            return fitting[0]
    return found[0] if found else None
