"""Episodes: from scored samples to RAISED, UPDATED, CLEARED of one and the same detection.

Pure arithmetic without a clock, so recorded scores are replayed with the very code that decided
at the edge.
"""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from contract.geometry import Box
from contract.rules import ConfirmationRule, Decision
from contract.taxonomy import Phase

_NAMESPACE = uuid.UUID("6a3f2f1e-2f0e-5d5e-9a59-0d8c7b6f4b11")
SERIES_LENGTH = 64  # samples told with a change: before the alarm and after it
MEMORY = 1024  # samples remembered for a start that lies far back and for a changed rule


@dataclass(frozen=True, slots=True)
class Subject:
    """What an episode is about: one thing that one detector watches in one stream."""

    agent: str
    stream: str
    kind: str  # detector kind: "flame"
    label: str  # what it saw: "flame"; for camera_health "frozen"
    place: str = ""  # zone or line, "" for the whole picture


@dataclass(frozen=True, slots=True)
class Sample:
    """One scored look at a subject."""

    at: datetime
    score: float  # 0..1
    box: Box | None = None
    frame: int = 0  # sequence number of the frame in its stream


@dataclass(frozen=True, slots=True)
class EpisodeChange:
    """What became of an episode with one sample."""

    episode: str
    revision: int
    phase: Phase
    subject: Subject
    started_at: datetime  # first sample of the run that raised it
    raised_at: datetime
    at: datetime
    frame: int
    raised_frame: int
    score: float
    peak_score: float
    box: Box | None
    reason: str
    series: tuple[Sample, ...]  # the latest samples, oldest first


@dataclass(frozen=True, slots=True)
class EpisodePolicy:
    """When an episode is told of again and when it ends."""

    off_delay_s: float = 10.0  # quiet this long clears it; back within it stays the same one
    update_every_s: float = 5.0  # at most one UPDATED in this time


class Episode:
    """The episodes of one subject, one after another. Not thread-safe."""

    def __init__(
        self,
        subject: Subject,
        rule: ConfirmationRule,
        policy: EpisodePolicy,
        memory: int = MEMORY,
    ) -> None:
        """memory: samples remembered; an agent with thousands of subjects has less to spare."""
        self.subject = subject
        self.rule = rule
        self.policy = policy
        self._memory: deque[Sample] = deque(maxlen=memory)
        self._open: _Open | None = None
        self._cleared_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether an episode is raised and not yet cleared."""
        return self._open is not None

    def step(self, sample: Sample) -> EpisodeChange | None:
        """What this sample changes, None where nothing is worth telling."""
        decision = self.rule.step(sample.at, sample.score)
        self._memory.append(sample)
        if self._open is None:
            return self._raise(sample, decision) if decision.active else None
        return self._continue(self._open, sample, decision.active, decision.reason)

    def use_rule(self, rule: ConfirmationRule) -> None:
        """Decide by another rule from the next sample on; an open episode stays open.

        The rule is shown the latest samples first: one that needs longer than the off-delay would
        otherwise end what still lasts.
        """
        for sample in self._memory:
            rule.step(sample.at, sample.score)
        self.rule = rule

    def end(self, at: datetime, reason: str) -> EpisodeChange | None:
        """Clear the open episode, if any: the stream ended or its detector was taken away.

        What comes after is another story: the samples so far are forgotten.
        """
        change = None
        if self._open is not None:
            change = self._change(self._open, Phase.CLEARED, at, 0.0, None, reason)
            self._open = None
        self._memory.clear()
        self.rule.reset()
        return change

    def _raise(self, sample: Sample, decision: Decision) -> EpisodeChange:
        run = self._run_start(decision.since)
        s = self.subject
        name = "\x1f".join(
            (s.agent, s.stream, s.kind, s.label, s.place, sample.at.isoformat(), str(sample.frame))
        )
        self._open = _Open(
            episode=str(uuid.uuid5(_NAMESPACE, name)),
            started_at=run.at,
            raised_at=sample.at,
            raised_frame=sample.frame,
            last_active_at=sample.at,
            told_at=sample.at,
            frame=sample.frame,
            peak_score=sample.score,
        )
        return self._change(
            self._open, Phase.RAISED, sample.at, sample.score, sample.box, decision.reason
        )

    def _run_start(self, since: datetime | None) -> Sample:
        """The oldest sample of the unbroken run of samples, looking back, that speak for it.

        The run ends where the rule's memory ends (a long gap empties it) and where the episode
        before this one was cleared.
        """
        start = self._memory[-1]
        misses = 0
        for sample in reversed(self._memory):
            if since is not None and sample.at < since:
                break
            if self._cleared_at is not None and sample.at <= self._cleared_at:
                break
            if sample.score >= self.rule.threshold:
                start, misses = sample, 0
            else:
                misses += 1
                if misses > 3:
                    break
        return start

    def _continue(
        self, episode: _Open, sample: Sample, active: bool, reason: str
    ) -> EpisodeChange | None:
        episode.frame = sample.frame
        episode.peak_score = max(episode.peak_score, sample.score)
        if active:
            episode.last_active_at = sample.at
            if (sample.at - episode.told_at).total_seconds() < self.policy.update_every_s:
                return None
            episode.told_at = sample.at
            return self._change(episode, Phase.UPDATED, sample.at, sample.score, sample.box, reason)
        quiet_s = (sample.at - episode.last_active_at).total_seconds()
        if quiet_s < self.policy.off_delay_s:
            return None
        change = self._change(
            episode,
            Phase.CLEARED,
            sample.at,
            sample.score,
            sample.box,
            f"quiet for {quiet_s:.1f} s: {reason}",
        )
        self._open = None
        self._cleared_at = sample.at
        return change

    def _change(
        self,
        episode: _Open,
        phase: Phase,
        at: datetime,
        score: float,
        box: Box | None,
        reason: str,
    ) -> EpisodeChange:
        episode.revision += 1
        return EpisodeChange(
            episode=episode.episode,
            revision=episode.revision,
            phase=phase,
            subject=self.subject,
            started_at=episode.started_at,
            raised_at=episode.raised_at,
            at=at,
            frame=episode.frame,
            raised_frame=episode.raised_frame,
            score=score,
            peak_score=episode.peak_score,
            box=box,
            reason=reason,
            series=tuple(islice(self._memory, max(0, len(self._memory) - SERIES_LENGTH), None)),
        )


@dataclass(slots=True)
class _Open:
    """The memory of an open episode."""

    episode: str
    started_at: datetime
    raised_at: datetime
    raised_frame: int
    last_active_at: datetime
    told_at: datetime
    frame: int
    peak_score: float
    revision: int = 0
