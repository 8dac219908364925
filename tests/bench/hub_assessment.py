"""The assessment of a month: from kept facts, and with the facts computed anew."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from gridwarden.serving import tune_interpreter
from hub.domain.period import PeriodKind, period_around
from hub.domain.scores import Dimension
from hub.services.assess_period import Question, assess_period
from hub.services.count_cases import FinishedCases
from tests.bench.city import city, closed_case, copy_case, loading
from tests.bench.measure import Spread
from tests.hub.builders import Clock

CASES = 280_000
MONTH = period_around(PeriodKind.MONTH, date(2026, 11, 1), ZoneInfo("Asia/Shanghai"))
BEGUN = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)  # a Monday morning there
SPREAD = timedelta(days=25)


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of each run; computing anew is done once."""

    cases: int
    floor_s: list[float]
    kept_s: list[float]
    anew_s: float

    def lines(self) -> list[str]:
        """Rows of a Markdown table."""
        ratios = [ours / bare for ours, bare in zip(self.kept_s, self.floor_s, strict=True)]
        return [
            f"| month of {self.cases:,} cases, from kept facts | {Spread.of(self.kept_s)} | s |",
            f"| fetching the kept facts alone | {Spread.of(self.floor_s)} | s |",
            f"| **ratio** | {Spread.of(ratios)} | |",
            f"| their facts from their histories, kept, once | {self.anew_s:,.3g} | s |",
        ]


def measure(runs: int, quick: bool) -> list[Took]:
    """A month with everybody compared."""
    tune_interpreter()  # as a hub does
    cases = CASES // 20 if quick else CASES
    clock = Clock(BEGUN)
    with city(clock) as hub:
        case = closed_case(hub, clock)
        clock.at = MONTH.period.until
        cells = sorted(c.code for c in hub.grid.cells.values() if c.level == 1)
        with hub.pool.connection() as conn:
            with loading(conn):
                copy_case(conn, case, cases - 1, apart=SPREAD / cases, cells=cells)
            conn.execute(
                "INSERT INTO case_pending SELECT id FROM grid_event WHERE ended_at IS NOT NULL"
                " ON CONFLICT DO NOTHING"
            )
            conn.execute("ANALYZE")
            conn.commit()
            begun_s, counting = time.perf_counter(), FinishedCases()
            while counting(conn, hub):
                conn.commit()
            conn.commit()
            out = Took(cases, [], [], time.perf_counter() - begun_s)
            conn.execute("ANALYZE case_fact, case_pending")
            conn.commit()
            question = Question(MONTH, hub.now(), tuple(Dimension))
            for _ in range(runs):
                begun_s = time.perf_counter()
                conn.execute("SELECT facts FROM case_fact", binary=True).fetchall()
                out.floor_s.append(time.perf_counter() - begun_s)
                begun_s = time.perf_counter()
                found = assess_period(conn, hub, question)
                out.kept_s.append(time.perf_counter() - begun_s)
                if found.cases != cases:
                    raise RuntimeError(f"{found.cases} cases were counted, not {cases}")
    return [out]
