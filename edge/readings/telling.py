"""What a watch tells the hub: the episodes of one subject, the detection, the curve beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from contract.envelope import encode_record
from contract.episode import Episode, EpisodeChange, Sample, Subject
from contract.errors import GridwardenError
from contract.geometry import Point
from contract.messages import Detection, DetectorManifest, ReadingCurve, RuleNote
from contract.taxonomy import Lane, Phase
from detectors.kit.area_protocol import AreaDetector
from detectors.kit.params import build, schema
from detectors.kit.reading_protocol import ReadingDetector
from detectors.kit.types import Observation
from edge.scores import ScoreLog
from edge.spool import Entry

CURVE = 120  # readings told with a detection
MEMORY = 512  # samples of one subject: an episode's started_at reaches back no further

Place = tuple[Point | None, str]  # position, or the code of a cell


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


def detection(
    change: EpisodeChange,
    threshold: float,
    version: str,
    what: str,
    place: Place,
    readings: ReadingCurve,
) -> Entry:
    """The detection of a change of an episode. what: said before the rule's own reason."""
    position, cell = place
    record = Detection(
        episode=change.episode,
        revision=change.revision,
        phase=change.phase,
        stream=change.subject.stream,
        kind=change.subject.kind,
        label=change.subject.label,
        place=change.subject.place,
        started_at=change.started_at,
        raised_at=change.raised_at,
        captured_at=change.at,
        frame=change.frame,
        raised_frame=change.raised_frame,
        score=change.score,
        peak_score=change.peak_score,
        position=position,
        cell=cell,
        detector_version=version,
        rule=RuleNote("sustained", threshold, what + change.reason),
        scores=[
            (round((s.at - change.raised_at).total_seconds(), 3), round(s.score, 4))
            for s in islice(change.series, max(0, len(change.series) - 64), None)
        ],
        readings=readings,
    )
    return Entry(Lane.DETECTION, encode_record(record), change.at)


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


def adopt(
    params: type[Any], own: Mapping[str, Any], commanded: Mapping[str, Any], where: str
) -> tuple[Any, list[str]]:
    """(the agent's own parameters with what was commanded over them, what of it is refused).

    None for the parameters where they cannot be had together.
    """
    errors: list[str] = []
    values = dict(own)
    for name, value in commanded.items():
        try:
            build(params, {name: value}, where)
        except (GridwardenError, ValueError) as e:
            errors.append(str(e))
        else:
            values[name] = value
    try:
        return build(params, values, where), errors
    except (GridwardenError, ValueError) as e:
        return None, [*errors, f"{where}: refused as a whole: {e}"]


def manifest(kind: str, detector: Watching) -> DetectorManifest:
    """What runs, with what is in force."""
    described = schema(detector.Params)
    return DetectorManifest(
        kind=kind,
        version=detector.version,
        summary=detector.summary,
        schema=described,
        parameters={name: getattr(detector.params, name) for name in described["properties"]},
    )
