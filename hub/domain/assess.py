"""The indicators of assessment: how a case counts for each, by its course; and its latencies.

An exempt case (its appeal was granted) is left out of everything that judges work; its facts stay
as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from operator import attrgetter
from typing import NamedTuple

from hub.domain.actor import Role
from hub.domain.case_facts import CaseFacts, Task
from hub.domain.course import Course, Went
from hub.domain.figures import AMONG, COUNTED, LEFT_OUT, NOT_MEANT, times

POSITIVE = frozenset({"confirmed", "real_but_not_actionable", "real_but_authorised"})
NEGATIVE = frozenset({"false_alarm", "other_kind"})  # for the kind it was raised as
LABELS = POSITIVE | NEGATIVE
FALSE_ALARM = "false_alarm"
PROACTIVE = frozenset({Role.DEVICE, Role.ASSISTANT})

Indicator = Callable[[Course], int]  # as in `figures`
Which = Callable[[Course], bool]


# -- which cases of a period an indicator may mean


def known(course: Course) -> bool:
    """Came to the desk."""
    return course.known


def reported(course: Course) -> bool:
    """Counts as reported."""
    return course.reported


def to_dispatch(course: Course) -> bool:
    """Was to be dispatched."""
    return course.dispatch is not Went.ELSEWHERE


def to_dispose(course: Course) -> bool:
    """Was to be dealt with."""
    return course.dispose is not Went.ELSEWHERE


def to_check(course: Course) -> bool:
    """Was to be checked."""
    return course.check is not Went.ELSEWHERE


def to_close(course: Course) -> bool:
    """Was to be closed."""
    return course.close is not Went.ELSEWHERE


TO_DO: Sequence[Which] = (known, to_dispatch, to_dispose, to_check, to_close)


def _among(which: Which) -> Callable[[Indicator], Indicator]:
    """The indicator that means no others than these cases."""

    def limited(outcome: Indicator) -> Indicator:
        @wraps(outcome)
        def limited_outcome(course: Course) -> int:
            return outcome(course) if which(course) else NOT_MEANT

        return limited_outcome

    return limited


# -- filing


@_among(reported)
def filing_rate(course: Course) -> int:
    """Filed / reported."""
    return _share(course.filed)


@_among(reported)
def on_time_filing(course: Course) -> int:
    """Filed in time / filed."""
    return _judged(course, course.accept is Went.IN_TIME) if course.filed else NOT_MEANT


@_among(reported)
def valid_report_rate(course: Course) -> int:
    """Valid / reported, of what grid assistants reported; valid is what was filed."""
    return _share(course.filed) if course.finder is Role.ASSISTANT else NOT_MEANT


@_among(reported)
def miss_rate(course: Course) -> int:
    """Found by others than the cell's assistant / all filed in the cell."""
    return _share(course.missed) if course.filed else NOT_MEANT


@_among(reported)
def proactive_rate(course: Course) -> int:
    """Found by machines and grid assistants / all reported."""
    return _share(course.finder in PROACTIVE)


# -- dispatch


@_among(to_dispatch)
def accurate_dispatch(course: Course) -> int:
    """Dispatches not returned / dispatches; an event is listed once for each dispatch."""
    return _dispatches(course, course.dispatches - course.returned)


@_among(to_dispatch)
def return_rate(course: Course) -> int:
    """Returned / received."""
    return _dispatches(course, course.returned)


@_among(to_dispatch)
def on_time_dispatch(course: Course) -> int:
    """Dispatched in time / should-dispatch."""
    return _judged(course, course.dispatch is Went.IN_TIME)


# -- disposal


@_among(to_dispose)
def disposal_rate(course: Course) -> int:
    """Disposed / should-dispose."""
    return _judged(course, course.dispose is not Went.OPEN, hung_count=False)


@_among(to_dispose)
def on_time_disposal(course: Course) -> int:
    """Disposed in time / should-dispose."""
    return _judged(course, course.dispose is Went.IN_TIME, hung_count=False)


@_among(to_dispose)
def rework_rate(course: Course) -> int:
    """Failed at check / disposed; an event is listed once for each time."""
    if course.exempt:
        return LEFT_OUT
    return times(min(course.failed_checks, course.disposals), course.disposals)


@_among(to_dispose)
def delay_rate(course: Course) -> int:
    """Extended / should-dispose."""
    return _judged(course, course.extended)


# -- closing


@_among(to_check)
def on_time_check(course: Course) -> int:
    """Checked in time / should-check."""
    return _judged(course, course.check is Went.IN_TIME)


@_among(to_close)
def closing_rate(course: Course) -> int:
    """Closed / (should-close - hung)."""
    return _judged(course, course.closed, hung_count=False)


@_among(to_close)
def on_time_closing(course: Course) -> int:
    """Closed in time / (should-close - hung)."""
    return _judged(course, course.close is Went.IN_TIME, hung_count=False)


@_among(to_close)
def recurrence_rate(course: Course) -> int:
    """Closed ones that came back, themselves or as a new event / closed."""
    if not (course.closed or course.came_back):
        return NOT_MEANT
    return _share(course.came_back or course.recurred)


@_among(to_close)
def satisfaction(course: Course) -> int:
    """Reporters satisfied / asked and answered."""
    return NOT_MEANT if course.satisfied is None else _share(course.satisfied)


@_among(to_close)
def share_at_level_2(course: Course) -> int:
    """Handled at the secondary grid / should-close."""
    return _share(course.level == 2)


@_among(to_close)
def share_at_level_3(course: Course) -> int:
    """Handled at the district / should-close."""
    return _share(course.level == 3)


# -- machines


@_among(known)
def false_alarm_rate(course: Course) -> int:
    """False alarms / machine finds with a verdict that labels; benign positives are none."""
    return _share(course.verdict == FALSE_ALARM) if _labelled(course) else NOT_MEANT


@_among(known)
def precision(course: Course) -> int:
    """True for the kind they were raised as / machine finds with a verdict that labels."""
    return _share(course.verdict in POSITIVE) if _labelled(course) else NOT_MEANT


@_among(known)
def lapse_rate(course: Course) -> int:
    """Lapsed before anyone decided / machine finds."""
    return _share(course.lapsed) if _by_machine(course) else NOT_MEANT


INDICATORS: Mapping[str, tuple[Indicator, Task]] = {  # and the task it judges
    "filing_rate": (filing_rate, Task.FILE),
    "on_time_filing": (on_time_filing, Task.FILE),
    "valid_report_rate": (valid_report_rate, Task.FIND),
    "miss_rate": (miss_rate, Task.FIND),
    "proactive_rate": (proactive_rate, Task.FIND),
    "accurate_dispatch": (accurate_dispatch, Task.DISPATCH),
    "on_time_dispatch": (on_time_dispatch, Task.DISPATCH),
    "return_rate": (return_rate, Task.DISPOSE),
    "disposal_rate": (disposal_rate, Task.DISPOSE),
    "on_time_disposal": (on_time_disposal, Task.DISPOSE),
    "rework_rate": (rework_rate, Task.DISPOSE),
    "delay_rate": (delay_rate, Task.DISPOSE),
    "on_time_check": (on_time_check, Task.CHECK),
    "closing_rate": (closing_rate, Task.CHECK),
    "on_time_closing": (on_time_closing, Task.CHECK),
    "recurrence_rate": (recurrence_rate, Task.DISPOSE),
    "satisfaction": (satisfaction, Task.DISPOSE),
    "share_at_level_2": (share_at_level_2, Task.DISPOSE),
    "share_at_level_3": (share_at_level_3, Task.DISPOSE),
    "false_alarm_rate": (false_alarm_rate, Task.FIND),
    "precision": (precision, Task.FIND),
    "lapse_rate": (lapse_rate, Task.FILE),
}


# -- latencies


class Span(NamedTuple):
    """From one moment of a case to another, of the cases meant in which both are known."""

    moments: Callable[[CaseFacts], tuple[datetime | None, datetime | None]]
    meant: Which


def _known_by_machine(course: Course) -> bool:
    return course.known and _by_machine(course)


LATENCIES: Mapping[str, Span] = {
    # from the first sight to the desk
    "detect": Span(attrgetter("seen_at", "known_at"), known),
    # from the desk to the verdict on a machine find
    "confirm": Span(attrgetter("known_at", "judged_at"), _known_by_machine),
    # from the last dispatch to the disposal that held
    "dispose": Span(attrgetter("dispatched_at", "disposed_at"), to_dispose),
    # from the disposal until a check begins: how long the answer waited to be looked at
    "feedback": Span(attrgetter("disposed_at", "check_started_at"), to_close),
    # from when it counts as reported to closing
    "close": Span(attrgetter("reported_at", "closed_at"), to_close),
    # how much earlier a machine saw what a person reported too; negative: later
    "machine_lead": Span(attrgetter("machine_at", "person_at"), reported),
}


def _share(counts: bool) -> int:
    return COUNTED if counts else AMONG


def _judged(course: Course, counts: bool, *, hung_count: bool = True) -> int:
    if course.exempt or (course.hung and not hung_count):
        return LEFT_OUT
    return COUNTED if counts else AMONG


def _dispatches(course: Course, counted: int) -> int:
    return LEFT_OUT if course.exempt else times(counted, course.dispatches)


def _by_machine(course: Course) -> bool:
    return course.finder is Role.DEVICE


def _labelled(course: Course) -> bool:
    return course.verdict in LABELS and _by_machine(course)
