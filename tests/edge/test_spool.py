"""The spool: numbers, budgets, losses, identity."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.envelope import read_record
from contract.messages import Lost
from contract.taxonomy import Lane
from edge.errors import SpoolBehindError, SpoolError, SpoolFullError
from edge.spool import Entry
from edge.spool_rows import OVERHEAD
from edge.sqlite_spool import SqliteSpool
from tests.edge.builders import entry, now

ROOM = dict.fromkeys(Lane, 10_000_000)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[SqliteSpool]:
    opened = SqliteSpool(tmp_path, ROOM, now)
    yield opened
    opened.close()


def seqs(spool: SqliteSpool, lane: Lane = Lane.READING) -> list[int]:
    return [r.seq for r in spool.peek(lane, 0, 100_000, 100_000_000)]


def losses(spool: SqliteSpool, lane: Lane) -> list[tuple[int, int]]:
    found = []
    for r in spool.peek(lane, 0, 100_000, 100_000_000):
        if b'"record":"lost"' in r.record:
            lost = read_record(lane, r.record)
            assert isinstance(lost, Lost)
            found.append((lost.first, lost.last))
    return found


def test_each_lane_counts_from_one_without_a_gap(spool: SqliteSpool) -> None:
    assert spool.append([entry(), entry(Lane.DETECTION), entry()]) == [1, 1, 2]
    assert spool.append([entry(Lane.DETECTION)]) == [2]


def test_numbers_go_on_after_everything_was_deleted_and_the_spool_reopened(tmp_path: Path) -> None:
    first = SqliteSpool(tmp_path, ROOM, now)
    first.append([entry(), entry()])
    first.advance(Lane.READING, 2)
    boot = first.boot
    first.close()
    again = SqliteSpool(tmp_path, ROOM, now)
    assert again.boot == boot
    assert again.append([entry()]) == [3]
    assert again.state()[Lane.READING].watermark == 2
    again.close()


def test_peek_gives_at_least_one_record_and_stays_below_the_bytes(spool: SqliteSpool) -> None:
    spool.append([entry(record=b"x" * 100) for _ in range(5)])
    assert [r.seq for r in spool.peek(Lane.READING, 0, 10, 250)] == [1, 2]
    assert [r.seq for r in spool.peek(Lane.READING, 0, 10, 10)] == [1]
    assert [r.seq for r in spool.peek(Lane.READING, 1, 10, 1000, last=3)] == [2, 3]


def test_a_picture_comes_out_as_it_went_in(spool: SqliteSpool) -> None:
    spool.append([entry(Lane.EVIDENCE, b'{"a":1}', bytes(range(256)))])
    (held,) = spool.peek(Lane.EVIDENCE, 0, 1, 1)
    assert (held.record, held.payload) == (b'{"a":1}', bytes(range(256)))


def test_a_lane_beyond_its_budget_loses_its_oldest_and_says_so(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, {**ROOM, Lane.SCORE: 4_000}, now)
    for _ in range(40):
        spool.append([entry(Lane.SCORE, b"x" * 104), entry(Lane.DETECTION, b"x" * 104)])
    held = seqs(spool, Lane.SCORE)
    lost = losses(spool, Lane.SCORE)
    gone = {n for a, b in lost for n in range(a, b + 1)}
    next_seq = spool.state()[Lane.SCORE].next_seq
    assert gone
    assert gone | set(held) == set(range(1, next_seq))
    assert not gone & set(held)
    assert spool.state()[Lane.SCORE].lost == len(gone)
    assert len(seqs(spool, Lane.DETECTION)) == 40  # a full lane costs another one nothing
    spool.close()


def test_the_hub_can_pass_its_watermark_over_what_was_lost(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, {**ROOM, Lane.SCORE: 1_000}, now)
    for _ in range(10):
        spool.append([entry(Lane.SCORE, b"x" * 104)])
    spool.advance(Lane.SCORE, spool.state()[Lane.SCORE].next_seq - 1)
    assert spool.state()[Lane.SCORE].waiting == 0
    spool.close()


def test_a_full_disk_takes_nothing_of_an_append_and_numbers_stay_gapless(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, ROOM, now, max_bytes=200_000)
    with pytest.raises(SpoolFullError, match="free some space"):
        spool.append([entry(record=b"x" * 1000), entry(record=b"x" * 500_000)])
    assert seqs(spool) == []
    assert spool.append([entry()]) == [1]
    spool.close()


def test_what_a_damaged_file_will_not_give_back_is_a_spool_error(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, ROOM, now)
    spool.append([entry(record=b"x" * 4000) for _ in range(2000)])
    spool.close()
    opened = SqliteSpool(tmp_path, ROOM, now)
    with opened.path.open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xff" * 1800 * 4096)
    with pytest.raises(SpoolError, match=r"spool\.sqlite failed"):
        seqs(opened)
    opened.close()


def test_a_corrupt_spool_is_moved_aside_and_a_new_boot_begins(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, ROOM, now)
    spool.append([entry()])
    boot = spool.boot
    spool.close()
    (tmp_path / "spool.sqlite").write_bytes(b"no database at all " * 300)
    again = SqliteSpool(tmp_path, ROOM, now)
    assert again.boot != boot
    assert again.append([entry()]) == [1]
    assert [p.suffix for p in tmp_path.glob("spool-*")] == [".old"]
    again.close()


def test_a_deleted_spool_begins_a_new_boot(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, ROOM, now)
    boot = spool.boot
    spool.close()
    for part in tmp_path.iterdir():
        part.unlink()
    again = SqliteSpool(tmp_path, ROOM, now)
    assert again.boot != boot
    again.close()


def test_a_copy_in_another_folder_does_not_go_on_under_the_same_boot(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path / "one", ROOM, now)
    spool.append([entry()])
    spool.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    copy = SqliteSpool(tmp_path / "two", ROOM, now)
    original = SqliteSpool(tmp_path / "one", ROOM, now)
    assert copy.boot != original.boot
    assert seqs(copy) == []
    assert seqs(original) == [1]
    copy.close()
    original.close()


def test_a_hub_that_knows_more_than_was_given_out_ends_the_boot(spool: SqliteSpool) -> None:
    spool.append([entry()])
    with pytest.raises(SpoolBehindError, match="an older copy"):
        spool.advance(Lane.READING, 5)


def test_a_new_boot_keeps_what_was_taken_since_opening(tmp_path: Path) -> None:
    before = SqliteSpool(tmp_path, ROOM, now)
    before.append([entry(record=b"old")])
    before.close()
    spool = SqliteSpool(tmp_path, ROOM, now)
    spool.append([entry(record=f"new {n}".encode()) for n in range(2500)])
    spool.declare_lost(Lane.READING, 3, 4, "refused")
    spool.append([entry(Lane.EVIDENCE, b"head", b"picture")])
    boot = spool.boot
    spool.begin_boot()
    assert spool.boot != boot
    held = spool.peek(Lane.READING, 0, 9999, 10**6)
    kept = [f"new {n}".encode() for n in range(2500) if n not in (1, 2)]
    assert [(r.seq, r.record) for r in held] == list(enumerate(kept, 1))
    (picture,) = spool.peek(Lane.EVIDENCE, 0, 9, 999)
    assert (picture.seq, picture.payload) == (1, b"picture")
    told = spool.state()[Lane.READING]
    assert (told.next_seq, told.watermark, told.waiting, told.lost) == (2499, 0, 2498, 0)
    assert told.bytes == sum(r.size + OVERHEAD for r in held)
    assert spool.append([entry()]) == [2499]
    spool.close()
    again = SqliteSpool(tmp_path, ROOM, now)
    assert again.boot == spool.boot
    again.close()


def test_another_hub_gets_what_is_held_and_a_word_on_the_rest(spool: SqliteSpool) -> None:
    spool.append([entry() for _ in range(10)])
    spool.advance(Lane.READING, 6)
    spool.begin_epoch("restored", {Lane.READING: 3})
    assert spool.epoch == "restored"
    assert spool.state()[Lane.READING].watermark == 3
    assert seqs(spool) == [7, 8, 9, 10, 11]
    assert losses(spool, Lane.READING) == [(4, 6)]


def test_what_is_given_up_is_declared(spool: SqliteSpool) -> None:
    spool.append([entry(), entry(), entry()])
    spool.declare_lost(Lane.READING, 2, 2, "refused")
    assert seqs(spool) == [1, 3, 4]
    assert losses(spool, Lane.READING) == [(2, 2)]


def test_what_is_declared_lost_already_is_not_declared_again(spool: SqliteSpool) -> None:
    spool.append([entry() for _ in range(6)])
    spool.declare_lost(Lane.READING, 2, 3, "refused")
    spool.declare_lost(Lane.READING, 1, 7, "refused")  # 7 is the number of the first declaration
    assert losses(spool, Lane.READING) == [(2, 3), (1, 1), (4, 6)]
    assert spool.state()[Lane.READING].lost == 6


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(st.sampled_from(list(Lane)), max_size=5)),
        st.tuples(st.just("advance"), st.tuples(st.sampled_from(list(Lane)), st.integers(0, 12))),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_the_spool_behaves_like_a_list_a_lane(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = SqliteSpool(folder, ROOM, now)
    given_out = dict.fromkeys(Lane, 0)
    watermark = dict.fromkeys(Lane, 0)
    for step, argument in steps:
        if step == "append":
            assert isinstance(argument, list)
            expected = []
            for lane in argument:
                given_out[lane] += 1
                expected.append(given_out[lane])
            batch = [
                Entry(lane, str(n).encode(), now())
                for lane, n in zip(argument, expected, strict=True)
            ]
            assert spool.append(batch) == expected
        elif step == "advance":
            assert isinstance(argument, tuple)
            lane, to = argument
            if to > given_out[lane]:
                with pytest.raises(SpoolBehindError):
                    spool.advance(lane, to)
            else:
                spool.advance(lane, to)
                watermark[lane] = max(watermark[lane], to)
        else:
            spool.close()
            spool = SqliteSpool(folder, ROOM, now)
        for lane in Lane:
            held = spool.peek(lane, 0, 1000, 10**9)
            assert [r.seq for r in held] == list(range(watermark[lane] + 1, given_out[lane] + 1))
            assert [r.record for r in held] == [str(r.seq).encode() for r in held]
            state = spool.state()[lane]
            assert (state.next_seq, state.waiting) == (given_out[lane] + 1, len(held))
    spool.close()
