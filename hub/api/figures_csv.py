"""Assessments as CSV, as spreadsheets open it: UTF-8 with its mark, a header, CRLF."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from hub.api import assessment_words as words
from hub.api.drill_down import Counted
from hub.domain.figures import Figure
from hub.services.assess_period import Assessment

_MARK = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def figures_csv(found: Assessment) -> str:
    """Every figure, latency and score of a period, one a line."""
    name = found.question.period.name
    rows: list[Sequence[object]] = []
    for of, figure in found.figures.items():
        rows.append((name, "indicator", "", of, *words.INDICATORS[of], *_figure(figure), ""))
    for stream, figure in found.streams.items():
        rows.append(
            (
                name,
                "stream",
                stream,
                "precision",
                *words.INDICATORS["precision"],
                *_figure(figure),
                "",
            )
        )
    for category, (reported, figure) in found.categories.items():
        rows.append(
            (
                name,
                "category",
                category,
                "closing_rate",
                *words.INDICATORS["closing_rate"],
                *_figure(figure),
                len(reported),
            )
        )
    for of, latency in found.latencies.items():
        for part, value in (("p50_s", latency.p50), ("p90_s", latency.p90)):
            seconds = "" if value is None else round(value.total_seconds(), 3)
            rows.append(
                (
                    name,
                    "latency",
                    part,
                    of,
                    *words.LATENCIES[of],
                    "",
                    latency.cases,
                    "",
                    "",
                    seconds,
                )
            )
    for by, scores in found.scores.items():
        for score in scores:
            points = "" if score.points is None else round(score.points, 2)
            rows.append(
                (
                    name,
                    f"score of {by}",
                    score.subject,
                    "score",
                    "Score",
                    "得分",
                    "",
                    "",
                    "",
                    "",
                    points,
                )
            )
            for of, figure in score.figures.items():
                rows.append(
                    (
                        name,
                        f"indicator of {by}",
                        score.subject,
                        of,
                        *words.INDICATORS[of],
                        *_figure(figure),
                        "",
                    )
                )
    head = (
        "period",
        "what",
        "of",
        "name",
        "in English",
        "中文",
        "counted",
        "among",
        "left out",
        "percent",
        "value",
    )
    return _csv([head, *rows])


def events_csv(counted: Iterable[Counted]) -> str:
    """The events behind a figure."""
    head = ("number", "times", "exempt", "hung", "took_s")
    return _csv(
        [
            head,
            *(
                (
                    c.number,
                    c.times,
                    int(c.exempt),
                    int(c.hung),
                    "" if c.took is None else round(c.took.total_seconds(), 3),
                )
                for c in counted
            ),
        ]
    )


def _figure(figure: Figure) -> tuple[int, int, int, str]:
    return len(figure.counted), len(figure.among), len(figure.left_out), figure.percent


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    text.write(_MARK)
    csv.writer(text).writerows([_plain(v) for v in row] for row in rows)
    return text.getvalue()


def _plain(value: object) -> object:
    """A value that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA) and value != "-":
        return "'" + value
    return value
