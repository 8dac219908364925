"""Training on recorded detections: answers against a key, and the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """What a detection is."""

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false_alarm"
    NOT_ACTIONABLE = "real_but_not_actionable"
    AUTHORISED = "real_but_authorised"


@dataclass(frozen=True, slots=True)
class Marks:
    """How somebody did: shares are 0..1."""

    items: int
    right: int
    missed: int  # real ones taken for a false alarm
    false_alarms: int  # false alarms taken for real
    score: float  # share of right answers; what was not answered is wrong
    passed: bool


def mark(key: Mapping[int, Answer], given: Mapping[int, Answer], pass_mark: float) -> Marks:
    """The marks of one go at a set; answers to items that are not in the key count nothing."""
    right = sum(given.get(n) is answer for n, answer in key.items())
    false = Answer.FALSE_ALARM
    score = right / len(key) if key else 0.0
    return Marks(
        items=len(key),
        right=right,
        missed=sum(a is not false and given.get(n) is false for n, a in key.items()),
        false_alarms=sum(
            a is false and given.get(n) is not None and given[n] is not false
            for n, a in key.items()
        ),
        score=score,
        passed=score >= pass_mark,
    )
