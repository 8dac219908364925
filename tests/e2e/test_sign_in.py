"""Signing in at the console: a real browser on a real hub."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.domain.actor import Role
from hub.services.accounts import NewAccount, create_account
from tests.e2e.test_console import SIZES, browser
from tests.hub.api.city import CHEAP, City, street, town_with_cameras
from tests.hub.api.signing_in import signed_in

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.browser

PASSWORD = "four cats in a tree"
TRIES = 3


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    limits = dataclasses.replace(CHEAP, tries_per_login=TRIES)
    folder = tmp_path_factory.mktemp("town")
    with town_with_cameras(module_database_url, folder, limits) as here:
        with here.hub.pool.connection() as conn:
            for login, role in (
                ("chen", Role.DISPATCHER),
                ("wu", Role.SUPERVISOR),
                ("zhao", Role.ASSISTANT),
            ):
                create_account(conn, here.hub, NewAccount(login, role, PASSWORD), "test")
        yield here


@pytest.fixture
def page(browser: Browser, town: City) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=town.url)
    yield context.new_page()
    context.close()


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("GRIDWARDEN_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def fill(page: Page, login: str, password: str) -> None:
    """As by keyboard: the field that is to be filled has the focus."""
    if login:
        expect(page.locator("[name=login]")).to_be_focused()
        page.keyboard.type(login)
        page.keyboard.press("Tab")
    expect(page.locator("[name=password]")).to_be_focused()
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def live(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-live", "live")


def test_a_wrong_password_is_told_and_the_right_one_leads_back(page: Page) -> None:
    page.goto("/events?severity=S1")
    expect(page).to_have_url(re.compile("/sign-in"))
    shot(page, "sign-in")
    fill(page, "chen", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("wrong, or the account is disabled")
    shot(page, "sign-in-wrong")
    fill(page, "", PASSWORD)
    expect(page).to_have_url(re.compile(r"/events\?severity=S1$"))
    live(page)


def test_too_many_wrong_passwords_say_how_long_to_wait_in_both_languages(page: Page) -> None:
    page.goto("/sign-in")
    fill(page, "nobody", "wrong")
    for _ in range(TRIES):
        with page.expect_response(lambda r: r.request.method == "POST"):
            fill(page, "", "wrong")
        page.wait_for_load_state()
    expect(page.get_by_role("alert")).to_contain_text("Try again in 15 min")
    shot(page, "sign-in-many")
    page.goto("/sign-in?lang=zh")
    expect(page.get_by_role("button", name="登录")).to_be_visible()
    fill(page, "nobody", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("15 分钟后再试")


def test_signing_out_by_keyboard(page: Page) -> None:
    page.goto("/sign-in")
    fill(page, "wu", PASSWORD)
    live(page)
    menu = page.locator("details.menu")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Audit log")).to_be_visible()
    shot(page, "menu")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Audit log")).to_be_hidden()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Audit log").click()
    expect(page.locator("tbody tr").first).to_contain_text("Signed in")
    shot(page, "audit")
    page.goto("/account")
    shot(page, "account")
    page.set_viewport_size({"width": 390, "height": 844})
    shot(page, "account-small")
    menu.locator("summary").click()
    menu.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out")
    page.goto("/audit")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Faudit"))


def test_an_open_page_goes_to_the_sign_in_when_its_session_ends_and_comes_back(
    town: City, page: Page
) -> None:
    number = town.sees("stopped_vehicle", "car", picture=street(False))
    page.goto(f"/events/{number}")
    fill(page, "chen", PASSWORD)
    live(page)
    town.execute("UPDATE account_session SET ended_at = now()")
    town.execute("UPDATE account_session SET seen_at = now()")
    page.wait_for_timeout(3100)  # a look at the session every three seconds at most
    town.execute("SELECT pg_notify('gridwarden', %s)", '{"topic": "stream", "id": "cam-01"}')
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2Fevents%2F"))
    expect(page.get_by_role("status")).to_contain_text("go on where you were")
    fill(page, "chen", PASSWORD)
    expect(page).to_have_url(re.compile(f"/events/{number}$"))
    live(page)


def test_what_was_typed_stays_when_the_session_ends(town: City, page: Page) -> None:
    page.goto("/report")
    fill(page, "zhao", PASSWORD)
    live(page)
    page.locator("[name=lat]").fill("34.76")
    page.locator("[name=lon]").fill("113.65")
    page.get_by_role("radio", name="Urban management").check()
    page.locator("textarea").fill("Three bins overflow")
    town.execute("UPDATE account_session SET ended_at = now()")
    page.get_by_role("button", name="Report it").click()
    expect(page.locator("#signed-out")).to_be_visible()
    shot(page, "signed-out")
    expect(page.locator("textarea")).to_have_value("Three bins overflow")
    for name, value in signed_in(town.hub, "zhao").items():  # in another tab
        page.context.add_cookies([{"name": name, "value": value, "url": town.url}])
    page.get_by_role("button", name="Report it").click()
    expect(page).to_have_url(re.compile(r"/events/\d"))


def test_who_may_not_sees_what_it_takes_and_no_way_there(town: City, page: Page) -> None:
    page.goto("/")
    fill(page, "zhao", PASSWORD)
    expect(page).to_have_url(re.compile("/work$"))
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(
        ["Events", "My work", "Report", "Assessment"]
    )
    page.goto("/tuning")
    expect(page.locator("main")).to_contain_text("this is for dispatcher, leader, master")
    shot(page, "forbidden")


def test_the_sign_in_fits_every_size_in_light_and_dark(page: Page) -> None:
    page.goto("/sign-in")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(color_scheme="dark")
    shot(page, "sign-in-dark-small")
