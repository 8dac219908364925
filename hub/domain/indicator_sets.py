"""Versioned sets of weighted indicators: what `configs/assessment.toml` says, checked."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from typing import Annotated

import msgspec

from contract.errors import GridwardenError
from hub.domain.assess import INDICATORS
from hub.domain.figures import Figure

FULL_MARKS = 100.0


class AssessmentError(GridwardenError, ValueError):
    """A set of indicators makes no sense, or none is in force."""


_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Weight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an indicator is marked: no marks at `zero_at`, full marks at `full_at`, linear between.

    zero_at above full_at marks what should be small, such as rework.
    """

    indicator: str
    weight: Annotated[float, msgspec.Meta(gt=0)]
    zero_at: _Share
    full_at: _Share

    def mark(self, value: float) -> float:
        """The mark of a share, 0..100."""
        part = (value - self.zero_at) / (self.full_at - self.zero_at)
        return FULL_MARKS * min(1.0, max(0.0, part))


class Adjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points for each event an indicator counts: a reward, or a penalty below 0."""

    name: str
    indicator: str
    points: float
    at_most: Annotated[float, msgspec.Meta(gt=0)]  # of all its points together, either way

    def total(self, figure: Figure) -> float:
        """The points for the events this figure counts."""
        return max(-self.at_most, min(self.at_most, self.points * len(figure.counted)))


class IndicatorSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of how work is scored."""

    version: str
    valid_from: date  # in the district's zone, for periods that begin on it or later
    indicator: Annotated[list[Weight], msgspec.Meta(min_length=1)]
    adjustment: list[Adjustment] = []


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    set: Annotated[list[IndicatorSet], msgspec.Meta(min_length=1)]


def read_indicator_sets(text: str) -> tuple[IndicatorSet, ...]:
    """The sets in the text of an `assessment.toml`, oldest first.

    Raises AssessmentError naming what does not fit.
    """
    try:
        sets = msgspec.convert(tomllib.loads(text), _File).set
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as e:
        raise AssessmentError(f"the assessment sets are refused: {e}") from None
    for one in sets:
        named = [*(w.indicator for w in one.indicator), *(a.indicator for a in one.adjustment)]
        for name in named:
            if name not in INDICATORS:
                raise AssessmentError(
                    f"set {one.version!r} names the indicator {name!r}; there are: "
                    f"{', '.join(INDICATORS)}"
                )
        for w in one.indicator:
            if w.zero_at == w.full_at:
                raise AssessmentError(
                    f"set {one.version!r}: {w.indicator} has zero_at and full_at {w.full_at:g}; "
                    "they must differ"
                )
        if len({w.indicator for w in one.indicator}) < len(one.indicator):
            raise AssessmentError(f"set {one.version!r} weighs an indicator twice")
    for what in ("version", "valid_from"):
        if len({getattr(s, what) for s in sets}) < len(sets):
            raise AssessmentError(f"two sets have the same {what}")
    return tuple(sorted(sets, key=lambda s: s.valid_from))


def in_force(sets: Sequence[IndicatorSet], day: date) -> IndicatorSet:
    """The set for a period that begins on `day`; raises AssessmentError where there is none yet."""
    for one in reversed(sets):
        if one.valid_from <= day:
            return one
    raise AssessmentError(f"no set of indicators was in force on {day}: add one")
