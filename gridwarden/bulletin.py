"""The bulletin of a month, written into a folder."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from hub.api.bulletin import Bulletin, bulletin_html, questions
from hub.api.deps import reading
from hub.api.figures_csv import figures_csv
from hub.domain.period import PeriodKind, period_around
from hub.services.assess_period import assess_period
from hub.services.context import Hub
from hub.services.name_subjects import names_in


def write_bulletin(hub: Hub, month: date, folder: Path) -> list[Path]:
    """Write `bulletin-YYYY-MM.html` and `.csv`; their paths. The folder is made where missing.

    Tells on stderr how far it has come, where that is a terminal. Raises OSError.
    """
    period = period_around(PeriodKind.MONTH, month, hub.zone)
    with reading(hub) as conn:
        found, before = (assess_period(conn, hub, q, _tell) for q in questions(hub, period))
        names = names_in(conn, hub, found)
    folder.mkdir(parents=True, exist_ok=True)
    page, table = folder / f"bulletin-{period.name}.html", folder / f"bulletin-{period.name}.csv"
    page.write_text(bulletin_html(hub, Bulletin(found, before, names)), encoding="utf-8")
    table.write_text(figures_csv(found), encoding="utf-8", newline="")
    return [page, table]


def _tell(n: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{n:,} cases read", end="", file=sys.stderr, flush=True)
