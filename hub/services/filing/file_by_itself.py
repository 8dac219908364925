"""Suspected events that meet the whole policy are filed by themselves; the others say why not.

Called in the transaction that stores their detections, for a whole batch at once: three queries
by index, whatever the number of windows and verdicts there are. An emergency is sent to the
responsible unit at once; a person has yet to endorse it, and a rejection recalls it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection

from contract.taxonomy import Severity
from hub.domain.actor import Actor, Role
from hub.domain.categories import SubCategory
from hub.domain.control_window import ControlWindow, Sight, covering
from hub.domain.filing import Device, Judgement, Seen, judge, kept
from hub.domain.filing_reason import reason
from hub.domain.merge import EpisodeState
from hub.domain.trust import Judged, calibrated, trust_of
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.registry.responsible import unit_for
from hub.store import agents, control_windows, events, judged
from hub.store import changes as store_changes
from hub.store.detections import Episode
from hub.store.judged import StreamClass
from hub.store.rows import GridEventRow

RULE = Actor("filing-by-itself", Role.RULE)


@dataclass(frozen=True, slots=True)
class _Grounds:
    """What the decisions of a batch are made from, read once."""

    now: datetime
    devices: Mapping[tuple[str, str], Device]
    verdicts: Mapping[StreamClass, Sequence[Judged]]
    windows: Sequence[ControlWindow]


def file_by_themselves(conn: Connection[Any], hub: Hub, episodes: Collection[Episode]) -> None:
    """Judge the events of these episodes, which were told of in time and have been stored.

    Only a suspected event is judged, by a detection of the very sub-category it is of: smoke does
    not file a fire.
    """
    fed: list[tuple[Episode, SubCategory, int]] = []
    for e in sorted(episodes, key=lambda e: (e.event or 0, e.state.episode)):
        what = hub.categories.opened_by(e.state.kind, e.state.label)
        if what is not None and e.event is not None and hub.categories.bar(what).on:
            fed.append((e, what, e.event))
    roots = events.roots_of(conn, {id for _, _, id in fed})
    asked = [
        (e, what, event)
        for e, what, id in fed
        if (event := roots[id]).state == "suspected" and event.subcategory == what.id
    ]
    if not asked:
        return
    grounds = _grounds(conn, hub, [e for e, _, _ in asked])
    speaking = Counter(event.id for _, _, event in asked)
    why_not: dict[int, Judgement] = {}
    done: set[int] = set()
    for e, what, event in asked:
        if event.id in done:
            continue
        judgement = _judge(hub, e, what, event, grounds)
        if judgement.passed:
            done.add(event.id)
            _file(conn, hub, event, judgement)
        elif _is_new(event, judgement, speaking[event.id]):
            why_not[event.id] = judgement
    told = {id: kept(why) for id, why in why_not.items() if id not in done}
    if told:
        events.note_judged(conn, told)
        store_changes.tell_each(conn, "event", {e.number for _, _, e in asked if e.id in told})


def dispatch_at_once(conn: Connection[Any], hub: Hub, event: GridEventRow) -> str | None:
    """Send a filed emergency to the responsible unit; its name, None where there is none."""
    unit = unit_for(conn, event, hub.now())
    if unit is not None:
        act_on_event(conn, hub, event.number, Act("dispatch", responsible_unit=unit), RULE, None)
    return unit


def _file(conn: Connection[Any], hub: Hub, event: GridEventRow, judgement: Judgement) -> None:
    why = reason(judgement, hub.zone).en
    act = Act("auto_file", reason=why, policy_pass=True)
    filed = act_on_event(conn, hub, event.number, act, RULE, None)
    if Severity(filed.severity) is Severity.S1:
        unit = dispatch_at_once(conn, hub, filed)
        judgement = replace(judgement, unit=unit, no_unit=unit is None)
    events.note(conn, event.id, {"by_itself": kept(judgement)})


def _is_new(event: GridEventRow, judgement: Judgement, speaking: int) -> bool:
    """Whether it is to be kept why not; of several detections the one nearest to filing speaks."""
    if event.by_itself == kept(judgement):
        return False
    before = event.by_itself or {}
    return not (speaking > 1 and 0 < len(before.get("failed", ())) < len(judgement.failed))


def _judge(
    hub: Hub, e: Episode, what: SubCategory, event: GridEventRow, grounds: _Grounds
) -> Judgement:
    state = e.state
    verdicts = grounds.verdicts.get(_class_of(state), ())
    rule = hub.categories.trust_rule(what)
    sight = Sight(
        what.category, what.id, state.kind, e.cell or event.cell, state.agent, state.stream
    )
    return judge(
        hub.categories.bar(what),
        Seen(
            severity=Severity(event.severity),
            test=event.test,
            probability=calibrated(state.peak_score, verdicts, rule.least),
            lasted_s=(state.captured_at - state.started_at).total_seconds(),
            device=grounds.devices.get((state.agent, state.stream), Device.UNKNOWN),
            trust=trust_of(verdicts, rule),
            least=rule.least,
            window=covering(grounds.windows, sight, grounds.now),
        ),
    )


def _grounds(conn: Connection[Any], hub: Hub, episodes: Sequence[Episode]) -> _Grounds:
    now = hub.now()
    return _Grounds(
        now=now,
        devices=agents.soundness(conn, {(e.state.agent, e.state.stream) for e in episodes}, now),
        verdicts=judged.last(
            conn, {_class_of(e.state) for e in episodes}, hub.categories.filing.window
        ),
        windows=control_windows.in_force(conn, now),
    )


def _class_of(state: EpisodeState) -> StreamClass:
    return StreamClass(state.agent, state.stream, state.kind, state.label)
