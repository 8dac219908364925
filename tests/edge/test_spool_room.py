"""The spool where room is short: what goes first, what is said of it, a disk that is full."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.envelope import encode_record, read_record
from contract.fields import EvidenceRole
from contract.messages import Detection, EvidenceChunk, Lost, RuleNote
from contract.ranges import SequenceSet
from contract.taxonomy import Lane, Phase
from edge import eviction
from edge.errors import SpoolFullError
from edge.kept_evidence import KEEP_S
from edge.reserve import RETRY_S
from edge.spool import Entry, Spooled
from edge.sqlite_spool import SqliteSpool
from tests.edge.builders import T0, entry, now
from tests.small_disk import SmallDisk

ROOM = dict.fromkeys(Lane, 10_000_000)
DAY_S = 86400.0
RESERVE = 8_000_000
DIGEST = "ab" * 32


@dataclass
class Clock:
    """Seconds that pass when they are told to."""

    at_s: float = 0.0

    def __call__(self) -> float:
        return self.at_s


def held(spool: SqliteSpool, lane: Lane) -> list[Spooled]:
    return spool.peek(lane, 0, 100_000, 1_000_000_000)


def losses(spool: SqliteSpool, lane: Lane) -> list[Lost]:
    found = [read_record(lane, r.record) for r in held(spool, lane) if is_lost(r)]
    return [lost for lost in found if isinstance(lost, Lost)]


def is_lost(record: Spooled) -> bool:
    return b'"record":"lost"' in record.record


def accounted(spool: SqliteSpool, lane: Lane) -> bool:
    """Whether every number that was given out is held, committed or declared lost."""
    state = spool.state()[lane]
    known = SequenceSet(watermark=state.watermark)
    for r in held(spool, lane):
        known.add(r.seq)
    for lost in losses(spool, lane):
        known.add(lost.first, lost.last)
    return known.watermark == state.next_seq - 1


def detection(revision: int, phase: Phase, *, test: bool = False) -> Entry:
    record = Detection(
        episode="12345678-1234-1234-1234-123456789012", revision=revision, phase=phase,
        stream="cam", kind="flame", label="flame", started_at=T0, raised_at=T0, captured_at=T0,
        frame=1, raised_frame=1, score=0.9, peak_score=0.9, test=test,
        rule=RuleNote("k_of_n", 0.5, "x" * 1000),
    )  # fmt: skip
    return Entry(Lane.DETECTION, encode_record(record), T0)


def evidence(size: int, role: EvidenceRole = "box", digest: str = DIGEST) -> list[Entry]:
    chunk = 10_000
    found = []
    for offset in range(0, size, chunk):
        header = EvidenceChunk(
            digest=digest, media_type="image/jpeg", offset=offset, total=size, captured_at=T0,
            stream="cam", role=role,
        )  # fmt: skip
        payload = bytes([offset // chunk]) * min(chunk, size - offset)
        found.append(Entry(Lane.EVIDENCE, encode_record(header), T0, payload))
    return found


def digests(spool: SqliteSpool) -> list[str]:
    """Of the evidence held, once for each chunk."""
    found = [read_record(Lane.EVIDENCE, r.record, r.payload) for r in held(spool, Lane.EVIDENCE)
             if not is_lost(r)]  # fmt: skip
    return [c.digest for c in found if isinstance(c, EvidenceChunk)]


def test_a_lane_that_is_full_gives_up_clips_before_pictures_and_each_whole(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, {**ROOM, Lane.EVIDENCE: 200_000}, now)
    spool.append(evidence(60_000, digest="aa" * 32))
    spool.append(evidence(60_000, "clip", "cc" * 32))
    spool.append(evidence(60_000, digest="bb" * 32))
    spool.append(evidence(30_000, digest="dd" * 32))
    assert digests(spool) == ["aa" * 32] * 6 + ["bb" * 32] * 6 + ["dd" * 32] * 3
    assert [(x.first, x.last) for x in losses(spool, Lane.EVIDENCE)] == [(7, 12)]
    spool.append(evidence(60_000, digest="ee" * 32))
    assert digests(spool)[0] == "bb" * 32  # no clip is left: the oldest picture, whole
    assert accounted(spool, Lane.EVIDENCE)
    spool.close()


def test_updates_of_an_episode_go_before_its_beginning_and_end(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, {**ROOM, Lane.DETECTION: 14_000}, now)
    spool.append([detection(1, Phase.RAISED)])
    for revision in range(2, 10):
        spool.append([detection(revision, Phase.UPDATED)])
    spool.append([detection(10, Phase.CLEARED)])
    kept = [read_record(Lane.DETECTION, r.record) for r in held(spool, Lane.DETECTION)]
    phases = [d.phase for d in kept if isinstance(d, Detection)]
    assert (phases[0], phases[-1]) == (Phase.RAISED, Phase.CLEARED)
    assert 0 < phases.count(Phase.UPDATED) < 8
    assert accounted(spool, Lane.DETECTION)
    spool.close()


def test_what_waited_too_long_goes_and_says_so_whatever_the_wall_clock_shows(
    tmp_path: Path,
) -> None:
    clock = Clock()
    ages_s = {Lane.SCORE: DAY_S}
    spool = SqliteSpool(tmp_path, ROOM, now, ages_s=ages_s, steady_s=clock)
    spool.append([entry(Lane.SCORE), entry(Lane.SCORE), entry(Lane.READING)])
    clock.at_s += DAY_S - 10
    spool.append([entry(Lane.SCORE)])
    spool.tidy()
    assert not losses(spool, Lane.SCORE)
    spool.close()
    clock.at_s = 5.0  # the machine was started again: its steady clock began anew
    spool = SqliteSpool(tmp_path, ROOM, now, ages_s=ages_s, steady_s=clock)
    clock.at_s += 20
    spool.tidy()
    (lost,) = losses(spool, Lane.SCORE)
    assert (lost.first, lost.last, "older than 1 days" in lost.reason) == (1, 2, True)
    assert len(held(spool, Lane.READING)) == 1
    spool.close()


def test_a_loss_is_never_given_up_itself(tmp_path: Path) -> None:
    clock = Clock()
    spool = SqliteSpool(
        tmp_path, {**ROOM, Lane.SCORE: 1_000}, now, ages_s={Lane.SCORE: 1.0}, steady_s=clock
    )
    for _ in range(50):
        spool.append([entry(Lane.SCORE, b"x" * 700)])
        clock.at_s += 5.0
        spool.tidy()
    assert accounted(spool, Lane.SCORE)
    assert sum(x.last - x.first + 1 for x in losses(spool, Lane.SCORE)) == 50
    spool.close()


def test_committed_evidence_stays_for_a_while_and_can_be_sent_again(tmp_path: Path) -> None:
    clock = Clock()
    spool = SqliteSpool(tmp_path, ROOM, now, steady_s=clock)
    spool.append(evidence(30_000))
    spool.advance(Lane.EVIDENCE, 3)
    assert spool.state()[Lane.EVIDENCE].waiting == 0
    assert held(spool, Lane.EVIDENCE) == []
    clock.at_s += KEEP_S - 1
    spool.tidy()
    assert spool.repeat(DIGEST)
    assert [r.seq for r in held(spool, Lane.EVIDENCE)] == [4, 5, 6]
    assert [r.payload[:1] for r in held(spool, Lane.EVIDENCE)] == [b"\0", b"\1", b"\2"]
    spool.advance(Lane.EVIDENCE, 6)
    clock.at_s += KEEP_S + 1
    spool.tidy()
    assert not spool.repeat(DIGEST)
    spool.give_up(DIGEST, "broken at the hub")
    (lost,) = losses(spool, Lane.EVIDENCE)
    assert (lost.first, lost.last) == (7, 7)  # its own number: the others are the hub's
    assert lost.reason == f"evidence {DIGEST}: broken at the hub"
    spool.close()


def test_evidence_is_kept_while_the_hub_cannot_ask_for_it_and_a_while_longer(
    tmp_path: Path,
) -> None:
    clock = Clock()
    spool = SqliteSpool(tmp_path, ROOM, now, steady_s=clock)
    spool.append(evidence(30_000))
    spool.advance(Lane.EVIDENCE, 3)
    clock.at_s += DAY_S
    spool.tidy(connected=False)
    clock.at_s += KEEP_S - 1
    spool.tidy()
    assert spool.repeat(DIGEST)
    assert spool.waits(DIGEST)
    spool.close()


def test_a_piece_under_way_is_kept_until_its_last_part_is_committed(tmp_path: Path) -> None:
    clock = Clock()
    spool = SqliteSpool(tmp_path, ROOM, now, steady_s=clock)
    spool.append(evidence(50_000))
    spool.advance(Lane.EVIDENCE, 2)
    clock.at_s += 10 * KEEP_S
    spool.tidy()
    assert spool.repeat(DIGEST)
    spool.close()


def test_a_hub_put_back_gets_committed_evidence_that_is_still_here(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, ROOM, now)
    spool.append(evidence(30_000))
    spool.advance(Lane.EVIDENCE, 3)
    spool.begin_epoch("restored", {Lane.EVIDENCE: 1})
    assert [r.seq for r in held(spool, Lane.EVIDENCE)] == [2, 3]
    state = spool.state()[Lane.EVIDENCE]
    assert (state.watermark, state.waiting, state.lost) == (1, 2, 0)
    spool.close()


def test_a_long_lane_is_deleted_to_its_watermark(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, ROOM, now)
    spool.append([entry() for _ in range(12_000)])
    spool.advance(Lane.READING, 11_999)
    assert [r.seq for r in held(spool, Lane.READING)] == [12_000]
    spool.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id, record, captured_us, payload FROM record"
        " WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
        "SELECT count(*), coalesce(sum(size), 0) FROM record WHERE id > ? AND id <= ?",
        "DELETE FROM record WHERE id > ? AND id <= ?",
        "SELECT id, record FROM record INDEXED BY lost_record"
        " WHERE is_lost = 1 AND id > ? AND id <= ?",
        "SELECT record, captured_us, payload FROM record"
        " WHERE piece = ? AND piece <> '' ORDER BY id",
        eviction._MINOR,
        eviction._MAJOR,
    ],
)
def test_no_statement_reads_a_whole_lane_or_sorts(tmp_path: Path, statement: str) -> None:
    spool = SqliteSpool(tmp_path, ROOM, now)
    with spool._file.reading() as db:
        values = (1,) * statement.count("?")
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert plan
    assert all(step.startswith("SEARCH") for step in plan), plan
    spool.close()


def test_threads_that_wait_share_a_transaction_and_each_gets_its_numbers(tmp_path: Path) -> None:
    spool = SqliteSpool(tmp_path, ROOM, now)
    given: dict[int, list[int]] = {}

    def take(number: int) -> None:
        given[number] = [n for _ in range(20) for n in spool.append([entry(), entry()])]

    threads = [threading.Thread(target=take, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(n for numbers in given.values() for n in numbers) == list(range(1, 321))
    assert all(numbers == sorted(numbers) for numbers in given.values())
    spool.close()


def open_spool(disk: SmallDisk, steady_s: Callable[[], float] = time.monotonic) -> SqliteSpool:
    return SqliteSpool(disk.path / "spool", ROOM, now, reserve_bytes=RESERVE, steady_s=steady_s)


def test_on_a_full_disk_the_least_worth_goes_and_detections_are_taken(
    small_disk: SmallDisk,
) -> None:
    spool = open_spool(small_disk)
    for _ in range(40):
        big = b"x" * 100_000
        spool.append([entry(Lane.SCORE, big), entry(Lane.READING, big)])
    small_disk.fill()
    for _ in range(800):
        spool.append([detection(n, Phase.RAISED) for n in range(1, 8)])
    state = spool.state()
    assert (state[Lane.DETECTION].waiting, state[Lane.DETECTION].lost) == (5600, 0)
    assert state[Lane.SCORE].lost == 40  # all of it, before any reading
    assert 0 < state[Lane.READING].lost < 40
    assert all(accounted(spool, lane) for lane in Lane)
    assert "nearly full" in spool.fault()
    spool.close()
    again = open_spool(small_disk)
    assert all(accounted(again, lane) for lane in Lane)
    assert len(held(again, Lane.DETECTION)) == 5600
    again.close()


def test_what_is_worth_less_makes_no_room_of_what_is_worth_more(small_disk: SmallDisk) -> None:
    spool = open_spool(small_disk)
    spool.append([detection(1, Phase.RAISED) for _ in range(500)])
    small_disk.fill()
    with pytest.raises(SpoolFullError, match="free some space"):
        spool.append([entry(Lane.SCORE, b"x" * 5_000) for _ in range(4000)])
    assert spool.state()[Lane.DETECTION].lost == 0
    assert "nothing is taken" in spool.fault()
    spool.append([detection(2, Phase.RAISED)])  # smaller: there is room for it
    assert "nearly full" in spool.fault()
    spool.close()


def test_a_disk_with_room_again_takes_again_and_gets_its_reserve_back(
    small_disk: SmallDisk,
) -> None:
    clock = Clock()
    spool = open_spool(small_disk, clock)
    small_disk.fill()
    taken = refused = 0
    for size in (100_000, 10_000_000) * 10:
        try:
            spool.append([entry(Lane.DETECTION, b"x" * size)])
        except SpoolFullError:
            refused += 1
        else:
            taken += 1
    assert (taken, refused) == (10, 10)
    assert spool.fault()
    small_disk.free()
    spool.append([entry(Lane.DETECTION)])
    clock.at_s += RETRY_S + 1
    spool.tidy()
    assert spool.fault() == ""
    assert (small_disk.path / "spool" / "spool.reserve").stat().st_size == RESERVE
    spool.append([entry(Lane.SCORE, b"x" * 5_000_000)])  # the file may grow again
    assert spool.state()[Lane.DETECTION].lost == 0  # what never fitted cost nothing
    assert len(held(spool, Lane.DETECTION)) == 11
    assert all(accounted(spool, lane) for lane in Lane)
    spool.close()


def test_a_spool_opens_on_a_full_disk_by_its_reserve(small_disk: SmallDisk) -> None:
    spool = open_spool(small_disk)
    spool.append([entry(Lane.SCORE, b"x" * 50_000) for _ in range(20)])
    boot = spool.boot
    spool.close()
    small_disk.fill()
    again = open_spool(small_disk)
    assert again.boot == boot
    again.append([detection(1, Phase.RAISED)])
    assert len(held(again, Lane.DETECTION)) == 1
    assert accounted(again, Lane.SCORE)
    again.close()
