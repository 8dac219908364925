"""The hub's database as a chaos run reaches it: past all wires, to ask, copy and put back."""

from __future__ import annotations

import time
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo

THROWN_OUT_S = 10.0


class Store:
    """A database of its own on a server. For use by one thread."""

    def __init__(self, server: str, name: str) -> None:
        """Make it. server: conninfo of a database that may be connected to meanwhile."""
        self._server = server
        self.name = name
        self._name, self._copy = sql.Identifier(name), sql.Identifier(f"{name}_copy")
        self._asking: Connection[Any] | None = None
        self.url = make_conninfo(server, dbname=name)
        self._do("CREATE DATABASE {}", self._name)

    def connect(self) -> Connection[Any]:
        """A connection of one's own; raises psycopg.OperationalError while it is away."""
        return psycopg.connect(self.url, autocommit=True, connect_timeout=5)

    def ask(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Rows; raises psycopg.OperationalError while it is away."""
        if self._asking is not None:
            try:
                return self._asking.execute(query, values).fetchall()
            except psycopg.OperationalError:  # thrown out by ourselves, or it went away
                self.hang_up()
        self._asking = self.connect()
        return self._asking.execute(query, values).fetchall()

    def hang_up(self) -> None:
        """Give the connection back that `ask` keeps."""
        if self._asking is not None:
            self._asking.close()
            self._asking = None

    def back_up(self) -> None:
        """Copy it as it is now. Who is connected is thrown out for that moment."""
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._copy)
        self._throw_out()
        try:
            self._do("CREATE DATABASE {} TEMPLATE {}", self._copy, self._name)
        finally:
            self._do("ALTER DATABASE {} ALLOW_CONNECTIONS true", self._name)

    def restore(self) -> None:
        """Put the copy in its place: what came since is gone."""
        self._throw_out()
        self._do("DROP DATABASE {} WITH (FORCE)", self._name)
        self._do("ALTER DATABASE {} RENAME TO {}", self._copy, self._name)

    def remove(self) -> None:
        """Leave nothing of it on the server."""
        self.hang_up()
        for name in (self._copy, self._name):
            self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _throw_out(self) -> None:
        """Let nobody in, and wait until nobody is."""
        self._do("ALTER DATABASE {} ALLOW_CONNECTIONS false", self._name)
        ended = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = %s AND backend_type = 'client backend'"
        )
        deadline = time.monotonic() + THROWN_OUT_S
        with self._at_server() as conn:
            while conn.execute(ended, (self.name,)).fetchall():
                if time.monotonic() > deadline:
                    return  # what follows will say so
                time.sleep(0.01)

    def _do(self, statement: LiteralString, *names: sql.Identifier) -> None:
        with self._at_server() as conn:
            conn.execute(sql.SQL(statement).format(*names))

    def _at_server(self) -> Connection[Any]:
        return psycopg.connect(self._server, autocommit=True, connect_timeout=5)
