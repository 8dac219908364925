"""Public alerts: CAP 1.2 for filed S1 and S2 events, valid against the schema of OASIS."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import xmlschema

from contract.taxonomy import Category, Severity
from gridwarden.district import CENTRE, write_district
from hub.config import SiteConfig
from hub.domain.actor import Actor, Role
from hub.domain.cap import NAMESPACE
from hub.outward_settings import CapConfig
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub
from hub.services.outward.issue_alerts import renew_alerts
from hub.services.outward.share_outbox import share_outbox
from hub.services.report_manually import ManualReport, report_manually
from hub.store import alerts
from hub.store.alerts import AlertRow
from tests.hub.builders import Clock, config, opened

OPERATOR = Actor("Chen Jing", Role.DISPATCHER)
SCHEMAS = os.environ.get("GRIDWARDEN_SCHEMAS", "")


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    if not SCHEMAS:
        pytest.skip("GRIDWARDEN_SCHEMAS does not name the folder of cap12.xsd")
    return xmlschema.XMLSchema(Path(SCHEMAS) / "cap12.xsd")


@pytest.fixture
def hub(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Hub]:
    district = tmp_path / "district.geojson"
    write_district(district)
    settings = replace(
        config(database_url, tmp_path),
        hub=SiteConfig(data_dir=tmp_path, district_file=district),
        cap=CapConfig(sender="alerts@district.example", sender_name="区应急 <EM>", contact="110"),
    )
    with opened(settings, clock) as hub:
        yield hub


def reported(hub: Hub, subcategory: str = "burning_or_fire", words: str = "Mr Li's shed") -> str:
    what = hub.categories.subcategories[subcategory]
    with hub.pool.connection() as conn:
        return report_manually(
            conn,
            hub,
            ManualReport(OPERATOR, words, CENTRE, what.category, subcategory),
        ).number


def act(hub: Hub, number: str, name: str, actor: Actor = OPERATOR, **given: object) -> None:
    with hub.pool.connection() as conn:
        act_on_event(conn, hub, number, Act(name, **given), actor, None)  # type: ignore[arg-type]
        share_outbox(conn, hub)


def issued(hub: Hub) -> list[AlertRow]:
    """Oldest first."""
    with hub.pool.connection() as conn:
        share_outbox(conn, hub)
        return alerts.newest(conn, hub.now() - timedelta(days=9), 99)[::-1]


def text(alert: AlertRow, path: str) -> str | None:
    names = "/".join(f"{{{NAMESPACE}}}{part}" for part in path.split("/"))
    return ET.fromstring(alert.xml).findtext(names)


def test_an_alert_lives_from_filing_to_closing(
    hub: Hub, clock: Clock, schema: xmlschema.XMLSchema
) -> None:
    number = reported(hub)
    assert issued(hub) == []  # reported is not filed
    act(hub, number, "file")
    clock.move(60)
    act(hub, number, "comment", note="nothing the public is told")
    act(hub, number, "dispatch", responsible_unit="fire")
    clock.move(60)
    act(hub, number, "recall", reason="It was steam")
    first, second, last = found = issued(hub)
    assert [a.msg_type for a in found] == ["Alert", "Update", "Cancel"]
    for alert in found:
        schema.validate(alert.xml)
        assert alert.sent.endswith("+08:00")
    assert text(first, "references") is None
    assert text(second, "references") == f"alerts@district.example,{first.identifier},{first.sent}"
    assert len((text(last, "references") or "").split()) == 2
    assert text(last, "info/responseType") == "AllClear"
    assert text(first, "info/area/circle") == f"{CENTRE.lat:.6f},{CENTRE.lon:.6f} 0.3"


def test_an_alert_speaks_chinese_and_english_and_repeats_nobodys_words(
    hub: Hub, schema: xmlschema.XMLSchema
) -> None:
    act(hub, reported(hub), "file")
    (alert,) = issued(hub)
    infos = ET.fromstring(alert.xml).findall(f"{{{NAMESPACE}}}info")
    languages = [i.findtext(f"{{{NAMESPACE}}}language") for i in infos]
    events = [i.findtext(f"{{{NAMESPACE}}}event") for i in infos]
    assert (languages, events) == (["zh-CN", "en-US"], ["明火", "Open fire"])
    assert text(alert, "info/senderName") == "区应急 <EM>"
    assert "Li" not in alert.xml
    schema.validate(alert.xml)


def test_where_only_the_cell_is_known_its_outline_is_the_area(
    hub: Hub, schema: xmlschema.XMLSchema
) -> None:
    number = reported(hub)
    with hub.pool.connection() as conn:
        conn.execute("UPDATE grid_event SET lon = NULL, lat = NULL WHERE number = %s", (number,))
    act(hub, number, "file")
    (alert,) = issued(hub)
    corners = (text(alert, "info/area/polygon") or "").split()
    assert len(corners) >= 4
    assert corners[0] == corners[-1]
    schema.validate(alert.xml)


@pytest.mark.parametrize("subcategory", ["exposed_rubbish", "petition"])
def test_what_is_not_grave_or_not_for_everyone_is_no_alert(hub: Hub, subcategory: str) -> None:
    act(hub, reported(hub, subcategory), "file")
    assert issued(hub) == []


def test_an_undone_filing_takes_its_alert_back(hub: Hub) -> None:
    number = reported(hub)
    act(hub, number, "file")
    act(hub, number, "undo")
    assert [a.msg_type for a in issued(hub)] == ["Alert", "Cancel"]
    act(hub, number, "file")
    assert [a.msg_type for a in issued(hub)] == ["Alert", "Cancel", "Alert"]


def test_an_alert_is_renewed_before_it_ends(hub: Hub, clock: Clock) -> None:
    act(hub, reported(hub), "file")
    with hub.pool.connection() as conn:
        assert renew_alerts(conn, hub) == 0
        clock.move(23.5 * 3600)
        assert renew_alerts(conn, hub) == 1
        assert renew_alerts(conn, hub) == 0
    assert [a.msg_type for a in issued(hub)] == ["Alert", "Update"]


def test_an_alert_whose_end_was_never_told_is_cancelled_when_it_would_be_renewed(
    hub: Hub, clock: Clock
) -> None:
    number = reported(hub)
    act(hub, number, "file")
    with hub.pool.connection() as conn:
        act_on_event(conn, hub, number, Act("recall", reason="reflection"), OPERATOR, None)
        conn.execute("UPDATE outbox SET data = '[]' WHERE shared_at IS NULL")
    assert [a.msg_type for a in issued(hub)] == ["Alert"]
    clock.move(23.5 * 3600)
    with hub.pool.connection() as conn:
        assert renew_alerts(conn, hub) == 1
        assert renew_alerts(conn, hub) == 0
    assert [a.msg_type for a in issued(hub)] == ["Alert", "Cancel"]


def test_a_hub_that_names_no_sender_issues_none(database_url: str, tmp_path: Path) -> None:
    with opened(config(database_url, tmp_path)) as hub:
        report = ManualReport(OPERATOR, "Fire", CENTRE, Category.FIRE_SAFETY, severity=Severity.S1)
        with hub.pool.connection() as conn:
            number = report_manually(conn, hub, report).number
        act(hub, number, "file")
        assert issued(hub) == []
