"""The page by which a reporter rates, on a telephone without scripts; the form of the staff."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from hub.domain.actor import Actor, Role
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.store import views
from tests.e2e.test_console import browser
from tests.e2e.test_telling_pages import shot
from tests.hub.api.city import City, offset, town_with_cameras
from tests.hub.api.signing_in import signed_in

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.browser

CHEN = Actor("Chen Jing", Role.DISPATCHER)


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with town_with_cameras(module_database_url, tmp_path_factory.mktemp("town")) as here:
        yield here


def force_close(town: City, number: str) -> None:
    with town.hub.pool.connection() as conn:
        for name, who in (
            ("file", CHEN),
            ("propose_close", CHEN),
            ("force_close", Actor("Sun Hai", Role.SUPERVISOR)),
        ):
            act_on_event(conn, town.hub, number, Act(name, reason="done"), who, None)


def test_a_reporter_rates_on_a_telephone_without_scripts(browser: Browser, town: City) -> None:
    answer = httpx.post(
        f"{town.url}/open311/v2/requests.json",
        data={
            "service_code": "exposed_rubbish",
            "lat": town.centre.lat,
            "long": town.centre.lon,
            "description": "垃圾堆放在路口，已经三天了",
        },
        trust_env=False,
    ).json()[0]
    force_close(town, answer["service_request_id"])
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=False, base_url=town.url
    )
    page = context.new_page()
    page.goto(answer["rating_url"])
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")  # as the public face speaks
    overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(overflow)
    for choice in page.locator(".choice").all():
        box = choice.bounding_box()
        assert box is not None
        assert box["height"] >= 44  # a thumb hits it
    page.get_by_role("button", name="提交评价").click()
    expect(page.locator("#told")).to_have_count(0)  # the browser asks for a choice itself
    page.get_by_label("不满意", exact=True).check()
    page.locator("[name=comment]").fill("还有异味")
    shot(page, "rate-open-zh")
    page.get_by_role("button", name="提交评价").click()
    expect(page.locator("#told")).to_contain_text("感谢您的评价")
    shot(page, "rate-rated-zh")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_label("Dissatisfied", exact=True)).to_be_checked()
    expect(page.locator("[name=comment]")).to_have_value("还有异味")
    page.get_by_label("Very satisfied").check()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_label("Very satisfied")).to_be_checked()
    page.goto("/rate/none-of-ours?lang=en")
    expect(page.locator("#told")).to_contain_text("none of ours")
    shot(page, "rate-unknown-en")
    context.close()


def test_a_reporter_of_the_staff_rates_on_the_page_of_the_event(
    browser: Browser, town: City
) -> None:
    number = town.reports("A broken lamp", offset(town.centre, 0, 2000))  # by Zhao Lei
    force_close(town, number)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=town.url)
    cookies = signed_in(town.hub, "Zhao Lei", Role.ASSISTANT)
    context.add_cookies([{"name": n, "value": v, "url": town.url} for n, v in cookies.items()])
    page = context.new_page()
    _rate_on_page(page, number)
    with town.hub.pool.connection() as conn:
        assert views.event(conn, number).satisfaction == 4
    context.close()
    _take_down_on_page(browser, town, number)


def _rate_on_page(page: Page, number: str) -> None:
    page.goto(f"/events/{number}?lang=en")
    page.locator("#rate").get_by_label("Satisfied", exact=True).check()
    page.locator("#rate [name=comment]").fill("It shines again")
    page.locator("#rate button").click()
    card = page.locator("section", has=page.locator("#rt"))
    expect(card).to_contain_text("It shines again")
    expect(card.locator("summary")).to_contain_text("Change what you said")
    shot(page, "rate-event-page")


def _take_down_on_page(browser: Browser, town: City, number: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=town.url)
    cookies = signed_in(town.hub, "Sun Yi", Role.MASTER)
    context.add_cookies([{"name": n, "value": v, "url": town.url} for n, v in cookies.items()])
    page = context.new_page()
    page.goto(f"/events/{number}?lang=zh")
    card = page.locator("section", has=page.locator("#rt"))
    expect(card).to_contain_text("It shines again")
    card.locator(".take-down summary").click()
    card.get_by_label("原因？").fill("涉及个人信息")
    shot(page, "rate-take-down-zh")
    card.get_by_role("button", name="删除意见", exact=True).click()
    expect(card).to_contain_text("意见已删除")
    expect(card).to_contain_text("满意")
    expect(card).not_to_contain_text("It shines again")
    expect(page.locator(".line")).to_contain_text("涉及个人信息")
    context.close()
