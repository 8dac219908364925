"""What somebody found: what detections and reports have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contract.geometry import Point
from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.categories import SubCategory


@dataclass(frozen=True, slots=True)
class Finding:
    """What somebody found, where and when."""

    actor: Actor  # a device, or the person who reports
    what: SubCategory
    severity: Severity
    title: str
    position: Point | None  # None: not known; then `stream` tells places apart
    first_at: datetime
    last_at: datetime
    stream: tuple[str, str] | None = None  # (agent, stream) that saw it
    test: bool = False
    given: Mapping[str, Any] | None = None  # what the history says of it
    sense: tuple[str, str] | None = None  # (kind, label) of the detection, of a machine

    @property
    def by_machine(self) -> bool:
        """Whether a device found it."""
        return self.actor.role is Role.DEVICE
