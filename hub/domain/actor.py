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


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, device or rule, in the role it acts in."""

    name: str
    role: Role
