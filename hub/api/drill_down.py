"""From a figure to exactly the events it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from contract.taxonomy import Category
from hub.api.asked_period import Asked
from hub.domain.errors import InvalidError
from hub.domain.figures import Figure
from hub.services.assess_period import Assessment


class Which(StrEnum):
    """Which of a figure's events."""

    COUNTED = "counted"
    AMONG = "among"
    LEFT_OUT = "left_out"
    NOT_COUNTED = "not_counted"  # among, but not counted: what went wrong, or right


@dataclass(frozen=True, slots=True)
class Drill:
    """Which events are asked for. of: an indicator, a latency, or one of LISTS."""

    of: str
    which: Which = Which.COUNTED
    stream: str | None = None
    category: Category | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """An event behind a figure. times: how often it counts; took: its share of a latency."""

    number: str
    times: int
    exempt: bool
    hung: bool
    took: timedelta | None = None


LISTS = ("reported", "exempt", "hung")


def figures_of(found: Assessment, asked: Asked) -> dict[str, Figure]:
    """The figures of the one that is asked about, or of all together.

    Raises InvalidError where nobody of that name is compared.
    """
    if asked.subject is None:
        return dict(found.figures)
    score = found.score_of(asked.by, asked.subject)
    if score is None:
        raise InvalidError(
            f"{asked.subject!r} is no {asked.by} with a case in {asked.period.name}",
            field="subject",
        )
    return dict(score.figures)


def events_behind(found: Assessment, asked: Asked, drill: Drill) -> list[Counted]:
    """The events, each once, in the order in which they were counted; raises InvalidError."""
    exempt, hung = set(found.exempt), set(found.hung)
    if drill.of in found.latencies and asked.subject is None:
        return [
            Counted(n, 1, n in exempt, n in hung, took)
            for n, took in reversed(found.latencies[drill.of].samples)
        ]
    numbers = Counter(_numbers(found, asked, drill))
    return [Counted(n, times, n in exempt, n in hung) for n, times in numbers.items()]


def _numbers(found: Assessment, asked: Asked, drill: Drill) -> list[str]:
    if drill.of in LISTS:
        return list(_listed(found, drill))
    figure = _figure(found, asked, drill)
    match drill.which:
        case Which.COUNTED:
            return list(figure.counted)
        case Which.AMONG:
            return list(figure.among)
        case Which.LEFT_OUT:
            return list(figure.left_out)
        case Which.NOT_COUNTED:
            return list((Counter(figure.among) - Counter(figure.counted)).elements())


def _listed(found: Assessment, drill: Drill) -> Sequence[str]:
    match drill.of:
        case "exempt":
            return found.exempt
        case "hung":
            return found.hung
        case _ if drill.category is not None:
            return found.categories[drill.category][0] if drill.category in found.categories else ()
        case _:
            return found.reported


def _figure(found: Assessment, asked: Asked, drill: Drill) -> Figure:
    if drill.stream is not None and drill.of == "precision":
        return found.streams.get(drill.stream, Figure((), ()))
    if drill.category is not None and drill.of == "closing_rate":
        of_it = found.categories.get(drill.category)
        return of_it[1] if of_it else Figure((), ())
    figures = figures_of(found, asked)
    if drill.of not in figures:
        raise InvalidError(
            f"there is no figure {drill.of!r} here; there are: "
            f"{', '.join([*figures, *found.latencies, *LISTS])}",
            field="of",
        )
    return figures[drill.of]
