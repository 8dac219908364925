"""What happens by itself as time goes by: one thread, a few jobs."""

from __future__ import annotations

import logging
import threading

import psycopg

from contract.errors import GridwardenError
from hub.services.context import Hub
from hub.services.erase_evidence import expire_evidence, remove_erased
from hub.services.lapse import lapse_cleared
from hub.services.watch_expiry import ExpiryWatch

EVERY_S = 5.0
_JOBS = (lapse_cleared, expire_evidence, remove_erased)

_log = logging.getLogger(__name__)


def run_timers(hub: Hub, stop: threading.Event) -> None:
    """Look after everything that falls due, until `stop` is set.

    A database that is away is waited for; what fell due meanwhile is done then.
    """
    away = False
    jobs = (*_JOBS, ExpiryWatch())
    while not stop.wait(EVERY_S):
        try:
            for job in jobs:  # each in a transaction of its own, and bounded
                with hub.pool.connection(timeout=2.0) as conn:
                    job(conn, hub)
        except psycopg.OperationalError as e:
            if not away:
                _log.warning("timers wait for the database: %s", str(e).strip().split("\n")[0])
            away = True
        except GridwardenError:
            _log.exception("a timer failed; it is tried again")
        else:
            if away:
                _log.info("timers go on: the database is back")
            away = False
