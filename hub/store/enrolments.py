"""Enrolments: which agents may send, from which station, with which credential."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from hub.store.locks import lock


class Credential(StrEnum):
    """What an agent shows the broker."""

    PASSWORD = "password"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An agent that is enrolled, or was until `revoked_at`."""

    agent: str
    station: str
    credential: Credential
    password_hash: str | None
    serial: str | None  # of its certificate, hexadecimal
    enrolled_at: datetime
    issued_at: datetime
    expires_at: datetime | None  # of its certificate
    revoked_at: datetime | None
    login: str | None = None  # at the broker; None: the agent's name
    former_login: str | None = None  # of the password before
    former_hash: str | None = None
    former_until: datetime | None = None  # what was before is in force up to then; None: it is not

    @property
    def username(self) -> str:
        """What it is called at the broker; a certificate says the agent's name."""
        return self.login or self.agent

    def __post_init__(self) -> None:
        object.__setattr__(self, "credential", Credential(self.credential))

    def __repr__(self) -> str:
        return f"Enrolment({self.agent} at {self.station}, {self.credential})"


@dataclass(frozen=True, slots=True)
class RevokedCertificate:
    """A certificate that must not be believed until it expires."""

    serial: str
    revoked_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a name stands: station None where it is not enrolled."""

    agent: str
    station: str | None
    revoked_at: datetime | None
    anybody: bool  # whether anybody at all was ever enrolled


@dataclass(frozen=True, slots=True)
class Refused:
    """What of one name is in quarantine."""

    agent: str
    times: int
    last_at: datetime
    reason: str  # of the latest


def lock_all(conn: Connection[Any]) -> None:
    """Until the transaction ends, nobody else changes enrolments or writes the broker's files."""
    lock(conn, ["enrolments"])


def all_enrolments(conn: Connection[Any]) -> list[Enrolment]:
    """Everybody that was ever enrolled, by station and name."""
    with conn.cursor(row_factory=class_row(Enrolment)) as cur:
        return cur.execute("SELECT * FROM enrolment ORDER BY station, agent").fetchall()


def by_name(conn: Connection[Any], agent: str) -> Enrolment | None:
    """The enrolment of that name."""
    with conn.cursor(row_factory=class_row(Enrolment)) as cur:
        return cur.execute("SELECT * FROM enrolment WHERE agent = %s", (agent,)).fetchone()


def standings(conn: Connection[Any], agents: Collection[str]) -> list[Standing]:
    """How each of these names stands."""
    with conn.cursor(row_factory=class_row(Standing)) as cur:
        return cur.execute(
            """
            SELECT agent, e.station, e.revoked_at,
                   EXISTS (SELECT FROM enrolment) AS anybody
            FROM unnest(%s::text[]) AS claimed (agent) LEFT JOIN enrolment e USING (agent)
            """,
            (sorted(agents),),
        ).fetchall()


def save(conn: Connection[Any], enrolment: Enrolment) -> None:
    """This is now the agent's enrolment.

    A certificate it had before is revoked, from `former_until` on where that is set; what a still
    earlier rotation had left in force is not in force any more.
    """
    before = by_name(conn, enrolment.agent)
    _end_grace(conn, enrolment.agent, enrolment.issued_at)
    conn.execute(
        """
        INSERT INTO enrolment (agent, station, credential, password_hash, serial, enrolled_at,
                               issued_at, expires_at, revoked_at, login, former_login,
                               former_hash, former_until)
        VALUES (%(agent)s, %(station)s, %(credential)s, %(password_hash)s, %(serial)s,
                %(enrolled_at)s, %(issued_at)s, %(expires_at)s, %(revoked_at)s, %(login)s,
                %(former_login)s, %(former_hash)s, %(former_until)s)
        ON CONFLICT (agent) DO UPDATE SET
            credential = excluded.credential, password_hash = excluded.password_hash,
            serial = excluded.serial, issued_at = excluded.issued_at,
            expires_at = excluded.expires_at, revoked_at = excluded.revoked_at,
            login = excluded.login, former_login = excluded.former_login,
            former_hash = excluded.former_hash, former_until = excluded.former_until
        """,
        {
            "agent": enrolment.agent,
            "station": enrolment.station,
            "credential": str(enrolment.credential),
            "password_hash": enrolment.password_hash,
            "serial": enrolment.serial,
            "enrolled_at": enrolment.enrolled_at,
            "issued_at": enrolment.issued_at,
            "expires_at": enrolment.expires_at,
            "revoked_at": enrolment.revoked_at,
            "login": enrolment.login,
            "former_login": enrolment.former_login,
            "former_hash": enrolment.former_hash,
            "former_until": enrolment.former_until,
        },
    )
    if before is not None and before.serial is not None and before.serial != enrolment.serial:
        _revoke_certificate(conn, before, enrolment.former_until or enrolment.issued_at)


def revoke(conn: Connection[Any], agent: str, at: datetime) -> None:
    """The agent may not send any more; nothing where it is revoked already."""
    standing = by_name(conn, agent)
    if standing is None or standing.revoked_at is not None:
        return
    conn.execute(
        """
        UPDATE enrolment SET revoked_at = %s, password_hash = NULL, former_login = NULL,
            former_hash = NULL, former_until = NULL
        WHERE agent = %s
        """,
        (at, agent),
    )
    _end_grace(conn, agent, at)
    if standing.serial is not None:
        _revoke_certificate(conn, standing, at)


def revoked_certificates(conn: Connection[Any], now: datetime) -> list[RevokedCertificate]:
    """Those that would still be believed, the oldest first."""
    with conn.cursor(row_factory=class_row(RevokedCertificate)) as cur:
        return cur.execute(
            """
            SELECT serial, revoked_at FROM revoked_certificate
            WHERE expires_at > %(now)s AND revoked_at <= %(now)s
            ORDER BY revoked_at, serial
            """,
            {"now": now},
        ).fetchall()


def expiring(conn: Connection[Any], before: datetime) -> list[Enrolment]:
    """Agents whose certificate expires before that time, the first to expire first."""
    with conn.cursor(row_factory=class_row(Enrolment)) as cur:
        return cur.execute(
            """
            SELECT * FROM enrolment WHERE revoked_at IS NULL AND expires_at < %s
            ORDER BY expires_at, agent
            """,
            (before,),
        ).fetchall()


def over(conn: Connection[Any], now: datetime) -> list[str]:
    """Agents whose former credentials are no longer in force, and the broker may not know it."""
    return [
        str(agent)
        for (agent,) in conn.execute(
            "SELECT agent FROM enrolment WHERE former_until <= %s ORDER BY agent", (now,)
        )
    ]


def forget_former(conn: Connection[Any], now: datetime) -> None:
    """Former passwords whose time is over are gone."""
    conn.execute(
        """
        UPDATE enrolment SET former_login = NULL, former_hash = NULL, former_until = NULL
        WHERE former_until <= %s
        """,
        (now,),
    )


def refused(conn: Connection[Any]) -> list[Refused]:
    """What is in quarantine and not settled, by the name it came under."""
    with conn.cursor(row_factory=class_row(Refused)) as cur:
        return cur.execute(
            """
            SELECT agent, sum(times)::bigint AS times, max(last_at) AS last_at,
                   (array_agg(reason ORDER BY last_at DESC))[1] AS reason
            FROM quarantine WHERE agent IS NOT NULL AND settled_at IS NULL
            GROUP BY agent ORDER BY agent
            """
        ).fetchall()


def _end_grace(conn: Connection[Any], agent: str, at: datetime) -> None:
    """Certificates that were left in force for a while are not, from now on."""
    conn.execute(
        "UPDATE revoked_certificate SET revoked_at = %s WHERE agent = %s AND revoked_at > %s",
        (at, agent, at),
    )


def _revoke_certificate(conn: Connection[Any], enrolment: Enrolment, at: datetime) -> None:
    conn.execute(
        """
        INSERT INTO revoked_certificate (serial, agent, revoked_at, expires_at)
        VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        (enrolment.serial, enrolment.agent, at, enrolment.expires_at),
    )
