"""The record of a detection: what the hub is told of a change of an episode."""

from __future__ import annotations

import re

from contract.envelope import encode_record
from contract.episode import EpisodeChange
from contract.geometry import Point
from contract.messages import Detection, EvidenceRef, ReadingCurve, RuleNote
from contract.rules import ConfirmationRule
from contract.taxonomy import Lane
from edge.spool import Entry

Place = tuple[Point | None, str]  # position, or the code of a cell


def detection(
    change: EpisodeChange,
    rule: ConfirmationRule,
    version: str,
    place: Place,
    what: str = "",
    evidence: EvidenceRef | None = None,
    readings: ReadingCurve | None = None,
) -> Entry:
    """The detection of a change of an episode.

    version: of the detector. what: said before the rule's own reason.
    """
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
        box=change.box,
        position=position,
        cell=cell,
        detector_version=version,
        rule=RuleNote(_name(rule), rule.threshold, what + change.reason),
        scores=[
            (round((s.at - change.raised_at).total_seconds(), 3), round(s.score, 4))
            for s in change.series
        ],
        evidence=[evidence] if evidence is not None else [],
        readings=readings,
    )
    return Entry(Lane.DETECTION, encode_record(record), change.at)


def _name(rule: ConfirmationRule) -> str:
    """`KOfNRule` -> "k_of_n"."""
    name = type(rule).__name__.removesuffix("Rule")
    return re.sub(r"(?<=[A-Za-z0-9])(?=[A-Z])", "_", name).lower()[:64]
