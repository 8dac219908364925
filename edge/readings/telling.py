"""What a watch tells the hub: the episodes of one subject, the curve beside a detection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from contract.episode import Episode, EpisodeChange, Sample, Subject
from contract.messages import ReadingCurve
from contract.taxonomy import Phase
from detectors.kit.area_protocol import AreaDetector
from detectors.kit.reading_protocol import ReadingDetector
from detectors.kit.types import Observation
from edge.scores import ScoreLog
from edge.spool import Entry

CURVE = 120  # readings told with a detection
MEMORY = 512  # samples of one subject: an episode's started_at reaches back no further

Watching = ReadingDetector | AreaDetector


class WatchedSubject:
    """One condition of one series, or of an area: its episodes and scores."""

    def __init__(self, subject: Subject, detector: Watching) -> None:
        self.episode = Episode(subject, detector.rule(), detector.policy(), MEMORY)
        self.scores = ScoreLog(subject)
        self._last_at: datetime | None = None

    def step(
        self, at: datetime, score: float, told: Callable[[EpisodeChange], Entry]
    ) -> Iterator[Entry]:
        """What one more score gives; `told` makes a detection of a change."""
        # silence is timed by our clock, readings by the device's: a rule's time never goes back
        at = max(at, self._last_at or at)
        self._last_at = at
        sample = Sample(at, score)
        change = self.episode.step(sample)
        block = self.scores.add(sample)
        if block is not None:
            yield block
        if change is not None:
            yield told(change)
            if change.phase is not Phase.UPDATED:
                rest = self.scores.flush()
                if rest is not None:
                    yield rest


def curve(
    metric: str,
    unit: str,
    recent: Iterable[tuple[datetime, float]],
    raised_at: datetime,
    low: float | None = None,
    high: float | None = None,
) -> ReadingCurve:
    """The readings around a detection, in seconds from the moment it was raised."""
    values = [(round((at - raised_at).total_seconds(), 3), v) for at, v in recent]
    return ReadingCurve(metric=metric, unit=unit, values=values, low=low, high=high)


def measured(seen: Observation) -> str:
    """What was measured, in front of what the rule made of its score."""
    value, neighbours = seen.features.get("value"), seen.features.get("neighbours")
    if value is None:
        return ""
    beside = "" if neighbours is None else f", its neighbours at {neighbours:g}"
    return f"{seen.label} at {value:g}{beside}: "
