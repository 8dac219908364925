"""Photos with a report, the bell, and webhooks at the console: a real browser on a real hub."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from hub.domain.actor import Role
from hub.domain.notice import PHRASES, REQUESTS, NoticeKind
from hub.services.outward.tell import tell
from hub.store import views
from tests.e2e.test_console import browser
from tests.hub.api.city import City, offset, town_with_cameras
from tests.hub.api.signing_in import signed_in
from tests.hub.api.test_open311 import photo

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with town_with_cameras(module_database_url, tmp_path_factory.mktemp("town")) as here:
        yield here


@pytest.fixture
def page(browser: Browser, town: City) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=town.url)
    context.add_cookies(
        [{"name": n, "value": v, "url": town.url} for n, v in signed_in(town.hub).items()]
    )
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda e: failures.append(str(e)))
    yield page
    context.close()
    assert failures == []


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("GRIDWARDEN_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def a_photo(name: str, data: bytes | None = None) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": photo() if data is None else data}


def test_a_photo_is_chosen_shown_sent_and_reported(page: Page, town: City) -> None:
    page.goto("/report")
    page.locator("#photos input").set_input_files(
        [a_photo("before.jpg"), a_photo("spoilt.jpg", b"no photo")]
    )
    expect(page.locator(".shots canvas")).to_have_count(1)
    expect(page.locator(".shots .bad-ink")).to_contain_text("this is no photo")
    page.locator("[name=lat]").fill(str(town.centre.lat))
    page.locator("[name=lon]").fill(str(town.centre.lon))
    page.locator("[name=category][value=urban_management]").check(force=True)
    page.locator("[name=description]").fill("Bags beside the bins")
    page.get_by_role("button", name="Report it").click()
    expect(page.locator(".shots li")).to_have_count(2)  # not sent with a photo that failed
    shot(page, "report-photos")
    page.locator(".shots li", has_text="spoilt.jpg").get_by_role("button").click()
    page.get_by_role("button", name="Report it").click()
    expect(page).to_have_url(re.compile("/events/[0-9]"))
    expect(page.locator("main img").first).to_be_visible()


def test_the_bell_counts_as_it_rings(page: Page, town: City) -> None:
    number = town.reports("A broken lamp", offset(town.centre, 900, 0))
    page.goto("/notices")
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    expect(page.locator("#unread")).to_have_text("")
    with town.hub.pool.connection() as conn:
        tell(conn, town.hub, NoticeKind.NEARLY_DUE, views.event(conn, number))
    expect(page.locator("#unread")).to_have_text("1")
    expect(page.locator("#list")).to_contain_text("Due soon: A broken lamp")
    shot(page, "notices")
    page.locator("#wishes [name=quiet_from]").fill("21:00")
    page.locator("#wishes button").click()
    expect(page.locator("#kept")).to_have_text("Kept.")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator("#unread")).to_have_text("")


def test_the_inbox_tells_every_kind_in_the_language_of_the_page(page: Page, town: City) -> None:
    number = town.reports("A loose cover", offset(town.centre, 1800, 0))
    told = (NoticeKind.ASKED, NoticeKind.ANSWERED, NoticeKind.CLOSED, NoticeKind.TRUST_LOST)
    detail = {NoticeKind.ASKED: REQUESTS["request_extension"]}
    with town.hub.pool.connection() as conn:
        for kind in told:
            event = views.event(conn, number)
            tell(conn, town.hub, kind, event, role=Role.DISPATCHER, detail=detail.get(kind))
    for lang, expected in (
        (
            "en",
            [
                "Waits for your answer (more time): A loose cover",
                "Your request was decided: A loose cover",
                "Closed: A loose cover",
                "A camera no longer files by itself: A loose cover",
            ],
        ),
        (
            "zh",
            [
                "待您审批（延期）：A loose cover",
                "申请已有结果：A loose cover",
                "已结案：A loose cover",
                "摄像机不再自动立案：A loose cover",
            ],
        ),
    ):
        page.goto(f"/notices?lang={lang}")
        titles = page.locator("#list tbody tr", has_text="A loose cover").locator("th b")
        expect(titles).to_have_text(expected[::-1])  # the newest first
        to_whom = {"en": "dispatcher", "zh": "值班"}[lang]
        expect(page.locator("#list tbody td").nth(1)).to_have_text(to_whom)
        for kind in told:  # and each can be switched off
            switch = page.locator(f"#wishes [name=kinds_off][value={kind}]")
            expect(switch.locator("..")).to_contain_text(getattr(PHRASES[kind], lang))
        shot(page, f"notices-{lang}")
    page.goto("/notices?lang=en")


def test_a_webhook_is_added_and_its_secret_shown_once(page: Page) -> None:
    page.goto("/webhooks")
    page.locator("#add-webhook [name=url]").fill("https://10.0.0.1/x")
    page.locator("#add-webhook button").click()
    expect(page.locator("#add-webhook .refused")).to_contain_text("not a public address")
    page.locator("#add-webhook [name=url]").fill("https://receiver.example/hub")
    page.locator("#add-webhook [name=note]").fill("City hall")
    page.locator("#add-webhook button").click()
    expect(page.locator("#secret-text")).to_contain_text("whsec_")
    page.locator("#secret-seen").click()
    expect(page.locator("#webhooks")).to_contain_text("City hall")
    shot(page, "webhooks")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#deliveries")).to_contain_text("a test")
    page.on("dialog", lambda d: d.accept())
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("main")).to_contain_text("Nobody is told yet")
