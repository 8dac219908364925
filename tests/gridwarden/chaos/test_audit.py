"""The comparison that a chaos run stands on: it has to see what is wrong."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from contract.envelope import Identity
from contract.messages import Lost, Reading
from contract.taxonomy import Lane
from gridwarden.chaos.audit import Audit, audit
from gridwarden.chaos.book import Book, Written
from gridwarden.chaos.records import DEVICE, METRIC
from gridwarden.chaos.run import doubts
from hub.ingest.decode import Entry
from hub.ingest.limits import Limits
from hub.ingest.transaction import write
from hub.store import ledger
from tests.hub.builders import config, opened

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@dataclass(slots=True)
class Case:
    """A book and a hub's database, filled record by record."""

    book: Book
    conn: Connection[Any]
    evidence: Path
    store: Any

    def written(self, seq: int, value: int, boot: str = "b2") -> None:
        self.book.intended.add(("a", Lane.READING, str(value)))
        self.book.written.append(Written("a", boot, Lane.READING, seq, str(value)))

    def stored(self, seq: int, value: int, boot: str = "b2") -> None:
        record = Reading(device=DEVICE, metric=METRIC, value=float(value), captured_at=NOW)
        self.store(Entry(Identity("s", "a", boot, Lane.READING, seq), seq, record, "t", b"{}"))

    def declared(self, seq: int, first: int, last: int, boot: str = "b2") -> None:
        record = Lost(first=first, last=last, reason="a test")
        self.store(Entry(Identity("s", "a", boot, Lane.READING, seq), seq, record, "t", b"{}"))

    def result(self) -> Audit:
        return audit(self.conn, self.book, self.evidence)


@pytest.fixture
def case(database_url: str, tmp_path: Path) -> Iterator[Case]:
    book = Book(boots={"a": ["b1", "b2"]})
    with (
        opened(config(database_url, tmp_path), lambda: NOW) as hub,
        psycopg.connect(database_url, autocommit=True) as conn,
    ):

        def store(entry: Entry) -> None:
            with conn.transaction():
                write(conn, hub, [entry], [], Limits(hub.config.limits))

        yield Case(book, conn, tmp_path / "evidence", store)


def test_what_was_written_and_is_stored_once_is_no_finding(case: Case) -> None:
    case.written(1, 101)
    case.stored(1, 101)
    assert case.result().findings() == []
    assert case.result().records == 1


def test_a_record_that_is_nowhere_is_lost(case: Case) -> None:
    case.written(1, 101)
    case.written(2, 102)
    case.stored(1, 101)
    assert [w.name for w in case.result().lost] == ["102"]
    assert case.result().findings() == ["1 lost: a/b2/reading/2"]


def test_a_record_under_two_numbers_is_doubled(case: Case) -> None:
    case.written(1, 101)
    case.stored(1, 101)
    case.stored(2, 101)
    assert case.result().doubled == [("a", Lane.READING, "101")]


def test_another_value_under_the_right_number_is_a_loss_and_a_stranger(case: Case) -> None:
    case.written(1, 101)
    case.stored(1, 999)
    assert [w.name for w in case.result().lost] == ["101"]
    assert case.result().strangers == [("a", Lane.READING, "999")]


def test_a_record_its_agent_declared_lost_is_known(case: Case) -> None:
    case.written(1, 101)
    case.written(2, 102)
    case.declared(3, 1, 1)
    case.stored(2, 102)
    assert (case.result().declared, case.result().findings()) == (1, [])


def test_what_went_with_a_spool_is_known_once_its_boot_is_closed(case: Case) -> None:
    case.written(1, 101, "b1")
    case.written(2, 102, "b1")
    case.stored(1, 101, "b1")
    assert len(case.result().lost) == 1

    ledger.close_older_boots(case.conn, "a", "b2", NOW)

    assert (case.result().gone, case.result().findings()) == (1, [])


def test_what_went_with_a_spool_before_any_word_of_its_boot_is_told_apart(case: Case) -> None:
    case.written(1, 101, "b1")
    case.written(1, 102, "b2")
    assert (case.result().unheard, [w.name for w in case.result().lost]) == (1, ["102"])


def test_a_closed_boot_excuses_no_loss_of_the_present_one(case: Case) -> None:
    case.written(1, 101, "b2")
    case.stored(2, 102, "b2")
    ledger.close_older_boots(case.conn, "a", "b3", NOW)
    assert len(case.result().lost) == 1


def test_a_roll_up_that_counts_more_than_its_rows_is_found(case: Case) -> None:
    case.written(1, 101)
    case.stored(1, 101)
    case.conn.execute("UPDATE reading_rollup SET n = n + 1 WHERE width = '1h'")
    assert case.result().sums_off == ["a 1h: 1 rows, 2 in the roll-up"]


def test_a_picture_shown_as_complete_whose_bytes_are_others_is_torn(case: Case) -> None:
    digest = hashlib.sha256(b"picture").hexdigest()
    case.conn.execute(
        "INSERT INTO evidence (digest, media_type, total, captured_at, complete_at)"
        " VALUES (%s, 'image/jpeg', 7, %s, %s)",
        (digest, NOW, NOW),
    )
    path = case.evidence / digest[:2] / digest
    path.parent.mkdir(parents=True)
    path.write_bytes(b"picture")
    assert case.result().torn == []
    path.write_bytes(b"Picture")
    assert case.result().torn == [digest]


def test_a_run_that_killed_little_or_wrote_nothing_proves_nothing() -> None:
    written = Counter({lane: 100 for lane in Lane})
    assert doubts(1.0, 5, Audit(written=written)) == []
    assert doubts(1.0, 4, Audit(written=written)) == ["only 4 kills, at least 5 are meant"]
    assert doubts(0.1, 0, Audit(written=written)) == ["only 0 kills, at least 1 are meant"]
    assert doubts(1.0, 5, Audit(written=written - Counter({Lane.SCORE: 100}))) == [
        "no score was written"
    ]
    assert doubts(1.0, 5, Audit(written=written, declared=200, gone=51)) == [
        "more than half of the records were declared lost"
    ]
