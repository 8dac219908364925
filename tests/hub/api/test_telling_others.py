"""Webhooks, notices, photos, alerts and Alertmanager through the API and the console's pages."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gridwarden.cli import main
from hub.api.routes.cap import ATOM
from hub.domain.notice import NoticeKind
from hub.outward_settings import AlertmanagerConfig, CapConfig, WebhooksConfig
from hub.server import serve
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import open_hub
from hub.services.outward.deliver_webhooks import deliver_some, sender_of
from hub.services.outward.share_outbox import share_outbox
from hub.services.outward.tell import tell
from hub.store import views
from tests.hub.api.city import City, city, free_port, system_clock
from tests.hub.api.problems import problem
from tests.hub.api.signing_in import signed_in
from tests.hub.api.test_open311 import OPERATOR, photo
from tests.hub.builders import eventually, running
from tests.hub.receiver import receiving
from tests.hub.test_webhooks import GO, HERE

TOKEN = "a token of sixteen and more"


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with city(module_database_url, tmp_path_factory.mktemp("town"), free_port()) as plain:
        settings = replace(
            plain.hub.config,
            webhooks=WebhooksConfig(allowed_networks=HERE, allow_plain_http=True),
            alertmanager=AlertmanagerConfig(token=TOKEN),
            cap=CapConfig(sender="alerts@district.example"),
        )
        hub = open_hub(settings, system_clock)
        with running(lambda stop: serve(hub, stop)):
            here = City(hub)
            eventually(here.answers)
            yield here
        hub.close()


@pytest.fixture
def client(town: City) -> Iterator[httpx.Client]:
    cookies = signed_in(town.hub)
    with httpx.Client(base_url=town.url, cookies=cookies, timeout=20, trust_env=False) as asks:
        yield asks


def deliver(town: City) -> None:
    with town.hub.pool.connection() as conn:
        share_outbox(conn, town.hub)
    while deliver_some(town.hub, sender_of(town.hub), GO):
        pass


def test_a_webhook_from_adding_to_removing(town: City, client: httpx.Client) -> None:
    with receiving() as receiver:
        made = client.post("/api/v1/webhooks", json={"url": receiver.url, "note": "Hall"})
        assert made.status_code == 201
        id, secret = made.json()["webhook"]["id"], made.json()["secret"]
        assert secret.startswith("whsec_")
        assert secret not in client.get(f"/api/v1/webhooks/{id}").text
        receiver.answers = [422]
        (queued,) = client.post(f"/api/v1/webhooks/{id}/test").json()["deliveries"]
        deliver(town)
        (delivery,) = client.get(f"/api/v1/webhooks/{id}/deliveries").json()["deliveries"]
        assert (delivery["id"], delivery["state"], delivery["last_status"]) == (
            queued,
            "waiting",
            422,
        )
        page = client.get("/webhooks?lang=zh").text
        assert "Hall" in page
        assert "HTTP 422" in page
        assert secret not in page
        again = client.post(f"/api/v1/webhooks/{id}/redeliver", json={"deliveries": [queued]})
        assert again.json()["deliveries"] == [queued]
        deliver(town)
        assert client.get("/api/v1/webhooks").json()[0]["waiting"] == 0
    problem(client.post(f"/api/v1/webhooks/{id}/redeliver", json={"deliveries": [99999]}), 404)
    assert client.post(f"/api/v1/webhooks/{id}/secret").json()["secret"] != secret
    assert client.post(f"/api/v1/webhooks/{id}/stop").json()["stopped_why"] == "stopped by hand"
    assert client.post(f"/api/v1/webhooks/{id}/start").json()["stopped_at"] is None
    assert client.delete(f"/api/v1/webhooks/{id}").status_code == 204
    problem(client.get(f"/api/v1/webhooks/{id}"), 404)
    problem(client.post("/api/v1/webhooks", json={"url": "https://10.0.0.1/"}), 422)


def test_the_command_keeps_webhooks_too(
    town: City, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "DATABASE__URL": town.hub.config.database.url,
        "WEBHOOKS__ALLOWED_NETWORKS": HERE[0],
        "WEBHOOKS__ALLOW_PLAIN_HTTP": "true",
        "HUB__DATA_DIR": str(town.hub.config.hub.data_dir),
    }.items():
        monkeypatch.setenv(f"GRIDWARDEN_HUB__{name}", value)

    def says(*words: str) -> str:
        assert main(["webhooks", *words]) == 0
        return capsys.readouterr().out

    with receiving() as receiver:
        added = says("add", receiver.url, "--note", "Fire", "--severity", "S1")
        id = added.split()[1].rstrip(";")
        assert "whsec_" in added
        assert f"{id}  {receiver.url}  works; 0 wait, 0 dead  Fire" in says("list")
        says("test", id)
        deliver(town)
        assert "delivered  test  attempts 1  HTTP 204" in says("deliveries", id)
        assert "0 messages" in says("redeliver", id, "--dead")
    assert "whsec_" in says("rotate", id)
    says("remove", id)
    assert "no webhooks" in says("list")
    assert main(["webhooks", "redeliver", id]) == 2
    assert main(["webhooks", "remove", id]) == 1


def test_the_inbox_is_read_and_tells_how_one_is_told(town: City, client: httpx.Client) -> None:
    number = town.reports("Rubbish in the lane")
    with town.hub.pool.connection() as conn:
        tell(conn, town.hub, NoticeKind.SUPERVISION, views.event(conn, number))
    inbox = client.get("/api/v1/notices", params={"unread": "true"}).json()
    assert inbox["unread"] == 1
    (notice,) = inbox["notices"]
    assert (notice["number"], notice["title_zh"]) == (number, "已超时，督办：Rubbish in the lane")
    page = client.get("/notices").text
    assert "Overdue, under supervision: Rubbish in the lane" in page
    assert 'id="unread"' in page
    read = client.post("/api/v1/notices/read", json={"ids": [notice["id"]]})
    assert read.json() == {"unread": 0}
    wishes: dict[str, Any] = {
        "mail": False,
        "quiet_from": "21:30:00",
        "quiet_to": "06:00:00",
        "kinds_off": ["half_time"],
    }
    assert client.put("/api/v1/notices/preferences", json=wishes).status_code == 200
    assert wishes.items() <= client.get("/api/v1/notices/preferences").json().items()
    problem(client.put("/api/v1/notices/preferences", json=wishes | {"quiet_to": "25:00"}), 422)


def test_a_photo_that_is_handed_in_becomes_evidence_of_a_report(
    town: City, client: httpx.Client
) -> None:
    handed = client.post(
        "/api/v1/evidence/photos", content=photo(), headers={"Content-Type": "image/jpeg"}
    )
    assert handed.status_code == 201
    kept = handed.json()
    assert (kept["media_type"], kept["width"], kept["height"]) == ("image/jpeg", 64, 48)
    report = {
        "description": "Bags",
        "lon": town.centre.lon,
        "lat": town.centre.lat,
        "category": "urban_management",
        "evidence": [kept["digest"]],
    }
    number = client.post("/api/v1/reports", json=report).json()["number"]
    shown = client.get(f"/api/v1/events/{number}").json()["evidence"]
    assert kept["digest"] in {e["digest"] for e in shown}
    assert client.get(f"/api/v1/evidence/{kept['digest']}").headers["content-type"] == "image/jpeg"
    problem(client.post("/api/v1/evidence/photos", content=b"<svg/>"), 422)
    problem(client.post("/api/v1/evidence/photos", content=bytes(18 * 1024 * 1024)), 413)


def test_alertmanager_needs_its_token_and_hears_what_each_alert_became(
    client: httpx.Client,
) -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "PumpDown", "severity": "warning"},
        "annotations": {"summary": "Pump 3 stands still"},
        "startsAt": "2026-11-24T08:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": "c0ffee",
    }
    wrong = alert | {"fingerprint": "bad", "labels": {"gridwarden_subcategory": "nothing"}}
    body = {
        "version": "4",
        "groupKey": "{}:{}",
        "status": "firing",
        "receiver": "gridwarden",
        "alerts": [alert, wrong],
    }
    problem(client.post("/api/v1/alertmanager", json=body), 401)
    bad = {"Authorization": "Bearer a wrong token, which is long"}
    problem(client.post("/api/v1/alertmanager", json=body, headers=bad), 401)
    good = {"Authorization": f"Bearer {TOKEN}"}
    first = client.post("/api/v1/alertmanager", json=body, headers=good).json()["alerts"]
    again = client.post("/api/v1/alertmanager", json=body, headers=good).json()["alerts"]
    assert [a["outcome"] for a in first + again] == [
        first[0]["outcome"],
        "refused",
        "repeated",
        "refused",
    ]
    assert first[0]["outcome"] in ("opened", "joined")
    assert "no sub-category" in first[1]["detail"]


def test_the_feed_links_each_alert(town: City, client: httpx.Client) -> None:
    number = town.sees()
    with town.hub.pool.connection() as conn:
        confirm = Act("confirm", evidence_missing=True)
        act_on_event(conn, town.hub, number, confirm, OPERATOR, None)
    deliver(town)
    feed = client.get("/cap/alerts.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    links = ET.fromstring(feed.text).findall(f"{{{ATOM}}}entry/{{{ATOM}}}link")
    (link,) = [x.attrib["href"] for x in links if number in x.attrib["href"]]
    alert = client.get(link)
    assert alert.headers["content-type"].startswith("application/cap+xml")
    assert f"<incidents>{number}</incidents>" in alert.text
    problem(client.get("/cap/alerts/no-such.xml"), 404)
