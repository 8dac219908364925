"""A changed calendar moves deadlines when somebody says so, and tells first what would move."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from gridwarden.cli import main
from hub.domain.calendar import WorkCalendar
from hub.services.context import Hub
from hub.services.recompute_deadlines import RulesWatch, recompute_deadlines
from tests.hub.builders import Clock
from tests.hub.cases import as_it_is, dispatched, force_close, suspected
from tests.hub.domain.clock_cases import SHIPPED

TOMORROW_OFF = '\n[[year.holiday]]\nname = "Typhoon 台风"\nfirst = 2026-11-25\nlast = 2026-11-25\n'


def with_a_holiday(hub: Hub) -> Hub:
    """The hub as it is after the next day was declared a holiday."""
    rules = hub.calendar.rules
    holidays = {**rules.holidays, date(2026, 11, 25): "Typhoon 台风"}
    return replace(hub, calendar=WorkCalendar(replace(rules, holidays=holidays)))


def moved(hub: Hub, *, dry_run: bool) -> list[tuple[str, datetime | None, datetime | None]]:
    with hub.pool.connection() as conn:
        return [
            (m.number, m.due_before, m.due_at)
            for m in recompute_deadlines(conn, hub, dry_run=dry_run)
        ]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}:00+08:00")


def test_a_dry_run_tells_what_would_move_and_changes_nothing(hub: Hub) -> None:
    rubbish = dispatched(hub)  # at 16:00, for four work hours
    dispatched(hub, "burning_or_fire", 5000)  # holidays do not count for a fire
    suspected(hub, 9000)
    ended = dispatched(hub, metres=20_000)
    force_close(hub, ended, "done")
    other = with_a_holiday(hub)
    expected = [(rubbish.number, at("25T10:00"), at("26T10:00"))]

    assert moved(other, dry_run=True) == expected
    assert as_it_is(hub, rubbish) == rubbish
    assert moved(other, dry_run=False) == expected
    after = as_it_is(hub, rubbish)
    assert (after.due_at, after.version) == (at("26T10:00"), rubbish.version)
    assert after.next_rung_at == rubbish.next_rung_at  # half of it is used before the holiday
    assert moved(other, dry_run=True) == []


def test_timers_compute_what_never_was_and_tell_of_rules_that_changed(
    hub: Hub, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    event = dispatched(hub)
    with hub.pool.connection() as conn:  # as a database of the time before
        conn.execute("UPDATE grid_event SET due_at = NULL, close_by = NULL, next_rung_at = NULL")
    watch = RulesWatch()

    def look(at: Hub) -> None:
        with at.pool.connection() as conn:
            watch(conn, at)

    look(hub)
    assert as_it_is(hub, event) == event
    look(hub)
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
    changed = with_a_holiday(hub)
    look(changed)
    look(changed)
    (told,) = [r.message for r in caplog.records if r.levelno >= logging.WARNING]
    assert "gridwarden hub recompute-deadlines" in told
    assert as_it_is(hub, event) == event
    moved(changed, dry_run=False)
    clock.move(90_000)
    look(changed)
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1


def test_the_command_lists_each_deadline_in_the_districts_time(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = dispatched(hub)
    calendar = tmp_path / "calendar.toml"
    calendar.write_text(SHIPPED.read_text(encoding="utf-8") + TOMORROW_OFF, encoding="utf-8")
    settings = tmp_path / "hub.toml"
    settings.write_text(
        f'[database]\nurl = "{hub.config.database.url}"\n[hub]\ncalendar_file = "calendar.toml"\n',
        encoding="utf-8",
    )
    command = ["hub", "recompute-deadlines", "--config", str(settings)]

    assert main([*command, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"{event.number} (dispatched): due 2026-11-25 10:00 -> 2026-11-26 10:00" in said
    assert "1 deadlines would move: nothing was changed" in said
    assert as_it_is(hub, event) == event
    assert main(command) == 0
    assert "1 deadlines moved" in capsys.readouterr().out
    assert main(command) == 0
    assert capsys.readouterr().out == "0 deadlines moved\n"


def test_a_calendar_of_another_zone_than_the_hubs_is_refused(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "hub.toml"
    settings.write_text(
        f'[database]\nurl = "{database_url}"\n[hub]\ntime_zone = "Europe/Berlin"\n',
        encoding="utf-8",
    )

    assert main(["hub", "verify-history", "--config", str(settings)]) == 1
    assert "set its time_zone and [hub] time_zone to the same" in capsys.readouterr().err
