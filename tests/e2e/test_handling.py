"""A case from filing to closing by three people who are signed in: desk, assistant, leader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from contract.taxonomy import Category
from hub.domain.actor import Actor, Role
from hub.domain.people import Post
from hub.domain.responsibility import Assignment
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.dispatch.look_again import look_again
from hub.services.evidence.keep_photo import keep_photo
from hub.services.report_manually import ManualReport, report_manually
from hub.store import duty, people, units, views
from hub.store.duty import NewShift
from hub.store.people import PersonRow
from hub.store.units import UnitRow
from tests.e2e.test_console import browser
from tests.hub.api.city import City, offset, street, town_with_cameras
from tests.hub.api.signing_in import signed_in
from tests.hub.staff import BEGUN, day

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.browser

CHEN = Actor("Chen Jing", Role.DISPATCHER)
DESK, PHONE = (1440, 900), (390, 844)


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with town_with_cameras(module_database_url, tmp_path_factory.mktemp("town")) as here:
        staff(here)
        yield here


def staff(town: City) -> None:
    """A cleaning unit, an assistant of the cell in the middle, the leader above."""
    cell, now = cell_of(town), town.hub.now()
    posts = [
        ("A017", "Zhao Lei", Role.ASSISTANT, cell),
        ("L003", "Li Wei", Role.LEADER, cell[:12]),
        ("L004", "Sun Na", Role.LEADER, cell[:12]),
    ]
    with town.hub.pool.connection() as conn:
        units.save_units(
            conn,
            [UnitRow("clean", "department", "Street Cleaning", "环卫中心", None, "", "", None)],
        )
        what = Category.ENVIRONMENTAL_SAFETY
        units.assign(conn, [Assignment(what, None, cell[:6], "clean", BEGUN, None)], BEGUN)
        for code, name, role, area in posts:
            people.save_people(conn, [PersonRow(code, name, None, "", "", "zh", False, None)])
            people.set_posts(conn, [code], [Post(code, role, area, None, BEGUN, None)], BEGUN)
            duty.save_shifts(conn, [NewShift(code, None, *day(now))])
        duty.report_position(conn, "A017", town.centre, 5.0, now)


def cell_of(town: City) -> str:
    cell = town.hub.grid.locate(town.centre, town.hub.now())
    assert cell is not None
    return cell.code


def reported(town: City, north_m: float = 0.0) -> str:
    with town.hub.pool.connection() as conn:
        report = ManualReport(
            Actor("Wang Fang", Role.CITIZEN),
            "Rubbish bags beside the gate, for days",
            offset(town.centre, 0, north_m),
            Category.ENVIRONMENTAL_SAFETY,
            subcategory="exposed_rubbish",
        )
        return report_manually(conn, town.hub, report).number


def opened(
    browser: Browser,
    town: City,
    login: str,
    role: Role,
    cells: tuple[str, ...] = (),
    size: tuple[int, int] = PHONE,
) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, base_url=town.url, has_touch=size == PHONE
    )
    for name, value in signed_in(town.hub, login, role, cells).items():
        context.add_cookies([{"name": name, "value": value, "url": town.url}])
    return context.new_page()


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("GRIDWARDEN_SHOTS"):
        page.screenshot(path=f"{folder}/handling-{name}.png", full_page=True)


def live(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-live", "live")


def test_a_case_goes_from_filing_to_closing_through_three_hands(
    browser: Browser, town: City, tmp_path: Path
) -> None:
    picture = tmp_path / "after.jpg"
    picture.write_bytes(street(False))
    cell = cell_of(town)
    number = reported(town)

    desk = opened(browser, town, "Chen Jing", Role.DISPATCHER, size=DESK)
    desk.goto(f"/events/{number}")
    live(desk)
    desk.get_by_role("button", name="File", exact=True).click()
    proposal = desk.get_by_role("region", name="Proposed dispatch")
    expect(proposal).to_contain_text("Street Cleaning")
    expect(proposal).to_contain_text("A017 Zhao Lei is the nearest there")
    shot(desk, "proposal")
    desk.keyboard.press("a")
    expect(proposal).to_be_hidden()
    assert town.state(number) == "dispatched"

    hand = opened(browser, town, "A017", Role.ASSISTANT, (cell,))
    hand.goto("/work")
    live(hand)
    case = hand.get_by_role("article", name=number)
    accept = case.get_by_role("button", name="Accept", exact=True)
    box = accept.bounding_box()
    assert box is not None
    assert box["height"] >= 48
    assert hand.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    shot(hand, "to-accept")
    accept.click()
    expect(hand.get_by_role("heading", name="Being handled")).to_be_visible()
    case.get_by_text("It is done…").click()
    case.get_by_role("button", name="It is done", exact=True).click()
    expect(case.get_by_role("alert").first).to_have_text("Add at least one photo.")
    case.locator("input[type=file]").first.set_input_files(picture)
    expect(case.locator(".shots small").first).to_have_text("after.jpg")
    shot(hand, "feedback")
    case.get_by_role("button", name="It is done", exact=True).click()
    expect(hand.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    shot(hand, "empty")
    assert town.state(number) == "disposed"

    desk.goto(f"/events/{number}")
    expect(desk.get_by_role("region", name="Proposed to check")).to_contain_text("L003")
    desk.keyboard.press("a")
    expect(desk.get_by_role("region", name="Tasks")).to_contain_text("L003: open")
    assert town.state(number) == "checking"

    check = opened(browser, town, "L003", Role.LEADER, (cell[:12],))
    check.goto("/work?lang=zh")
    live(check)
    case = check.get_by_role("article", name=number)
    expect(case).to_contain_text("核查：是否办结")
    shot(check, "check-zh")
    case.get_by_text("已办结…").click()
    case.get_by_role("button", name="已办结", exact=True).click()
    expect(check.get_by_role("heading", name="没有待办")).to_be_visible()
    assert town.state(number) == "closed"

    desk.goto(f"/events/{number}")
    pair = desk.get_by_role("region", name="Before and after")
    expect(pair.get_by_role("img", name="After")).to_be_visible()
    shot(desk, "closed")
    desk.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    shot(desk, "closed-phone")
    assert desk.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_what_is_given_to_one_appears_without_reloading(browser: Browser, town: City) -> None:
    number = reported(town, north_m=60.0)
    hand = opened(browser, town, "A017", Role.ASSISTANT, (cell_of(town),))
    hand.goto("/work")
    live(hand)
    desk = opened(browser, town, "Chen Jing", Role.DISPATCHER, size=DESK)
    desk.goto(f"/events/{number}")
    desk.get_by_text("Send to verify…").click()
    expect(desk.locator("[name=assignee]").first).to_have_value("A017")  # the proposal
    desk.get_by_role("button", name="Send to verify", exact=True).click()
    hand.get_by_role("link", name="Show it").click()
    case = hand.get_by_role("article", name=number)
    expect(case).to_contain_text("verify: is it so?")
    shot(hand, "verify")


def test_whoever_checks_sees_what_the_camera_saw_and_says_why_they_close_all_the_same(
    browser: Browser, town: City
) -> None:
    handler = Actor("Ding", Role.DEPT, unit="clean")
    number = town.sees("dumping", "dumping", at=offset(town.centre, 0, 5000), picture=street())
    with town.hub.pool.connection() as conn:
        after = keep_photo(conn, town.hub, street(False), "image/jpeg", handler).digest
        for who, given in (
            (CHEN, Act("confirm", evidence_viewed=True)),
            (CHEN, Act("dispatch", responsible_unit="clean")),
            (handler, Act("accept")),
            (handler, Act("feedback", evidence=(after,))),
            (CHEN, Act("start_check")),
        ):
            act_on_event(conn, town.hub, number, given, who, None)
        event = views.event(conn, number)
        (seen,) = [p.digest for p in views.pictures(conn, event.id) if p.role == "box"]
        conn.execute("UPDATE camera_look SET next_at = now() WHERE event = %s", (event.id,))
    with town.hub.pool.connection() as conn:
        look_again(conn, town.hub)  # its detection goes on; the picture is that of a look
        conn.execute(
            "UPDATE camera_look SET cameras = jsonb_set(cameras, '{0,seen}', to_jsonb(%s::text))",
            (seen,),
        )
    leader = opened(browser, town, "Li Na", Role.LEADER, size=DESK)
    leader.goto(f"/events/{number}?lang=zh")
    card = leader.get_by_role("region", name="摄像机复核")
    expect(card).to_contain_text("仍可见")
    expect(card.get_by_role("link", name="查看图像")).to_have_attribute(
        "href", f"/api/v1/evidence/{seen}"
    )
    shot(leader, "still-seen-zh")
    leader.goto(f"/events/{number}?lang=en")
    leader.get_by_text("Pass the check and close", exact=True).first.click()
    form = leader.locator("form", has=leader.get_by_label("A camera still sees it"))
    form.locator("textarea").fill("It is the new bench")
    form.get_by_role("button").click()
    expect(leader.locator("main")).to_contain_text("It is the new bench")
    assert town.state(number) == "closed"
    leader.context.close()
