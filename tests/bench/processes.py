"""What processes used, and what others used beside them: from /proc."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
BUSY = 0.05  # share of the machine that others may use before a figure is doubtful


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds over a time, by name of the part; and of all the machine."""

    wall_s: float
    by_part: dict[str, float]
    machine_s: float  # busy, all cores, whoever it was

    @property
    def others(self) -> float:
        """Share of the machine that something else used, 0..1."""
        cores = os.cpu_count() or 1
        rest = self.machine_s - sum(self.by_part.values())
        return max(0.0, rest / (cores * self.wall_s))


class Meter:
    """Meters parts from now on: each is one process and its children. Linux only."""

    def __init__(self, parts: Mapping[str, Sequence[int]]) -> None:
        self._parts = {name: tuple(pids) for name, pids in parts.items()}
        self._begun = self._read()

    def used(self) -> Used:
        """What was used since."""
        (at, busy, parts), (at_0, busy_0, parts_0) = self._read(), self._begun
        return Used(
            wall_s=at - at_0,
            by_part={name: parts[name] - parts_0[name] for name in parts},
            machine_s=busy - busy_0,
        )

    def _read(self) -> tuple[float, float, dict[str, float]]:
        uptime_s = float(Path("/proc/uptime").read_text().split()[0])
        fields = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        # user nice system idle iowait irq softirq steal; stolen time is somebody else's
        busy_s = (sum(fields[:8]) - fields[3] - fields[4]) * _TICK_S
        tree = _children()
        parts = {
            name: sum(_cpu_s(p) for pid in pids for p in _family(tree, pid))
            for name, pids in self._parts.items()
        }
        return uptime_s, busy_s, parts


def memory_mib(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def remembering(pid: int, every_s: float = 0.5) -> Iterator[list[float]]:
    """Resident memory of a process in MiB: at once, every so often, and on leaving."""
    memory, over = [memory_mib(pid)], threading.Event()

    def look() -> None:
        while not over.wait(every_s):
            memory.append(memory_mib(pid))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield memory
    finally:
        over.set()
        looking.join()
    memory.append(memory_mib(pid))


def _family(tree: Mapping[int, Sequence[int]], pid: int) -> list[int]:
    found = [pid]
    for p in found:
        found += tree.get(p, ())
    return found


def _children() -> dict[int, list[int]]:
    tree: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            tree.setdefault(int(fields[1]), []).append(int(entry.name))
    return tree


def _cpu_s(pid: int) -> float:
    """Of the process and its children that have ended."""
    fields = _stat(pid)
    return sum(int(x) for x in fields[11:15]) * _TICK_S if fields else 0.0


def _stat(pid: int) -> list[str]:
    """The fields after the name: state, parent, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
