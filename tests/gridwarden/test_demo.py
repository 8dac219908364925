"""The demo with all its real processes: started, killed piece by piece, stopped, started again."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from gridwarden.database import EmbeddedDatabase
from gridwarden.ports import answers
from gridwarden.postmaster import lives, read

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
NOBODY = "nobody"
PROGRAM = [sys.executable, "-m", "gridwarden"]


def until(holds: Callable[[], object], seconds: float, what: Callable[[], str]) -> float:
    """Seconds until it holds; fails with what `what` tells then where it does not come to that."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds, what()
        time.sleep(0.02)
    return time.monotonic() - begun


class Demo:
    """A `gridwarden demo` in a process of its own."""

    def __init__(self, data: Path, *arguments: str, command: list[str] | None = None) -> None:
        self.data = data
        with tempfile.NamedTemporaryFile(delete=False, prefix="gridwarden-said-") as said:
            self._said = Path(said.name)
            self.process = subprocess.Popen(
                [*(command or PROGRAM), "demo", "--data", str(data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])},
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._said.read_text()

    def told(self, what: str) -> str:
        """What is wrong, with all that the demo and its parts wrote."""
        logs = [self._said, *sorted((self.data / "log").glob("*.log"))]
        return "\n".join([what, *(f"--- {log.name}\n{log.read_text()[-4000:]}" for log in logs)])

    def await_line(self, pattern: str, seconds: float) -> re.Match[str]:
        begun = time.monotonic()
        while (found := re.search(pattern, self.said)) is None:
            assert self.process.poll() is None, self.said
            assert time.monotonic() - begun < seconds, f"no {pattern!r} in: {self.said}"
            time.sleep(0.02)
        return found

    def await_console(self) -> int:
        """The console's port, once the address is printed."""
        return int(self.await_line(r"console http://127\.0\.0\.1:(\d+)/", 90)[1])

    def pids(self) -> dict[str, int]:
        """The processes of the parts."""
        noted = self.data / "run" / "processes.json"
        pids: dict[str, int] = json.loads(noted.read_text()) if noted.exists() else {}
        database = self.database_pid()
        return pids | ({"database": database} if database else {})

    def database_pid(self) -> int | None:
        record = self.data / "database" / "database.json"
        if not record.exists():
            return None
        running = read(Path(json.loads(record.read_text())["home"]) / "cluster")
        return running.pid if running and running.ready else None

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self._said.unlink(missing_ok=True)


def processes_of(data: Path) -> list[str]:
    """Command lines of processes that mention this data folder, or hold its database."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if str(data) in command:
            found.append(command)
    return found


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo") / "data"
    yield folder
    EmbeddedDatabase(folder / "database").remove()


@pytest.fixture(scope="module")
def demo(data: Path) -> Iterator[Demo]:
    """A demo on the rendered scenes that the tests of this file share."""
    running = Demo(data)
    running.await_console()
    yield running
    running.stop()


def test_the_demo_shows_a_grid_event_from_video(demo: Demo) -> None:
    demo.await_line(r"grid event 410105-\S+ S\d ", 90)


def test_what_the_demo_says_is_where_its_console_answers(demo: Demo) -> None:
    assert answers(demo.await_console())


def test_the_demo_prints_a_link_that_signs_in_once_and_keeps_its_passwords_to_its_owner(
    demo: Demo,
) -> None:
    link = demo.await_line(r"once and within ten minutes: (\S+)", 60)[1]
    with httpx.Client(trust_env=False) as client:
        assert client.get(link).headers["location"] == "/"
        assert client.get(link.partition("/sign-in")[0] + "/api/v1/me").json()["role"] == (
            "dispatcher"
        )
    assert httpx.get(link, trust_env=False).status_code == 401
    passwords = demo.data / "accounts.txt"
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    assert "supervisor" in passwords.read_text()
    assert not any(line.split()[-1] in demo.said for line in passwords.read_text().splitlines()[1:])


def _killed_and_back(demo: Demo, part: str) -> float:
    """Seconds from SIGKILL to a new living process."""
    until(lambda: len(demo.pids()) == 4, 30, lambda: demo.told("the four parts never ran together"))
    before = demo.pids()[part]
    os.kill(before, signal.SIGKILL)
    return until(
        lambda: demo.pids().get(part, before) != before and lives(demo.pids()[part]),
        30,
        lambda: demo.told(f"{part} did not come back"),
    )


@pytest.mark.parametrize("part", ["broker", "database", "hub", "edge"])
def test_a_killed_part_is_back_within_two_seconds(demo: Demo, part: str) -> None:
    took: list[float] = []
    while len(took) < 3 and not any(seconds < 2.0 for seconds in took):
        took.append(_killed_and_back(demo, part))  # a busy machine is slow once, a fault always
    assert min(took) < 2.0
    assert re.search(rf"the {part} (was ended|ended)", demo.said)


def test_after_kills_of_every_part_the_console_answers_and_cameras_go_on(demo: Demo) -> None:
    until(lambda: answers(demo.await_console()), 60, lambda: demo.told("the console is gone"))
    status = demo.data / "edge" / "status.json"

    def captured() -> int:
        told = json.loads(status.read_text())
        return sum(stream["captured"] for stream in told["streams"].values())

    until(status.exists, 60, lambda: demo.told("the agent is silent"))
    first = captured()
    until(lambda: captured() > first, 60, lambda: demo.told("no more frames"))


def test_a_second_demo_on_the_same_data_is_refused_and_told_who_holds_it(demo: Demo) -> None:
    second = Demo(demo.data)
    assert second.process.wait(30) == 1
    said = second.said.strip().splitlines()
    second.stop()
    assert len(said) == 1
    assert f"process {demo.process.pid}" in said[0]


@pytest.mark.long
def test_a_demo_beside_another_takes_other_ports_and_says_so(demo: Demo, tmp_path: Path) -> None:
    other = Demo(tmp_path / "data")
    try:
        port = other.await_console()
        assert port != demo.await_console()
        assert f"the console listens on port {port}" in other.said
    finally:
        code = other.stop()
        EmbeddedDatabase(tmp_path / "data" / "database").remove()
    assert code == 0


def python_for_others() -> str | None:
    """A Python of our version that an account without rights can run."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info[1]}"):
        try:
            tried = subprocess.run(
                [python, "-c", "import sys; print(sys.version_info[:2])"],
                user=NOBODY,
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
            )
        except OSError:
            continue
        if tried.returncode == 0 and tried.stdout.strip() == str(sys.version_info[:2]):
            return python
    return None


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_can_run_the_demo_beside_root(demo: Demo) -> None:
    python = python_for_others()
    if python is None or shutil.which("setpriv") is None:
        pytest.skip("no Python of this version that an ordinary user may run")
    account = pwd.getpwnam(NOBODY)
    with tempfile.TemporaryDirectory(prefix="gridwarden-home-") as home:
        os.chown(home, account.pw_uid, account.pw_gid)
        drop = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
        command = [*drop, "--clear-groups", "env", f"HOME={home}", python, "-m", "gridwarden"]
        theirs = Demo(Path(home) / "data", command=command)
        try:
            assert theirs.await_console() != demo.await_console()
            database = theirs.database_pid()
            assert database is not None
            assert psutil.Process(database).uids().real == account.pw_uid
        finally:
            code = theirs.stop()
        assert code == 0


@pytest.mark.long
def test_a_database_left_by_a_killed_demo_is_adopted_by_the_next(demo: Demo) -> None:
    port, database = demo.await_console(), demo.database_pid()
    others = [pid for name, pid in demo.pids().items() if name != "database"]
    demo.process.kill()
    demo.process.wait()
    for pid in others:
        until(lambda pid=pid: not lives(pid), 10, lambda pid=pid: f"{pid} outlived its demo")  # type: ignore[misc]
    second = Demo(demo.data)
    try:
        assert second.await_console() == port
        assert "took over the database" in second.said
        assert second.database_pid() == database
    finally:
        code = second.stop()
    assert code == 0
    assert second.database_pid() is None
    assert processes_of(demo.data) == []


def test_ctrl_c_stops_everything_and_leaves_no_process(demo: Demo) -> None:
    # a test before this one may have killed it
    running = demo if demo.process.poll() is None else Demo(demo.data)
    running.await_console()
    pids = running.pids().values()
    assert pids
    assert running.stop() == 0
    assert processes_of(demo.data) == []
    assert not any(lives(pid) for pid in pids)
