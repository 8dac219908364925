"""Measured values as a curve: a sensor's chart, and what a detector over readings saw."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 688.0, 132.0  # of the drawing, in its own units
_TOP, _BOTTOM = 10.0, 112.0
_SPARK_W, _SPARK_H = 120.0, 24.0
_TICKS_X = 6
_ROOM = 0.08  # of the span of values, above and below


@dataclass(frozen=True, slots=True)
class Point:
    """One value at a time, in seconds; low and high: of the period it is the mean of."""

    at_s: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ValueCurve:
    """Where to draw what. All coordinates lie within WIDTH x HEIGHT."""

    lines: tuple[str, ...]  # points of polylines: a line ends where nothing was measured
    dots: tuple[tuple[float, float], ...]  # values with nothing on either side
    bands: tuple[str, ...]  # paths between the lowest and the highest of each period
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    limits: tuple[tuple[float, float], ...]  # (y, value)
    moment_x: float | None  # when a detector fired
    last: float


def value_curve(
    points: Sequence[Point],
    *,
    since_s: float,
    until_s: float,
    gap_s: float,
    tick: Callable[[float], str],
    limits: Sequence[float] = (),
    moment_s: float | None = None,
) -> ValueCurve | None:
    """The curve of points, oldest first, over [since_s, until_s]; None where there is none.

    gap_s: points further apart are not joined. tick: what stands below a time.
    """
    if not points or until_s <= since_s:
        return None
    lows = [*(p.low for p in points), *limits]
    highs = [*(p.high for p in points), *limits]
    bottom, top = min(lows), max(highs)
    room = (top - bottom) * _ROOM or max(abs(top) * 0.1, 0.5)
    bottom, top = bottom - room, top + room

    def x(at_s: float) -> float:
        return round((at_s - since_s) / (until_s - since_s) * WIDTH, 1)

    def y(value: float) -> float:
        return round(_BOTTOM - (value - bottom) / (top - bottom) * (_BOTTOM - _TOP), 1)

    runs = _runs(points, gap_s)
    joined = [run for run in runs if len(run) > 1]
    lines = tuple(" ".join(f"{x(p.at_s)},{y(p.value)}" for p in run) for run in joined)
    bands = tuple(
        "M"
        + " L".join(f"{x(p.at_s)},{y(p.high)}" for p in run)
        + " L"
        + " L".join(f"{x(p.at_s)},{y(p.low)}" for p in reversed(run))
        + "Z"
        for run in joined
        if any(p.high > p.low for p in run)
    )
    ticks = [since_s + (until_s - since_s) * (k + 0.5) / _TICKS_X for k in range(_TICKS_X)]
    return ValueCurve(
        lines=lines,
        dots=tuple((x(run[0].at_s), y(run[0].value)) for run in runs if len(run) == 1),
        bands=bands,
        x_ticks=tuple((x(at), tick(at)) for at in ticks),
        y_ticks=tuple((y(v), f"{v:g}") for v in _round_values(bottom, top)),
        limits=tuple((y(v), v) for v in limits),
        moment_x=None if moment_s is None else x(moment_s),
        last=points[-1].value,
    )


def sparkline(points: Sequence[Point], since_s: float, until_s: float, gap_s: float) -> list[str]:
    """Polylines in a drawing of 120 x 24; nothing to see is no line."""
    if not points or until_s <= since_s:
        return []
    bottom, top = min(p.value for p in points), max(p.value for p in points)
    span = top - bottom
    lines = []
    for run in _runs(points, gap_s):
        drawn = []
        for p in run if len(run) > 1 else [run[0], run[0]]:
            share = (p.value - bottom) / span if span else 0.5
            x = min(max((p.at_s - since_s) / (until_s - since_s), 0.0), 1.0) * (_SPARK_W - 4) + 2
            drawn.append(f"{x:.1f},{_SPARK_H - 3 - share * (_SPARK_H - 6):.1f}")
        lines.append(" ".join(drawn))
    return lines


def _runs(points: Sequence[Point], gap_s: float) -> list[list[Point]]:
    runs: list[list[Point]] = []
    for p in points:
        if runs and p.at_s - runs[-1][-1].at_s <= gap_s:
            runs[-1].append(p)
        else:
            runs.append([p])
    return runs


def _round_values(bottom: float, top: float) -> list[float]:
    """Two to five round numbers within the span."""
    step = 10.0 ** math.floor(math.log10(top - bottom))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if (top - bottom) / s <= 5)
    first = math.ceil(bottom / step)
    return [round(k * step, 10) for k in range(first, math.floor(top / step) + 1)]
