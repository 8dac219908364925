"""What running processes use: memory, their number, threads and open files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Use:
    """Summed over some processes."""

    rss_mib: float = 0.0  # resident; pages that processes share count once for each
    processes: int = 0
    threads: int = 0
    files: int = 0

    def __add__(self, other: Use) -> Use:
        return Use(
            self.rss_mib + other.rss_mib,
            self.processes + other.processes,
            self.threads + other.threads,
            self.files + other.files,
        )


def use_of(processes: Sequence[psutil.Process]) -> Use:
    """Their sum; one that has ended meanwhile counts nothing."""
    total = Use()
    for process in processes:
        try:
            with process.oneshot():
                rss_mib = process.memory_info().rss / MIB
                total += Use(rss_mib, 1, process.num_threads(), process.num_fds())
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # a process that ends denies, too
            continue
    return total


def children_of(pid: int) -> list[psutil.Process]:
    """All descendants; none where the process has ended."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
