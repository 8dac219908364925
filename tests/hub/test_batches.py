"""How many detections a transaction brings changes nothing but what it costs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from psycopg import Cursor

from contract.geometry import Point
from contract.messages import Detection
from contract.taxonomy import Phase
from hub.domain.actor import Actor, Role
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.event_history import verify_history
from hub.services.record_detections import record_detections
from hub.store import events
from hub.store.detections import Change
from tests.hub.builders import SQUARE, START, Clock, detection, episode_id, north, rows

DISPATCHER = Actor("wang", Role.DISPATCHER)
SUPERVISOR = Actor("zhao", Role.SUPERVISOR)
KINDS = ("flame", "smoke", "congestion")


def record(hub: Hub, found: Sequence[Detection]) -> None:
    with hub.pool.connection() as conn:
        changes = [Change("demo", "edge-1", "b1", n, r, hub.now()) for n, r in enumerate(found, 1)]
        assert record_detections(conn, hub, changes) == []


def act(hub: Hub, number: str, name: str, actor: Actor = DISPATCHER, **more: Any) -> None:
    with hub.pool.connection() as conn:
        act_on_event(conn, hub, number, Act(name, **more), actor, None)


def past(hub: Hub, clock: Clock, origin: Point, streams: str) -> list[Detection]:
    """Five places with a past: live, closed, rejected, merged into the first, of no known place."""
    before = numbers(hub)
    begun = [
        detection(
            at=clock(),
            kind="smoke",
            label="smoke",
            position=None if spot == 4 else north(origin, 500 * spot),
            stream=f"{streams}-{spot}",
        )
        for spot in range(5)
    ]
    for one in begun:
        record(hub, [one])
    first, second, third, fourth, _ = [n for n in numbers(hub) if n not in before]
    act(hub, second, "confirm", evidence_viewed=True)
    act(hub, second, "propose_close", reason="done")
    act(hub, second, "force_close", SUPERVISOR, reason="done")
    act(hub, third, "reject", reason="steam")
    act(hub, fourth, "attach", parent=first)
    return begun


def numbers(hub: Hub) -> list[str]:
    found = rows(hub.config.database.url, "SELECT number FROM grid_event ORDER BY id")
    return [str(n) for (n,) in found]


def story(
    seed: int, clock: Clock, origin: Point, streams: str, begun: Sequence[Detection]
) -> list[Detection]:
    """What is told of at last, in the order in which it was seen: new, going on, and late."""
    draw = random.Random(seed)
    told, waiting = [], list(begun)  # an episode is told of once: a batch keeps its last word alone
    draw.shuffle(waiting)
    for n in range(50):
        at = clock() - timedelta(seconds=1200 - 24 * n)  # the first twelve are late
        kind, spot = draw.choice(KINDS), draw.randrange(5)
        known = waiting.pop() if waiting and draw.random() < 0.15 else None
        place = north(origin, 500 * spot + draw.uniform(-90, 90))
        told.append(
            detection(
                at=at,
                episode=known.episode if known else episode_id(),
                revision=n + 2 if known else 1,
                phase=Phase.UPDATED if known else Phase.RAISED,
                kind=known.kind if known else kind,
                label=known.label if known else kind,
                stream=known.stream if known else f"{streams}-{spot}",
                position=known.position if known else (None if spot == 4 else place),
            )
        )
    return told


def outcome(hub: Hub, origin: Point, before: Sequence[str], told: Sequence[Detection]) -> Any:
    """The events there are since, whatever their numbers are, and which each episode feeds."""
    since = [n for n in numbers(hub) if n not in before]
    order = dict(rows(hub.config.database.url, "SELECT id, number FROM grid_event ORDER BY id"))
    found = []
    with hub.pool.connection() as conn:
        for number in since:
            assert verify_history(conn, number) is None
            event = events.by_number(conn, number)
            assert event is not None
            found.append(
                (
                    event.state,
                    event.severity,
                    event.subcategory,
                    None if event.lat is None else round(event.lat - origin.lat, 9),
                    event.occurred_at,
                    event.last_seen_at,
                    event.occurrence,
                    event.recurrence_of and since.index(str(order[event.recurrence_of])),
                    event.parent and since.index(str(order[event.parent])),
                    [(h.n, h.name, h.from_state) for h in events.history(conn, event.id)],
                )
            )
    fed = {
        str(episode): (late, None if event is None else str(order[event]))
        for episode, event, late in rows(
            hub.config.database.url, "SELECT episode, event, late FROM detection"
        )
    }
    feeds = [fed[d.episode] for d in told]
    return found, [(late, number and since.index(number)) for late, number in feeds]


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_comes_to_what_its_detections_come_to_one_by_one(
    hub: Hub, clock: Clock, seed: int
) -> None:
    outcomes = []
    for how, origin in (("one", SQUARE), ("all", north(SQUARE, 50_000))):
        clock.at, before = START, numbers(hub)
        begun = past(hub, clock, origin, how)
        clock.move(1500)
        told = story(seed, clock, origin, how, begun)
        for batch in [told] if how == "all" else [[d] for d in told]:
            record(hub, batch)
        outcomes.append(outcome(hub, origin, before, told))

    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][0]) > 8
    assert [n[-5:] for n in numbers(hub)] == [f"{n:05}" for n in range(1, len(numbers(hub)) + 1)]


def test_two_episodes_of_a_camera_without_a_place_are_one_event_in_one_batch_too(
    hub: Hub, clock: Clock
) -> None:
    seen = [detection(at=clock(), position=None, stream=s) for s in ("cam-1", "cam-1", "cam-2")]

    record(hub, seen)

    fed = rows(
        hub.config.database.url,
        "SELECT stream, count(DISTINCT event) FROM detection GROUP BY stream ORDER BY stream",
    )
    assert fed == [("cam-1", 1), ("cam-2", 1)]
    assert len(numbers(hub)) == 2


def test_thirty_fires_ask_the_database_no_more_often_than_three(hub: Hub, clock: Clock) -> None:
    class Counting(Cursor[Any]):
        asked = 0

        def execute(self, *args: Any, **more: Any) -> Any:
            Counting.asked += 1
            return super().execute(*args, **more)

    asked = []
    for n in (3, 30):
        fires = [
            detection(at=clock(), position=north(SQUARE, 300 * (n + i)), stream=f"cam-{i}")
            for i in range(n)
        ]
        with hub.pool.connection() as conn:
            conn.cursor_factory = Counting
            Counting.asked = 0
            changes = [Change("demo", "edge-1", "b1", i, f, hub.now()) for i, f in enumerate(fires)]
            assert record_detections(conn, hub, changes) == []
            asked.append(Counting.asked)
            conn.cursor_factory = Cursor

    assert asked[0] == asked[1]
    assert len(numbers(hub)) == 33
