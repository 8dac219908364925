"""What befalls the file of a spool: deleted, damaged, copied, of an earlier version."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.taxonomy import Lane
from edge.errors import SpoolError
from edge.sqlite_spool import SqliteSpool
from tests.edge.builders import entry, now

ROOM = dict.fromkeys(Lane, 10_000_000)

# as the first version had it
FIRST = """
CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL,
    machine TEXT NOT NULL, epoch TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE lane (lane TEXT PRIMARY KEY, next_seq INTEGER NOT NULL DEFAULT 1,
    watermark INTEGER NOT NULL DEFAULT 0, waiting INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE record (lane TEXT NOT NULL, seq INTEGER NOT NULL, captured_us INTEGER NOT NULL,
    size INTEGER NOT NULL, is_lost INTEGER NOT NULL, record BLOB NOT NULL, payload BLOB NOT NULL,
    PRIMARY KEY (lane, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX lost_record ON record (lane) WHERE is_lost = 1;
INSERT INTO identity VALUES (1, 'b0', 'here', 'e1');
INSERT INTO lane VALUES ('reading', 4, 1, 2, 200, 0);
INSERT INTO record VALUES ('reading', 2, 5, 100, 0, x'7b7d', x''),
    ('reading', 3, 5, 100, 0, x'7b7d', x'01');
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[SqliteSpool]:
    opened = SqliteSpool(tmp_path / "data", ROOM, now)
    yield opened
    opened.close()


def seqs(spool: SqliteSpool) -> list[int]:
    return [r.seq for r in spool.peek(Lane.READING, 0, 100_000, 100_000_000)]


def reopened(spool: SqliteSpool) -> SqliteSpool:
    spool.close()
    return SqliteSpool(spool.path.parent, ROOM, now)


@pytest.mark.parametrize("gone", ["spool.sqlite", "spool.sqlite-wal", ""])
def test_a_spool_deleted_while_it_is_open_is_written_again_and_nothing_is_lost(
    spool: SqliteSpool, gone: str
) -> None:
    boot = spool.boot
    spool.append([entry(), entry()])
    spool.advance(Lane.READING, 1)
    if gone:
        (spool.path.parent / gone).unlink()
    else:
        shutil.rmtree(spool.path.parent)
    assert seqs(spool) == [2]
    assert spool.append([entry()]) == [3]
    again = reopened(spool)
    assert (again.boot, seqs(again)) == (boot, [2, 3])
    again.close()


def test_a_file_put_in_the_place_of_an_open_spool_is_moved_aside(
    spool: SqliteSpool, tmp_path: Path
) -> None:
    spool.append([entry()])
    shutil.copy(spool.path, tmp_path / "older")
    spool.append([entry()])
    (tmp_path / "older").replace(spool.path)
    assert spool.append([entry()]) == [3]
    assert len(list(spool.path.parent.glob("spool-*.old"))) == 1
    again = reopened(spool)
    assert seqs(again) == [1, 2, 3]
    again.close()


def test_a_spool_damaged_while_it_is_open_goes_on_with_a_new_boot(spool: SqliteSpool) -> None:
    spool.append([entry(record=b"x" * 3000) for _ in range(2000)])
    spool = reopened(spool)
    boot = spool.boot
    with spool.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 1000 * 4096)
    with pytest.raises(SpoolError, match="failed"):
        seqs(spool)
    assert spool.append([entry()]) == [1]
    assert spool.boot != boot
    assert spool.state()[Lane.READING].waiting == 1
    assert len(list(spool.path.parent.glob("spool-*.old"))) == 1
    spool.close()


def test_a_spool_cloned_to_another_machine_begins_a_new_boot(tmp_path: Path) -> None:
    first = SqliteSpool(tmp_path, ROOM, now, machine=lambda _: "here")
    first.append([entry()])
    first.close()
    clone = SqliteSpool(tmp_path, ROOM, now, machine=lambda _: "there")
    assert clone.boot != first.boot
    assert clone.append([entry()]) == [1]
    clone.close()


def test_a_spool_of_the_first_version_goes_on_where_it_stood(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "spool.sqlite") as db:
        db.executescript(FIRST)
    db.close()
    spool = SqliteSpool(tmp_path, ROOM, now, machine=lambda _: "here")
    assert (spool.boot, spool.epoch) == ("b0", "e1")
    held = spool.peek(Lane.READING, 0, 10, 1000)
    assert [(r.seq, r.record, r.payload) for r in held] == [(2, b"{}", b""), (3, b"{}", b"\1")]
    assert spool.append([entry()]) == [4]
    spool.close()
    again = SqliteSpool(tmp_path, ROOM, now, machine=lambda _: "here")
    assert seqs(again) == [2, 3, 4]
    again.close()


def test_a_new_spool_needs_no_rewriting(spool: SqliteSpool) -> None:
    before = spool.path.stat().st_ino
    for _ in range(5):
        spool.append([entry()])
    assert spool.path.stat().st_ino == before
    assert list(spool.path.parent.glob("*.old")) == []
