"""A hub's database and evidence in one file, and back, with real servers and a real agent."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from contract.envelope import encode_record
from contract.messages import Command
from contract.taxonomy import Lane
from edge.mqtt import MqttTransport
from edge.publisher import Publisher
from edge.settings import BrokerSettings, PublishSettings
from edge.spool import Entry
from edge.sqlite_spool import SqliteSpool
from gridwarden.cli import main
from gridwarden.database import EmbeddedDatabase
from gridwarden.identity.authority import Authority
from hub.ingest.subscriber import run_ingest
from hub.store.migrate import migrate
from tests.conftest import FAST
from tests.hub.builders import (
    config,
    eventually,
    fresh,
    manifest,
    opened,
    reading,
    rows,
    running,
    system_clock,
)
from tests.migration.growing import contents, grow

Run = Callable[..., int]
DIGEST, UNDER_WAY = "ab" * 32, "cd" * 32


@pytest.fixture
def gridwarden(
    scratch_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """The command line of a hub over the scratch database."""
    monkeypatch.setenv("GRIDWARDEN_HUB__DATABASE__URL", scratch_url)
    monkeypatch.setenv("GRIDWARDEN_HUB__HUB__DATA_DIR", str(tmp_path / "hub"))
    return lambda *words: main([str(word) for word in words])


@pytest.fixture
def scratch_url(empty_database_url: str, postgres_url: str) -> Iterator[str]:
    """An empty database; what restores keep beside it is dropped."""
    yield empty_database_url
    name = conninfo_to_dict(empty_database_url)["dbname"]
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        for (kept,) in conn.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (f"{name}_",)
        ).fetchall():
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(kept)))


@contextmanager
def hub_at_work(url: str, port: int, station: str, folder: Path) -> Iterator[None]:
    """A hub that ingests."""
    settings = config(url, folder, broker_port=port, stations=(station,))
    with opened(settings) as hub, running(lambda stop: run_ingest(hub, stop)):
        yield


class RealAgent:
    """Spool, publisher and MQTT of the edge, without cameras."""

    def __init__(self, folder: Path, port: int, station: str) -> None:
        self.spool = SqliteSpool(folder, {lane: 10_000_000 for lane in Lane}, system_clock)
        self._publisher = Publisher(
            station,
            fresh("agent"),
            self.spool,
            MqttTransport(BrokerSettings(port=port), fresh("edge")),
            PublishSettings(resend_after_s=0.5, probe_max_s=0.5),
            system_clock,
            lambda at: manifest(self.spool.boot, at=at),
            _ignore,
        )
        self._value = 0.0
        self._publisher.start()

    def measures(self, n: int) -> None:
        """Spool the next n values."""
        for _ in range(n):
            self._value += 1
            record = encode_record(reading(self._value))
            self.spool.append([Entry(Lane.READING, record, system_clock())])
        self._publisher.wake()

    def is_rid_of_all(self) -> bool:
        return self.spool.state()[Lane.READING].waiting == 0

    def close(self) -> None:
        self._publisher.stop()
        self.spool.close()


def _ignore(_command: Command) -> None:
    pass


@pytest.fixture
def station() -> str:
    return fresh("station")


@pytest.fixture
def agent(tmp_path: Path, broker_port: int, station: str) -> Iterator[RealAgent]:
    agent = RealAgent(tmp_path / "edge", broker_port, station)
    yield agent
    agent.close()


def test_after_a_restore_an_agent_sends_again_what_it_still_has(
    gridwarden: Run,
    scratch_url: str,
    broker_port: int,
    station: str,
    agent: RealAgent,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    backup = tmp_path / "hub.backup"
    with hub_at_work(scratch_url, broker_port, station, tmp_path / "hub"):
        agent.measures(100)
        eventually(agent.is_rid_of_all)
        assert gridwarden("backup", backup) == 0  # while it works
        agent.measures(50)
        eventually(agent.is_rid_of_all)
        epoch = agent.spool.epoch

        assert gridwarden("restore", backup) == 1
        said = capsys.readouterr().err
        assert "is in use by" in said
        assert "stop the hub" in said
        assert rows(scratch_url, "SELECT count(*) FROM reading") == [(150,)]
    agent.measures(30)

    assert gridwarden("restore", backup) == 0
    assert rows(scratch_url, "SELECT watermark FROM ledger WHERE lane = 'reading'") == [(100,)]
    with hub_at_work(scratch_url, broker_port, station, tmp_path / "hub"):
        eventually(agent.is_rid_of_all)
        eventually(lambda: agent.spool.state()[Lane.READING].watermark >= 180)

        assert agent.spool.epoch != epoch
    # the hub has all but the fifty that the agent had let go of, and knows of those
    assert rows(
        scratch_url,
        "SELECT count(*), count(DISTINCT value) FROM reading WHERE value <= 100 OR value > 150",
    ) == [(130, 130)]
    assert rows(scratch_url, "SELECT count(*) FROM reading") == [(130,)]
    assert rows(scratch_url, "SELECT lost::text FROM ledger WHERE lane = 'reading'") == [
        ("{[101,151)}",)
    ]


@pytest.fixture
def backup(scratch_url: str, tmp_path: Path, gridwarden: Run) -> Path:
    """A backup of a hub with rows in every table and evidence."""
    for _ in grow(scratch_url, tmp_path):
        pass
    evidence = tmp_path / "hub" / "evidence"
    for name, data in ((f"ab/{DIGEST}", b"picture"), (f"cd/{UNDER_WAY}.part", b"half a clip")):
        (evidence / name).parent.mkdir(parents=True)
        (evidence / name).write_bytes(data)
    path = tmp_path / "hub.backup"
    assert gridwarden("backup", path) == 0
    return path


def test_a_restore_brings_back_every_row_and_every_picture(
    gridwarden: Run,
    backup: Path,
    scratch_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with psycopg.connect(scratch_url) as conn:
        before = contents(conn)
        conn.execute("DELETE FROM reading")
        conn.execute("DROP TABLE verdict CASCADE")
    picture = tmp_path / "hub" / "evidence" / "ab" / DIGEST
    half = tmp_path / "hub" / "evidence" / "cd" / f"{UNDER_WAY}.part"
    picture.unlink()
    half.write_bytes(b"nothing of it")

    assert gridwarden("restore", backup) == 0

    with psycopg.connect(scratch_url) as conn:
        after = contents(conn)
    assert {**after, "hub": before["hub"]} == before
    assert after["hub"] == []  # the next hub gives an epoch of its own
    assert picture.read_bytes() == b"picture"
    assert half.read_bytes() == b"half a clip"
    said = capsys.readouterr().out
    assert "2 files brought back" in said
    kept = said.rsplit("is kept as ", 1)[1].split(";")[0]
    url = scratch_url.replace(str(conninfo_to_dict(scratch_url)["dbname"]), kept)
    assert rows(url, "SELECT count(*) FROM reading") == [(0,)]  # as it was before


def test_a_backup_can_leave_the_evidence_to_others(
    gridwarden: Run, backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lean = tmp_path / "lean.backup"

    assert gridwarden("backup", lean, "--without-evidence") == 0
    assert gridwarden("restore", lean) == 0

    said = capsys.readouterr().out
    assert "evidence: left out" in said
    assert "evidence: not in this backup; bring it to" in said


def test_a_backup_that_is_not_whole_is_refused_and_changes_nothing(
    gridwarden: Run,
    backup: Path,
    scratch_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = backup.read_bytes()
    with tarfile.open(backup) as tar:
        begins = {info.name: info.offset for info in tar}
    in_dump = begins["database.dump"] + 5000
    broken = {
        "empty": (b"", "no backup of a hub, or cut short"),
        "some other file": (b"\xff\xd8\xff" + b"\0" * 5000, "no backup of a hub"),
        "cut within the dump": (whole[:in_dump], "cut short"),
        "cut between two members": (whole[: begins["contents.json"]], "cut short"),
        "cut within its contents": (whole[: begins["contents.json"] + 600], "cut short"),
        "a byte of the dump changed": (
            whole[:in_dump] + bytes([whole[in_dump] ^ 1]) + whole[in_dump + 1 :],
            "database.dump is not as its table of contents tells",
        ),
        "of a layout to come": (whole[:512] + b"2" + whole[513:], "has backup layout 2"),
    }
    for what, (data, why) in broken.items():
        damaged = tmp_path / "damaged.backup"
        damaged.write_bytes(data)

        assert gridwarden("restore", damaged) == 1, what

        said = capsys.readouterr().err
        assert why in said, what
        assert said.count("\n") == 1, what
    assert rows(scratch_url, "SELECT count(*) FROM hub") == [(1,)]  # nobody touched it


def test_a_backup_of_a_newer_gridwarden_is_refused(
    gridwarden: Run, backup: Path, scratch_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(scratch_url) as conn:
        conn.execute("INSERT INTO schema_version (version) VALUES (999)")
    newer = backup.with_name("newer.backup")
    assert gridwarden("backup", newer) == 0

    assert gridwarden("restore", newer) == 1

    assert "has database version 999" in capsys.readouterr().err


def test_a_backup_that_fails_leaves_no_file(
    gridwarden: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridwarden("backup", tmp_path / "nothing.backup") == 1
    assert "there is nothing to back up" in capsys.readouterr().err
    assert list(tmp_path.glob("*.backup*")) == []


def test_a_backup_never_takes_the_place_of_another_file(
    gridwarden: Run, backup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = backup.read_bytes()

    assert gridwarden("backup", backup) == 1

    assert "choose another name" in capsys.readouterr().err
    assert backup.read_bytes() == before
    assert [p.name for p in backup.parent.glob("*.backup*")] == [backup.name]


def test_a_demo_moves_to_another_folder_by_its_backup(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "hub" / "evidence" / "ab").mkdir(parents=True)
    (old / "hub" / "evidence" / "ab" / DIGEST).write_bytes(b"picture")
    (old / "gridwarden.json").touch()
    running_database = EmbeddedDatabase(old / "database", settings=FAST, tethered=True)
    try:
        migrate(running_database.start())
        with psycopg.connect(running_database.url) as conn:
            conn.execute("INSERT INTO agent (agent, station) VALUES ('yard-02', 'north')")
        assert main(["backup", str(tmp_path / "b"), "--data", str(old)]) == 0
        assert running_database.is_alive()
    finally:
        running_database.remove()

    restored = EmbeddedDatabase(new / "database", settings=FAST, tethered=True)
    try:
        assert main(["restore", str(tmp_path / "b"), "--data", str(new)]) == 0
        url = restored.start()
        assert rows(url, "SELECT station FROM agent") == [("north",)]
    finally:
        restored.remove()
    assert (new / "hub" / "evidence" / "ab" / DIGEST).read_bytes() == b"picture"


def test_the_authority_is_in_a_backup_under_a_passphrase_and_never_in_clear(
    gridwarden: Run,
    scratch_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    migrate(scratch_url)
    folder = tmp_path / "hub" / "authority"
    Authority(folder, system_clock())
    pem = (folder / "authority.pem").read_bytes()

    assert gridwarden("backup", tmp_path / "without") == 0
    assert "authority: NOT in this backup" in capsys.readouterr().out
    monkeypatch.setenv("GRIDWARDEN_BACKUP_PASSPHRASE", "short")
    assert gridwarden("backup", tmp_path / "with") == 1
    assert "12 characters" in capsys.readouterr().err
    monkeypatch.setenv("GRIDWARDEN_BACKUP_PASSPHRASE", "seven spotted ladybirds")
    assert gridwarden("backup", tmp_path / "with") == 0
    for name in ("without", "with"):
        assert pem.splitlines()[1] not in (tmp_path / name).read_bytes()

    (folder / "authority.pem").unlink()
    with psycopg.connect(scratch_url) as conn:
        conn.execute("CREATE TABLE made_since ()")
    for passphrase, told in (("", "set GRIDWARDEN_BACKUP_PASSPHRASE"), ("wrong " * 3, "not its")):
        monkeypatch.setenv("GRIDWARDEN_BACKUP_PASSPHRASE", passphrase)
        assert gridwarden("restore", tmp_path / "with") == 1
        assert told in capsys.readouterr().err
    assert rows(scratch_url, "SELECT to_regclass('made_since')::text") == [("made_since",)]
    monkeypatch.setenv("GRIDWARDEN_BACKUP_PASSPHRASE", "seven spotted ladybirds")
    eventually(lambda: gridwarden("restore", tmp_path / "with") == 0)  # once nobody is connected
    assert (folder / "authority.pem").read_bytes() == pem
    assert stat.S_IMODE((folder / "authority.pem").stat().st_mode) == 0o600
    eventually(lambda: gridwarden("restore", tmp_path / "with") == 0)
    assert f"authority: the one in {folder} stays" in capsys.readouterr().out
