"""The upkeep of the database: days made ahead, old ones dropped, TimescaleDB's compression.

A thread and a connection of its own, because dropping and compressing may take minutes. Of several
hubs on one database one does it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import Connection

from hub.config import StorageConfig
from hub.services.context import Hub, connect
from hub.store import camera_states, hypertables, locks, notices, readings, series

EVERY_S = 3600.0
# A clock that jumps a year ahead must not empty the database before somebody sees it: old days go
# a few in each round. One a day is what falls due.
DAYS_A_ROUND = 2
NOTICES_A_ROUND = 20_000

_log = logging.getLogger(__name__)


def run_upkeep(hub: Hub, stop: threading.Event) -> None:
    """Keep the database in order, at once and every hour, until `stop` is set."""
    while True:
        try:
            with connect(hub.config, "upkeep") as conn:
                conn.autocommit = True
                keep_up(conn, hub.config.storage, hub.now)
        except psycopg.Error as e:
            _log.warning("the upkeep is put off: %s", _line(e))
        if stop.wait(EVERY_S):
            return


def keep_up(conn: Connection[Any], storage: StorageConfig, now: Callable[[], datetime]) -> None:
    """One round. conn: in autocommit mode. Raises psycopg.Error where a part failed."""
    if not locks.try_lock(conn, "upkeep"):
        return
    keep = {
        series.READINGS: storage.keep_readings_days,
        series.SCORES: storage.keep_scores_days,
        series.HEARTBEATS: storage.keep_heartbeats_days,
    }
    for one in series.ALL:
        made = series.make_days(conn, one, now())
        if made:
            _log.info("made the partitions %s", ", ".join(made))
    for one, days in keep.items():
        if days and (gone := series.drop_before(conn, one, now() - _days(days), DAYS_A_ROUND)):
            _log.info("dropped %s: all in it is older than %d days", ", ".join(gone), days)
    if storage.keep_heartbeats_days:
        camera_states.drop_before(conn, now() - _days(storage.keep_heartbeats_days))
    for width, days in (("1m", storage.keep_minutes_days), ("1h", storage.keep_hours_days)):
        if days:
            readings.drop_rollups(conn, width, now() - _days(days))
    if storage.keep_notices_days:
        notices.drop_before(conn, now() - _days(storage.keep_notices_days), NOTICES_A_ROUND)
    _compress(conn, storage)


def _compress(conn: Connection[Any], storage: StorageConfig) -> None:
    for one in series.ALL:
        if series.is_hypertable(conn, one) and hypertables.has_columnstore(conn):
            hypertables.compress_after(
                conn, one.name, one.segment_by, one.order_by, storage.compress_after_days
            )
            if hypertables.run_stale_policy(conn, one.name):
                _log.info("compressed %s: no background worker of TimescaleDB did", one.name)


def _days(n: int) -> timedelta:
    return timedelta(days=n)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
