"""The indicators of assessment, each a function from a caseload to a figure.

A figure names the very events it counts. An exempt case (its appeal was granted) is left out of
everything that judges work, with its number kept in `left_out`; its facts stay as they are.

An indicator is written as how one case counts, so that a case is judged once, however many areas,
departments and people are compared by it (`tally`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal

from hub.domain.actor import Role
from hub.domain.case_facts import CaseFacts, Task
from hub.domain.caseload import Caseload, Cases
from hub.domain.figures import AMONG, COUNTED, LEFT_OUT, NOT_MEANT, Figure, Latency, times
from hub.domain.stages import Stage

POSITIVE = frozenset({"confirmed", "real_but_not_actionable", "real_but_authorised"})
NEGATIVE = frozenset({"false_alarm", "other_kind"})  # for the kind it was raised as
LABELS = POSITIVE | NEGATIVE
FALSE_ALARM = "false_alarm"
PROACTIVE = frozenset({Role.DEVICE, Role.ASSISTANT})

Outcome = Callable[[CaseFacts, Caseload], int]  # as in `figures`
ListName = Literal["known", "reported", "to_dispatch", "to_dispose", "to_check", "to_close"]


@dataclass(frozen=True, slots=True)
class Indicator:
    """A share among the cases of one list of a caseload."""

    among: ListName
    outcome: Outcome

    def cases(self, load: Caseload) -> Cases:
        """Those it may mean."""
        found: Cases = getattr(load, self.among)
        return found

    def __call__(self, load: Caseload) -> Figure:
        """The figure of a caseload."""
        counted: list[str] = []
        among: list[str] = []
        left_out: list[str] = []
        for case in self.cases(load):
            outcome = self.outcome(case, load)
            if outcome == LEFT_OUT:
                left_out.append(case.number)
            else:
                among += [case.number] * (outcome // AMONG)
                counted += [case.number] * (outcome % AMONG)
        return Figure(tuple(counted), tuple(among), tuple(left_out))


def _among(name: ListName) -> Callable[[Outcome], Indicator]:
    """The indicator of which the function says how a case counts."""
    return lambda outcome: Indicator(name, outcome)


# -- filing


@_among("reported")
def filing_rate(case: CaseFacts, load: Caseload) -> int:
    """Filed / reported."""
    return _share(case.filed)


@_among("reported")
def on_time_filing(case: CaseFacts, load: Caseload) -> int:
    """Filed in time / filed."""
    return _judged(case, _in_time(case, Stage.ACCEPT)) if case.filed else NOT_MEANT


@_among("reported")
def valid_report_rate(case: CaseFacts, load: Caseload) -> int:
    """Valid / reported, of what grid assistants reported; valid is what was filed."""
    return _share(case.filed) if _finder(case) is Role.ASSISTANT else NOT_MEANT


@_among("reported")
def miss_rate(case: CaseFacts, load: Caseload) -> int:
    """Found by others than the cell's assistant / all filed in the cell."""
    return _share(not _kept(case, load.keepers)) if case.filed else NOT_MEANT


@_among("reported")
def proactive_rate(case: CaseFacts, load: Caseload) -> int:
    """Found by machines and grid assistants / all reported."""
    return _share(_finder(case) in PROACTIVE)


# -- dispatch


@_among("to_dispatch")
def accurate_dispatch(case: CaseFacts, load: Caseload) -> int:
    """Dispatches not returned / dispatches; an event is listed once for each dispatch."""
    return _dispatches(case, returned=False)


@_among("to_dispatch")
def return_rate(case: CaseFacts, load: Caseload) -> int:
    """Returned / received."""
    return _dispatches(case, returned=True)


@_among("to_dispatch")
def on_time_dispatch(case: CaseFacts, load: Caseload) -> int:
    """Dispatched in time / should-dispatch."""
    return _judged(case, _in_time(case, Stage.DISPATCH))


# -- disposal


@_among("to_dispose")
def disposal_rate(case: CaseFacts, load: Caseload) -> int:
    """Disposed / should-dispose."""
    return _judged(case, _done(case, Stage.DISPOSE), hung_count=False)


@_among("to_dispose")
def on_time_disposal(case: CaseFacts, load: Caseload) -> int:
    """Disposed in time / should-dispose."""
    return _judged(case, _in_time(case, Stage.DISPOSE), hung_count=False)


@_among("to_dispose")
def rework_rate(case: CaseFacts, load: Caseload) -> int:
    """Failed at check / disposed; an event is listed once for each time."""
    if case.exempt:
        return LEFT_OUT
    return times(min(case.failed_checks, case.disposals), case.disposals)


@_among("to_dispose")
def delay_rate(case: CaseFacts, load: Caseload) -> int:
    """Extended / should-dispose."""
    return _judged(case, case.extensions > 0)


# -- closing


@_among("to_check")
def on_time_check(case: CaseFacts, load: Caseload) -> int:
    """Checked in time / should-check."""
    return _judged(case, _in_time(case, Stage.CHECK))


@_among("to_close")
def closing_rate(case: CaseFacts, load: Caseload) -> int:
    """Closed / (should-close - hung)."""
    return _judged(case, case.closed_at is not None, hung_count=False)


@_among("to_close")
def on_time_closing(case: CaseFacts, load: Caseload) -> int:
    """Closed in time / (should-close - hung)."""
    return _judged(case, _in_time(case, Stage.TOTAL), hung_count=False)


@_among("to_close")
def recurrence_rate(case: CaseFacts, load: Caseload) -> int:
    """Closed ones that came back, themselves or as a new event / closed."""
    if case.closed_at is None and not case.returns:
        return NOT_MEANT
    return _share(case.returns > 0 or case.number in load.recurred)


@_among("to_close")
def satisfaction(case: CaseFacts, load: Caseload) -> int:
    """Reporters satisfied / asked and answered."""
    return NOT_MEANT if case.satisfied is None else _share(case.satisfied)


@_among("to_close")
def share_at_level_2(case: CaseFacts, load: Caseload) -> int:
    """Handled at the secondary grid / should-close."""
    return _share(case.level == 2)


@_among("to_close")
def share_at_level_3(case: CaseFacts, load: Caseload) -> int:
    """Handled at the district / should-close."""
    return _share(case.level == 3)


# -- machines


@_among("known")
def false_alarm_rate(case: CaseFacts, load: Caseload) -> int:
    """False alarms / machine finds with a verdict that labels; benign positives are none."""
    return _share(case.verdict == FALSE_ALARM) if _labelled(case) else NOT_MEANT


@_among("known")
def precision(case: CaseFacts, load: Caseload) -> int:
    """True for the kind they were raised as / machine finds with a verdict that labels."""
    return _share(case.verdict in POSITIVE) if _labelled(case) else NOT_MEANT


def precision_by_stream(load: Caseload) -> dict[str, Figure]:
    """`precision` of each stream that has a verdict."""
    streams: dict[str, list[CaseFacts]] = {}
    for case in filter(_labelled, load.known):
        streams.setdefault(case.stream, []).append(case)
    return {s: precision(replace(load, known=tuple(streams[s]))) for s in sorted(streams)}


@_among("known")
def lapse_rate(case: CaseFacts, load: Caseload) -> int:
    """Lapsed before anyone decided / machine finds."""
    return _share(case.state == "lapsed") if _by_machine(case) else NOT_MEANT


# -- latencies


def time_to_detect(load: Caseload) -> Latency:
    """From the first sight to the desk."""
    return _latency(load.known, "seen_at", "known_at")


def time_to_confirm(load: Caseload) -> Latency:
    """From the desk to the verdict on a machine find."""
    return _latency(filter(_by_machine, load.known), "known_at", "judged_at")


def time_to_dispose(load: Caseload) -> Latency:
    """From the last dispatch to the disposal that held."""
    return _latency(load.to_dispose, "dispatched_at", "disposed_at")


def time_to_feedback(load: Caseload) -> Latency:
    """From the disposal until a check begins: how long the answer waited to be looked at."""
    return _latency(load.to_close, "disposed_at", "check_started_at")


def time_to_close(load: Caseload) -> Latency:
    """From when it counts as reported to closing."""
    return _latency(load.to_close, "reported_at", "closed_at")


def machine_lead(load: Caseload) -> Latency:
    """How much earlier a machine saw what a person reported too; negative: later."""
    return _latency(load.reported, "machine_at", "person_at")


INDICATORS: Mapping[str, tuple[Indicator, Task]] = {  # formula, and the task it judges
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
LATENCIES: Mapping[str, Callable[[Caseload], Latency]] = {
    "detect": time_to_detect,
    "confirm": time_to_confirm,
    "dispose": time_to_dispose,
    "feedback": time_to_feedback,
    "close": time_to_close,
    "machine_lead": machine_lead,
}


def _share(counts: bool) -> int:
    return COUNTED if counts else AMONG


def _judged(case: CaseFacts, counts: bool, *, hung_count: bool = True) -> int:
    if case.exempt or (case.hung and not hung_count):
        return LEFT_OUT
    return COUNTED if counts else AMONG


def _dispatches(case: CaseFacts, *, returned: bool) -> int:
    if case.exempt:
        return LEFT_OUT
    return times(sum(d.returned is returned for d in case.dispatches), len(case.dispatches))


def _latency(cases: Iterable[CaseFacts], since: str, until: str) -> Latency:
    """Of cases where both times are known."""
    told = map(attrgetter("number", since, until), cases)
    return Latency.of([(n, b - a) for n, a, b in told if a is not None and b is not None])


def _done(case: CaseFacts, stage: Stage) -> bool:
    fact = case.stages.get(stage)
    return fact is not None and fact.done_at is not None


def _in_time(case: CaseFacts, stage: Stage) -> bool:
    fact = case.stages.get(stage)
    return fact is not None and fact.in_time


def _finder(case: CaseFacts) -> Role | None:
    hand = case.hands.get(Task.FIND)
    return None if hand is None else hand.role


def _by_machine(case: CaseFacts) -> bool:
    return _finder(case) is Role.DEVICE


def _labelled(case: CaseFacts) -> bool:
    return case.verdict in LABELS and _by_machine(case)


def _kept(case: CaseFacts, keepers: Mapping[str, frozenset[str]]) -> bool:
    """Whether the assistant of its cell found it; where nobody is named, any assistant."""
    hand = case.hands.get(Task.FIND)
    theirs = keepers.get(case.cell)
    if hand is None or theirs is None:
        return hand is not None and hand.role is Role.ASSISTANT
    return hand.person in theirs
