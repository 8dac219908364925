"""What tests share: one real PostgreSQL, one real broker, and the labelled clips where they are.

Each test that asks for a database is lent a fresh copy of a migrated one. What keeps that cheap:
the server's files lie in memory (quick_folder.py), and a copy is made file by file, not through
the log.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import psycopg
import pytest
from psycopg import sql
from xdist.remote import Producer

from gridwarden import ports
from gridwarden.broker import EmbeddedBroker
from gridwarden.database import EmbeddedDatabase
from gridwarden.ports import choose
from hub.store.migrate import migrate
from tests import pglite
from tests.quick_folder import quick_folder
from tests.small_disk import SmallDisk, mounted
from tests.workers import Companies

FAST = {"fsync": "off", "full_page_writes": "off"}  # a test database need not outlive a power cut

_numbers = itertools.count(1)

# reading the authorities of the world takes 20 ms, and tests make a client for every question
httpx._transports.default.create_ssl_context = functools.cache(  # type: ignore[attr-defined]
    httpx.create_ssl_context
)

# who forbids compiled files has every one of the programs that tests start compile all of ours
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

if "PYTEST_XDIST_WORKER" in os.environ:
    cv2.setNumThreads(1)  # its threads spin: two workers on two cores would take five times as long

    # a port is free between its choice and its use: each worker looks for its own, and none where
    # the processes of the demo look
    _APART = 1_000 * (1 + int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")))
    _hold = ports.hold
    ports.hold = lambda wanted: _hold(wanted + _APART if 0 < wanted < 20_000 else wanted)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for processes. Each has its own servers."""
    return min((os.cpu_count() or 1) + 1, 8)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Companies:
    """Files that share servers share a worker."""
    return Companies(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start processes first: they are long, and a long one last would be waited for."""
    items.sort(key=lambda item: item.get_closest_marker("processes") is None)


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    with quick_folder(otherwise=tmp_path_factory.mktemp("database")) as folder:
        server = EmbeddedDatabase(folder, settings=FAST, tethered=True)
        server.start()
        yield server
        server.remove()


@pytest.fixture(scope="session")
def postgres_url(_server: EmbeddedDatabase) -> str:
    """URL of the maintenance database of a server that all tests share."""
    return _server.url_of("postgres")


@pytest.fixture(scope="session")
def _template(_server: EmbeddedDatabase) -> str:
    """The name of a migrated database that nobody uses."""
    name = "template_migrated"
    _execute(_server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    migrate(_server.url_of(name))
    return name


@pytest.fixture
def database_url(_server: EmbeddedDatabase, _template: str) -> Iterator[str]:
    """URL of a fresh, migrated database."""
    yield from _lend_database(_server, _template)


@pytest.fixture(scope="module")
def module_database_url(_server: EmbeddedDatabase, _template: str) -> Iterator[str]:
    """URL of a fresh, migrated database for all tests of a file."""
    yield from _lend_database(_server, _template)


@pytest.fixture(scope="session")
def shared_database_url(_server: EmbeddedDatabase, _template: str) -> Iterator[str]:
    """URL of a migrated database for tests that undo what they do."""
    yield from _lend_database(_server, _template)


@pytest.fixture(scope="module")
def scratch_database_url(_server: EmbeddedDatabase) -> Iterator[str]:
    """URL of a database without any table, for the tests of one file."""
    yield from _lend_database(_server, "template0")


@pytest.fixture
def empty_database_url(_server: EmbeddedDatabase) -> Iterator[str]:
    """URL of a fresh database without any table."""
    yield from _lend_database(_server, "template0")


def _lend_database(server: EmbeddedDatabase, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    _execute(server, create.format(sql.Identifier(name), sql.Identifier(template)))
    yield server.url_of(name)
    _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server: EmbeddedDatabase, statement: sql.Composed) -> None:
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as conn:
        conn.execute(statement)


@pytest.fixture(scope="session")
def timescale_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """URL of a migrated database with TimescaleDB, one connection at a time: leave it as it was."""
    try:
        script = pglite.install(pytestconfig.cache.mkdir("pglite"))
    except pglite.PgliteUnavailableError as e:
        pytest.skip(f"no TimescaleDB to test on: {e}")
    with pglite.serving(script) as url:
        migrate(url)
        yield url


@pytest.fixture(scope="session")
def broker_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a broker that all tests share: use names of your own for stations and agents."""
    broker = EmbeddedBroker(choose(18_830), tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker.port
    broker.stop()


@pytest.fixture(scope="session")
def clips() -> Path:
    """The folder of the labelled clips, `labels.json` in it."""
    named = os.environ.get("GRIDWARDEN_CLIPS")
    if not named:
        pytest.skip("GRIDWARDEN_CLIPS does not name the folder of the labelled clips")
    folder = Path(named)
    if not (folder / "labels.json").is_file():
        pytest.fail(f"GRIDWARDEN_CLIPS={named} has no labels.json")
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 24 MB for one test."""
    with mounted(tmp_path / "disk") as disk:
        yield disk
