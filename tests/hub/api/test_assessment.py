"""Assessment through the public API, over the pilot replayed on a test clock."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridwarden.bulletin import write_bulletin
from gridwarden.district import write_district
from gridwarden.pilot import PERIOD, REPORTED, Api, Pilot, PilotClock
from hub.config import DatabaseConfig, HttpConfig, HubConfig, SiteConfig
from hub.domain.actor import Role
from hub.server import serve
from hub.services.context import Hub, open_hub
from tests.hub.api.city import CHEAP, free_port
from tests.hub.api.signing_in import signed_in
from tests.hub.builders import eventually, running


class Replayed:
    """The hub after the pilot, and what its API answered."""

    def __init__(self, hub: Hub, url: str, found: dict[str, Any]) -> None:
        self.hub, self.url, self.found = hub, url, found

    def client(
        self, login: str = "Chen Jing", role: Role = Role.DISPATCHER, **where: Any
    ) -> httpx.Client:
        cookies = signed_in(self.hub, login, role, **where)
        return httpx.Client(base_url=self.url, cookies=cookies, timeout=30, trust_env=False)

    def get(self, path: str, **asked: Any) -> httpx.Response:
        with self.client() as client:
            return client.get(path, params=PERIOD | asked)


@pytest.fixture(scope="module")
def pilot(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    folder: Path = tmp_path_factory.mktemp("pilot")
    write_district(folder / "district.geojson")
    port, clock = free_port(), PilotClock()
    config = HubConfig(
        database=DatabaseConfig(url=module_database_url),
        http=HttpConfig(port=port),
        accounts=CHEAP,
        hub=SiteConfig(data_dir=folder / "hub", district_file=folder / "district.geojson"),
    )
    hub = open_hub(config, clock)
    url = f"http://127.0.0.1:{port}"
    try:
        with running(lambda stop: serve(hub, stop)):
            eventually(lambda: _answers(url))
            api = Api("127.0.0.1", port)
            found = Pilot(hub, clock, api, lambda line: None).replay()
            api.close()
            yield Replayed(hub, url, found)
    finally:
        hub.close()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_the_pilot_closes_75_of_76_in_nine_categories_with_one_at_the_district(
    pilot: Replayed,
) -> None:
    found = pilot.found
    assert found["reported"] == 76
    assert len(found["categories"]) == 9
    closing = found["figures"]["closing_rate"]
    assert (closing["counted"], closing["among"], closing["percent"]) == (75, 76, "98.68 %")
    assert found["figures"]["share_at_level_3"]["counted"] == 1
    reported = {c: of_it["reported"] for c, of_it in found["categories"].items()}
    assert reported == {str(c): n for c, n in REPORTED.items()}


def test_each_figure_drills_down_to_the_very_events_it_counts(pilot: Replayed) -> None:
    at = {"as_of": pilot.found["as_of"]}
    for name, figure in pilot.found["figures"].items():
        for which in ("counted", "among", "left_out"):
            answer = pilot.get(
                "/api/v1/assessment/events", of=name, which=which, limit=200, **at
            ).json()
            assert answer["total"] == figure[which] == sum(e["times"] for e in answer["events"])


def test_the_one_case_that_is_not_closed_is_the_one_at_the_district(pilot: Replayed) -> None:
    def numbers(**asked: str) -> list[str]:
        answer = pilot.get("/api/v1/assessment/events", **asked).json()
        return [e["number"] for e in answer["events"]]

    (left_open,) = numbers(of="closing_rate", which="not_counted")
    assert numbers(of="share_at_level_3") == [left_open]
    with pilot.client() as client:
        event = client.get(f"/api/v1/events/{left_open}").json()
    assert (event["state"], event["level"]) == ("disposing", 3)


@pytest.mark.parametrize("by", ["district", "area", "cell", "department", "post", "person"])
def test_everybody_in_a_dimension_has_points_and_events(pilot: Replayed, by: str) -> None:
    found = pilot.get("/api/v1/assessment", by=by).json()
    assert found["version"] == "2026-1"
    assert found["scores"]
    points = [s["points"] for s in found["scores"]]
    assert points == sorted(points, reverse=True)
    best = found["scores"][0]
    one = pilot.get("/api/v1/assessment", by=by, subject=best["subject"]).json()
    assert [s["subject"] for s in one["scores"]] == [best["subject"]]
    name, figure = next(iter(one["figures"].items()))
    behind = pilot.get("/api/v1/assessment/events", by=by, subject=best["subject"], of=name).json()
    assert behind["total"] == figure["counted"]


def test_days_sum_up_to_their_month(pilot: Replayed) -> None:
    days = [
        pilot.get("/api/v1/assessment", period="day", day=f"2026-10-{d:02}", by="district").json()
        for d in range(12, 24)
    ]
    month = pilot.get("/api/v1/assessment", period="month", day="2026-10-15").json()
    assert sum(d["reported"] for d in days) == month["reported"] == 76
    assert month["name"] == "2026-10"


def test_a_period_without_cases_has_figures_of_nothing(pilot: Replayed) -> None:
    found = pilot.get("/api/v1/assessment", period="week", day="2026-08-05").json()
    assert (found["name"], found["reported"], found["scores"]) == ("2026-W32", 0, [])
    assert found["figures"]["closing_rate"]["value"] is None


def test_csv_has_every_figure_and_every_event(pilot: Replayed) -> None:
    answer = pilot.get("/api/v1/assessment/figures.csv")
    assert answer.headers["content-disposition"].endswith('"assessment-2026-Q4.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    closing = next(r for r in rows if (r["what"], r["name"]) == ("indicator", "closing_rate"))
    assert (closing["counted"], closing["among"], closing["percent"]) == ("75", "76", "98.68 %")
    events = pilot.get("/api/v1/assessment/events.csv", of="closing_rate").text
    assert len(events.strip().splitlines()) == 76


def test_who_has_a_part_of_the_grid_sees_its_cases_only(pilot: Replayed) -> None:
    areas = pilot.get("/api/v1/assessment", by="area").json()["scores"]
    area = areas[0]["subject"]
    with pilot.client("Leader of it", Role.LEADER, cells=(area,)) as client:
        own = client.get("/api/v1/assessment", params=PERIOD | {"by": "area"}).json()
    assert [s["subject"] for s in own["scores"]] == [area]
    assert 0 < own["reported"] < 76
    there = pilot.get("/api/v1/assessment", by="area", cell=area).json()
    assert there["reported"] == own["reported"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"period": "custom"}, "first and last day"),
        ({"period": "custom", "first": "2026-10-02", "last": "2026-10-01"}, "has no day"),
        ({"period": "year", "day": "9999-12-31"}, "not within the years"),
        ({"as_of": "2026-10-01T00:00:00"}, "time zone"),
        ({"subject": "nobody"}, "nobody"),
    ],
)
def test_a_question_without_sense_is_refused_by_name(
    pilot: Replayed, asked: dict[str, str], says: str
) -> None:
    answer = pilot.get("/api/v1/assessment", **asked)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_a_figure_that_does_not_exist_is_told_with_those_that_do(pilot: Replayed) -> None:
    answer = pilot.get("/api/v1/assessment/events", of="beauty")
    assert answer.status_code == 422
    assert "closing_rate" in answer.json()["detail"]


def test_the_console_shows_the_figures_with_links_that_count_the_same(pilot: Replayed) -> None:
    page = pilot.get("/assessment", by="department").text
    assert "98.68 %" in page
    links = re.findall(r'<a href="(/assessment/events\?[^"]+)">([0-9,]+)</a>', page)
    assert len(links) > 40
    with pilot.client() as client:
        for href, n in links[::6]:
            shown = client.get(html.unescape(href)).text
            assert f"{n} " in shown.split('<p class="small muted sub">')[1][:40]
    assert "消防" in pilot.get("/assessment", by="department", lang="zh").text


def test_a_subject_of_the_console_has_its_marks(pilot: Replayed) -> None:
    best = pilot.get("/api/v1/assessment", by="person").json()["scores"][0]
    page = pilot.get("/assessment", by="person", subject=best["subject"]).text
    assert f"{best['points']:.2f}" in page
    assert "2026-1" in page


def test_an_empty_period_says_so_on_its_page(pilot: Replayed) -> None:
    assert "No case in this period" in pilot.get("/assessment", period="day", day="2026-01-02").text


def test_the_bulletin_of_the_month_needs_nothing_from_elsewhere(
    pilot: Replayed, tmp_path: Path
) -> None:
    answer = pilot.get("/assessment/bulletin", period="month", day="2026-10-05")
    assert answer.headers["content-disposition"] == 'attachment; filename="bulletin-2026-10.html"'
    page, table = write_bulletin(pilot.hub, date(2026, 10, 1), tmp_path / "out")
    assert page.read_text(encoding="utf-8") == answer.text
    for text in ("2026年10月网格管理考核通报", "assessment bulletin of October 2026", "结案率"):
        assert text in answer.text
    assert not re.search(r"(src|href)=|<script|url\(|http", answer.text)
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8-sig"))))
    closing = next(r for r in rows if (r["what"], r["name"]) == ("indicator", "closing_rate"))
    assert f"{closing['percent']}</b>" in answer.text
    refused = pilot.get("/assessment/bulletin", period="week")
    assert refused.status_code == 422
