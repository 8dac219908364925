"""What ends is started again; what should end, ends. With real programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gridwarden.errors import StartError
from gridwarden.parts import ProgramPart
from gridwarden.postmaster import lives
from gridwarden.supervise import Supervisor

SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(60)\n"
)
BROKEN = "import sys; sys.exit('the settings name no broker')"


def program(
    tmp_path: Path,
    name: str,
    code: str,
    patience_s: float = 5.0,
    ready: Callable[[], bool] | None = None,
) -> ProgramPart:
    """A part that is ready as soon as it has said something, where nothing else is given."""
    log = tmp_path / f"{name}.log"
    command = [sys.executable, "-c", code]
    return ProgramPart(name, command, log, ready or (lambda: log.stat().st_size > 0), patience_s)


def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def supervise(told: list[str]) -> Iterator[Callable[..., Supervisor]]:
    """Starts parts under a supervisor and stops them after the test."""
    running: list[Supervisor] = []

    def start(*parts: ProgramPart, clock: Callable[[], float] = time.monotonic) -> Supervisor:
        supervisor = Supervisor(parts, told.append, clock)
        running.append(supervisor)
        supervisor.start(threading.Event())
        return supervisor

    yield start
    for supervisor in running:
        supervisor.stop()


def test_a_killed_part_is_back_within_two_seconds_and_its_end_is_told(
    tmp_path: Path, supervise: Callable[..., Supervisor], told: list[str]
) -> None:
    part = program(tmp_path, "hub", SLEEPER)
    supervisor = supervise(part)
    first = part.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: not part.is_alive())
    begun = time.monotonic()
    supervisor.tend()
    until(lambda: part.is_ready())
    assert time.monotonic() - begun < 2.0
    assert part.pid not in (None, first)
    assert told == ["the hub was ended by SIGKILL; starting it again"]
    assert [state.restarts for state in supervisor.states()] == [1]


def test_a_part_that_keeps_ending_is_tried_ever_more_rarely(
    tmp_path: Path, supervise: Callable[..., Supervisor], told: list[str]
) -> None:
    now = 0.0
    part = program(tmp_path, "agent", SLEEPER)
    supervisor = supervise(part, clock=lambda: now)
    pauses = []
    for _ in range(8):
        assert part.pid is not None
        os.kill(part.pid, signal.SIGKILL)
        until(lambda: not part.is_alive())
        fell = now
        supervisor.tend()
        while not part.is_alive():
            now += 0.25
            supervisor.tend()
        pauses.append(now - fell)
    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    assert told[-1] == "the agent was ended by SIGKILL; starting it again in 30 s"


def test_a_part_that_lived_long_enough_is_started_again_at_once(
    tmp_path: Path, supervise: Callable[..., Supervisor]
) -> None:
    now = 0.0
    part = program(tmp_path, "agent", SLEEPER)
    supervisor = supervise(part, clock=lambda: now)
    for _ in range(3):
        now += 11.0
        assert part.pid is not None
        os.kill(part.pid, signal.SIGKILL)
        until(lambda: not part.is_alive())
        supervisor.tend()
        assert part.is_alive()


def test_a_part_that_does_not_start_is_told_in_its_own_words_and_stops_the_others(
    tmp_path: Path, supervise: Callable[..., Supervisor]
) -> None:
    good = program(tmp_path, "broker", SLEEPER)
    bad = program(tmp_path, "hub", BROKEN, ready=lambda: False)
    with pytest.raises(StartError, match="hub does not start: it ended with status 1: the set"):
        supervise(good, bad)
    assert not good.is_alive()


def test_a_part_that_will_not_end_is_ended_with_all_it_started(
    tmp_path: Path, supervise: Callable[..., Supervisor]
) -> None:
    part = program(tmp_path, "agent", STUBBORN, patience_s=0.2)
    supervisor = supervise(part)
    grandchild = int(part.log.read_text().split()[0])
    supervisor.stop()
    assert not part.is_alive()
    until(lambda: not lives(grandchild))


def test_what_a_killed_part_left_behind_ends_before_it_is_started_again(
    tmp_path: Path, supervise: Callable[..., Supervisor]
) -> None:
    part = program(tmp_path, "agent", STUBBORN, patience_s=0.2)
    supervisor = supervise(part)
    grandchild = int(part.log.read_text().split()[0])
    assert part.pid is not None
    os.kill(part.pid, signal.SIGKILL)
    until(lambda: not part.is_alive())
    assert lives(grandchild)
    supervisor.tend()
    until(lambda: not lives(grandchild))


def test_parts_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "import threading, time\n"
        "from pathlib import Path\n"
        "from gridwarden.parts import ProgramPart\n"
        "from gridwarden.supervise import Supervisor\n"
        "import sys\n"
        f"log = Path({str(tmp_path / 'part.log')!r})\n"
        f"part = ProgramPart('part', [sys.executable, '-c', {SLEEPER!r}], log,\n"
        "                   lambda: log.stat().st_size > 0)\n"
        "supervisor = Supervisor([part], print)\n"
        "supervisor.start(threading.Event())\n"
        "print(part.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        part = int(supervisor.stdout.readline())
        assert lives(part)
        supervisor.kill()
    until(lambda: not lives(part))


def test_a_log_that_grew_long_is_put_aside(
    tmp_path: Path, supervise: Callable[..., Supervisor]
) -> None:
    talker = "import time\nprint('x' * 5_000_000, flush=True)\ntime.sleep(60)"
    part = program(tmp_path, "hub", talker)
    supervisor = supervise(part)
    until(lambda: part.log.stat().st_size > 4_500_000)
    supervisor.tend()
    assert part.log.stat().st_size == 0
    assert (tmp_path / "hub.log.1").stat().st_size > 4_500_000
