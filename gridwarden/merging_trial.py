"""The dry run of merge rules, in plain lines. It opens the database to read, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from contract.errors import GridwardenError
from hub.config import HubConfig
from hub.domain.categories import Categories, load_categories
from hub.services.try_merging import Rule, Trial, try_merging

_READ_ONLY = "-c default_transaction_read_only=on -c timezone=UTC"


class TrialError(GridwardenError):
    """The dry run was not told what to try, or cannot read."""


def lines(
    config: HubConfig,
    *,
    group: str | None,
    radius_m: float | None,
    time_s: float | None,
    categories_file: Path | None,
    days: float,
) -> Iterator[str]:
    """For each group: so many detections and reports become so many events."""
    categories = load_categories(config.hub.categories_file)
    others = _others(categories, group, radius_m, time_s, categories_file)
    until = datetime.now(UTC)
    try:
        with psycopg.connect(
            config.database.url, connect_timeout=5, options=_READ_ONLY, application_name="dry run"
        ) as conn:
            trials = try_merging(conn, categories, others, until - timedelta(days=days), until)
    except psycopg.Error as e:
        raise TrialError(f"the history cannot be read: {str(e).strip().splitlines()[0]}") from None
    shown = [t for t in trials if group in (None, t.group)]
    if not shown:
        yield f"nothing{f' of group {group}' if group else ''} was seen in the last {days:g} days"
    for t in shown:
        yield _line(t)


def _others(
    categories: Categories,
    group: str | None,
    radius_m: float | None,
    time_s: float | None,
    file: Path | None,
) -> dict[str, Rule]:
    if file is not None:
        if group or radius_m or time_s:
            raise TrialError(
                "--categories names rules of its own: leave --group and its values out"
            )
        tried = load_categories(file).groups
        return {
            name: Rule(g.radius_m, g.time_s)
            for name, g in tried.items()
            if name in categories.groups
        }
    if group is None:
        if radius_m or time_s:
            raise TrialError("--radius-m and --time-s are of one group: name it with --group")
        return {}
    own = categories.groups.get(group)
    radius = radius_m or (own.radius_m if own else 0.0)
    return {group: Rule(radius, time_s or (own.time_s if own else 0.0))}


def _line(t: Trial) -> str:
    reports = f" and {t.reports} {'report' if t.reports == 1 else 'reports'}" if t.reports else ""
    line = (
        f"{t.group}: {t.detections} {'detection' if t.detections == 1 else 'detections'}{reports} "
        f"become {t.events_then} {'event' if t.events_then == 1 else 'events'} within {t.other}"
    )
    if t.other == t.now:
        return f"{line}, the rule in force"
    return f"{line}; {t.events_now} within {t.now}, the rule in force"
