"""What every service needs, opened once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg_pool import ConnectionPool

from hub.config import HubConfig
from hub.domain.categories import Categories
from hub.domain.grid import Grid
from hub.domain.lifecycle import Lifecycle
from hub.store.evidence import EvidenceFolder

Pool = ConnectionPool[Connection[tuple[object, ...]]]


@dataclass(frozen=True, slots=True)
class Hub:
    """The opened hub: settings, connections, and the rules loaded from data."""

    config: HubConfig
    pool: Pool
    grid: Grid
    categories: Categories
    lifecycle: Lifecycle
    evidence: EvidenceFolder
    now: Callable[[], datetime]

    def close(self) -> None:
        """Give the database connections back."""
        self.pool.close()


def open_hub(config: HubConfig, now: Callable[[], datetime]) -> Hub:
    """The hub on a migrated database, with grid, categories and lifecycle loaded.

    Raises a GridwardenError with one clear line where the database is not to be reached or of a
    newer version, or a file is not to be read.
    """
    raise NotImplementedError
