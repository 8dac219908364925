"""Grid events to test with, brought along their way by the services."""

from __future__ import annotations

from contract.taxonomy import Category
from hub.domain.actor import Actor, Role
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.evidence.keep_photo import keep_photo
from hub.services.judge_detection import Judgement, judge_detection
from hub.services.record_detections import record_detections
from hub.services.report_manually import ManualReport, report_manually
from hub.store import events
from hub.store.detections import Change
from hub.store.rows import GridEventRow
from tests.hub.builders import SQUARE, detection, north

DISPATCHER = Actor("wang", Role.DISPATCHER)
LEADER = Actor("li", Role.LEADER)
OTHER_LEADER = Actor("zhao", Role.LEADER)
DEPT = Actor("unit-b", Role.DEPT)
SUPERVISOR = Actor("sun", Role.SUPERVISOR)
MASTER = Actor("he", Role.MASTER)
CITIZEN = Actor("zhang", Role.CITIZEN)


def suspected(hub: Hub, metres: float = 0.0) -> GridEventRow:
    with hub.pool.connection() as conn:
        record = detection(at=hub.now(), position=north(SQUARE, metres))
        change = Change("demo", "edge-1", "b1", 1, record, hub.now())
        record_detections(conn, hub, [change])
        row = conn.execute("SELECT number FROM grid_event ORDER BY id DESC LIMIT 1").fetchone()
        assert row is not None
        event = events.by_number(conn, str(row[0]))
    assert event is not None
    return event


def act(hub: Hub, event: GridEventRow, name: str, actor: Actor, **given: object) -> GridEventRow:
    with hub.pool.connection() as conn:
        return act_on_event(
            conn,
            hub,
            event.number,
            Act(name, **given),  # type: ignore[arg-type]
            actor,
            None,
        )


def force_close(hub: Hub, event: GridEventRow, reason: str = "done") -> GridEventRow:
    """Closed by two: the master proposes it, the supervisor does it."""
    act(hub, event, "propose_close", MASTER, reason=reason)
    return act(hub, event, "force_close", SUPERVISOR, reason=reason)


def judge(
    hub: Hub, event: GridEventRow, judgement: Judgement, version: int | None = None
) -> GridEventRow:
    with hub.pool.connection() as conn:
        return judge_detection(conn, hub, event.number, judgement, DISPATCHER, version)


def photo(hub: Hub, data: bytes = b"afterwards") -> str:
    with hub.pool.connection() as conn:
        return keep_photo(conn, hub, data, "image/jpeg", LEADER).digest


def reported(hub: Hub, subcategory: str = "exposed_rubbish", metres: float = 0.0) -> GridEventRow:
    what = hub.categories.subcategories[subcategory]
    with hub.pool.connection() as conn:
        return report_manually(
            conn,
            hub,
            ManualReport(
                CITIZEN,
                "Something is wrong here",
                north(SQUARE, metres),
                Category(what.category),
                subcategory=subcategory,
            ),
        )


def dispatched(hub: Hub, subcategory: str = "exposed_rubbish", metres: float = 0.0) -> GridEventRow:
    """Reported, filed and dispatched in one moment."""
    event = act(hub, reported(hub, subcategory, metres), "file", DISPATCHER)
    return act(hub, event, "dispatch", DISPATCHER, responsible_unit="unit-b")


def as_it_is(hub: Hub, event: GridEventRow) -> GridEventRow:
    with hub.pool.connection() as conn:
        now = events.by_id(conn, event.id)
    assert now is not None
    return now


def steps(hub: Hub, event: GridEventRow) -> list[str]:
    """The names of its history."""
    with hub.pool.connection() as conn:
        return [h.name for h in events.history(conn, event.id)]
