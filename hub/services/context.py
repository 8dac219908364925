"""What every service needs, opened once."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool

from hub.config import HubConfig
from hub.domain.calendar import WorkCalendar
from hub.domain.categories import Categories, load_categories
from hub.domain.grid import Grid, GridError
from hub.domain.grid_file import cells_from_geojson
from hub.domain.indicator_sets import AssessmentError, IndicatorSet, read_indicator_sets
from hub.domain.lifecycle import Lifecycle, load_lifecycle
from hub.domain.work_rules import CalendarError, read_work_rules
from hub.store.bulk import Insert, by_copy, choose_insert
from hub.store.evidence import EvidenceFolder
from hub.store.grid import load_cells, save_cells
from hub.store.migrate import migrate

_log = logging.getLogger(__name__)
# what is acknowledged must be on disk, whatever the server's default is
_OPTIONS = "-c timezone=UTC -c synchronous_commit=on"

Pool = ConnectionPool[Connection[tuple[object, ...]]]


@dataclass(frozen=True, slots=True)
class Hub:
    """The opened hub: settings, connections, and the rules loaded from data."""

    config: HubConfig
    pool: Pool
    grid: Grid
    categories: Categories
    calendar: WorkCalendar
    indicator_sets: tuple[IndicatorSet, ...]  # of the assessment, oldest first
    lifecycle: Lifecycle
    evidence: EvidenceFolder
    now: Callable[[], datetime]
    insert: Insert  # how many rows at once are stored on this server

    @property
    def zone(self) -> ZoneInfo:
        """The district's time zone."""
        return ZoneInfo(self.config.hub.time_zone)

    def close(self) -> None:
        """Give the database connections back."""
        self.pool.close()


def open_hub(config: HubConfig, now: Callable[[], datetime]) -> Hub:
    """The hub on a migrated database, with grid, categories and lifecycle loaded.

    Raises a GridwardenError with one clear line where the database is not to be reached or of a
    newer version, or a file is not to be read.
    """
    added = migrate(config.database.url)
    if added:
        _log.info("the database was brought to version %d", added[-1])
    categories = load_categories(config.hub.categories_file)
    calendar = _load_calendar(config.hub.calendar_file, config.hub.time_zone)
    indicator_sets = _load_indicator_sets(config.hub.assessment_file)
    lifecycle = load_lifecycle()
    pool = _open_pool(config)
    try:
        with pool.connection() as conn:
            if config.hub.district_file is not None:
                cells = cells_from_geojson(_read_json(config.hub.district_file))
                save_cells(conn, cells, now())
            grid = Grid(load_cells(conn, now()))
            insert = choose_insert(conn, config.storage.insert)
    except BaseException:
        pool.close()
        raise
    _log.info("records are stored by %s", "COPY" if insert is by_copy else "unnest")
    return Hub(
        config=config,
        pool=pool,
        grid=grid,
        categories=categories,
        calendar=calendar,
        indicator_sets=indicator_sets,
        lifecycle=lifecycle,
        evidence=EvidenceFolder(config.hub.data_dir / "evidence"),
        now=now,
        insert=insert,
    )


def connect(config: HubConfig, name: str) -> Connection[tuple[object, ...]]:
    """A database connection of one's own, outside the pool, for a thread of that name.

    Raises psycopg.OperationalError.
    """
    return psycopg.connect(
        config.database.url, connect_timeout=5, application_name=name, options=_OPTIONS
    )


def _open_pool(config: HubConfig) -> Pool:
    return ConnectionPool(
        config.database.url,
        min_size=1,
        max_size=config.database.pool_size,
        kwargs={"options": _OPTIONS, "application_name": "gridwarden-hub"},
        name="hub",
        open=True,
        check=ConnectionPool.check_connection,
    )


def _load_calendar(path: Path, time_zone: str) -> WorkCalendar:
    """Raises CalendarError where it is not to be read, or meant for another zone than the hub."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise CalendarError(
            f"cannot read the calendar {path} ({e}): name the file in [hub] calendar_file"
        ) from None
    calendar = _calendar(text)
    if calendar.rules.zone.key != time_zone:
        raise CalendarError(
            f"the calendar {path} is in {calendar.rules.zone.key}, the hub in {time_zone}: set "
            "its time_zone and [hub] time_zone to the same"
        )
    return calendar


def _load_indicator_sets(path: Path) -> tuple[IndicatorSet, ...]:
    try:
        return read_indicator_sets(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise AssessmentError(
            f"cannot read the sets of indicators {path} ({e}): name the file in [hub] "
            "assessment_file"
        ) from None


@cache
def _calendar(text: str) -> WorkCalendar:
    """The table of thirty years takes a moment: once for each text."""
    return WorkCalendar(read_work_rules(text))


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise GridError(f"cannot read the district {path}: {e.strerror}") from None
    except ValueError as e:
        raise GridError(f"the district {path} is not JSON: {e}") from None
