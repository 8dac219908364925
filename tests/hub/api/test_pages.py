"""The console's pages as the hub renders them, without a browser."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from contract.taxonomy import CameraState, Lane
from gridwarden.district import CENTRE
from gridwarden.identity import files
from gridwarden.identity.authority import BROKER_DAYS, Authority
from hub.server import serve
from hub.services.watch_expiry import ExpiryWatch
from tests.hub.api.city import City, city, free_port, offset, street
from tests.hub.api.signing_in import signed_in
from tests.hub.builders import eventually, running

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:")


def report(client: httpx.Client, words: str) -> str:
    body = {
        "description": words,
        "lon": CENTRE.lon,
        "lat": CENTRE.lat,
        "category": "urban_management",
    }
    return str(client.post("/api/v1/reports", json=body).json()["number"])


def pane_of(client: httpx.Client, number: str) -> str:
    return client.get(f"/triage/events/{number}").text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_renders_in_both_languages_without_anything_inline(
    town: City, client: httpx.Client, lang: str
) -> None:
    town.heartbeat({"cam-01": CameraState.ONLINE, "cam-02": CameraState.FROZEN})
    town.crossings(3)
    number = town.sees(picture=street())
    client.put(
        "/api/v1/agents/demo-01/streams/cam-01/detectors/flame/parameters",
        json={"parameters": {"threshold": 0.6}},
    )
    town.refused("not JSON", agent="demo-01")
    paths = ["/", "/events", f"/events/{number}", "/report", "/devices", "/tuning"]
    for path in (*paths, "/completeness", "/quarantine", "/quarantine/1"):
        page = client.get(path, params={"lang": lang})
        assert page.status_code == 200, path
        assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in page.text
        assert not INLINE.search(page.text), path
        assert "http://" not in re.sub(r'href="http://127\.0\.0\.1[^"]*"', "", page.text), path


def test_the_language_once_chosen_stays(client: httpx.Client) -> None:
    client.get("/?lang=zh")
    assert 'lang="zh-CN"' in client.get("/devices").text[:200]


def test_pages_of_an_empty_city_say_what_to_do(client: httpx.Client) -> None:
    assert "All clear" in client.get("/").text
    assert "No such event" in client.get("/events").text
    assert client.get("/devices").status_code == 200
    assert "Nothing waits here" in client.get("/quarantine").text
    assert "No record has arrived yet" in client.get("/completeness").text
    assert client.get("/quarantine/7").status_code == 404


def test_what_people_write_is_shown_as_they_wrote_it(town: City, client: httpx.Client) -> None:
    number = report(client, "<img src=x onerror=alert(1)> & 'more'")
    for path in ("/", f"/events/{number}", f"/triage/events/{number}", "/events"):
        page = client.get(path).text
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


def test_the_curve_shows_the_moment_it_fired_however_long_it_goes_on(
    town: City, client: httpx.Client
) -> None:
    number = town.sees(again_after_s=25.0)
    pane = pane_of(client, number)
    points = re.search(r'<polyline points="([^"]+)"', pane)
    assert points
    assert len(points[1].split()) == 17 + 8
    assert "+25 s" in pane
    assert "5 of the last 8 samples" in pane
    assert "it goes on" not in pane


def test_the_pane_tells_of_the_detection_whose_picture_it_shows(
    town: City, client: httpx.Client
) -> None:
    number = town.sees(picture=street(seed=1), score=0.95, again_after_s=25.0)
    assert town.sees(picture=street(seed=2), score=0.80) == number
    pane = pane_of(client, number)
    caption = re.search(r"<figcaption>(.*?)</figcaption>", pane, re.DOTALL)
    assert caption
    assert "flame · peak 0.80" in caption[1]
    assert "last seen" in caption[1]
    assert "+25 s" not in pane  # the curve of the other one goes on that long


def test_a_camera_that_froze_is_told_first_and_plainly(town: City, client: httpx.Client) -> None:
    town.heartbeat({"cam-01": CameraState.ONLINE, "cam-02": CameraState.FROZEN})
    page = client.get("/devices").text
    assert page.index("Gate 02") < page.index("Gate 01")
    assert "frames arrive, all with the same picture" in page


def test_cells_that_no_camera_saw_are_told_with_since_when_and_why(
    town: City, client: httpx.Client
) -> None:
    assert "No cell was blind" in client.get("/devices").text
    town.heartbeat({"cam-01": CameraState.FROZEN, "cam-02": CameraState.ONLINE})
    assert "1 of 2 cells with cameras" in client.get("/devices").text

    town.execute(  # nothing was heard of the second for an hour
        "UPDATE camera_state SET begun_at = begun_at - INTERVAL '2 hours',"
        " heard_at = heard_at - INTERVAL '1 hour' WHERE stream = 'cam-02'"
    )
    page = client.get("/devices?lang=en").text
    cells = page[page.index("Blind cells") :]
    assert "2 of 2 cells with cameras" in cells
    assert cells.index("demo-01/cam-02") < cells.index("demo-01/cam-01")  # the longer first
    assert "1 h 0 min" in cells
    assert "not heard of" in cells
    chinese = client.get("/devices?lang=zh").text
    assert "失明网格" in chinese
    assert "无心跳" in chinese[chinese.index("失明网格") :]


def test_an_agent_whose_disk_is_full_says_so_beside_what_waits(
    town: City, client: httpx.Client
) -> None:
    town.heartbeat({"cam-01": CameraState.ONLINE}, not_taken={Lane.SCORE: 1200})
    assert re.search(r"1,200 found no room", client.get("/devices").text)


def test_without_a_picture_the_verdict_is_shut_until_it_is_declared_missing(
    town: City, client: httpx.Client
) -> None:
    number = town.sees(picture=street(), arrives=False)
    pane = pane_of(client, number)
    assert "The picture is on its way" in pane
    assert re.search(r'data-key="y" disabled', pane)
    assert 'data-key="x"' in pane


def test_an_old_address_of_triage_shows_the_queue_and_an_unknown_event_says_so(
    town: City, client: httpx.Client
) -> None:
    town.sees()
    assert "Open fire" in client.get("/?event=410105-19990101-00001").text
    missing = client.get("/events/410105-19990101-00001")
    assert missing.status_code == 404
    assert "there is no grid event" in missing.text


def test_the_event_page_offers_only_what_is_open_now(town: City, client: httpx.Client) -> None:
    number = town.sees()
    assert "Dispatch…" not in client.get(f"/events/{number}").text
    body = {"verdict": "confirmed", "evidence_missing": True}
    client.post(f"/api/v1/events/{number}/verdict", json=body)
    page = client.get(f"/events/{number}").text
    assert "Dispatch…" in page
    assert "Undo" in page


def test_tuning_tells_that_it_waits_that_it_holds_and_that_it_was_refused(
    town: City, client: httpx.Client
) -> None:
    path = "/api/v1/agents/demo-01/streams/cam-01/detectors/flame/parameters"
    client.put(path, json={"parameters": {"threshold": 0.6}})
    assert "v1 sent, waiting for the agent" in client.get("/tuning").text
    town.cameras(command=1)
    assert "v1 is in force" in client.get("/tuning").text
    client.put(path, json={"parameters": {"k": 50}})
    town.cameras(command=2, errors=("k must not be above n = 8",))
    page = client.get("/tuning").text
    assert "v2 was refused" in page
    assert "k must not be above n = 8" in page


def test_files_of_the_console_are_kept_for_ever_under_their_fingerprint(
    client: httpx.Client,
) -> None:
    found = re.search(r'href="(/assets/[0-9a-f]{16}/console\.css)"', client.get("/").text)
    assert found
    kept = client.get(found[1])
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-type"] == "text/css; charset=utf-8"
    other = client.get("/assets/0000000000000000/console.css")
    assert other.headers["cache-control"] == "no-store"
    assert client.get("/assets/0/..%2F..%2Fconfig.py").status_code == 404
    assert client.get("/assets/0/app.py").status_code == 404


def test_nearby_events_are_told_with_their_distance(town: City, client: httpx.Client) -> None:
    number = town.sees(at=CENTRE)
    town.sees("stopped_vehicle", "car", at=offset(CENTRE, 120, 0))
    town.sees("stopped_vehicle", "car", at=offset(CENTRE, 900, 0))
    pane = pane_of(client, number)
    assert "120 m" in pane
    assert "900 m" not in pane


def test_a_broker_whose_certificate_ends_is_told_with_what_to_do(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "broker"
    files.make_folder(folder)

    def issue(days_left: int) -> datetime:
        now = datetime.now(UTC) - timedelta(days=BROKER_DAYS - days_left)
        issued = Authority(tmp_path / "authority", now).issue_broker(["localhost"], now)
        (folder / "broker.crt").write_bytes(issued.certificate)
        return issued.expires_at

    with city(database_url, tmp_path, free_port()) as here:
        identity = dataclasses.replace(here.hub.config.identity, broker_dir=folder)
        hub = dataclasses.replace(
            here.hub, config=dataclasses.replace(here.hub.config, identity=identity)
        )
        with running(lambda stop: serve(hub, stop)), hub.pool.connection() as conn:
            eventually(here.answers)
            for days_left, told in ((400, False), (9, True)):
                ends_at = issue(days_left)
                page = httpx.get(
                    f"{here.url}/devices", cookies=signed_in(here.hub), trust_env=False
                ).text
                assert ("gridwarden agents broker" in page) is told
                figures = httpx.get(f"{here.url}/metrics", trust_env=False).text
                (figure,) = re.findall(
                    r"(?m)^gridwarden_broker_certificate_ends_timestamp_seconds (\S+)", figures
                )
                assert float(figure) == ends_at.timestamp()
                ExpiryWatch()(conn, hub)
    said = [r.getMessage() for r in caplog.records if "of the broker" in r.getMessage()]
    assert len(said) == 1
    assert "gridwarden agents broker" in said[0]
