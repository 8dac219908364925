"""`make soak ARGS="--minutes 30"`: sixteen file cameras, six of them dead, and memory stays flat.

The parts are those of `gridwarden demo`: broker, database, hub and one agent as processes. The exit
code is 0 where everything was flat and at work, 1 where not, 2 where nothing could be judged.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from contract.taxonomy import CameraState
from gridwarden.database import EmbeddedDatabase
from gridwarden.datafolder import open_folder
from gridwarden.demo import TEND_EVERY_S, print_line
from gridwarden.errors import StartError
from gridwarden.serving import stop_on_signal
from gridwarden.site import Ports, Site, running_site
from gridwarden.watch import AgentStatus, read_status
from tests.soak.cameras import soak_cameras
from tests.soak.judgement import TooShortError, Verdict, judge
from tests.soak.processes import Use, children_of, use_of

ROWS = 30
# What may be gained over the second half (judgement.py says why a gain). Memory: an arena of
# Python's allocator is 1 MiB, SQLite's page cache 2 MiB a connection; the decoders are 16 processes
# of which each may take such a step. In 30 minutes 4 MiB are 16 MiB an hour: losing one 320 x 180
# frame in 37 s is found, and the ten cameras give more than a hundred frames a second.
AGENT_MIB, CHILDREN_MIB, HUB_MIB = 4.0, 16.0, 4.0
# Counts: whole things, so that noise is that of what comes and goes.
PROCESSES, THREADS, FILES = 0.5, 2.0, 4.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at everything."""

    at_s: float
    agent: Use
    children: Use
    hub: Use
    frames: int  # captured by all cameras
    committed: int  # records, by the agent's watermarks


HEADING = (
    "    time | agent MiB | children MiB | hub MiB | processes | threads | files | frames | records"
)


def row(sample: Sample) -> str:
    """A line of the table; processes, threads and files are those of agent and children."""
    both = sample.agent + sample.children
    minutes, seconds = divmod(round(sample.at_s), 60)
    return (
        f"{minutes:5d}:{seconds:02d} | {sample.agent.rss_mib:9.1f} | "
        f"{sample.children.rss_mib:12.1f} | {sample.hub.rss_mib:7.1f} | {both.processes:9d} | "
        f"{both.threads:7d} | {both.files:5d} | {sample.frames:6d} | {sample.committed:7d}"
    )


def verdicts(samples: Sequence[Sample]) -> list[Verdict]:
    """On every series. Raises TooShortError."""
    at_s = [s.at_s for s in samples]
    both = [s.agent + s.children for s in samples]
    hub = [s.hub for s in samples]
    children_mib = [s.children.rss_mib for s in samples]
    return [
        judge("agent", "MiB", AGENT_MIB, at_s, [s.agent.rss_mib for s in samples]),
        judge("its children, summed", "MiB", CHILDREN_MIB, at_s, children_mib),
        judge("hub", "MiB", HUB_MIB, at_s, [u.rss_mib for u in hub]),
        judge("processes of the agent", "", PROCESSES, at_s, [u.processes for u in both]),
        judge("threads of the agent", "", THREADS, at_s, [u.threads for u in both]),
        judge("files of the agent", "", FILES, at_s, [u.files for u in both]),
        judge("processes of the hub", "", PROCESSES, at_s, [u.processes for u in hub]),
        judge("threads of the hub", "", THREADS, at_s, [u.threads for u in hub]),
        judge("files of the hub", "", FILES, at_s, [u.files for u in hub]),
    ]


def faults(
    samples: Sequence[Sample], status: AgentStatus | None, restarted: Sequence[str]
) -> list[str]:
    """Why flat memory would prove nothing: something was not at work, or began anew."""
    found = [f"the {name} was started again: its memory began anew" for name in restarted]
    for name, told in (status.streams if status else {}).items():
        wanted = CameraState.ONLINE if name.startswith("live") else CameraState.LOST
        if told.state is not wanted:
            found.append(f"camera {name} is {told.state}, not {wanted}: {told.detail}")
        if name.startswith("live") and told.restarts:
            found.append(f"the decoder of camera {name} was started again {told.restarts} times")
    middle, last = samples[len(samples) // 2], samples[-1]
    if last.frames <= middle.frames:
        found.append("no frame was captured in the second half")
    if last.committed <= middle.committed:
        found.append("no record was committed in the second half")
    return found


def look(site: Site, at_s: float) -> Sample | None:
    """A sample; None while a part is being started again."""
    pids = {state.name: state.pid for state in site.supervisor.states()}
    agent, hub = pids["edge"], pids["hub"]
    status = read_status(site.agent_status)
    if agent is None or hub is None or status is None:
        return None
    try:
        of_agent = use_of([psutil.Process(agent)])
        of_hub = use_of([psutil.Process(hub), *children_of(hub)])
    except psutil.NoSuchProcess:
        return None
    return Sample(
        at_s,
        of_agent,
        use_of(children_of(agent)),
        of_hub,
        sum(told.captured for told in status.streams.values()),
        sum(lane.watermark for lane in status.lanes.values()),
    )


def soak(site: Site, minutes: float, every_s: float, stop: threading.Event) -> int:
    """Let it run; the exit code."""
    print(HEADING, flush=True)
    samples: list[Sample] = []
    begun = time.monotonic()
    next_row = 0.0
    while len(samples) * every_s <= minutes * 60:
        due = begun + len(samples) * every_s
        while time.monotonic() < due and not stop.wait(TEND_EVERY_S):
            site.supervisor.tend()
        if stop.is_set():
            print("stopped before its time: nothing is judged")
            return 2
        at_s = time.monotonic() - begun
        if (sample := look(site, at_s)) is None:
            print("a part is gone: nothing is judged; the lines above say which")
            return 1
        samples.append(sample)
        if at_s >= next_row:
            next_row += minutes * 60 / ROWS
            print(row(sample), flush=True)
    restarted = [s.name for s in site.supervisor.states() if s.restarts]
    missing = faults(samples, read_status(site.agent_status), restarted)
    judged = verdicts(samples)
    print("over the second half:", *judged, *(f"FAULT  {m}" for m in missing), sep="\n")
    good = not missing and all(v.flat for v in judged)
    print(f"{minutes:g} minutes: {'flat' if good else 'NOT flat'}")
    return 0 if good else 1


def main() -> int:
    """Render, start, sample, judge."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two samples")
    chosen = parser.parse_args()
    path = Path(tempfile.mkdtemp(prefix="gridwarden-soak-"))
    folder = open_folder(path / "data", fresh=True)
    try:
        with stop_on_signal() as stop, soak_cameras(path) as cameras:
            ports = Ports.choose(None, None, {}, print_line)
            with running_site(folder, cameras, ports, print_line, stop) as site:
                return soak(site, chosen.minutes, chosen.every, stop)
    except (StartError, TooShortError) as e:
        print(f"soak: {e}")
        return 2
    finally:
        EmbeddedDatabase(folder.database).remove()
        folder.close()
        shutil.rmtree(path)


if __name__ == "__main__":
    raise SystemExit(main())
