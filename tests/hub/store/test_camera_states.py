"""The hub knows which cells were blind, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from contract.taxonomy import CameraState
from hub.domain.sight import Stretch, Word, follow
from hub.ingest.heartbeats import take_heartbeats
from hub.services.context import Hub
from hub.store import agents, camera_states
from hub.store.agents import StreamBirth
from hub.store.health import ReceivedHealth
from tests.hub.api.city import City, town_with_cameras
from tests.hub.api.problems import problem
from tests.hub.api.signing_in import signed_in
from tests.hub.builders import Clock, health

CELL = "410105000001001"
BOOT = "boot-1"


def births(hub: Hub, *streams: str) -> None:
    """The agent is born with these cameras, all in one cell and online."""
    with hub.pool.connection() as conn:
        for code, parent in ((CELL[:6], None), (CELL[:12], CELL[:6]), (CELL, CELL[:12])):
            conn.execute(
                "INSERT INTO grid_cell (code, level, parent, name_en, name_zh, polygon) "
                "VALUES (%s, %s, %s, 'x', 'x', '{}') ON CONFLICT DO NOTHING",
                (code, {6: 3, 12: 2, 15: 1}[len(code)], parent),
            )
        agents.enrol(conn, {"edge": "north"})
        agents.bear(conn, "edge", boot=BOOT, born_at=hub.now(), seen_at=hub.now(), manifest={})
        born = [StreamBirth(s, s, None, CELL, "online") for s in streams]
        agents.save_streams(conn, "edge", born, hub.now(), same_boot=False)


def says(
    hub: Hub,
    seq: int,
    state: str,
    stream: str = "cam-01",
    *,
    at: datetime | None = None,
    offset_s: float | None = 0.0,
) -> None:
    record = health(stream=stream, state=CameraState(state), at=at or hub.now(), offset_s=offset_s)
    heartbeat = ReceivedHealth("edge", BOOT, seq, record, hub.now())
    with hub.pool.connection() as conn:
        take_heartbeats(conn, [heartbeat], hub.insert)


def blind(hub: Hub, begin: datetime) -> list[tuple[float, float]]:
    """The cell's blind periods since `begin`, in seconds after it."""
    with hub.pool.connection() as conn:
        found = camera_states.blind(conn, begin, hub.now(), hub.now())
    return [
        ((a - begin).total_seconds(), (b - begin).total_seconds())
        for cell in found
        for a, b in cell.periods
    ]


def test_a_cell_is_blind_only_while_all_its_cameras_are(hub: Hub, clock: Clock) -> None:
    begin = clock()
    births(hub, "cam-01", "cam-02")
    for seq, (first, second) in enumerate(
        [("frozen", "online"), ("frozen", "dark"), ("frozen", "dark"), ("online", "dark")]
    ):
        clock.move(10)
        says(hub, 2 * seq + 1, first, "cam-01", at=clock())
        says(hub, 2 * seq + 2, second, "cam-02", at=clock())
    clock.move(10)
    assert blind(hub, begin) == [(20.0, 40.0)]


def test_an_agent_that_is_not_heard_is_blind_since_it_was_last_heard(
    hub: Hub, clock: Clock
) -> None:
    begin = clock()
    births(hub, "cam-01")
    clock.move(10)
    says(hub, 1, "online")
    clock.move(30)
    assert blind(hub, begin) == []
    clock.move(60)
    assert blind(hub, begin) == [(10.0, 100.0)]

    says(hub, 2, "online", at=clock() - timedelta(seconds=80))  # waited at the edge
    assert blind(hub, begin) == [(10.0, 100.0)]
    says(hub, 3, "online")
    clock.move(5)
    says(hub, 1, "dark")  # out of order
    assert blind(hub, begin) == [(10.0, 100.0)]


def test_an_agent_that_goes_offline_takes_the_sight_of_its_cameras_along(
    hub: Hub, clock: Clock
) -> None:
    begin = clock()
    births(hub, "cam-01")
    clock.move(15)
    with hub.pool.connection() as conn:
        assert agents.bury(conn, "edge", boot=BOOT, born_at=begin, seen_at=clock())
    clock.move(5)
    assert blind(hub, begin) == [(0.0, 20.0)]


@pytest.mark.parametrize(("claimed_s", "believed_s"), [(4, 4), (-86_400, 0), (86_400, 10)])
def test_a_states_begin_is_believed_only_between_two_words(
    clock: Clock, claimed_s: int, believed_s: int
) -> None:
    at = clock()
    now = Stretch("edge", "cam-01", CELL, "online", at - timedelta(days=1), at)
    said = at + timedelta(seconds=10)
    dark = Word("edge", "cam-01", CELL, "dark", at + timedelta(seconds=claimed_s), said)
    *_, last = follow(now, dark)
    assert (last.state, last.begun_at) == ("dark", at + timedelta(seconds=believed_s))


def test_the_api_tells_blind_and_uncovered_cells_apart(database_url: str, tmp_path: object) -> None:
    with town_with_cameras(database_url, tmp_path) as town:  # type: ignore[arg-type]
        _ask(town)


def _ask(town: City) -> None:
    town.heartbeat({"cam-01": CameraState.FROZEN, "cam-02": CameraState.FROZEN})
    with httpx.Client(base_url=town.url, cookies=signed_in(town.hub)) as client:
        told = client.get("/api/v1/blind").json()
        cameras = sorted(c for cell in told["cells"] for c in cell["cameras"])
        assert cameras == ["demo-01/cam-01", "demo-01/cam-02"]
        assert told["until"].endswith("+08:00")
        assert len(told["uncovered"]) + len(told["cells"]) >= 300
        problem(client.get("/api/v1/blind?from=2020-01-01T00:00:00Z"), 422)
        problem(client.get("/api/v1/blind?from=0001-01-01T00:00:00Z"), 422)
