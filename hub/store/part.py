"""A part of a list that is asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """For LIMIT and OFFSET."""

    limit: int | None = None  # None: all that follow
    skip: int = 0


WHOLE = Part()
