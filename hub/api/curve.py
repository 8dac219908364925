"""The scores of a detection as a curve: what it saw before and after it fired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 688.0, 92.0  # of the drawing, in its own units
_TOP, _BOTTOM = 8.0, 80.0  # where scores 1 and 0 lie
_MAX_SPAN_S = 86_400.0  # what lies further from the moment it fired is not drawn
_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 3600, 7200, 21_600, 43_200)
_MIN_SPAN_S = 4.0  # a shorter series is not stretched over the whole width


@dataclass(frozen=True, slots=True)
class Curve:
    """Where to draw what. All coordinates lie within WIDTH x HEIGHT."""

    points: str  # of a polyline
    area: str  # path of what lies at or above the threshold's time on, to the axis
    threshold_y: float
    raised_x: float
    raised_y: float
    start_s: float  # at the left edge, relative to the moment it fired
    end_s: float
    ticks: tuple[tuple[float, str], ...]  # x, seconds relative to that moment


def score_curve(scores: Sequence[Sequence[float]], threshold: float) -> Curve | None:
    """The curve of (seconds relative to raised_at, score), oldest first; None below two."""
    series = [(float(s), min(max(float(v), 0.0), 1.0)) for s, v in scores if abs(s) <= _MAX_SPAN_S]
    if len(series) < 2:
        return None
    start, end = min(series[0][0], 0.0), max(series[-1][0], 0.0)
    if end - start < _MIN_SPAN_S:
        start = end - _MIN_SPAN_S

    def x(second: float) -> float:
        return round((second - start) / (end - start) * WIDTH, 1)

    def y(score: float) -> float:
        return round(_BOTTOM - score * (_BOTTOM - _TOP), 1)

    points = [(x(s), y(v)) for s, v in series]
    after = [(x(s), y(v)) for s, v in series if s >= -1e-9]
    area = ""
    if len(after) > 1:
        line = " L".join(f"{a},{b}" for a, b in after)
        area = f"M{after[0][0]},{_BOTTOM} L{line} L{after[-1][0]},{_BOTTOM}Z"
    at_raise = min(series, key=lambda sample: abs(sample[0]))
    return Curve(
        points=" ".join(f"{a},{b}" for a, b in points),
        area=area,
        threshold_y=y(threshold),
        raised_x=x(0.0),
        raised_y=y(at_raise[1]),
        start_s=start,
        end_s=end,
        ticks=tuple((x(s), _seconds(s)) for s in _ticks(start, end)),
    )


def _ticks(start: float, end: float) -> list[float]:
    """Round seconds within the span, four to seven of them, without the moment it fired."""
    step = next(s for s in _STEPS_S if (end - start) / s <= 7)
    first = int(start // step) + 1
    marks = [float(i * step) for i in range(first, int(end // step) + 1)]
    return [m for m in marks if m != 0.0]


def _seconds(second: float) -> str:
    return f"{'−' if second < 0 else '+'}{abs(second):g} s"
