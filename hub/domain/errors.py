"""What can be wrong with something asked of the hub.

GridwardenError
└── DomainError
    ├── NotFoundError (LookupError)     there is no such thing
    ├── ConflictError                   somebody was faster, or it is already there
    ├── NotAllowedError                 the lifecycle or a guard says no
    │   └── WrongRoleError              it is for others: another role, place or person
    ├── ForbiddenError (PermissionError)    the role or the place is not theirs
    ├── SignedOutError                  nobody is signed in, or no longer
    ├── TooManyTriesError               too many wrong passwords: later
    ├── GoneError                       it was here and was erased
    └── InvalidError (ValueError)       what was asked makes no sense

The API turns them into problem documents: `title` is the heading, `str(error)` the detail, and
`extras()` the further members.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from contract.errors import GridwardenError


class DomainError(GridwardenError):
    """Root of the hub's refusals."""

    title: ClassVar[str] = "Refused"

    def extras(self) -> dict[str, object]:
        """Members of the problem document beside title and detail, JSON values."""
        return {}


class NotFoundError(DomainError, LookupError):
    """There is no such thing."""

    title = "Not found"

    def __init__(self, thing: str, key: str) -> None:
        super().__init__(f"there is no {thing} {key!r}")
        self.thing = thing
        self.key = key

    def extras(self) -> dict[str, object]:
        """What was looked for."""
        return {"thing": self.thing, "key": self.key}


class ConflictError(DomainError):
    """Somebody changed it since it was read; nothing of this request was done."""

    title = "Somebody was faster"

    def __init__(
        self,
        detail: str,
        *,
        version: int | None = None,
        actor: str | None = None,
        action: str | None = None,
        at: datetime | None = None,
    ) -> None:
        super().__init__(detail)
        self.version = version  # the version it has now
        self.actor = actor  # who did the last change
        self.action = action  # which one
        self.at = at

    def extras(self) -> dict[str, object]:
        """Who did what, when."""
        return {
            "version": self.version,
            "actor": self.actor,
            "action": self.action,
            "at": self.at.isoformat() if self.at else None,
        }


class NotAllowedError(DomainError):
    """The lifecycle does not allow it: wrong state, wrong role, or something is missing."""

    title = "Not allowed"

    def __init__(
        self,
        detail: str,
        *,
        action: str,
        state: str | None = None,
        role: str | None = None,
        missing: tuple[str, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.action = action
        self.state = state
        self.role = role
        self.missing = missing  # names of the guards that were not met

    def extras(self) -> dict[str, object]:
        """Which action, from which state, by whom, and what it lacks."""
        return {
            "action": self.action,
            "state": self.state,
            "role": self.role,
            "missing": list(self.missing),
        }


class WrongRoleError(NotAllowedError):
    """It is kept for others: another role, place or person; the thing itself is not in the way."""


class ForbiddenError(DomainError, PermissionError):
    """Whoever acts has not the role, or the place is outside what they may act in."""

    title = "Not yours to do"

    def __init__(
        self,
        detail: str,
        *,
        role: str,
        needs_role: Iterable[str] = (),
        cells: tuple[str, ...] = (),
        cell: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.role = role  # they act in
        self.needs_role = sorted(needs_role)  # any of these would do
        self.cells = cells  # whose subtrees they may act in; empty: it is not about the place
        self.cell = cell  # where it is

    def extras(self) -> dict[str, object]:
        """The role they have, and what would be needed."""
        return {
            "role": self.role,
            "needs_role": self.needs_role or None,
            "cells": list(self.cells) or None,
            "cell": self.cell,
        }


class SignedOutError(DomainError):
    """Nobody is signed in: no session or token, or none that holds any longer."""

    title = "Signed out"


class TooManyTriesError(DomainError):
    """Too many wrong passwords: nothing was looked at, not even whether it was right."""

    title = "Too many tries"

    def __init__(self, wait_s: int) -> None:
        minutes = -(-wait_s // 60)
        super().__init__(
            f"too many sign-ins failed: try again in {minutes} minute{'s' * (minutes > 1)}"
        )
        self.wait_s = wait_s

    def extras(self) -> dict[str, object]:
        """How long to wait."""
        return {"wait_s": self.wait_s}


class GoneError(DomainError):
    """It was here once; who erased it, when and why is known."""

    title = "Erased"

    def __init__(self, thing: str, key: str, at: datetime, by: str, why: str) -> None:
        super().__init__(
            f"{thing} {key} was erased by {by} at {at.isoformat(timespec='seconds')}: {why}"
        )
        self.at = at
        self.by = by
        self.why = why

    def extras(self) -> dict[str, object]:
        """Who erased it, when and why."""
        return {"erased_at": self.at.isoformat(), "erased_by": self.by, "erased_why": self.why}


class InvalidError(DomainError, ValueError):
    """What was asked makes no sense; `field` names the part at fault."""

    title = "Invalid"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.field = field

    def extras(self) -> dict[str, object]:
        """The part at fault."""
        return {"field": self.field}
