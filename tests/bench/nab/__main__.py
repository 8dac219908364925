"""`python -m tests.bench.nab --data FOLDER`: reading_anomaly on NAB, beside the published table.

Without --data the folder is GRIDWARDEN_NAB. Our rows:

- optimised: one threshold for each profile, chosen on the labels as the published table does;
- fixed: the threshold and `half` that the detector ships with, on all series and on either half;
- halves: the threshold is chosen on one half of the series and scored on the other, both ways;
- as shipped: not the scores but the moments at which the confirmation rule raises an episode.

None of them is blind: the views, their rates, and the threshold that ships were all chosen on these
series and their labels. What came last (`half`, and the sum at which a score is certain) was
chosen on the series at even places alone: the odd half of `fixed` is its test. Expect less on
others.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract.episode import Episode, Sample, Subject
from contract.messages import Reading
from contract.taxonomy import Phase
from detectors.reading_anomaly import ReadingAnomaly, ReadingAnomalyParams
from tests.bench.nab import corpus, published
from tests.bench.nab.corpus import Series
from tests.bench.nab.scoring import PROFILES, Marked, best_threshold, mark, normalised, total

Row = tuple[float, float, float]
LATER = timedelta(weeks=520)  # the series are from 2011 on; a reading must be from 2015 on


def score(series: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(score, 1 where an episode was raised) of each row, in one pass over the series."""
    detector = ReadingAnomaly(ReadingAnomalyParams())
    episode = Episode(
        Subject("bench", "nab", detector.kind, "anomaly"), detector.rule(), detector.policy()
    )
    scores = np.zeros(len(series.values))
    raised = np.zeros(len(series.values))
    for k, (at, value) in enumerate(zip(series.times, series.values, strict=True)):
        at += LATER
        reading = Reading(device="nab", metric="value", value=float(value), captured_at=at)
        for seen in detector.observe(reading):
            scores[k] = seen.score
            change = episode.step(Sample(at, seen.score))
            raised[k] = change is not None and change.phase is Phase.RAISED
    return scores, raised


def optimised(marked: Sequence[Marked]) -> Row:
    """One threshold for each profile, the best one by the labels."""
    a, b, c = (normalised(marked, p, best_threshold(marked, p)[1]) for p in PROFILES)
    return a, b, c


def fixed(marked: Sequence[Marked], threshold: float) -> Row:
    """The same threshold for every profile."""
    a, b, c = (normalised(marked, p, total(marked, p, threshold)) for p in PROFILES)
    return a, b, c


def halves(marked: Sequence[Marked]) -> tuple[Row, Row]:
    """The threshold from the series at even places scored on the odd ones, and the other way."""
    even, odd = marked[::2], marked[1::2]
    rows = []
    for chosen_on, scored_on in ((even, odd), (odd, even)):
        a, b, c = (
            normalised(scored_on, p, total(scored_on, p, best_threshold(chosen_on, p)[0]))
            for p in PROFILES
        )
        rows.append((a, b, c))
    return rows[0], rows[1]


def main(arguments: Sequence[str]) -> int:
    """Print the table; 0 where it could be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.nab")
    parser.add_argument("--data", default=os.environ.get("GRIDWARDEN_NAB", ""))
    parser.add_argument("--each", action="store_true", help="also a line for every series")
    options = parser.parse_args(arguments)
    if not options.data:
        parser.error("name a NAB folder by --data or GRIDWARDEN_NAB")
    try:
        series = corpus.load(Path(options.data))
    except FileNotFoundError as e:
        print(e, file=sys.stderr)
        return 2
    begun = time.perf_counter()
    scored = [score(one) for one in series]
    took_s = time.perf_counter() - begun
    marked = [mark(scores, s.windows) for (scores, _), s in zip(scored, series, strict=True)]
    alarms = [mark(raised, s.windows) for (_, raised), s in zip(scored, series, strict=True)]
    rows = sum(len(s.values) for s in series)
    windows = sum(m.windows for m in marked)
    print(
        f"{len(series)} series, {rows} rows, {windows} windows; {took_s / rows * 1e6:.0f} us a row"
    )
    print(f"{'':32}{'standard':>10}{'low FP':>10}{'low FN':>10}")
    threshold = ReadingAnomalyParams().threshold
    first, second = halves(marked)
    ours = {
        "reading_anomaly, optimised": optimised(marked),
        f"  fixed at {threshold:g}": fixed(marked, threshold),
        "    of these the even half": fixed(marked[::2], threshold),
        "    of these the odd half": fixed(marked[1::2], threshold),
        "  halves, even -> odd": first,
        "  halves, odd -> even": second,
        "  as shipped (raised episodes)": fixed(alarms, 1.0),
    }
    for name, row in (*ours.items(), *published.TABLE.items()):
        print(f"{name:32}" + "".join(f"{value:10.1f}" for value in row))
    for profile in PROFILES:
        chosen, _ = best_threshold(marked, profile)
        print(f"threshold optimised for {profile.name}: {chosen:.4f}")
    if options.each:
        _print_each(series, marked, best_threshold(marked, PROFILES[0])[0])
    return 0


def _print_each(series: Sequence[Series], marked: Sequence[Marked], threshold: float) -> None:
    for one, m in zip(series, marked, strict=True):
        hits = m.scores >= threshold
        found = len(set(m.window[hits & (m.window >= 0)].tolist()))
        false = int((hits & (m.window < 0)).sum())
        print(f"{one.name:64} {found} of {m.windows} windows, {false} false")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
