"""The report printed, and written where it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gridwarden.evaluation import text
from gridwarden.evaluation.recording import Recording
from gridwarden.evaluation.report import Report, to_json


def publish(
    report: Report,
    recordings: Sequence[Recording],
    folder: Path | None,
    json_file: Path | None,
    html_file: Path | None,
) -> None:
    """Print the report; write JSON and page. folder: of the clips, None: no pictures in it."""
    for line in text.lines(report):
        print(line)
    if json_file is not None:
        json_file.write_bytes(to_json(report))
    if html_file is not None:
        from gridwarden.evaluation.page import page

        html_file.write_text(page(report, recordings, folder), encoding="utf-8")
