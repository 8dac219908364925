"""The page of the district: what cells lack, who works here, units, and who answers for what."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from contract.taxonomy import Category
from hub.domain.actor import Role
from hub.domain.responsibility import Assignment
from hub.store import units
from tests.e2e.test_console import browser
from tests.hub.api.city import City, town_with_cameras
from tests.hub.api.signing_in import signed_in
from tests.hub.staff import BEGUN, day, found, hire

__all__ = ["browser"]  # a fixture

CELL = "410105001001001"


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with town_with_cameras(module_database_url, tmp_path_factory.mktemp("town")) as here:
        yield here


@pytest.fixture(scope="module")
def client(town: City) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=town.url, cookies=signed_in(town.hub), timeout=20, trust_env=False
    ) as asks:
        yield asks


def rows(client: httpx.Client, **query: str) -> list[str]:
    """The table of a tab, a line each, without tags."""
    text = client.get("/district", params={"lang": "en"} | query).text
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in body.split("<tr>")[1:]]


def test_without_people_and_units_every_tab_says_what_to_do(client: httpx.Client) -> None:
    for tab, told in (
        ("people", "gridwarden people import"),
        ("units", "gridwarden units import"),
        ("matrix", "gridwarden units matrix"),
        ("gaps", "Nobody answers for"),
        ("no such tab", "Nobody answers for"),
    ):
        assert told in client.get("/district", params={"tab": tab, "lang": "en"}).text
    assert "辖区" in client.get("/district?lang=zh").text
    assert len(rows(client, tab="gaps")) == 100  # the first page
    assert client.get("/district", params={"tab": "people", "text": "\0", "cell": "x"}).status_code


def test_people_are_found_by_name_role_cell_unit_and_whether_they_are_on_duty(
    town: City, client: httpx.Client
) -> None:
    with town.hub.pool.connection() as conn:
        found(conn, "urban")
        hire(conn, "wang", Role.ASSISTANT, CELL, shift=day(town.hub.now()))
        hire(conn, "zhang", Role.LEADER, CELL[:12])
        hire(conn, "chief", Role.DEPT, None, unit="urban")
        what = Assignment(Category.FIRE_SAFETY, None, CELL[:6], "urban", BEGUN, None)
        units.assign(conn, [what], town.hub.now())

    def who(**query: str) -> list[str]:
        return [line.split()[1] for line in rows(client, tab="people", **query)]

    assert who() == ["chief", "wang", "zhang"]
    assert who(text="ANG") == ["wang", "zhang"]
    assert who(role="leader") == ["zhang"]
    assert who(cell=CELL) == ["wang"]
    assert who(duty="on") == ["wang"]
    assert who(after="wang") == ["zhang"]
    assert rows(client, tab="units") == ["Urban urban urban department urban@example.org 1"]
    (line,) = rows(client, tab="matrix", unit="urban")
    assert line.startswith("Fire safety 消防安全 all")
    assert not rows(client, tab="matrix", unit="none")
    lacks = rows(client, tab="gaps", cell=CELL)
    lacking = [line.rpartition(CELL)[2].split()[0] for line in lacks[:2]]
    assert (lacking, len(lacks)) == (["terminal", "account"], 3)
    assert len(rows(client, tab="gaps", cell=CELL, need="account")) == 1


def test_the_page_is_for_the_desk(town: City) -> None:
    cookies = signed_in(town.hub, "Zhao Lei", Role.ASSISTANT)
    with httpx.Client(base_url=town.url, cookies=cookies, trust_env=False) as assistant:
        assert assistant.get("/district").status_code == 403
        assert "/district" not in assistant.get("/events").text


@pytest.mark.browser
@pytest.mark.skipif("GRIDWARDEN_SHOTS" not in os.environ, reason="GRIDWARDEN_SHOTS names no folder")
def test_pictures_of_the_page(town: City, browser: Browser) -> None:
    for width, lang in ((1440, "en"), (390, "zh")):
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=town.url)
        cookies = signed_in(town.hub)
        context.add_cookies([{"name": n, "value": v, "url": town.url} for n, v in cookies.items()])
        page = context.new_page()
        for tab in ("gaps", "people", "units", "matrix"):
            page.goto(f"/district?tab={tab}&lang={lang}")
            page.screenshot(path=f"{os.environ['GRIDWARDEN_SHOTS']}/district-{tab}-{lang}.png")
        context.close()
