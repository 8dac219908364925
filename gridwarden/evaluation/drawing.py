"""Timelines and curves as inline SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from gridwarden.evaluation.recording import Recording
from gridwarden.evaluation.report import Sweep
from gridwarden.evaluation.scoring import ClipVerdict, Verdict

WIDTH, HEIGHT = 1000.0, 90.0
COLUMNS = 500  # scores shown: the highest of each slice of time
COLOURS = ("#2563eb", "#c2410c", "#7c3aed", "#0f766e", "#a16207", "#be185d")
MARKS = {Verdict.RIGHT: "#18794e", Verdict.FALSE: "#d92d20", Verdict.LATE: "#d92d20"}
OTHER = "#8a94a3"


def timeline(verdict: ClipVerdict, recording: Recording) -> str:
    """Scores, events and alarms of one clip."""
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
    return f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img">{"".join(parts)}</svg>'


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


def curves(sweep: Sweep) -> str:
    """Precision, recall and F1 over the threshold, with the numbers in the titles of points."""
    width, height, edge = 460.0, 200.0, 28.0
    parts = [
        f'<path d="M{edge:g} 4V{height - edge:g}H{width - 4:g}" fill="none" stroke="{OTHER}"/>',
        *(
            _tick(edge, edge + share * (width - edge - 8), height, share)
            for share in (0.0, 0.5, 1.0)
        ),
    ]
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
