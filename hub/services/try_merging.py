"""A dry run of merge rules on what was seen: how many events would there have been?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from hub.domain.categories import Categories
from hub.domain.errors import InvalidError
from hub.domain.regroup import Sighting, events_of
from hub.store import sightings


@dataclass(frozen=True, slots=True)
class Rule:
    """Findings no further apart than this are one event."""

    radius_m: float
    time_s: float

    def __str__(self) -> str:
        return f"{self.radius_m:g} m / {self.time_s:g} s"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a group's detections and reports become by the rule in force, and by another."""

    group: str
    detections: int
    reports: int
    now: Rule
    events_now: int
    other: Rule
    events_then: int


@dataclass(slots=True)
class _Seen:
    detections: int = 0
    reports: int = 0
    all: list[Sighting] = field(default_factory=list)


def try_merging(
    conn: Connection[Any],
    categories: Categories,
    others: Mapping[str, Rule],
    since: datetime,
    until: datetime,
) -> list[Trial]:
    """One line for each group that saw anything in [since, until), by name.

    others: the rules to try by group; a group that is not named keeps its own. Raises InvalidError
    where a group is not known. Reads only.
    """
    for name in others:
        if name not in categories.groups:
            raise InvalidError(
                f"there is no merge group {name!r}; there are {', '.join(categories.groups)}",
                field="group",
            )
    seen: dict[str, _Seen] = {}
    for row in sightings.between(conn, since, until):
        group = row.group
        if group is None:
            what = categories.opened_by(row.kind, row.label)
            if what is None:
                continue
            group = what.group
        if group not in categories.groups:  # of a group that is no more
            continue
        of = seen.setdefault(group, _Seen())
        of.reports += row.group is not None
        of.detections += row.group is None
        place = None if row.lon is None or row.lat is None else Point(row.lon, row.lat)
        of.all.append(Sighting(row.first_at, row.last_at, place, row.device))
    return [_trial(categories, group, of, others.get(group)) for group, of in sorted(seen.items())]


def _trial(categories: Categories, group: str, of: _Seen, other: Rule | None) -> Trial:
    in_force = categories.groups[group]
    now = Rule(in_force.radius_m, in_force.time_s)
    events_now = _count(of, now)
    return Trial(
        group,
        of.detections,
        of.reports,
        now,
        events_now,
        other or now,
        events_now if other in (None, now) else _count(of, other or now),
    )


def _count(of: _Seen, rule: Rule) -> int:
    return events_of(of.all, rule.radius_m, timedelta(seconds=rule.time_s))
