"""Certificates that end soon: told once a day, before an agent or all of them fall silent."""

from __future__ import annotations

import logging
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate that ends within `identity.warn_days`, or has ended."""

    agent: str | None  # None: the broker's, on which all agents hang
    ends_at: datetime

    @property
    def way_out(self) -> str:
        """The command that renews it."""
        return f"gridwarden agents {f'rotate {self.agent}' if self.agent else 'broker'}"


def endings(conn: Connection[Any], hub: Hub) -> list[Ending]:
    """The broker's first, then those of agents, the first to end first."""
    warn_at = hub.now() + timedelta(days=hub.config.identity.warn_days)
    broker_ends_at = broker_certificate_ends_at(hub)
    found = [Ending(None, broker_ends_at)] if broker_ends_at and broker_ends_at < warn_at else []
    found += [
        Ending(e.agent, e.expires_at) for e in enrolments.expiring(conn, warn_at) if e.expires_at
    ]
    return found


def broker_certificate_ends_at(hub: Hub) -> datetime | None:
    """When the broker's certificate ends; None where it is not on this machine."""
    folder = hub.config.identity.broker_dir
    return _ends_at(folder / BROKER_CERTIFICATE) if folder else None


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
        for agent in enrolments.over(conn, now):
            _log.warning(
                "the former credentials of agent %s are no longer in force, but the broker was "
                "not told: gridwarden agents broker",
                agent,
            )
        for e in endings(conn, hub):
            _log.warning(
                "the certificate %s %s on %s: %s",
                f"of agent {e.agent}" if e.agent else "of the broker",
                "expired" if e.ends_at <= now else "expires",
                f"{e.ends_at:%Y-%m-%d}",
                e.way_out,
            )


def _ends_at(certificate: Path) -> datetime | None:
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None  # not on this machine, or just being written
