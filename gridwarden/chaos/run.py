"""`gridwarden chaos`: break everything, mend it, then account for every record."""

from __future__ import annotations

import contextlib
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from contract.taxonomy import Lane
from gridwarden.chaos.audit import Audit, audit
from gridwarden.chaos.book import Book
from gridwarden.chaos.faults import FAULTS, Fault, draw
from gridwarden.chaos.ground import Ground, Layout
from gridwarden.errors import StartError

PAUSE_S = (0.0, 1.0)  # between two faults
STALL_S = 90.0  # nothing arrived for this long: it never will
TOLD_S = 5.0
MIN_KILLS_A_MINUTE = 5
FAILED, PROVES_NOTHING = 1, 3


@dataclass(frozen=True, slots=True)
class ChaosOptions:
    """What a run is asked for."""

    seed: int
    minutes: float
    layout: Layout
    folder: Path | None = None  # kept; None: a temporary one, kept only after a finding


@dataclass(slots=True)
class Struck:
    """How often each fault was injected, and how often at the moment it is named for."""

    times: Counter[str] = field(default_factory=Counter)
    at_moment: Counter[str] = field(default_factory=Counter)


def run_chaos(options: ChaosOptions, stop: threading.Event) -> int:
    """Run; the exit code: 0 nothing lost or doubled, 1 a finding, 3 the run proves nothing.

    Raises GridwardenError where the parts cannot be started.
    """
    folder = options.folder or Path(tempfile.mkdtemp(prefix="gridwarden-chaos-"))
    if options.folder is not None:
        _make_empty(folder)
    begun = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {line}", flush=True)

    print(f"seed {options.seed}: the same seed draws the same faults in the same order", flush=True)
    code = FAILED
    ground = Ground(folder, options.layout, tell)
    try:
        ground.stop = stop
        tell(f"{len(ground.agents)} agents at {len(ground.stations)} stations are writing")
        struck = _break(ground, options)
        is_through = _mend(ground)
        book = ground.book()
        with ground.store.connect() as conn:
            result = audit(conn, book, folder / "hub" / "evidence")
        code = _report(options, ground, struck, book, result, is_through)
    finally:
        ground.close()
        if code == 0 and options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"logs and book are kept in {folder}", file=sys.stderr)
    return code


def _make_empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise StartError(f"folder {folder} is not empty: name a new one with --folder")


def _possible(ground: Ground) -> list[Fault]:
    ours = {
        "": True,
        "broker": ground.broker is not None,
        "database": ground.database is not None,
        "small disk": ground.small_disk is not None,
    }
    for fault in FAULTS:
        if not ours[fault.needs]:
            ground.tell(f"left out, as there is no {fault.needs} of ours: {fault.name}")
    return [fault for fault in FAULTS if ours[fault.needs]]


def _break(ground: Ground, options: ChaosOptions) -> Struck:
    """Inject faults for the time asked for, and until each was seen once."""
    chance = random.Random(options.seed)
    possible = _possible(ground)
    struck = Struck()
    begun = time.monotonic()
    for fault in draw(possible, chance):
        is_over = time.monotonic() - begun > options.minutes * 60
        if is_over and len(struck.times) == len(possible):
            break
        # a source of its own: how long one fault takes changes nothing of the next
        own = random.Random(chance.getrandbits(64))
        try:
            at_moment = fault.act(ground, own)
        except psycopg.OperationalError:  # the database is away from an earlier fault
            at_moment = False
        struck.times[fault.name] += 1
        struck.at_moment[fault.name] += at_moment
        ground.tell(f"{fault.name}{'' if at_moment else ' (not at the moment meant)'}")
        ground.wait(own.uniform(*PAUSE_S))
    return struck


def _mend(ground: Ground) -> bool:
    """Repair everything, let agents deliver what they hold; whether all of it arrived."""
    ground.wires.mend()
    for agent in ground.agents:
        agent.order(writing=False)
    ground.hands.revive_all()
    ground.tell("everything is mended; the agents deliver what they hold")
    if not ground.wait_until(lambda: all(agent.rests() for agent in ground.agents), STALL_S):
        ground.tell(f"not every agent has come to rest within {STALL_S:.0f} s")
        return False
    wanted = _last_written(ground.book())
    waiting, since, told = -1, time.monotonic(), 0.0
    while True:
        with contextlib.suppress(psycopg.Error):
            now_waiting = _waiting(ground, wanted)
            if now_waiting == 0:
                return True
            if now_waiting != waiting:
                waiting, since = now_waiting, time.monotonic()
        if time.monotonic() - since > STALL_S:
            ground.tell(f"{waiting} records wait and nothing has moved for {STALL_S:.0f} s")
            return False
        if time.monotonic() - told > TOLD_S:
            told = time.monotonic()
            ground.tell(f"{waiting} records are still on their way")
        ground.wait(0.2)


Lanes = dict[tuple[str, str, Lane], int]


def _last_written(book: Book) -> Lanes:
    """The highest number of each lane of each agent's present boot."""
    last: Lanes = {}
    for w in book.written:
        if w.boot == book.boots[w.agent][-1]:
            key = (w.agent, w.boot, w.lane)
            last[key] = max(last.get(key, 0), w.seq)
    return last


def _waiting(ground: Ground, wanted: Lanes) -> int:
    """Records the ledger does not yet know of."""
    rows = ground.store.ask("SELECT agent, boot, lane, watermark FROM ledger")
    here = {(str(a), str(b), Lane(lane)): int(n) for a, b, lane, n in rows}
    return sum(max(0, last - here.get(key, 0)) for key, last in wanted.items())


def _report(
    options: ChaosOptions,
    ground: Ground,
    struck: Struck,
    book: Book,
    result: Audit,
    is_through: bool,
) -> int:
    print()
    for fault in FAULTS:
        times, hits = struck.times[fault.name], struck.at_moment[fault.name]
        print(
            f"{times:5}  {fault.name}" + (f" ({hits} at the moment meant)" if hits < times else "")
        )
    lanes = ", ".join(f"{result.written[lane]} {lane}" for lane in Lane)
    print(f"\nwritten: {lanes}, by {len(book.boots)} agents in {_boots(book)} boots")
    print(
        f"declared lost: {result.declared}; gone with a spool taken away, its boot closed: "
        f"{result.gone}, before the first word of its boot: {result.unheard}"
    )
    findings = result.findings()
    if not is_through:
        findings.append(f"not everything arrived, though nothing was broken for {STALL_S:.0f} s")
    findings += ground.hands.ended_alone
    findings += _boots_without_cause(ground, book)
    unsure = doubts(options.minutes, ground.hands.kills, result)
    for line in findings:
        print(f"FINDING: {line}")
    for line in unsure:
        print(f"this run proves nothing: {line}")
    print(
        f"seed {options.seed}: {ground.hands.kills} kills, {result.records} records, "
        f"{len(result.lost)} lost, {len(result.doubled)} doubled",
        flush=True,
    )
    return FAILED if findings else PROVES_NOTHING if unsure else 0


def _boots(book: Book) -> int:
    return sum(len(boots) for boots in book.boots.values())


def _boots_without_cause(ground: Ground, book: Book) -> list[str]:
    """A boot may begin only where a spool was taken away: else numbers were given up in silence."""
    return [
        f"agent {agent} began {len(boots)} boots, its spool was taken away "
        f"{ground.spools_taken.get(agent, 0)} times"
        for agent, boots in book.boots.items()
        if len(boots) > 1 + ground.spools_taken.get(agent, 0)
    ]


def doubts(minutes: float, kills: int, result: Audit) -> list[str]:
    """Why a run of that many minutes proves nothing, a line each; empty where it does."""
    wanted = max(1, int(minutes * MIN_KILLS_A_MINUTE))
    said = [f"no {lane} was written" for lane in Lane if not result.written[lane]]
    if kills < wanted:
        said.append(f"only {kills} kills, at least {wanted} are meant")
    if result.declared + result.gone + result.unheard > result.records // 2:
        said.append("more than half of the records were declared lost")
    return said
