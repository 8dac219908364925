"""A confirmation rule learnt from recordings: what a score says, and a bar that stays quiet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from contract.cusum import Cusum, Ratios, learn_ratios
from contract.rule_text import write_cusum
from gridwarden.evaluation.errors import EvaluationError
from gridwarden.evaluation.labels import truth
from gridwarden.evaluation.recording import EPOCH, MICROSECOND, Recording
from gridwarden.evaluation.statistics import Rate, rate

LEAST_BAR = 3.0  # nats: odds of twenty to one, however quiet the recordings were
MARGIN = 1.1  # the bar lies this much above the most that was seen without the thing
LEAST_SCORES = 50  # of either side; with fewer nothing is learnt
MOST_GAP_S = 60.0


@dataclass(frozen=True, slots=True)
class Series:
    """The scores of one subject in one clip while its label says the same, in time order."""

    clip: str
    second: tuple[float, ...]
    score: tuple[float, ...]
    there: bool  # whether the thing is there


@dataclass(frozen=True, slots=True)
class Learnt:
    """A rule and what it would have told of the recordings it was learnt from."""

    kind: str
    text: str  # the parameter
    with_it: int  # scores
    without: int
    events: int
    told: int
    delays_s: tuple[float, ...]  # of those told, from the first score of the event
    false_alarms: Rate


def learn(recordings: Sequence[Recording], kind: str) -> Learnt:
    """The cumulative sum for one detector, from what was recorded and labelled.

    The bar is the lowest that tells nothing on the clips without the thing: it fits those, so the
    rate of false alarms elsewhere is at best the upper bound given. Raises EvaluationError where
    the recordings hold too little.
    """
    series = [s for recording in recordings for s in series_of(recording, kind)]
    with_it = [score for s in series if s.there for score in s.score]
    without = [score for s in series if not s.there for score in s.score]
    if min(len(with_it), len(without)) < LEAST_SCORES:
        raise EvaluationError(
            f"{len(with_it)} labelled scores of {kind} with it and {len(without)} without are too "
            f"few: {LEAST_SCORES} of either are needed (`gridwarden evaluate` records them)"
        )
    try:
        ratios = learn_ratios(without, with_it)
    except ValueError as e:
        raise EvaluationError(f"{kind}: {e}") from None
    gap_s = min(MOST_GAP_S, max(5.0, 4.0 * _usual_step(series)))
    most = max(_most(s, ratios, gap_s) for s in series if not s.there)
    rule = Cusum(ratios, round(max(LEAST_BAR, most * MARGIN), 2), max_gap_s=gap_s)
    delays = [_delay(s, rule) for s in series if s.there]
    quiet_s = sum(s.second[-1] - s.second[0] for s in series if not s.there)
    return Learnt(
        kind,
        write_cusum(rule),
        len(with_it),
        len(without),
        len(delays),
        sum(d is not None for d in delays),
        tuple(sorted(d for d in delays if d is not None)),
        rate(0, quiet_s / 3600.0),
    )


def series_of(recording: Recording, kind: str) -> Iterator[Series]:
    """The scores of a clip by what the label says; what it does not say is left out."""
    said = truth(recording.header.label, kind)
    if not said.judged:
        return
    for number, subject in enumerate(recording.header.subjects):
        if subject.kind != kind:
            continue
        of_it = recording.score_subject == number
        frames = recording.score_frame[of_it].tolist()
        scores = recording.score[of_it].tolist()
        events = [e for e in said.events if e.label in ("", subject.label)]
        parts: dict[int, list[tuple[float, float]]] = {}
        for frame, score in zip(frames, scores, strict=True):
            part = 0  # before the first event
            for n, event in enumerate(events, 1):
                if frame >= event.first:
                    last = event.last
                    part = n if last is None or frame <= last else -n
            parts.setdefault(part, []).append((recording.second(frame), score))
        for part, rows in parts.items():
            seconds, values = zip(*rows, strict=True)
            yield Series(recording.header.clip, seconds, values, there=part > 0)


def lines(learnt: Learnt) -> list[str]:
    """What a person is told, and the block to write into the settings."""
    delay = "none"
    if learnt.delays_s:
        middle = learnt.delays_s[len(learnt.delays_s) // 2]
        delay = f"median {middle:.1f} s, longest {learnt.delays_s[-1]:.1f} s"
    quiet = learnt.false_alarms
    return [
        f"{learnt.kind}: {learnt.with_it} scores with it, {learnt.without} without",
        f"on these recordings: {learnt.told} of {learnt.events} events told; delay {delay}",
        f"false alarms: none in {quiet.hours:.3f} h, for the bar was set so; elsewhere at most "
        f"{quiet.at_most:.1f} per camera-hour is what this proves"
        if quiet.at_most is not None
        else "false alarms: nothing is known",
        "",
        f"[stream.detectors.{learnt.kind}]",
        f'confirmation = "{learnt.text}"',
    ]


def _usual_step(series: Sequence[Series]) -> float:
    steps = sorted(later - earlier for s in series for earlier, later in pairwise(s.second))
    return steps[len(steps) // 2] if steps else 0.0


def _most(series: Series, ratios: Ratios, gap_s: float) -> float:
    """The most evidence that ever stood up in a series."""
    total, most, last = 0.0, 0.0, series.second[0]
    for second, score in zip(series.second, series.score, strict=True):
        if second - last > gap_s:
            total = 0.0
        total = max(0.0, total + ratios(score))
        most, last = max(most, total), second
    return most


def _delay(series: Series, settings: Cusum) -> float | None:
    """Seconds from the first score to the alarm; None where none came."""
    rule = settings.build()
    for second, score in zip(series.second, series.score, strict=True):
        if rule.step(EPOCH + round(second * 1e6) * MICROSECOND, score).active:
            return second - series.second[0]
    return None
