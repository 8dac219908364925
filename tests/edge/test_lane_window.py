"""The arithmetic of what is under way."""

from __future__ import annotations

from contract.messages import LaneAck
from edge.lane_window import LaneWindow
from edge.spool import Spooled


def records(first: int, last: int) -> list[Spooled]:
    return [Spooled(n, b"x" * 10, 0) for n in range(first, last + 1)]


def test_what_is_under_the_watermark_is_no_longer_under_way() -> None:
    window = LaneWindow(10.0, 60.0)
    window.published(records(1, 10), 0.0)
    assert (window.records, window.bytes, window.sent) == (10, 100, 10)
    window.acknowledge(LaneAck(7), 1.0)
    assert (window.records, window.bytes) == (3, 30)
    assert window.due_s == 11.0


def test_silence_leads_to_single_probes_with_growing_waits() -> None:
    window = LaneWindow(10.0, 60.0)
    window.published(records(1, 10), 0.0)
    now_s, waits = 0.0, []
    for _ in range(6):
        due_s = window.due_s
        assert due_s is not None
        waits.append(due_s - now_s)
        now_s = due_s
        assert not window.overdue(now_s - 0.1)
        assert window.overdue(now_s)
        assert window.may_send
        assert window.sent == 0
        window.published(records(1, 1), now_s)
        assert not window.may_send
    assert waits == [10.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_progress_ends_probing() -> None:
    window = LaneWindow(10.0, 60.0)
    window.published(records(1, 3), 0.0)
    window.overdue(10.0)
    window.published(records(1, 1), 10.0)
    window.acknowledge(LaneAck(1), 11.0)
    assert window.may_send
    assert window.sent == 1


def test_an_older_ack_takes_nothing_back() -> None:
    window = LaneWindow(10.0, 60.0)
    window.published(records(1, 5), 0.0)
    window.acknowledge(LaneAck(4), 1.0)
    window.acknowledge(LaneAck(2), 2.0)
    assert window.watermark == 4


def test_what_the_hub_has_beyond_a_hole_is_not_sent_again() -> None:
    window = LaneWindow(10.0, 60.0)
    window.acknowledge(LaneAck(2, [(5, 7)]), 0.0)
    assert [r.seq for r in window.wanted(records(3, 9))] == [3, 4, 8, 9]


def test_a_week_without_the_hub_costs_a_record_a_minute() -> None:
    window = LaneWindow(10.0, 60.0)
    window.published(records(1, 5000), 0.0)
    probes, now_s = 0, 0.0
    while now_s < 7 * 86400.0:
        assert window.due_s is not None
        now_s = window.due_s
        window.overdue(now_s)
        assert window.may_send
        window.published(records(1, 1), now_s)
        probes += 1
    assert probes <= 7 * 24 * 60 + 3


def test_a_new_session_does_not_end_probing() -> None:
    window = LaneWindow(10.0, 60.0)
    window.published(records(1, 10), 0.0)
    window.overdue(10.0)
    window.published(records(1, 1), 10.0)
    window.rewind()
    assert window.probing
    assert window.may_send
    window.published(records(1, 1), 11.0)
    assert not window.may_send


def test_a_lane_that_is_stuck_while_others_move_is_sent_again_ever_less_often() -> None:
    window = LaneWindow(10.0, 60.0)
    now_s, waits = 0.0, []
    for _ in range(5):
        window.published(records(1, 10), now_s)
        assert window.due_s is not None
        waits.append(window.due_s - now_s)
        now_s = window.due_s
        window.overdue(now_s)
        window.resume()  # the hub acknowledged something of another lane
    assert waits == [10.0, 10.0, 20.0, 40.0, 60.0]
