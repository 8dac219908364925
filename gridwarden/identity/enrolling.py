"""Enrol, rotate, revoke: the change in the database first, then the broker's files.

So the hub refuses a revoked agent whatever becomes of the broker; and files that could not be
written are caught up by the next command (`gridwarden agents broker` does nothing else).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from contract.topics import check_name
from gridwarden.identity import mosquitto
from gridwarden.identity.authority import Authority, Issued, Revoked
from gridwarden.identity.bundle import Bundle
from gridwarden.identity.errors import IdentityError
from gridwarden.identity.mosquitto import HubLogin
from gridwarden.identity.passwords import hash_password, new_password
from hub.config import HubConfig
from hub.store import agents, audit, changes, enrolments
from hub.store.enrolments import Credential, Enrolment
from hub.store.migrate import migrate


@dataclass(frozen=True, slots=True)
class Left:
    """Agents the hub has heard of that are refused from now on, as they are not enrolled."""

    names: tuple[str, ...]


class Registry:
    """The enrolments in the hub's database and the files that follow from them."""

    def __init__(self, config: HubConfig, now: datetime, by: str = "") -> None:
        """by: who does it, as the audit log names them."""
        self._config = config
        self._by = by
        self._identity = config.identity
        self._now = now

    @property
    def authority_dir(self) -> Path:
        """Where the local authority lies."""
        return self._identity.authority_dir or self._config.hub.data_dir / "authority"

    def enrol(self, agent: str, station: str, credential: Credential) -> tuple[Bundle, Left]:
        """Credentials for an agent that has none, or whose were revoked. Raises IdentityError."""
        self._check(agent, station)
        with self._changing() as conn:
            before = enrolments.by_name(conn, agent)
            if before is not None and before.revoked_at is None:
                raise IdentityError(
                    f"agent {agent} is enrolled already, at station {before.station}: "
                    f"gridwarden agents rotate {agent} gives it new credentials"
                )
            known = agents.enrol(conn, {agent: station})[agent]
            if known != station:
                raise IdentityError(
                    f"agent {agent} belongs to station {known}, where its records came from: "
                    f"enrol it there, or give it another name"
                )
            bundle = self._issue(conn, agent, station, credential, before)
            self._note(conn, "enrol_agent", agent, f"station {station}, {credential}")
            strangers = _strangers(conn) if len(enrolments.all_enrolments(conn)) == 1 else ()
        return bundle, Left(strangers)

    def rotate(
        self, agent: str, credential: Credential | None, grace: timedelta = timedelta()
    ) -> Bundle:
        """New credentials, of the same kind where None; those before work on for `grace`."""
        with self._changing() as conn:
            before = self._standing(conn, agent)
            kind = credential or before.credential
            hours = grace.total_seconds() / 3600
            self._note(conn, "rotate_agent", agent, f"{kind}, {hours:g} h of grace")
            return self._issue(conn, agent, before.station, kind, before, grace)

    def revoke(self, agent: str) -> Enrolment:
        """Let the agent send no more; its enrolment as it was."""
        with self._changing() as conn:
            before = self._standing(conn, agent)
            enrolments.revoke(conn, agent, self._now)
            self._note(conn, "revoke_agent", agent, f"station {before.station}")
            known = agents.by_name(conn, agent, lock=True)
            if known is not None and known.boot is not None and known.born_at is not None:
                # its will is refused from now on: nobody else would say that it is gone
                agents.bury(conn, agent, boot=known.boot, born_at=known.born_at, seen_at=self._now)
                changes.tell(conn, "agent", agent)
        return before

    def write_broker_files(self, names: tuple[str, ...] = ()) -> Issued | None:
        """Bring the broker's folder up to date; its certificate where that is new.

        Raises IdentityError, also where no folder is set.
        """
        folder = self._identity.broker_dir
        if folder is None:
            raise IdentityError(
                "no folder for the broker's files: set broker_dir of [identity] in the hub's "
                "settings"
            )
        login = HubLogin(self._config.broker.username, self._config.broker.password)
        if not login.username or not login.password:
            raise IdentityError(
                "the hub itself needs a name and a password at the broker: set username and "
                "password of [broker] in the hub's settings"
            )
        usual = (self._broker_host, self._config.broker.host)
        with self._changing() as conn:
            authority = Authority(self.authority_dir, self._now)
            issued = mosquitto.ensure_certificate(folder, authority, names, usual, self._now)
            revoked = [
                Revoked(r.serial, r.revoked_at)
                for r in enrolments.revoked_certificates(conn, self._now)
            ]
            enrolments.forget_former(conn, self._now)
            everybody = enrolments.all_enrolments(conn)
            mosquitto.write_access(folder, login, everybody, authority, revoked, self._now)
        return issued

    @property
    def _broker_host(self) -> str:
        return self._identity.broker_host or self._config.broker.host

    def session(self, agent: str) -> Enrolment:
        """The enrolment in force, whose session is about to end. Raises IdentityError."""
        with self._connected() as conn:
            return self._standing(conn, agent)

    def is_enrolled(self, agent: str) -> bool:
        """Whether that agent may send."""
        with self._connected() as conn:
            found = enrolments.by_name(conn, agent)
        return found is not None and found.revoked_at is None

    def all(self) -> tuple[list[Enrolment], list[enrolments.Refused]]:
        """Everybody that was ever enrolled, and what of whom is in quarantine."""
        with self._connected() as conn:
            return enrolments.all_enrolments(conn), enrolments.refused(conn)

    def _issue(
        self,
        conn: Connection[Any],
        agent: str,
        station: str,
        credential: Credential,
        before: Enrolment | None,
        grace: timedelta = timedelta(),
    ) -> Bundle:
        authority = Authority(self.authority_dir, self._now)
        fresh = Enrolment(
            agent=agent,
            station=station,
            credential=credential,
            password_hash=None,
            serial=None,
            enrolled_at=before.enrolled_at if before else self._now,
            issued_at=self._now,
            expires_at=None,
            revoked_at=None,
        )
        if before is not None and grace:
            fresh = _beside(fresh, before, self._now + grace)
        secret: str | Issued
        if credential is Credential.PASSWORD:
            secret, port = new_password(), self._identity.password_port
            enrolment = dataclasses.replace(fresh, password_hash=hash_password(secret))
        else:
            secret = authority.issue_agent(agent, self._now, self._identity.certificate_days)
            port = self._identity.certificate_port
            enrolment = dataclasses.replace(
                fresh, serial=secret.serial, expires_at=secret.expires_at
            )
        enrolments.save(conn, enrolment)
        return Bundle(
            agent,
            station,
            self._broker_host,
            port,
            authority.certificate,
            secret,
            enrolment.username,
        )

    def _check(self, agent: str, station: str) -> None:
        check_name("agent", agent)
        check_name("station", station)
        if agent == self._config.broker.username:
            raise IdentityError(
                f"{agent!r} is what the hub itself is called at the broker: give the agent "
                "another name"
            )
        if station not in self._config.hub.stations:
            raise IdentityError(
                f"no station {station!r} in the hub's settings; there are: "
                f"{', '.join(self._config.hub.stations)}"
            )

    def _standing(self, conn: Connection[Any], agent: str) -> Enrolment:
        found = enrolments.by_name(conn, agent)
        if found is None or found.revoked_at is not None:
            why = "is not enrolled" if found is None else "was revoked"
            raise IdentityError(
                f"agent {agent} {why}: gridwarden agents enrol {agent} --station "
                f"{found.station if found else 'STATION'}"
            )
        return found

    def _note(self, conn: Connection[Any], action: str, agent: str, detail: str) -> None:
        audit.write(
            conn,
            at=self._now,
            actor=self._by,
            role="",
            login="",
            via="command",
            address="",
            action=action,
            subject=agent,
            detail=detail,
        )

    @contextmanager
    def _changing(self) -> Iterator[Connection[Any]]:
        """A transaction in which nobody else changes enrolments or writes the files."""
        with self._connected() as conn, conn.transaction():
            enrolments.lock_all(conn)
            yield conn

    @contextmanager
    def _connected(self) -> Iterator[Connection[Any]]:
        migrate(self._config.database.url)
        try:
            conn = psycopg.connect(
                self._config.database.url,
                autocommit=True,
                connect_timeout=10,
                application_name="gridwarden-agents",
                options="-c timezone=UTC -c synchronous_commit=on",
            )
        except psycopg.OperationalError as e:
            line = str(e).strip().splitlines()[:1]
            raise IdentityError(f"the database is not to be reached: {''.join(line)}") from None
        with conn:
            yield conn


def _beside(fresh: Enrolment, before: Enrolment, until: datetime) -> Enrolment:
    """The enrolment, with what was before in force up to then.

    Mosquitto knows one password a name, so two passwords need two: the names take turns. No agent
    can be called so, as a name of the contract has no `~`.
    """
    if before.credential is not Credential.PASSWORD:
        return dataclasses.replace(fresh, former_until=until)
    second = f"{fresh.agent}~2"
    taken = before.username == fresh.agent and fresh.credential is Credential.PASSWORD
    return dataclasses.replace(
        fresh,
        login=second if taken else None,
        former_login=before.username,
        former_hash=before.password_hash,
        former_until=until,
    )


def _strangers(conn: Connection[Any]) -> tuple[str, ...]:
    enrolled = {e.agent for e in enrolments.all_enrolments(conn)}
    return tuple(a for a in agents.names(conn) if a not in enrolled)
