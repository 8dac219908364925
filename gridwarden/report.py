"""`gridwarden demo --report`: plays every file once and says what came of it."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from contract.taxonomy import Lane
from gridwarden import figures
from gridwarden.cameras import Camera
from gridwarden.database import EmbeddedDatabase
from gridwarden.datafolder import DataFolder, open_folder
from gridwarden.demo import print_line
from gridwarden.errors import DataFolderError, StartError
from gridwarden.figures import Figures
from gridwarden.site import Ports, Site, running_site
from gridwarden.watch import AgentStatus, read_status

COMMIT_PATIENCE_S = 60.0  # for what is spooled to be committed, once all has been played
SILENT_S = 60.0  # for the agent to say a first word
LOOK_EVERY_S = 0.1
TELL_EVERY_S = 10.0
INTERRUPTED = 130  # exit code, as a shell has it for Ctrl-C


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What a report is asked for."""

    data: Path | None  # None: a temporary folder
    fresh: bool
    seconds: float | None  # None: until the longest has ended
    json_file: Path | None
    http_port: int | None = None
    mqtt_port: int | None = None


def run_report(options: ReportOptions, cameras: Sequence[Camera], stop: threading.Event) -> int:
    """Play, print, and write the file; 0 if everything spooled was committed.

    Raises GridwardenError where it cannot start.
    """
    with _folder(options) as folder:
        chosen = Ports.choose(options.http_port, options.mqtt_port, {}, print_line)
        with running_site(folder, cameras, chosen, print_line, stop) as site:
            found = _play(site, cameras, options.seconds, stop)
    if found is None:
        return INTERRUPTED
    print_figures(found, print_line)
    if options.json_file is not None:
        options.json_file.write_bytes(figures.to_json(found))
    if stop.is_set():
        return INTERRUPTED
    return 0 if found.complete else 1


@contextmanager
def _folder(options: ReportOptions) -> Iterator[DataFolder]:
    """A data folder without old data; a temporary one is deleted, its database included."""
    path = options.data or Path(tempfile.mkdtemp(prefix="gridwarden-report-"))
    folder = open_folder(path, fresh=options.fresh)
    try:
        if (folder.database / "database.json").exists():
            raise DataFolderError(
                f"data folder {folder.path} holds an earlier run, which would be counted too: add "
                "--fresh to delete it, or choose another with --data"
            )
        yield folder
    finally:
        if options.data is None:
            EmbeddedDatabase(folder.database).remove()
            shutil.rmtree(folder.path)
        folder.close()


def _play(
    site: Site, cameras: Sequence[Camera], seconds: float | None, stop: threading.Event
) -> Figures | None:
    """What came of it; None where it was interrupted before the agent said anything."""
    begun = time.monotonic()
    print_line(f"playing {len(cameras)} cameras; console {site.console}")
    stopped_because = _await_end(site, len(cameras), seconds, begun, stop)
    status = _await_status(site, stop)
    if status is None:
        return None
    # heartbeats never end: what was spooled until now has to arrive
    spooled = {lane: told.next_seq - 1 for lane, told in status.lanes.items()}
    patience = time.monotonic() + COMMIT_PATIENCE_S
    while not stop.is_set() and not _all_arrived(site, status.boot, spooled):
        if time.monotonic() > patience:
            stopped_because = "patience"
            break
        site.supervisor.tend()
        time.sleep(LOOK_EVERY_S)
    took = time.monotonic() - begun
    with psycopg.connect(site.database_url) as conn:
        return figures.collect(conn, cameras, status, spooled, stopped_because, took)


def _await_end(
    site: Site, count: int, seconds: float | None, begun: float, stop: threading.Event
) -> str:
    """Tend the parts until the longest has ended, or the time is up; says why it stopped."""
    tell_at = begun + TELL_EVERY_S
    while not stop.wait(LOOK_EVERY_S):
        site.supervisor.tend()
        site.note_processes()
        now = time.monotonic()
        status = read_status(site.agent_status)
        streams = status.streams.values() if status else []
        if len(streams) >= count and all(told.ended for told in streams):
            return "ended"
        if seconds is not None and now - begun >= seconds:
            return "seconds"
        if now >= tell_at:
            tell_at = now + TELL_EVERY_S
            frames = sum(told.captured for told in streams)
            print_line(f"{now - begun:4.0f} s: {frames} frames captured")
    return "interrupted"


def _await_status(site: Site, stop: threading.Event) -> AgentStatus | None:
    deadline = time.monotonic() + SILENT_S
    while (status := read_status(site.agent_status)) is None and not stop.is_set():
        if time.monotonic() > deadline:
            raise StartError(f"the agent said nothing: look at {site.folder.log / 'edge.log'}")
        site.supervisor.tend()
        time.sleep(LOOK_EVERY_S)
    return status


def _all_arrived(site: Site, boot: str, spooled: dict[Lane, int]) -> bool:
    try:
        with psycopg.connect(site.database_url, connect_timeout=3) as conn:
            return figures.is_complete(spooled, figures.arrived(conn, boot, spooled))
    except psycopg.OperationalError:
        return False  # the database is being brought back


def print_figures(found: Figures, say: Callable[[str], None]) -> None:
    """The report for a person, line by line."""
    say(f"\nreport after {found.seconds:.1f} s ({found.stopped_because})")
    say("\ncameras")
    for s in found.streams:
        say(f"  {s.stream}: {s.captured} frames captured, {s.observed} observed, {s.state}")
    say(f"\ndetections ({len(found.detections)})")
    for d in found.detections:
        say(
            f"  {d.stream} {d.kind}/{d.label}: raised at frame {d.raised_frame} "
            f"({d.raised_at:%H:%M:%S}Z), peak score {d.peak_score:.2f}, "
            f"{d.raised}+{d.updated}+{d.cleared} changes raised+updated+cleared; {d.reason}"
        )
    for c in found.crossings:
        say(f"\ncrossings of {c.stream} {c.line}, {c.direction}: {c.count}")
    say("\nrecords")
    for lane, n in found.lanes.items():
        say(f"  {lane}: {n.spooled} spooled, {n.committed} committed, {n.lost} lost")
    say(f"  {found.quarantined} quarantined")
    say(f"\ngrid events ({len(found.grid_events)})")
    for e in found.grid_events:
        evidence = f"{e.evidence} pictures" if e.evidence else "no evidence"
        say(
            f"  {e.number} {e.severity} {e.title}: cell {e.cell} ({e.cell_name}), "
            f"{e.detections} detections, {evidence}, {e.state}"
        )
    latency = found.latency_s
    if latency.p50 is not None and latency.p99 is not None:
        say(
            f"\ncapture to commit of {latency.n} detection records: p50 {latency.p50:.3f} s, "
            f"p99 {latency.p99:.3f} s"
        )
    say(f"\n{'everything' if found.complete else 'NOT everything'} spooled was committed")
