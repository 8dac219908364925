"""Timelines and curves as inline SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from gridwarden.evaluation.recording import Recording
from gridwarden.evaluation.report import Sweep
from gridwarden.evaluation.scoring import ClipVerdict, Verdict

WIDTH, HEIGHT, AXIS = 1000.0, 90.0, 14.0
TICKS_S = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)  # between two marks of time
COLUMNS = 500  # scores shown: the highest of each slice of time
COLOURS = ("#2563eb", "#c2410c", "#7c3aed", "#0f766e", "#a16207", "#be185d")
MARKS = {Verdict.RIGHT: "#18794e", Verdict.FALSE: "#d92d20", Verdict.LATE: "#d92d20"}
OTHER = "#8a94a3"


def timeline(verdict: ClipVerdict, recording: Recording, threshold: float | None) -> str:
    """Scores, events and alarms of one clip over its time; a dotted line at the threshold."""
    total_s = max(recording.duration_s, 1e-6)
    parts = [f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#8a94a3" fill-opacity=".08"/>']
    for event in verdict.events:
        x, end = (WIDTH * s / total_s for s in (event.start_s, event.end_s))
        parts.append(
            f'<rect x="{x:.1f}" width="{max(1.0, end - x):.1f}" height="{HEIGHT:g}" '
            'fill="#18794e" fill-opacity=".15"/>'
            f'<path d="M{x:.1f} 0V{HEIGHT:g}" stroke="#0b3d2c" stroke-width="2"/>'
        )
    parts += _series(verdict.kind, recording, total_s)
    for judged in verdict.alarms:
        x = WIDTH * judged.alarm.raised_s / total_s
        colour = MARKS.get(judged.verdict, OTHER)
        parts.append(
            f'<path d="M{x:.1f} {HEIGHT:g}V0" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="4 2"><title>{judged.verdict} at frame '
            f"{judged.alarm.raised_frame}</title></path>"
        )
    if threshold is not None:
        y = HEIGHT * (1.0 - threshold)
        parts.append(
            f'<path d="M0 {y:.1f}H{WIDTH:g}" stroke="{OTHER}" stroke-dasharray="1 4">'
            f"<title>threshold {threshold:g}</title></path>"
        )
    parts += _seconds(total_s)
    size = f"0 0 {WIDTH:g} {HEIGHT + AXIS:g}"
    return f'<svg viewBox="{size}" role="img">{"".join(parts)}</svg>'


def _seconds(total_s: float) -> Iterator[str]:
    """Marks of time, some ten of them."""
    step = next((s for s in TICKS_S if total_s / s <= 12), TICKS_S[-1])
    for n in range(int(total_s / step) + 1):
        x = WIDTH * n * step / total_s
        anchor = "start" if n == 0 else "end" if x > WIDTH - 20 else "middle"
        yield (
            f'<text x="{x:.0f}" y="{HEIGHT + AXIS - 3:g}" font-size="10" fill="{OTHER}" '
            f'text-anchor="{anchor}">{n * step:g} s</text>'
        )


def _series(kind: str, recording: Recording, total_s: float) -> Iterator[str]:
    own = [n for n, s in enumerate(recording.header.subjects) if s.kind == kind]
    for place, subject in enumerate(own):
        rows = recording.score_subject == subject
        seconds = recording.frame_us[recording.score_frame[rows]] / 1e6
        scores = recording.score[rows]
        column = np.minimum((seconds / total_s * COLUMNS).astype(int), COLUMNS - 1)
        highest = np.full(COLUMNS, -1.0)
        np.maximum.at(highest, column, scores)
        points = " ".join(
            f"{(n + 0.5) * WIDTH / COLUMNS:.0f},{HEIGHT * (1.0 - value):.1f}"
            for n, value in enumerate(highest)
            if value >= 0.0
        )
        colour = COLOURS[place % len(COLOURS)]
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def curves(sweep: Sweep, threshold: float | None) -> str:
    """Precision, recall and F1 over the threshold, with the numbers in the titles of points.

    threshold: the one in force, drawn as a dotted line.
    """
    width, height, edge = 460.0, 200.0, 28.0
    parts = [
        f'<path d="M{edge:g} 4V{height - edge:g}H{width - 4:g}" fill="none" stroke="{OTHER}"/>',
        *(
            _tick(edge, edge + share * (width - edge - 8), height, share)
            for share in (0.0, 0.5, 1.0)
        ),
    ]
    if threshold is not None:
        x = edge + threshold * (width - edge - 8)
        parts.append(
            f'<path d="M{x:.1f} 4V{height - edge:g}" stroke="{OTHER}" stroke-dasharray="1 4"/>'
            f'<text x="{x + 3:.1f}" y="12" font-size="10" fill="{OTHER}">in force</text>'
        )
    for n, name in enumerate(("precision", "recall", "f1")):
        colour = COLOURS[n]
        places = [
            (
                edge + point.threshold * (width - edge - 8),
                4 + (1.0 - value) * (height - edge - 4),
                f"{name} {value:.2f} at {point.threshold:.2f}",
            )
            for point in sweep.points
            if (value := getattr(point.figures, name).value) is not None
        ]
        parts += _curve(places, colour)
        parts.append(
            f'<text x="{width - 90:g}" y="{height - edge - 40 + 14 * n:g}" fill="{colour}" '
            f'font-size="11">{name}</text>'
        )
    size = f"0 0 {width:g} {height:g}"
    return f'<svg class="curve" viewBox="{size}" role="img">{"".join(parts)}</svg>'


def _curve(places: Iterable[tuple[float, float, str]], colour: str) -> Iterator[str]:
    listed = list(places)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in listed)
    yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    for x, y, words in listed:
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}">'
            f"<title>{words}</title></circle>"
        )


def _tick(edge: float, x: float, height: float, share: float) -> str:
    return (
        f'<text x="{x:.0f}" y="{height - edge + 14:.0f}" font-size="10" '
        f'fill="{OTHER}">{share:g}</text>'
        f'<text x="4" y="{8 + (1.0 - share) * (height - edge - 4):.0f}" font-size="10" '
        f'fill="{OTHER}">{share:g}</text>'
    )
