"""Scores on their way to the hub: one block a subject and minute."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contract.envelope import encode_record
from contract.episode import Sample, Subject
from contract.messages import ScoreBlock
from contract.taxonomy import Lane
from edge.spool import Entry

BLOCK_S = 60.0
BLOCK_SCORES = 1500  # at most, so that a block stays below 24 KiB
MILLISECOND = timedelta(milliseconds=1)


@dataclass(slots=True)
class ScoreLog:
    """Gathers the scores of one subject."""

    subject: Subject
    _samples: list[Sample] = field(default_factory=list)

    def add(self, sample: Sample) -> Entry | None:
        """Note a score; the block that it completed, if it did."""
        done = None
        if self._samples:
            age_s = (sample.at - self._samples[0].at).total_seconds()
            if age_s >= BLOCK_S or age_s < 0.0 or len(self._samples) >= BLOCK_SCORES:
                done = self.flush()
        self._samples.append(sample)
        return done

    def flush(self) -> Entry | None:
        """The block so far; None where there is nothing in it."""
        if not self._samples:
            return None
        begun: datetime = self._samples[0].at
        block = ScoreBlock(
            stream=self.subject.stream,
            kind=self.subject.kind,
            label=self.subject.label,
            place=self.subject.place,
            started_at=begun,
            offsets_ms=[(s.at - begun) // MILLISECOND for s in self._samples],
            scores=[round(s.score, 4) for s in self._samples],
        )
        self._samples.clear()
        return Entry(Lane.SCORE, encode_record(block), begun)
