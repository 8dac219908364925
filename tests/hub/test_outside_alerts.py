"""Alerts of an Alertmanager become grid events, once; resolved ones clear the scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gridwarden.district import write_district
from hub.config import SiteConfig
from hub.domain.actor import Actor, Role
from hub.domain.errors import InvalidError
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.outward.take_alerts import Answered, OutsideAlert, take_alert
from hub.store import events
from hub.store.rows import GridEventRow
from tests.hub.builders import SQUARE, START, Clock, config, opened

PLACE = {"lon": str(SQUARE.lon), "lat": str(SQUARE.lat)}


@pytest.fixture
def hub(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Hub]:
    district = tmp_path / "district.geojson"
    write_district(district)
    site = SiteConfig(data_dir=tmp_path, district_file=district)
    with opened(replace(config(database_url, tmp_path), hub=site), clock) as hub:
        yield hub


def alert(
    fingerprint: str = "f1", *, firing: bool = True, at: datetime = START, **labels: str
) -> OutsideAlert:
    told = {"alertname": "PumpDown", "severity": "critical", **PLACE, **labels}
    return OutsideAlert(fingerprint, firing, at, told, {"summary": "Pump 3 stands still"})


def taken(hub: Hub, told: OutsideAlert) -> Answered:
    with hub.pool.connection() as conn:
        return take_alert(conn, hub, told)


def event(hub: Hub, answered: Answered) -> GridEventRow:
    with hub.pool.connection() as conn:
        found = events.by_number(conn, answered.number or "")
    assert found is not None
    return found


def test_an_alert_is_a_report_and_told_again_it_is_the_same(hub: Hub, clock: Clock) -> None:
    first = taken(hub, alert())
    clock.move(4 * 3600)
    again = taken(hub, alert())
    assert (first.outcome, again.outcome) == ("opened", "repeated")
    assert again.number == first.number
    opened_by_it = event(hub, first)
    assert (opened_by_it.state, opened_by_it.origin) == ("reported", "manual")
    assert (opened_by_it.severity, opened_by_it.title) == ("S2", "Pump 3 stands still")
    assert opened_by_it.version == 1


def test_the_scene_is_clear_once_all_alerts_of_an_event_are_resolved(hub: Hub) -> None:
    first, second = taken(hub, alert("f1")), taken(hub, alert("f2"))
    assert second == Answered("f2", "joined", first.number)
    assert taken(hub, alert("f1", firing=False)).outcome == "resolved"
    assert event(hub, first).scene_cleared_at is None
    assert taken(hub, alert("f2", firing=False)).outcome == "cleared"
    cleared = event(hub, first)
    assert cleared.scene_cleared_at is not None
    assert cleared.state == "reported"  # closing is for people
    taken(hub, alert("f1", at=START - timedelta(seconds=1)))  # another of the same, it burns again
    assert event(hub, first).scene_cleared_at is None


def test_a_new_start_after_the_event_ended_opens_another(hub: Hub, clock: Clock) -> None:
    first = taken(hub, alert())
    taken(hub, alert(firing=False))
    with hub.pool.connection() as conn:
        operator = Actor("Chen Jing", Role.DISPATCHER)
        act_on_event(conn, hub, first.number or "", Act("refuse", reason="a test"), operator, None)
    later = taken(hub, alert(at=clock.move(7200)))
    assert later.outcome == "opened"
    assert later.number != first.number


def test_an_alert_without_a_place_stands_in_the_district(hub: Hub) -> None:
    answered = taken(hub, alert(lon="", lat=""))
    assert (event(hub, answered).cell or "").startswith("410105")


def test_what_was_never_told_is_not_resolved(hub: Hub) -> None:
    assert taken(hub, alert(firing=False)) == Answered("f1", "unknown", None)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({"gridwarden_subcategory": "no_such"}, "'no_such' is no sub-category"),
        ({"lat": "north"}, "is no place"),
        ({"lat": "nan"}, "is no place"),
        ({"lon": "181"}, "is no place"),
    ],
)
def test_an_alert_that_makes_no_sense_says_why(hub: Hub, labels: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidError, match=says):
        taken(hub, alert(**labels))


def test_labels_name_severity_and_kind(hub: Hub) -> None:
    kind = alert(gridwarden_subcategory="gas_leak", severity="s1")
    found = event(hub, taken(hub, kind))
    assert (found.category, found.subcategory, found.severity) == ("fire_safety", "gas_leak", "S1")
