"""Certificates that end soon: told once a day, before an agent or all of them fall silent."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from psycopg import Connection

from hub.services.context import Hub
from hub.store import enrolments

AGAIN = timedelta(days=1)
BROKER_CERTIFICATE = "broker.crt"  # in `identity.broker_dir`

_log = logging.getLogger(__name__)


class ExpiryWatch:
    """Remembers when it looked last. For one thread."""

    def __init__(self) -> None:
        self._due_at: datetime | None = None

    def __call__(self, conn: Connection[Any], hub: Hub) -> None:
        """Look, where a day has passed since the last time."""
        now = hub.now()
        if self._due_at is not None and now < self._due_at:
            return
        self._due_at = now + AGAIN
        warn_at = now + timedelta(days=hub.config.identity.warn_days)
        for e in enrolments.expiring(conn, warn_at):
            if e.expires_at is not None:
                _warn(f"of agent {e.agent}", e.expires_at, now, f"rotate {e.agent}")
        folder = hub.config.identity.broker_dir
        ends_at = _ends_at(folder / BROKER_CERTIFICATE) if folder else None
        if ends_at is not None and ends_at < warn_at:
            _warn("of the broker", ends_at, now, "broker")


def _warn(whose: str, ends_at: datetime, now: datetime, way_out: str) -> None:
    verb = "expired" if ends_at <= now else "expires"
    _log.warning(
        "the certificate %s %s on %s: gridwarden agents %s",
        whose,
        verb,
        f"{ends_at:%Y-%m-%d}",
        way_out,
    )


def _ends_at(certificate: Path) -> datetime | None:
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None  # not on this machine, or just being written
