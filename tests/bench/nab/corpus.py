"""The series of a NAB folder with their labelled windows.

The folder is a copy of the benchmark's `data/` and `labels/combined_windows.json`
(Numenta Anomaly Benchmark v1.1). Nothing of it is part of this project.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Window = tuple[int, int]  # rows, both ends included


@dataclass(frozen=True, slots=True)
class Series:
    """One file: when, what, and the rows of its labelled windows in order."""

    name: str  # "realKnownCause/nyc_taxi.csv"
    times: tuple[datetime, ...]
    values: NDArray[np.float64]
    windows: tuple[Window, ...]


def load(folder: Path) -> list[Series]:
    """Every series of the corpus, by name.

    Raises FileNotFoundError naming what a NAB folder must have.
    """
    labels = folder / "labels" / "combined_windows.json"
    if not labels.is_file():
        raise FileNotFoundError(
            f"{folder} is not a NAB folder: labels/combined_windows.json is missing "
            "(point --data or GRIDWARDEN_NAB at a checkout of numenta/NAB)"
        )
    windows: dict[str, list[tuple[str, str]]] = json.loads(labels.read_text(encoding="utf-8"))
    return [_series(folder / "data" / name, name, windows[name]) for name in sorted(windows)]


def _series(path: Path, name: str, windows: list[tuple[str, str]]) -> Series:
    with path.open(newline="", encoding="utf-8") as file:
        rows = [(_time(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
    times = [at for at, _ in rows]
    return Series(
        name,
        tuple(times),
        np.array([value for _, value in rows]),
        tuple(sorted((times.index(_time(a)), times.index(_time(b))) for a, b in windows)),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
