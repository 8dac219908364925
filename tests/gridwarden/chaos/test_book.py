from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from contract.taxonomy import Lane
from edge.errors import SpoolFullError
from edge.settings import SpoolSettings
from edge.sqlite_spool import SqliteSpool
from gridwarden.chaos.book import Book, BookedSpool, rests
from gridwarden.chaos.faults import FAULTS, draw
from gridwarden.chaos.records import Writer, name_of


def now() -> datetime:
    return datetime.now(UTC)


def spool(folder: Path, max_bytes: int | None = None) -> BookedSpool:
    inner = SqliteSpool(folder / "spool", SpoolSettings().budgets(), now, max_bytes=max_bytes)
    return BookedSpool(inner, folder / "page", 1)


def read(folder: Path) -> Book:
    book = Book()
    book.read("a", folder / "page")
    return book


def test_the_book_names_every_record_with_the_number_it_got(tmp_path: Path) -> None:
    booked = spool(tmp_path)
    writer = Writer(0, now, random.Random(1))
    entries = [*writer.readings(3), *writer.detection(), writer.scores()]
    seqs = booked.append(entries)

    book = read(tmp_path)

    assert sorted((w.lane, w.seq) for w in book.written) == sorted(
        (e.lane, seq) for e, seq in zip(entries, seqs, strict=True)
    )
    assert {(w.agent, w.lane, w.name) for w in book.written} == book.intended
    assert book.boots == {"a": [booked.boot]}


def test_what_the_spool_did_not_take_was_meant_but_not_written(tmp_path: Path) -> None:
    booked = spool(tmp_path, max_bytes=64 * 1024)
    writer = Writer(0, now, random.Random(1))

    def fill() -> None:
        while True:
            booked.append(writer.readings(50))

    with pytest.raises(SpoolFullError):
        fill()

    book = read(tmp_path)

    assert len(book.intended) == len(book.written) + 50


def test_a_line_that_a_kill_cut_short_counts_as_not_written(tmp_path: Path) -> None:
    booked = spool(tmp_path)
    booked.append(Writer(0, now, random.Random(1)).readings(2))
    page = tmp_path / "page"
    page.write_bytes(page.read_bytes()[:-4])

    book = read(tmp_path)

    assert (len(book.intended), len(book.written)) == (2, 0)


def test_an_agent_rests_once_its_present_life_has_said_so(tmp_path: Path) -> None:
    page = tmp_path / "page"
    assert not rests(page, 1)
    booked = spool(tmp_path)
    assert not rests(page, 1)
    booked.rest()
    assert rests(page, 1)
    assert not rests(page, 2)


def test_a_seed_draws_the_same_faults_each_once_before_any_twice() -> None:
    first = [f.name for f in islice(draw(FAULTS, random.Random(7)), 60)]
    again = [f.name for f in islice(draw(FAULTS, random.Random(7)), 60)]
    other = [f.name for f in islice(draw(FAULTS, random.Random(8)), 60)]
    assert first == again != other
    assert set(first[: len(FAULTS)]) == {fault.name for fault in FAULTS}


def test_a_fault_with_a_limit_comes_no_more_often() -> None:
    names = [f.name for f in islice(draw(FAULTS, random.Random(7)), 2000)]
    for fault in FAULTS:
        if fault.limit is not None:
            assert names.count(fault.name) == fault.limit


def test_every_lane_has_names_that_the_writer_never_gives_twice() -> None:
    writer = Writer(0, now, random.Random(1))
    entries = [e for _ in range(50) for e in (*writer.readings(5), *writer.detection())]
    entries += [writer.scores() for _ in range(50)]
    names = {(e.lane, name_of(e.lane, e.record, len(e.payload))) for e in entries}
    assert len(names) == len(entries)
    assert {lane for lane, _ in names} == set(Lane) - {Lane.HEALTH}
