"""Who acts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """In what capacity somebody acts."""

    DEVICE = "device"
    RULE = "rule"
    ASSISTANT = "assistant"  # grid assistant of a basic grid
    LEADER = "leader"  # grid leader of a secondary grid
    MASTER = "master"  # station master
    DISPATCHER = "dispatcher"
    DEPT = "dept"  # a department that handles
    SUPERVISOR = "supervisor"  # of the district
    CITIZEN = "citizen"
    MONITOR = "monitor"  # a system that watches the hub itself: figures only, no grid event


# whoever works in the district
PEOPLE = (
    Role.ASSISTANT,
    Role.LEADER,
    Role.MASTER,
    Role.DISPATCHER,
    Role.DEPT,
    Role.SUPERVISOR,
)
# whoever runs the loop and looks after the devices
DESK = (Role.LEADER, Role.MASTER, Role.DISPATCHER, Role.SUPERVISOR)
# whoever looks after grid, people, units and the systems that are told
OFFICE = (Role.MASTER, Role.DISPATCHER, Role.SUPERVISOR)


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, device or rule, in the role it acts in, and where."""

    name: str
    role: Role
    cells: tuple[str, ...] = ()  # grid codes whose subtrees it may act in; empty: the district
    unit: str | None = None  # the department or station it acts for

    def reaches(self, cell: str | None) -> bool:
        """Whether a cell lies in a subtree it may act in. None: a place outside the grid."""
        return not self.cells or (cell is not None and cell.startswith(self.cells))
