"""Looking after clocks and histories by hand: verify what was written, recompute what is due."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.services.context import Hub, connect
from hub.services.recompute_deadlines import Moved
from hub.services.recompute_deadlines import recompute_deadlines as recompute
from hub.services.verify_history import Verified, verify_all

REDRAW_S = 0.2


def verify_history(hub: Hub) -> Verified:
    """Everything the histories and checkpoints say, read once; progress on a terminal."""
    with connect(hub.config, "verify-history") as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return verify_all(conn, _on_terminal())


def told(found: Verified, seconds: float) -> Iterator[str]:
    """What was verified, and each flaw on a line."""
    for flaw in found.flaws:
        yield f"{flaw.number}: {flaw.what}"
    yield (
        f"verified {found.entries:,} entries of {found.events:,} events and {found.checkpoints:,} "
        f"checkpoints over {found.heads:,} heads in {seconds:.1f} s: "
        + (f"{len(found.flaws)} flaws" if found.flaws else "all as it was written")
    )
    if found.checkpoints:
        yield f"the newest checkpoint is {found.last_hash}"


def recompute_deadlines(hub: Hub, *, dry_run: bool) -> Iterator[str]:
    """Each event whose deadline moves, in the district's time, and how many did."""
    zone = hub.zone
    n = 0
    with connect(hub.config, "recompute-deadlines") as conn:
        for moved in recompute(conn, hub, dry_run=dry_run):
            n += 1
            yield _line(moved, zone)
    would = "would move" if dry_run else "moved"
    yield f"{n:,} deadlines {would}" + (": nothing was changed" if dry_run else "")


def _line(moved: Moved, zone: ZoneInfo) -> str:
    changes = [
        f"{what} {_stamp(before, zone)} -> {_stamp(after, zone)}"
        for what, before, after in (
            ("due", moved.due_before, moved.due_at),
            ("close by", moved.close_before, moved.close_by),
        )
        if before != after
    ]
    return f"{moved.number} ({moved.state}): {', '.join(changes) or 'its next rung'}"


def _stamp(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "none"


def _on_terminal() -> Callable[[int, int], None]:
    if not sys.stderr.isatty():
        return lambda done, total: None
    drawn = 0.0

    def draw(done: int, total: int) -> None:
        nonlocal drawn
        now = time.monotonic()
        if done < total and now - drawn < REDRAW_S:
            return
        drawn = now
        share = 100 * done // total if total else 100
        end = "\n" if done >= total else ""
        print(f"\r{done:,} of {total:,} entries, {share} %", end=end, file=sys.stderr, flush=True)

    return draw
