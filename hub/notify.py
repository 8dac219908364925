"""Speaking to others: hands out what happened, sends messages and mail. Safe with several hubs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import psycopg

from hub.services.context import Hub
from hub.services.outward.deliver_webhooks import deliver_some, sender_of
from hub.services.outward.issue_alerts import renew_alerts
from hub.services.outward.send_mail import send_due
from hub.services.outward.share_outbox import prune_outbox, share_outbox

EVERY_S = 1.0
SENDERS = 4  # threads: so many receivers may be slow before others wait
_RARELY = 60  # rounds between two looks for what is old

_log = logging.getLogger(__name__)


def run_notify(hub: Hub, stop: threading.Event) -> None:
    """Hand out and send until `stop` is set. A database that is away is waited for."""
    sender = sender_of(hub)
    threads = [
        threading.Thread(
            target=_forever,
            args=(stop, lambda: deliver_some(hub, sender, stop)),
            name=f"sender-{i}",
        )
        for i in range(SENDERS)
    ]
    threads.append(
        threading.Thread(target=_forever, args=(stop, lambda: send_due(hub, stop) > 0), name="mail")
    )
    for thread in threads:
        thread.start()
    rounds = 0

    def share() -> bool:
        nonlocal rounds
        rounds += 1
        with hub.pool.connection(timeout=2.0) as conn:
            shared = share_outbox(conn, hub)
        if rounds % _RARELY == 1:
            with hub.pool.connection(timeout=2.0) as conn:
                renew_alerts(conn, hub)
            with hub.pool.connection(timeout=2.0) as conn:
                prune_outbox(conn, hub)
        return shared > 0

    _forever(stop, share)
    for thread in threads:
        thread.join()


def _forever(stop: threading.Event, work: Callable[[], bool]) -> None:
    """Work until `stop`; at once again where there was something, else after a while."""
    away = False
    while not stop.is_set():
        try:
            busy = work()
        except psycopg.OperationalError as e:  # PoolTimeout is one
            if not away:
                _log.warning("messages wait for the database: %s", str(e).strip().split("\n")[0])
            away, busy = True, False
        except Exception:  # noqa: BLE001 - one fault must not silence the hub for good
            _log.exception("telling others failed; it is tried again")
            busy = False
        else:
            if away:
                _log.info("messages go on: the database is back")
            away = False
        if not busy:
            stop.wait(EVERY_S)
