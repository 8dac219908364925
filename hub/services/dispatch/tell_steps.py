"""Who is told of a step: whoever has to do something now, to stop doing it, or waits for word.

Nobody is told of what they did themselves, nor who has left or holds no post any more. The unit of
a dispatch, and of a recall, hears of it from the outbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import Connection

from hub.domain.actor import Actor, Role
from hub.domain.notice import GRANTED, REFUSED, REQUESTS, NoticeKind, Words
from hub.services.act import Act
from hub.services.context import Hub
from hub.services.outward.ask_reporters import ask_reporters
from hub.services.outward.tell import tell, tell_holders
from hub.store import cohandlers, events, people, reports
from hub.store.people import PersonRow
from hub.store.rows import GridEventRow

# who is told at which level, once a case was escalated there
_LEVELS: dict[int, tuple[Role, ...]] = {
    2: (Role.LEADER, Role.DISPATCHER),
    3: (Role.MASTER, Role.SUPERVISOR, Role.DISPATCHER),
}
# who is asked: whoever may decide
_DECIDE: Mapping[str, tuple[Role, ...]] = {
    "request_extension": (Role.DISPATCHER, Role.MASTER),
    "request_hang": (Role.DISPATCHER, Role.MASTER),
    "propose_close": (Role.SUPERVISOR,),
    "appeal": (Role.DISPATCHER, Role.MASTER, Role.SUPERVISOR),
    "review_appeal": (Role.SUPERVISOR,),
}
# the answer, and what it answers
_ANSWERS: Mapping[str, str] = {
    "decide_extension": "request_extension",
    "suspend": "request_hang",
    "decide_appeal": "appeal",
}
_CLOSING = ("check_pass", "force_close")


def tell_step(
    conn: Connection[Any],
    hub: Hub,
    before: GridEventRow,
    after: GridEventRow,
    act: Act,
    actor: Actor,
) -> None:
    """Write the notices of a step, in its transaction; a test case bothers nobody."""
    if after.test:
        return
    telling = _Telling(conn, hub, after, act, actor)
    match act.name:
        case "dispatch":
            telling.named(NoticeKind.DISPATCHED, after.assignee)
        case "send_verify":
            telling.named(NoticeKind.TASK, after.assignee)
        case "start_check":
            if after.assignee is not None:
                telling.named(NoticeKind.TO_CHECK, after.assignee)
            else:
                telling.holders(NoticeKind.TO_CHECK, Role.LEADER)
        case "return_unit":
            telling.holders(NoticeKind.RETURNED, Role.DISPATCHER)
        case "escalate":
            for role in _LEVELS.get(after.level, (Role.DISPATCHER,)):
                telling.holders(NoticeKind.ESCALATED, role)
        case "check_fail":
            telling.named(NoticeKind.REWORK, after.assignee, after.responsible_unit)
        case "add_cohandler":
            telling.named(NoticeKind.COHANDLER, None, act.unit)
        case "recall" | "merge":
            unit = before.responsible_unit if act.name == "merge" else None
            telling.named(NoticeKind.RECALLED, before.assignee, unit)
            for helper in cohandlers.of_event(conn, after.id):
                if helper.done_at is None:
                    telling.named(NoticeKind.RECALLED, None, helper.unit)
        case "reopen" | "recur":
            telling.holders(NoticeKind.REOPENED, Role.DISPATCHER)
        case name if name in _DECIDE:
            for role in _DECIDE[name]:
                telling.holders(NoticeKind.ASKED, role, REQUESTS[name])
        case name if name in _ANSWERS:
            telling.answer(_ANSWERS[name])
        case name if name in _CLOSING:
            telling.closed(before)
        case _:
            pass


class _Telling:
    """The notices of one step."""

    def __init__(
        self, conn: Connection[Any], hub: Hub, event: GridEventRow, act: Act, actor: Actor
    ) -> None:
        self._conn = conn
        self._hub = hub
        self._event = event
        self._act = act
        self._actor = actor
        words = act.reason or act.note
        self._told: dict[str, Any] = {
            "body": f"{event.number}: {words}" if words else event.number,
            "occasion": str(event.version),
        }

    def named(
        self,
        kind: NoticeKind,
        person: str | None,
        unit: str | None = None,
        detail: Words | None = None,
    ) -> None:
        """Somebody and a unit; a unit that is a person's name is told as that person."""
        persons = self._here([person, unit])
        if unit is not None and unit in {p.code for p in persons}:
            unit = None
        self._tell(kind, persons, unit, detail)

    def holders(self, kind: NoticeKind, role: Role, detail: Words | None = None) -> None:
        """Whoever holds the post where the event lies."""
        tell_holders(
            self._conn,
            self._hub,
            kind,
            self._event,
            role,
            but=self._actor.name,
            detail=detail,
            **self._told,
        )

    def answer(self, request: str) -> None:
        """Whoever asked hears what became of it; where they have left, the unit does."""
        history = events.history(self._conn, self._event.id)
        asked = next((h for h in reversed(history) if h.name == request), None)
        if asked is None:  # suspended without anybody having asked
            return
        what, how = REQUESTS[request], REFUSED if self._act.granted is False else GRANTED
        detail = Words(f"{what.en}: {how.en}", f"{what.zh}：{how.zh}")
        unit = None if self._here([asked.actor]) else self._event.responsible_unit
        self.named(NoticeKind.ANSWERED, asked.actor, unit, detail)

    def closed(self, before: GridEventRow) -> None:
        """Whoever had a hand in it: handlers, reporters of the staff, who proposed to close it.

        The unit hears of it where none of its own people does, and so does one that still helps.
        Reporters who left an address are asked how it was dealt with.
        """
        history = events.history(self._conn, self._event.id)
        hands = [h.actor for h in history if h.name in ("accept", "feedback", "self_handle")]
        forced = self._act.name == "force_close"
        proposed = [h.actor for h in history if forced and h.name == "propose_close"][-1:]
        reporters = reports.reporters(self._conn, self._event.id)
        persons = self._here([*hands, *proposed, *reporters, before.assignee])
        self._tell(NoticeKind.CLOSED, persons, None)
        helping = [
            c.unit
            for c in cohandlers.of_event(self._conn, self._event.id)
            if c.done_at is None  # their part was closed over their heads
        ]
        known = {p.code for p in persons} | {p.unit for p in persons} | {self._actor.name}
        for unit in dict.fromkeys([before.responsible_unit, *helping]):
            if unit is not None and unit not in known:
                self._tell(NoticeKind.CLOSED, [], unit)
        ask_reporters(self._conn, self._hub, self._event)

    def _tell(
        self,
        kind: NoticeKind,
        persons: list[PersonRow],
        unit: str | None,
        detail: Words | None = None,
    ) -> None:
        persons = [p for p in persons if p.code != self._actor.name]
        if persons or unit is not None:
            tell(
                self._conn,
                self._hub,
                kind,
                self._event,
                persons,
                unit=unit,
                detail=detail,
                **self._told,
            )

    def _here(self, codes: Iterable[str | None]) -> list[PersonRow]:
        """Those who are registered and still work here."""
        now = self._hub.now()
        found = (people.serving(self._conn, c, now) for c in dict.fromkeys(codes) if c)
        return [p for p in found if p is not None]
