"""The indicators of assessment, each a function from a caseload to a figure.

A figure names the very events it counts. An exempt case (its appeal was granted) is left out of
everything that judges work, with its number kept in `left_out`; its facts stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from hub.domain.actor import Role
from hub.domain.case_facts import CaseFacts, Task
from hub.domain.caseload import Caseload, Cases
from hub.domain.figures import Figure, Latency
from hub.domain.stages import Stage

POSITIVE = frozenset({"confirmed", "real_but_not_actionable", "real_but_authorised"})
NEGATIVE = frozenset({"false_alarm", "other_kind"})  # for the kind it was raised as
FALSE_ALARM = "false_alarm"


# -- filing


def filing_rate(load: Caseload) -> Figure:
    """Filed / reported."""
    return _share(load.reported, lambda c: c.filed)


def on_time_filing(load: Caseload) -> Figure:
    """Filed in time / filed."""
    return _judged((c for c in load.reported if c.filed), lambda c: _in_time(c, Stage.ACCEPT))


def valid_report_rate(load: Caseload) -> Figure:
    """Valid / reported, of what grid assistants reported; valid is what was filed."""
    return _share((c for c in load.reported if _finder(c) is Role.ASSISTANT), lambda c: c.filed)


def miss_rate(load: Caseload) -> Figure:
    """Found by others than the cell's assistant / all filed in the cell."""
    return _share((c for c in load.reported if c.filed), lambda c: not _kept(c, load.keepers))


def proactive_rate(load: Caseload) -> Figure:
    """Found by machines and grid assistants / all reported."""
    return _share(load.reported, lambda c: _finder(c) in (Role.DEVICE, Role.ASSISTANT))


# -- dispatch


def accurate_dispatch(load: Caseload) -> Figure:
    """Dispatches not returned / dispatches; an event is listed once for each dispatch."""
    return _dispatches(load.to_dispatch, returned=False)


def return_rate(load: Caseload) -> Figure:
    """Returned / received."""
    return _dispatches(load.to_dispatch, returned=True)


def on_time_dispatch(load: Caseload) -> Figure:
    """Dispatched in time / should-dispatch."""
    return _judged(load.to_dispatch, lambda c: _in_time(c, Stage.DISPATCH))


# -- disposal


def disposal_rate(load: Caseload) -> Figure:
    """Disposed / should-dispose."""
    return _judged(load.to_dispose, lambda c: _done(c, Stage.DISPOSE), hung_count=False)


def on_time_disposal(load: Caseload) -> Figure:
    """Disposed in time / should-dispose."""
    return _judged(load.to_dispose, lambda c: _in_time(c, Stage.DISPOSE), hung_count=False)


def rework_rate(load: Caseload) -> Figure:
    """Failed at check / disposed; an event is listed once for each time."""
    judged = [c for c in load.to_dispose if not c.exempt]
    return Figure(
        counted=_repeated(judged, lambda c: min(c.failed_checks, c.disposals)),
        among=_repeated(judged, lambda c: c.disposals),
        left_out=_numbers(c for c in load.to_dispose if c.exempt),
    )


def delay_rate(load: Caseload) -> Figure:
    """Extended / should-dispose."""
    return _judged(load.to_dispose, lambda c: c.extensions > 0)


# -- closing


def on_time_check(load: Caseload) -> Figure:
    """Checked in time / should-check."""
    return _judged(load.to_check, lambda c: _in_time(c, Stage.CHECK))


def closing_rate(load: Caseload) -> Figure:
    """Closed / (should-close - hung)."""
    return _judged(load.to_close, lambda c: c.closed_at is not None, hung_count=False)


def on_time_closing(load: Caseload) -> Figure:
    """Closed in time / (should-close - hung)."""
    return _judged(load.to_close, lambda c: _in_time(c, Stage.TOTAL), hung_count=False)


def recurrence_rate(load: Caseload) -> Figure:
    """Closed ones that came back, themselves or as a new event / closed."""
    return _share(
        (c for c in load.to_close if c.closed_at is not None or c.returns),
        lambda c: c.returns > 0 or c.number in load.recurred,
    )


def satisfaction(load: Caseload) -> Figure:
    """Reporters satisfied / asked and answered."""
    return _share((c for c in load.to_close if c.satisfied is not None), lambda c: c.satisfied)


def share_at_level_2(load: Caseload) -> Figure:
    """Handled at the secondary grid / should-close."""
    return _share(load.to_close, lambda c: c.level == 2)


def share_at_level_3(load: Caseload) -> Figure:
    """Handled at the district / should-close."""
    return _share(load.to_close, lambda c: c.level == 3)


# -- machines


def false_alarm_rate(load: Caseload) -> Figure:
    """False alarms / machine finds with a verdict that labels; benign positives are none."""
    return _share(_labelled(load), lambda c: c.verdict == FALSE_ALARM)


def precision(load: Caseload) -> Figure:
    """True for the kind they were raised as / machine finds with a verdict that labels."""
    return _share(_labelled(load), lambda c: c.verdict in POSITIVE)


def precision_by_stream(load: Caseload) -> dict[str, Figure]:
    """`precision` of each stream that has a verdict."""
    streams: dict[str, list[CaseFacts]] = {}
    for case in _labelled(load):
        streams.setdefault(case.stream, []).append(case)
    return {s: _share(streams[s], lambda c: c.verdict in POSITIVE) for s in sorted(streams)}


def lapse_rate(load: Caseload) -> Figure:
    """Lapsed before anyone decided / machine finds."""
    return _share((c for c in load.known if _by_machine(c)), lambda c: c.state == "lapsed")


# -- latencies


def time_to_detect(load: Caseload) -> Latency:
    """From the first sight to the desk."""
    return _latency(load.known, lambda c: c.seen_at, lambda c: c.known_at)


def time_to_confirm(load: Caseload) -> Latency:
    """From the desk to the verdict on a machine find."""
    return _latency(filter(_by_machine, load.known), lambda c: c.known_at, lambda c: c.judged_at)


def time_to_dispose(load: Caseload) -> Latency:
    """From the last dispatch to the disposal that held."""
    return _latency(load.to_dispose, lambda c: c.dispatched_at, lambda c: c.disposed_at)


def time_to_feedback(load: Caseload) -> Latency:
    """From the disposal until a check begins: how long the answer waited to be looked at."""
    return _latency(load.to_close, lambda c: c.disposed_at, lambda c: c.check_started_at)


def time_to_close(load: Caseload) -> Latency:
    """From when it counts as reported to closing."""
    return _latency(load.to_close, lambda c: c.reported_at, lambda c: c.closed_at)


def machine_lead(load: Caseload) -> Latency:
    """How much earlier a machine saw what a person reported too; negative: later."""
    return _latency(load.reported, lambda c: c.machine_at, lambda c: c.person_at)


Indicator = Callable[[Caseload], Figure]
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


def _share(among: Iterable[CaseFacts], counts: Callable[[CaseFacts], bool | None]) -> Figure:
    cases = tuple(among)
    return Figure(_numbers(c for c in cases if counts(c)), _numbers(cases))


def _judged(
    cases: Iterable[CaseFacts], counts: Callable[[CaseFacts], bool], *, hung_count: bool = True
) -> Figure:
    counted, among, left_out = [], [], []
    for case in cases:
        if case.exempt or (case.hung and not hung_count):
            left_out.append(case.number)
            continue
        among.append(case.number)
        if counts(case):
            counted.append(case.number)
    return Figure(tuple(counted), tuple(among), tuple(left_out))


def _dispatches(cases: Cases, *, returned: bool) -> Figure:
    judged = [c for c in cases if not c.exempt]
    return Figure(
        counted=_repeated(judged, lambda c: sum(d.returned is returned for d in c.dispatches)),
        among=_repeated(judged, lambda c: len(c.dispatches)),
        left_out=_numbers(c for c in cases if c.exempt),
    )


def _latency(
    cases: Iterable[CaseFacts],
    since: Callable[[CaseFacts], datetime | None],
    until: Callable[[CaseFacts], datetime | None],
) -> Latency:
    samples: list[tuple[str, timedelta]] = []
    for case in cases:
        a, b = since(case), until(case)
        if a is not None and b is not None:
            samples.append((case.number, b - a))
    return Latency.of(samples)


def _numbers(cases: Iterable[CaseFacts]) -> tuple[str, ...]:
    return tuple(c.number for c in cases)


def _repeated(cases: Iterable[CaseFacts], times: Callable[[CaseFacts], int]) -> tuple[str, ...]:
    return tuple(c.number for c in cases for _ in range(times(c)))


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


def _labelled(load: Caseload) -> list[CaseFacts]:
    return [c for c in load.known if _by_machine(c) and c.verdict in POSITIVE | NEGATIVE]


def _kept(case: CaseFacts, keepers: Mapping[str, frozenset[str]]) -> bool:
    """Whether the assistant of its cell found it; where nobody is named, any assistant."""
    hand = case.hands.get(Task.FIND)
    theirs = keepers.get(case.cell)
    if hand is None or theirs is None:
        return hand is not None and hand.role is Role.ASSISTANT
    return hand.person in theirs
