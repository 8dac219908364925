"""The failures of the design, one function each; `FAULTS` is the list.

A function does its harm, waits as long as the harm lasts, and says whether it struck at the
moment it is named for. Killed parts come back by themselves, a random time later.
"""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from gridwarden.chaos.agent import NOT_TAKEN
from gridwarden.chaos.book import Book
from gridwarden.chaos.ground import AgentHand, Ground, WorkerHand
from gridwarden.chaos.wire import Way

BACK_S = (0.0, 1.5)  # a killed part is started again after this long
MOMENT_S = 3.0  # how long a fault waits for its moment
HOLDER_S = 8.0  # and for a worker that has taken the stations, after an earlier fault
# in an agent's log: some of its writes failed (files that are there already may have room in them)
FULL_SIGNS = (NOT_TAKEN, "No space left", "no room")
TWIN_S = 15.0  # and for the first word of a twin
HOUR_S = 3600.0

Act = Callable[[Ground, random.Random], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to fail."""

    name: str
    act: Act
    weight: int = 2  # how often, beside the others
    needs: str = ""  # "broker", "database": ours to kill; "small disk"
    limit: int | None = None  # at most so often in a run


def draw(faults: Sequence[Fault], chance: random.Random) -> Iterator[Fault]:
    """Every fault once in random order, then at random by weight, for ever."""
    left = {fault.name: fault.limit for fault in faults}
    first = list(faults)
    chance.shuffle(first)
    weights = [fault.weight for fault in faults]
    while True:
        fault = first.pop() if first else chance.choices(faults, weights)[0]
        limit = left[fault.name]
        if limit is not None:
            if limit == 0:
                continue
            left[fault.name] = limit - 1
        yield fault


def _back(chance: random.Random) -> float:
    return chance.uniform(*BACK_S)


def _some_agent(ground: Ground, chance: random.Random) -> AgentHand:
    return chance.choice(ground.agents)


def edge_killed(ground: Ground, chance: random.Random) -> bool:
    """An agent, wherever it is."""
    return ground.hands.kill(_some_agent(ground, chance).hand, _back(chance))


def disk_full(ground: Ground, chance: random.Random) -> bool:
    """An agent whose disk has no byte left for a while; what it frees is taken at once."""
    disk, hand = ground.small_disk, ground.agents[0].hand
    assert disk is not None
    ground.hands.troubled(15.0)  # an agent may end that cannot even open its spool
    said = hand.part.log.stat().st_size
    filled_until = time.monotonic() + chance.uniform(2.0, 4.0)
    restart_at = time.monotonic() + 1.0 if chance.random() < 0.5 else filled_until
    try:
        while time.monotonic() < filled_until:
            disk.fill()
            if restart_at < time.monotonic():
                ground.hands.kill(hand, 0.0)
                restart_at = filled_until
            ground.wait(0.1)
    finally:
        disk.empty()
    return any(sign in hand.part.log.read_text()[said:] for sign in FULL_SIGNS)


def spool_deleted(ground: Ground, chance: random.Random) -> bool:
    """A spool gone: what of it had not arrived is gone with it, and the hub knows."""
    agent = _some_agent(ground, chance)
    if not _known(ground, agent) or not ground.hands.kill(agent.hand, 60.0):
        return False
    ground.spools_taken[agent.name] = ground.spools_taken.get(agent.name, 0) + 1
    shutil.rmtree(agent.orders.folder)
    agent.hand.due_s = 0.0
    ground.wait(chance.uniform(0.5, 1.0))
    return True


def spool_cloned(ground: Ground, chance: random.Random) -> bool:
    """A copy of an agent, spool and name, that runs beside it for a while."""
    agent = _some_agent(ground, chance)
    if not _known(ground, agent) or not ground.hands.kill(agent.hand, 60.0):
        return False
    twin = ground.start_twin(agent)
    ground.spools_taken[agent.name] = ground.spools_taken.get(agent.name, 0) + 1
    agent.hand.due_s = 0.0
    struck = ground.wait_until(lambda: _heard(ground, twin), TWIN_S)
    ground.wait(chance.uniform(1.0, 2.0))
    ground.hands.kill(twin.hand, 60.0)
    ground.hands.drop(twin.hand)
    twin.wire.close()
    return struck


def _heard(ground: Ground, agent: AgentHand) -> bool:
    """Whether anything of the last boot on this agent's own page has arrived."""
    book = Book()
    book.read(agent.name, Path(agent.orders.book))
    query = "SELECT 1 FROM ledger WHERE (agent, boot) = (%s, %s)"
    boots = book.boots[agent.name]
    return bool(boots and ground.store.ask(query, agent.name, boots[-1]))


def _known(ground: Ground, agent: AgentHand) -> bool:
    """Whether the hub has heard of the agent's present boot: of another it could tell nothing."""
    return ground.wait_until(lambda: _heard(ground, agent), MOMENT_S)


def clock_jumped(ground: Ground, chance: random.Random) -> bool:
    """An agent's clock, an hour before or after, or right again."""
    agent = _some_agent(ground, chance)
    now_s = agent.orders.clock_s
    agent.order(clock_s=chance.choice([x for x in (-HOUR_S, 0.0, HOUR_S) if x != now_s]))
    return True


def new_agent(ground: Ground, chance: random.Random) -> bool:
    """An agent nobody knows: its birth, detections and readings meet at several connections."""
    ground.start_agent(chance.choice(ground.stations))
    return True


def broker_killed(ground: Ground, chance: random.Random) -> bool:
    """The broker, which keeps nothing."""
    assert ground.broker is not None
    return ground.hands.kill(ground.broker, _back(chance))


def hub_killed(ground: Ground, chance: random.Random) -> bool:
    """A worker at any moment: mostly the one with the stations, which the other takes over."""
    worker = ground.holder() if chance.random() < 0.8 else None
    worker = worker or chance.choice(ground.workers)
    return ground.hands.kill(worker.hand, _back(chance))


def hub_killed_before_puback(ground: Ground, chance: random.Random) -> bool:
    """A worker that has committed and whose PUBACK and acknowledgement did not get out."""
    worker = ground.holder(HOLDER_S)
    if worker is None:
        return False
    worker.broker_wire.hold(Way.OUT)
    try:
        before = _watermarks(ground)
        struck = ground.wait_until(lambda: _watermarks(ground) > before, MOMENT_S)
        ground.hands.kill(worker.hand, _back(chance))
        worker.broker_wire.cut()  # what it had said last is never heard
    finally:
        worker.broker_wire.mend()
    return struck


def _watermarks(ground: Ground) -> int:
    ((total,),) = ground.store.ask("SELECT coalesce(sum(watermark), 0) FROM ledger")
    return int(total)


def hub_killed_mid_batch(ground: Ground, chance: random.Random) -> bool:
    """A worker within its transaction: the ledger's rows are its own, a table lets it wait."""
    worker = ground.holder(HOLDER_S)
    if worker is None:
        return False
    table = chance.choice(("reading", "detection_change", "health", "ledger"))
    with ground.store.connect() as conn, conn.transaction():
        conn.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.Identifier(table)))
        struck = ground.wait_until(lambda: _waits(ground, worker), MOMENT_S)
        ground.hands.kill(worker.hand, _back(chance))
    return struck


def _waits(ground: Ground, worker: WorkerHand) -> bool:
    """Whether a transaction of this worker's ingestion waits for a lock."""
    waiting = ground.store.ask(
        """
        SELECT 1 FROM pg_stat_activity
        WHERE application_name LIKE 'ingest-%%' AND wait_event_type = 'Lock'
          AND client_port = ANY (%s)
        """,
        sorted(worker.database_wire.far_ports()),
    )
    return bool(waiting)


def station_taken_over(ground: Ground, chance: random.Random) -> bool:
    """A worker that loses its stations while it works: for a moment there are two."""
    worker = ground.holder(HOLDER_S)
    if worker is None:
        return False
    ground.store.ask(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'station-locks' AND client_port = ANY (%s)
        """,
        sorted(worker.database_wire.far_ports()),
    )
    return ground.wait_until(lambda: ground.holder() not in (None, worker), MOMENT_S)


def hub_down_then_broker_killed(ground: Ground, chance: random.Random) -> bool:
    """What the broker had taken and the hub had not is gone from the broker."""
    assert ground.broker is not None
    back_s = chance.uniform(1.5, 2.5)
    for worker in ground.workers:
        ground.hands.kill(worker.hand, back_s)
    ground.wait(chance.uniform(0.5, 1.0))
    return ground.hands.kill(ground.broker, 0.0)


def database_killed(ground: Ground, chance: random.Random) -> bool:
    """kill -9 of the server."""
    return _end_database(ground, signal.SIGKILL, _back(chance))


def database_stopped_at_once(ground: Ground, chance: random.Random) -> bool:
    """An immediate shutdown: no checkpoint, recovery at the next start."""
    return _end_database(ground, signal.SIGQUIT, _back(chance))


def database_away(ground: Ground, chance: random.Random) -> bool:
    """Down for longer than the time-outs of hub and agents."""
    sign = chance.choice((signal.SIGKILL, signal.SIGQUIT))
    return _end_database(ground, sign, chance.uniform(5.0, 8.0))


def _end_database(ground: Ground, sign: signal.Signals, back_s: float) -> bool:
    assert ground.database is not None
    struck = ground.hands.kill(ground.database, back_s, sign)
    ground.wait_until(lambda: _answers(ground), back_s + 20.0)
    return struck


def _answers(ground: Ground) -> bool:
    return bool(ground.store.ask("SELECT 1"))


def database_restored(ground: Ground, chance: random.Random) -> bool:
    """An older backup in its place: what was committed since is gone from it."""
    ground.hands.troubled(20.0)
    try:
        ground.store.back_up()
        before = _watermarks(ground)
        ground.wait(chance.uniform(1.0, 3.0))
        struck = ground.wait_until(lambda: _watermarks(ground) > before, HOLDER_S)
        ground.store.restore()
    except psycopg.OperationalError:
        return False
    return struck


def _wire_fails(choose: Callable[[Ground, random.Random], int]) -> Act:
    def act(ground: Ground, chance: random.Random) -> bool:
        wires = [
            _some_agent(ground, chance).wire,
            chance.choice(ground.workers).broker_wire,
            chance.choice(ground.workers).database_wire,
        ]
        wire = wires[choose(ground, chance)]
        how = chance.choice(("cut", "refused", Way.OUT, Way.IN, Way.BOTH))
        ground.hands.troubled(15.0)
        if isinstance(how, Way):
            wire.hold(how)
        else:
            wire.cut(refuse=how == "refused")
        ground.wait(chance.uniform(0.3, 2.0))
        if isinstance(how, Way) and chance.random() < 0.5:
            wire.cut()  # what was under way is gone; otherwise it comes late
        wire.mend()
        return True

    return act


FAULTS = (
    Fault("edge killed", edge_killed, weight=16),
    Fault("broker killed", broker_killed, weight=4, needs="broker"),
    Fault("hub killed", hub_killed, weight=8),
    Fault("hub killed between COMMIT and PUBACK", hub_killed_before_puback, weight=6),
    Fault("hub killed mid-batch", hub_killed_mid_batch, weight=6),
    Fault("hub down, then broker killed", hub_down_then_broker_killed, weight=3, needs="broker"),
    Fault("station taken over", station_taken_over, weight=3),
    Fault("database killed", database_killed, weight=4, needs="database"),
    Fault("database stopped at once", database_stopped_at_once, weight=4, needs="database"),
    Fault("database away for a while", database_away, weight=1, needs="database"),
    Fault("database restored from an older backup", database_restored),
    Fault("network cut between edge and broker", _wire_fails(lambda *_: 0), weight=3),
    Fault("network cut between hub and broker", _wire_fails(lambda *_: 1), weight=3),
    Fault("network cut between hub and database", _wire_fails(lambda *_: 2), weight=3),
    Fault("disk full at the edge", disk_full, needs="small disk"),
    Fault("spool deleted", spool_deleted),
    Fault("spool cloned", spool_cloned, weight=1),
    Fault("clock an hour off", clock_jumped),
    Fault("new agent", new_agent, weight=1, limit=2),
)
