"""Which alarms are right."""

from __future__ import annotations

import pytest

from gridwarden.evaluation import report
from gridwarden.evaluation.labels import ClipLabel, LabelledEvent, truth
from gridwarden.evaluation.replaying import Alarm
from gridwarden.evaluation.scoring import Verdict, counting, figures, judge
from gridwarden.evaluation.splits import BY_SOURCE, by_source, choose
from tests.gridwarden.evaluation_clips import recorded

MINUTE = [0.0] * 600  # scores, ten a second


def alarm(at_s: float, kind: str = "flame", label: str = "flame") -> Alarm:
    return Alarm(kind, label, "", round(at_s * 10), at_s, at_s + 5.0, 0.9, "")


def verdicts(label: ClipLabel, *at_s: float, kind: str = "flame") -> list[Verdict]:
    found = judge(recorded(label, MINUTE * 2, kind), kind, [alarm(s, kind) for s in at_s])
    return [j.verdict for j in found.alarms]


FIRE = ClipLabel(file="f.avi", cat="fire", onset_flame=100, end=900)  # 10 s to 90 s
TRAFFIC = ClipLabel(file="t.avi", cat="traffic")


@pytest.mark.parametrize(
    ("at_s", "verdict"),
    [
        (9.9, Verdict.FALSE),
        (10.0, Verdict.RIGHT),
        (40.0, Verdict.RIGHT),
        (40.1, Verdict.LATE),
        (90.0, Verdict.LATE),
        (90.1, Verdict.FALSE),
    ],
)
def test_an_alarm_is_right_within_thirty_seconds_of_the_onset(
    at_s: float, verdict: Verdict
) -> None:
    assert verdicts(FIRE, at_s) == [verdict]


def test_a_stopped_vehicle_must_be_told_within_ten_seconds() -> None:
    stopped = ClipLabel(file="s.avi", cat="traffic", stopped_from=100)
    assert verdicts(stopped, 20.0, kind="stopped_vehicle") == [Verdict.RIGHT]
    assert verdicts(stopped, 20.1, kind="stopped_vehicle") == [Verdict.LATE]


def test_a_second_alarm_within_one_event_is_a_duplicate() -> None:
    assert verdicts(FIRE, 12.0, 30.0, 60.0) == [
        Verdict.RIGHT,
        Verdict.DUPLICATE,
        Verdict.DUPLICATE,
    ]


def test_two_events_that_overlap_are_told_by_two_alarms() -> None:
    stops = (LabelledEvent("stopped_vehicle", 100, 900), LabelledEvent("stopped_vehicle", 150, 900))
    both = ClipLabel(file="s.avi", cat="traffic", events=stops)
    said = verdicts(both, 16.0, 17.0, 18.0, kind="stopped_vehicle")
    assert said == [Verdict.RIGHT, Verdict.RIGHT, Verdict.DUPLICATE]


def test_a_fire_that_the_clip_begins_with_tells_no_delay() -> None:
    burning = ClipLabel(file="b.avi", cat="fire", onset_flame=0)
    (judged,) = judge(recorded(burning, MINUTE), "flame", [alarm(2.0)]).alarms
    assert (judged.verdict, judged.delay_s) == (Verdict.RIGHT, None)


def test_an_early_alarm_is_false_and_does_not_spoil_the_right_one() -> None:
    assert verdicts(FIRE, 5.0, 15.0) == [Verdict.FALSE, Verdict.RIGHT]


def test_a_candle_is_counted_apart_and_an_unlabelled_fire_is_not_judged() -> None:
    candle = ClipLabel(file="c.avi", cat="fire", benign=True)
    smoke_only = ClipLabel(file="d.avi", cat="fire", onset_smoke=0)
    assert verdicts(candle, 5.0) == [Verdict.BENIGN]
    assert verdicts(smoke_only, 5.0) == [Verdict.UNJUDGED]


def test_what_a_label_does_not_say_is_unknown_unless_it_says_absent() -> None:
    assert not truth(TRAFFIC, "congestion").judged
    free = ClipLabel(file="t.avi", cat="traffic", absent=("congestion",))
    assert truth(free, "congestion").judged
    assert truth(TRAFFIC, "flame").judged
    assert not truth(TRAFFIC, "ponding").judged


def test_a_fault_of_the_camera_must_be_called_by_its_name() -> None:
    frozen = ClipLabel(file="z.avi", events=(LabelledEvent("camera_health", 100, 500, "frozen"),))
    clip = recorded(frozen, MINUTE, "camera_health")
    said = [alarm(15.0, "camera_health", "dark"), alarm(16.0, "camera_health", "frozen")]
    found = judge(clip, "camera_health", said)
    assert [j.verdict for j in found.alarms] == [Verdict.FALSE, Verdict.RIGHT]


def test_a_late_alarm_costs_precision_and_recall() -> None:
    clip = recorded(FIRE, MINUTE * 2)
    found = figures("flame", [judge(clip, "flame", [alarm(50.0)])], [clip])
    assert (found.precision.count, found.precision.base) == (0, 1)
    assert (found.recall.count, found.recall.base) == (0, 1)


def test_false_alarms_are_told_by_the_hour_without_an_event_and_with_a_bound() -> None:
    quiet = judge(recorded(TRAFFIC, MINUTE), "flame", [])
    burning = judge(recorded(FIRE, MINUTE * 2), "flame", [alarm(5.0), alarm(12.0)])
    found = figures("flame", [quiet, burning])
    assert found.false_alarms.count == 1
    assert found.false_alarms.hours == pytest.approx((60 + 120 - 80) / 3600)
    assert found.false_alarms.at_most == pytest.approx(4.7439 / (100 / 3600), rel=1e-3)
    assert found.delay_p50_s.base == 1
    assert found.delay_p50_s.value == pytest.approx(2.0)


def test_time_in_which_no_alarm_could_be_false_is_not_quiet_time() -> None:
    flares = (LabelledEvent("flame", 100, 150), LabelledEvent("flame", 300, 320))  # 30 s each
    short = judge(recorded(ClipLabel(file="f.avi", events=flares), MINUTE * 2), "flame", [])
    assert short.quiet_s == pytest.approx(10.0 + (120.0 - 60.0))
    ends_within = ClipLabel(file="g.avi", cat="fire", onset_flame=500)
    assert judge(recorded(ends_within, MINUTE), "flame", []).quiet_s == pytest.approx(50.0)


def test_errors_of_two_directions_do_not_cancel() -> None:
    label = ClipLabel(file="t.avi", cat="traffic", count=4, line="y=0.50", up=2, down=2)
    clip = recorded(label, [], "traffic_flow", ["down", "down", "down", "up"])
    (counted,) = counting([clip]).clips
    assert (counted.counted, counted.error, counted.wrong) == (4, 0, 2)
    assert counting([clip]).share == pytest.approx(0.5)


def test_a_sweep_over_thresholds_finds_where_the_fire_is_no_longer_told() -> None:
    label = ClipLabel(file="f.avi", cat="fire", onset_flame=0)
    clip = recorded(label, [0.42] * 100, threshold=0.5)
    (sweep,) = report.build([clip], {}).sweeps
    told = [p.threshold for p in sweep.points if p.figures.recall.count]
    assert max(told) == 0.4
    before, after = (report.build([clip], c) for c in ({}, {"flame": {"threshold": 0.4}}))
    (change,) = report.changes(before, after)
    assert (change.gained, change.verdict) == (True, Verdict.RIGHT)


def test_clips_of_one_source_stay_in_one_part() -> None:
    parts = {by_source(ClipLabel(file=f"{n}.avi", repo="one/camera")) for n in range(20)}
    assert len(parts) == 1
    spread = {by_source(ClipLabel(file=f"{n}.avi", source=f"s{n}")) for n in range(20)}
    assert len(spread) == 2
    assert choose(BY_SOURCE) is by_source
