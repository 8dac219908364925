"""The demo district has everybody who is needed, at every hour, and nothing is missing."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gridwarden.demo_accounts import prepare_accounts
from gridwarden.demo_staff import give_accounts, populate
from gridwarden.district import write_district
from gridwarden.district_staff import build_staff
from hub.domain.actor import Role
from hub.services.registry.readiness import check_readiness
from hub.store import people
from hub.store.people import PeopleFilter
from hub.store.units import responsible_unit
from tests.hub.builders import Clock, config, opened

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_the_staff_is_always_the_same_and_of_the_promised_size() -> None:
    staff = build_staff(AT, 2026)

    assert staff == build_staff(AT, 2026)
    roles = Counter(p.role for p in staff.posts)
    assert (roles[Role.MASTER], roles[Role.LEADER], roles[Role.ASSISTANT]) == (1, 30, 300)
    assert {a.unit for a in staff.matrix} >= {u.code for u in staff.units if u.kind == "department"}
    assert len({p.name for p in staff.people}) == len(staff.people)


def test_every_cell_is_ready_and_somebody_is_on_duty_at_every_hour(
    database_url: str, tmp_path: Path
) -> None:
    district = tmp_path / "district.geojson"
    write_district(district)
    clock = Clock()
    with opened(config(database_url, tmp_path, district_file=district), clock) as hub:
        assert populate(hub)
        assert not populate(hub)  # the next start
        assert prepare_accounts(hub, tmp_path)
        assert give_accounts(hub) == len(build_staff(AT, 2026).posts) - 6
        assert not give_accounts(hub)
        with hub.pool.connection() as conn:
            found, unassigned = check_readiness(conn, hub)
            assert found.gaps == ()
            assert (found.cells, unassigned) == (330, {})
            everybody = people.people(conn, PeopleFilter(), "", 1000, clock.at)
            assert len(everybody) == 1 + 30 + 300 + 4 + 1 + 20
            for cell in ("410105001001001", "410105001001002", "410105006005010"):
                for hour in range(0, 24 * 7, 5):
                    at = clock.at + timedelta(hours=hour)
                    (assistant,) = people.on_duty(conn, Role.ASSISTANT, cell, at)
                    assert assistant.code.startswith("A")
                    assert people.on_duty(conn, Role.DISPATCHER, cell, at)
            for sub in hub.categories.subcategories.values():
                unit = responsible_unit(conn, sub.category, sub.id, cell, clock.at)
                assert unit is not None
                swept = sub.id in ("exposed_rubbish", "overflowing_bins")
                assert (unit.code == "cleaning") == swept, sub.id
