"""Two people and one event: each signs in their own browser what both have to sign."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.domain.actor import Role
from tests.e2e.test_console import browser
from tests.hub.api.city import City, town_with_cameras
from tests.hub.api.signing_in import signed_in

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with town_with_cameras(module_database_url, tmp_path_factory.mktemp("town")) as here:
        yield here


@contextmanager
def at_browser(
    browser: Browser, town: City, login: str, role: Role, unit: str | None = None, width: int = 1440
) -> Iterator[Page]:
    """A browser in New York, signed in as somebody of the district."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        base_url=town.url,
        timezone_id="America/New_York",
    )
    cookies = signed_in(town.hub, login, role, unit=unit)
    context.add_cookies([{"name": n, "value": v, "url": town.url} for n, v in cookies.items()])
    yield context.new_page()
    context.close()


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("GRIDWARDEN_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def dispatched(town: City) -> str:
    number = town.reports("rubbish on the road")
    with at_hub(town) as does:
        does(number, "file")
        does(number, "dispatch", responsible_unit="urban")
    return number


@contextmanager
def at_hub(town: City):  # type: ignore[no-untyped-def]
    import httpx

    with httpx.Client(base_url=town.url, cookies=signed_in(town.hub), trust_env=False) as client:

        def does(number: str, name: str, **said: object) -> None:
            answer = client.post(f"/api/v1/events/{number}/acts", json={"name": name, **said})
            assert answer.status_code == 200, answer.text

        yield does


def open_form(page: Page, label: str) -> None:
    page.locator("details > summary", has_text=label).click()


def test_a_pause_and_a_closing_by_force_are_signed_in_two_browsers(
    browser: Browser, town: City
) -> None:
    number = dispatched(town)
    zone = town.hub.zone
    wanted = (town.hub.now() + timedelta(days=3)).astimezone(zone).strftime("%Y-%m-%dT10:00")
    with (
        at_browser(browser, town, "zhao", Role.DEPT, "urban", 390) as dept,
        at_browser(browser, town, "he", Role.MASTER) as master,
        at_browser(browser, town, "wu", Role.SUPERVISOR) as supervisor,
    ):
        dept.goto(f"/events/{number}")
        open_form(dept, "Ask to suspend")
        form = dept.locator("form", has=dept.locator("[name=until]"))
        form.locator("[name=until]").fill(wanted)
        form.locator("[name=reason]").fill("waits for a crane")
        shot(dept, "request-hang-390")
        form.get_by_role("button").click()
        expect(dept.locator(".waits")).to_contain_text("10:00:00")

        master.goto(f"/events/{number}?lang=zh")
        expect(master.locator(".waits")).to_contain_text("waits for a crane")
        open_form(master, "批准挂账")
        expect(master.locator("[name=until]")).to_have_value(wanted)
        shot(master, "suspend-zh")
        master.locator("form", has=master.locator("[name=until]")).get_by_role("button").click()
        expect(master.locator("h1 + .sub")).to_contain_text("挂账")

        open_form(master, "提请强制结案")
        closing = master.locator("details[open] form")
        closing.locator("[name=reason]").fill("the owner settled it in court")
        closing.get_by_role("button").click()
        expect(master.locator(".waits")).to_contain_text("提请强制结案")
        expect(master.locator("summary", has_text="强制结案…")).to_have_count(0)

        supervisor.goto(f"/events/{number}")
        open_form(supervisor, "Close by force")
        shot(supervisor, "force-close")
        supervisor.locator("details[open] form").get_by_role("button").click()
        expect(supervisor.locator("h1 + .sub")).to_contain_text("Closed")
        supervisor.get_by_role("button", name="Undo").click()
        expect(supervisor.locator("h1 + .sub")).to_contain_text("Suspended")
