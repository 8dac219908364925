"""The public face: Open311 GeoReport v2, as strangers and the client `georeport` see it."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from georeport import GeoReport
from PIL import Image

from contract.taxonomy import Category
from hub.config import HttpConfig, HubConfig
from hub.domain.actor import Actor, Role
from hub.outward_settings import Open311Config
from hub.server import serve
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import open_hub
from hub.services.report_manually import ManualReport, report_manually
from hub.store import views
from tests.hub.api.city import City, free_port, system_clock, town_with_cameras
from tests.hub.api.signing_in import signed_in
from tests.hub.builders import eventually, north, running

OPERATOR = Actor("Chen Jing", Role.DISPATCHER)
LEADER = Actor("Li Na", Role.LEADER)


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with town_with_cameras(module_database_url, tmp_path_factory.mktemp("town")) as here:
        yield here


@pytest.fixture
def client(town: City) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{town.url}/open311", timeout=20, trust_env=False) as asks:
        yield asks


@pytest.fixture
def place(town: City) -> tuple[float, float]:
    """A place where no other test reports: lat, lon."""
    town.execute("UPDATE grid_event SET last_seen_at = last_seen_at - interval '30 days'")
    return town.centre.lat, town.centre.lon


def posted(client: httpx.Client, place: tuple[float, float], **fields: object) -> httpx.Response:
    form = {"service_code": "exposed_rubbish", "lat": place[0], "long": place[1]} | fields
    files = {"media": form.pop("media")} if "media" in form else None
    return client.post("/v2/requests.json", data=form, files=files)  # type: ignore[arg-type]


def number(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0]["service_request_id"])


def photo(kind: str = "JPEG") -> bytes:
    """A photo that tells where it was taken, and with what."""
    exif = Image.Exif()
    exif[0x010F] = "Telephone Maker"
    exif.get_ifd(0x8825)[2] = (34.0, 45.0, 30.0)  # GPSLatitude
    exif.get_ifd(0x8769)[0x9003] = "2026:11:24 08:00:00"
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (90, 120, 60)).save(out, kind, exif=exif)
    return out.getvalue()


def act(town: City, event: str, name: str, actor: Actor = OPERATOR, **given: object) -> None:
    with town.hub.pool.connection() as conn:
        act_on_event(conn, town.hub, event, Act(name, **given), actor, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_client_georeport_works_against_it(
    town: City, client: httpx.Client, place: tuple[float, float], form: str
) -> None:
    event = number(posted(client, place, description="Bags beside the bins <&> 垃圾"))
    theirs = GeoReport(f"{town.url}/open311/v2", output_format=form)
    services = theirs.get_service_list()
    assert "exposed_rubbish" in {s["service_code"] for s in services}
    definition = theirs.get_service_definition("exposed_rubbish")
    assert definition["service_code"] == "exposed_rubbish"
    request = theirs.get_service_request(event)
    assert (request["status"], request["description"]) == ("open", "Bags beside the bins <&> 垃圾")
    listed = theirs.get_service_requests(service_code="exposed_rubbish", status="open")
    listed = listed if isinstance(listed, list) else [listed]
    assert event in {r["service_request_id"] for r in listed}
    act(town, event, "refuse", reason="A private matter")


def test_the_fine_state_stands_in_the_notes(
    town: City, client: httpx.Client, place: tuple[float, float]
) -> None:
    town.execute(
        "INSERT INTO unit (code, kind, name_en, name_zh) VALUES ('clean', 'department',"
        " 'City cleaning', '环卫处') ON CONFLICT DO NOTHING"
    )
    event = number(posted(client, place))
    path = f"/v2/requests/{event}.json"
    seen = []

    def look() -> dict[str, object]:
        request: dict[str, object] = client.get(path).json()[0]
        seen.append((request["status"], request["status_notes"]))
        return request

    look()
    act(town, event, "file")
    act(town, event, "dispatch", responsible_unit="clean")
    request = look()
    assert request["agency_responsible"] == "环卫处"
    with town.hub.pool.connection() as conn:
        close_by = views.event(conn, event).close_by
    assert close_by is not None
    expected = datetime.fromisoformat(str(request["expected_datetime"]))
    assert expected == close_by.replace(microsecond=0)
    act(town, event, "recall", reason="It was a mistake")
    request = look()
    assert [status for status, _ in seen] == ["open", "open", "closed"]
    assert len({notes for _, notes in seen}) == 3
    assert "mistake" not in str(request)  # what the staff wrote stays inside


def test_a_machine_event_is_shown_only_once_it_is_filed(town: City, client: httpx.Client) -> None:
    event = town.sees("flame", "flame")
    path = f"/v2/requests/{event}.json"
    assert client.get(path).status_code == 404
    listed = client.get("/v2/requests.json").json()
    assert event not in {r["service_request_id"] for r in listed}
    act(town, event, "confirm", evidence_missing=True)
    request = client.get(path).json()[0]
    assert request["status"] == "open"
    assert request["media_url"] == ""  # what a camera saw is not for everyone


def test_what_the_staff_wrote_and_private_categories_are_not_shown(
    town: City, client: httpx.Client, place: tuple[float, float]
) -> None:
    words = "Mr Wang of flat 3 says so"
    at = north(town.centre, 900)
    with town.hub.pool.connection() as conn:
        mine = report_manually(
            conn, town.hub, ManualReport(LEADER, words, at, Category.URBAN_MANAGEMENT)
        ).number
        private = report_manually(
            conn, town.hub, ManualReport(LEADER, words, at, Category.LETTERS_AND_VISITS)
        ).number
    shown = client.get(f"/v2/requests/{mine}.xml")
    assert shown.status_code == 200
    assert "Wang" not in shown.text
    assert client.get(f"/v2/requests/{private}.json").status_code == 404
    groups = {s["service_code"] for s in client.get("/v2/services.json").json()}
    assert not groups & {"petition"}


def test_a_second_report_of_the_same_matter_gets_the_same_number(
    client: httpx.Client, place: tuple[float, float]
) -> None:
    first, second = posted(client, place), posted(client, place)
    assert number(first) == number(second)
    assert first.json()[0]["service_notice"] == ""
    assert second.json()[0]["service_notice"]


def test_a_photo_comes_along_without_its_place(
    town: City, client: httpx.Client, place: tuple[float, float]
) -> None:
    event = number(posted(client, place, media=("a.jpg", photo(), "image/jpeg")))
    path = f"{town.url}/api/v1/events/{event}"
    seen = httpx.get(path, cookies=signed_in(town.hub), trust_env=False)
    (digest,) = [e["digest"] for e in seen.json()["evidence"]]
    kept = town.hub.evidence.path(digest).read_bytes()
    assert b"Telephone Maker" not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert dict(image.getexif().get_ifd(0x8825)) == {}
        assert image.getexif().get_ifd(0x8769)[0x9003] == "2026:11:24 08:00:00"
    assert client.get(f"/v2/media/{digest}").status_code == 404  # unless the settings show them


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"service_code": "no_such"}, "there is no service 'no_such'"),
        ({"service_code": ""}, "service_code was not provided"),
        ({"lat": "north"}, "lat must be a number"),
        ({"lat": "NaN"}, "lat must lie in"),
        ({"long": "181"}, "long must lie in"),
        ({"lat": "", "long": ""}, "lat and long are needed"),
        ({"description": "x" * 5000}, "description has 5000 characters"),
        ({"description": "a\0b"}, "NUL"),
        ({"attribute[occurred_at]": "yesterday"}, "must be a time"),
        ({"attribute[occurred_at]": "2099-01-01T00:00:00Z"}, "lies in the future"),
        ({"media": ("a.jpg", b"<script>", "image/jpeg")}, "this is no photo"),
        ({"media": ("a.jpg", photo()[:400], "image/jpeg")}, "cannot be read"),
    ],
)
def test_what_is_refused_says_why_in_the_standards_own_way(
    client: httpx.Client, place: tuple[float, float], fields: dict[str, object], says: str
) -> None:
    answer = posted(client, place, **fields)
    assert answer.status_code in (400, 404)
    (error,) = answer.json()
    assert error["code"] == answer.status_code
    assert says in error["description"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/requests/410105-20260101-99999.xml", 404),
        ("/v2/services/no_such.xml", 404),
        ("/v2/tokens/no_such.xml", 404),
        ("/v2/requests.xml?start_date=soon", 400),
        ("/v2/requests.xml?start_date=2026-01-01T00:00:00Z&end_date=2026-09-01T00:00:00Z", 400),
        ("/v2/requests.xml?status=lost", 400),
        ("/v2/services.yaml", 404),
    ],
)
def test_errors_of_questions(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    if ".xml" in path:
        assert ET.fromstring(answer.text).findtext("error/code") == str(status)


def test_discovery_names_the_face_and_its_formats(town: City, client: httpx.Client) -> None:
    found = client.get("/discovery.json").json()["endpoints"][0]
    assert found["url"] == f"{town.url}/open311/v2"
    assert found["formats"] == ["text/xml", "application/json"]
    xml = ET.fromstring(client.get("/discovery.xml").text)
    assert xml.findtext("endpoints/endpoint/url") == found["url"]


def test_a_token_asks_for_the_number(
    town: City, client: httpx.Client, place: tuple[float, float]
) -> None:
    answer = posted(client, place)
    rating_url = answer.json()[0]["rating_url"]
    token = rating_url.removeprefix(f"{town.url}/rate/")
    told = client.get(f"/v2/tokens/{token}.json").json()[0]
    assert told == {
        "service_request_id": number(answer),
        "token": token,
        "rating_url": rating_url,
    }
    with town.hub.pool.connection() as conn:  # nobody learns it from the database
        row = conn.execute("SELECT digest FROM open311_request ORDER BY at DESC LIMIT 1").fetchone()
    assert row is not None
    assert client.get(f"/v2/tokens/{row[0]}.json").status_code == 404


def test_keys_jurisdiction_tokens_and_strangers(
    database_url: str, tmp_path: Path, town: City
) -> None:
    key = "a key of sixteen and more"
    base = replace(town.hub.config, database=replace(town.hub.config.database, url=database_url))
    place = (town.centre.lat, town.centre.lon)
    keyed = Open311Config(api_keys=(key,), jurisdiction="d.example", tokens=True)
    with _face(replace(base, open311=keyed)) as client:
        assert client.get("/v2/services.json").status_code == 400
        assert client.get("/v2/services.json?jurisdiction_id=x").status_code == 404
        assert client.get("/v2/services.json?jurisdiction_id=d.example").status_code == 200
        told = {"jurisdiction_id": "d.example"}
        assert posted(client, place, **told).status_code == 403
        assert (
            posted(client, place, **told, api_key="a wrong key, which is long").status_code == 403
        )
        answer = posted(client, place, **told, api_key=key).json()[0]
        assert "service_request_id" not in answer
        found = client.get(f"/v2/tokens/{answer['token']}.json", params=told).json()
        assert found[0]["service_request_id"]
    with _face(replace(base, open311=Open311Config(reports_per_hour=2))) as client:
        assert [posted(client, place).status_code for _ in range(3)] == [200, 200, 429]
    with _face(replace(base, open311=Open311Config(enabled=False))) as client:
        assert client.get("/v2/services.json").status_code == 404


@contextmanager
def _face(config: HubConfig) -> Iterator[httpx.Client]:
    """The face of a hub with other settings."""
    port = free_port()
    hub = open_hub(replace(config, http=HttpConfig(port=port)), system_clock)
    base = f"http://127.0.0.1:{port}"
    try:
        with (
            running(lambda stop: serve(hub, stop)),
            httpx.Client(base_url=f"{base}/open311", trust_env=False) as client,
        ):
            eventually(City(hub).answers)
            yield client
    finally:
        hub.close()
