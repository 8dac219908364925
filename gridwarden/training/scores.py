"""What is said of a verifier's scores: how much it finds, and what it wrongly takes for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.scenes.lookalikes import LOOKALIKES
from gridwarden.training.samples import UNKNOWN, Samples, kind_of
from gridwarden.training.sources import ELSEWHERE

SCENES = ("street", "water", "freeze")  # rendered ones in which nothing burns
OUTPUTS = ("flame", "smoke")
FALSE_RATES = (0.01, 0.03, 0.05, 0.1)  # at which it is told how much is found
BOUNDS = (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)  # scores whose rates are told


def report(samples: Samples, scores: NDArray[np.float32]) -> dict[str, object]:
    """For each output: the area under the curve, and rates at a score of 0.5 by source."""
    told: dict[str, object] = {}
    for column, name in enumerate(OUTPUTS):
        known = samples.labels[:, column] != UNKNOWN
        truth = samples.labels[known, column] == 1.0
        score = scores[known, column]
        order = np.argsort(score, kind="stable")
        rank = np.empty(len(order))
        rank[order] = np.arange(1, len(order) + 1)
        yes, no = int(truth.sum()), int((~truth).sum())
        area = (rank[truth].sum() - yes * (yes + 1) / 2.0) / max(1, yes * no)
        by: dict[str, list[int]] = {}
        sources = [s for s, k in zip(samples.sources, known, strict=True) if k]
        for source, real, value in zip(sources, truth, score, strict=True):
            row = by.setdefault(f"{'with' if real else 'without'}: {kind_of(source)}", [0, 0])
            row[0] += int(value >= 0.5)
            row[1] += 1
        told[name] = {
            "area": round(float(area), 4),
            "found": int((score[truth] >= 0.5).sum()),
            "of": yes,
            "false": int((score[~truth] >= 0.5).sum()),
            "of_nothing": no,
            "bounds": [
                {
                    "score": bound,
                    "found": _share(score[truth] >= bound),
                    "found in stills and clips": _share(score[truth & _real(sources)] >= bound),
                    "false": _share(score[~truth] >= bound),
                }
                for bound in BOUNDS
            ],
            "at_false": _found_at(score, truth, sources),
            "by_source": {k: v for k, v in sorted(by.items())},
        }
    return told


def _found_at(
    score: NDArray[np.float32], truth: NDArray[np.bool_], sources: list[str]
) -> list[dict[str, float]]:
    """The share of what is shown by stills and clips that is found where so much else is taken."""
    real = _real(sources)
    alike = np.array([kind_of(s) in LOOKALIKES for s in sources], np.bool_)
    told = []
    for name, others in (("stills and clips", real & ~truth), ("look-alikes", alike & ~truth)):
        for rate in FALSE_RATES if others.any() and (real & truth).any() else ():
            bound = float(np.quantile(score[others], 1.0 - rate))
            found = _share(score[real & truth] >= bound)
            told.append({f"false of {name}": rate, "score": round(bound, 3), "found": found})
    return told


def _share(which: NDArray[np.bool_]) -> float:
    """Of those there are, 0 where there are none."""
    return round(float(which.sum()) / max(1, which.size), 4)


def _real(sources: list[str]) -> NDArray[np.bool_]:
    """Which are neither rendered nor composed: pictures as a camera took them."""
    return np.array(
        [not s.endswith(ELSEWHERE) and kind_of(s) == s and s not in SCENES for s in sources],
        np.bool_,
    )
