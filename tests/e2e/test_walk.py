"""The closed loop from the alarm to the closing, by four people who have no mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from contract.taxonomy import Category
from hub.domain.actor import Role
from hub.domain.responsibility import Assignment
from hub.store import units
from hub.store.units import UnitRow
from tests.e2e.test_console import browser
from tests.e2e.test_handling import DESK, PHONE, cell_of, live, opened, shot, staff
from tests.hub.api.city import City, offset, street, town_with_cameras
from tests.hub.builders import eventually
from tests.hub.staff import BEGUN

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.browser

# what a page shows of its words only in part, where no end of it is cut on purpose (a time, a hash)
CUT = """() => [...document.querySelectorAll("main *, .toast *, .topbar .tabs a")].filter((e) =>
  e.checkVisibility() && e.innerText && !e.closest(".sr, .map, .scroll, .tabs")
  && getComputedStyle(e).overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1
).map((e) => e.innerText)"""


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[City]:
    """The staff of a street, and a fire station that answers for its fires."""
    with town_with_cameras(database_url, tmp_path) as here:
        staff(here)
        with here.hub.pool.connection() as conn:
            station = UnitRow(
                "fire", "department", "Fire Station 7", "消防七站", None, "", "", None
            )
            units.save_units(conn, [station])
            district = cell_of(here)[:6]
            what = Category.FIRE_SAFETY
            units.assign(conn, [Assignment(what, None, district, "fire", BEGUN, None)], BEGUN)
        yield here


def at(page: Page, path: str) -> Page:
    page.goto(path)
    live(page)
    return page


def seen(page: Page, name: str) -> None:
    """Every word can be read, and nothing is wider than the screen."""
    shot(page, name)
    assert page.evaluate(CUT) == []
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def tab_to(target: Locator, most: int) -> None:
    """Go on with Tab until this has the focus, in so many steps at most."""
    for _ in range(most):
        target.page.keyboard.press("Tab")
        if target.evaluate("e => e === document.activeElement"):
            expect(target).to_be_in_viewport()
            return
    where = target.page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    pytest.fail(f"{most} times Tab lead to {where}")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_fire_is_confirmed_handled_and_closed_by_keys_alone(
    browser: Browser, town: City, tmp_path: Path
) -> None:
    picture = tmp_path / "after.jpg"
    picture.write_bytes(street(False))
    cell = cell_of(town)
    fire = town.sees(picture=street(), at=town.centre)
    glare = town.sees(stream="cam-02", picture=street(seed=2), at=offset(town.centre, 900, 0))

    # the desk: evidence first, then confirmed, filed, dispatched, taken back, dispatched again
    desk = at(opened(browser, town, "Chen Jing", Role.DISPATCHER, size=DESK), f"/?event={fire}")
    decide = desk.locator("#decide")
    expect(decide).to_have_attribute("data-number", fire)
    eventually(lambda: desk.locator("#picture").evaluate("p => p.complete && p.naturalWidth > 0"))
    seen(desk, "walk-evidence")
    press(desk, "y")
    expect(desk.locator("#last")).to_contain_text("Confirmed and filed")
    expect(decide).to_have_attribute("data-number", glare)
    eventually(lambda: desk.locator("#picture").evaluate("p => p.complete && p.naturalWidth > 0"))
    seen(desk, "walk-filed")
    press(desk, "d")
    desk.wait_for_url(f"**/events/{fire}")
    live(desk)
    proposal = desk.get_by_role("region", name="Proposed dispatch")
    expect(proposal).to_contain_text("Fire Station 7")
    seen(desk, "walk-proposal")
    press(desk, "a")
    expect(proposal).to_be_hidden()
    assert town.state(fire) == "dispatched"
    live(desk)
    seen(desk, "walk-dispatched")
    press(desk, "z")
    expect(proposal).to_be_visible()
    assert town.state(fire) == "filed"
    live(desk)
    tab_to(proposal.get_by_role("button", name="Accept the proposal"), most=1)
    press(desk, "Enter")
    expect(proposal).to_be_hidden()
    assert town.state(fire) == "dispatched"

    # the assistant, on a telephone: accepts, is told what is missing, and finishes
    hand = at(opened(browser, town, "A017", Role.ASSISTANT, (cell,)), "/work")
    hand.on("filechooser", lambda chooser: chooser.set_files(picture))
    case = hand.get_by_role("article", name=fire)
    seen(hand, "walk-to-accept")
    tab_to(case.get_by_role("button", name="Accept", exact=True), most=20)
    press(hand, "Enter")
    expect(hand.get_by_role("heading", name="Being handled")).to_be_visible()
    expect(case).to_be_focused()
    live(hand)
    tab_to(case.locator("summary", has_text="It is done"), most=5)
    press(hand, "Enter")
    done = case.get_by_role("button", name="It is done", exact=True)
    tab_to(case.get_by_label("What was done"), most=1)
    hand.keyboard.type("Put out with two extinguishers")
    tab_to(case.get_by_role("button", name="Take or choose photos"), most=1)
    tab_to(done, most=1)
    press(hand, "Enter")
    expect(case.get_by_role("alert").first).to_have_text("Add at least one photo.")
    expect(done).to_be_focused()
    press(hand, "Shift+Tab", "Enter")
    expect(case.locator(".shots small")).to_have_text("after.jpg")
    seen(hand, "walk-photo")
    tab_to(done, most=2)
    press(hand, "Enter")
    expect(hand.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    expect(hand.locator("#main")).to_be_focused()
    assert town.state(fire) == "disposed"

    # the desk is told, and sends a leader who had no hand in it to check
    expect(desk.locator("#changed")).to_be_visible()
    press(desk, ".")
    expect(desk.get_by_role("region", name="Proposed to check")).to_contain_text("L003")
    live(desk)
    seen(desk, "walk-disposed")
    press(desk, "a")
    expect(desk.get_by_role("region", name="Tasks")).to_contain_text("L003: open")

    # the leader, on a telephone and in Chinese
    check = at(opened(browser, town, "L003", Role.LEADER, (cell[:12],)), "/work?lang=zh")
    case = check.get_by_role("article", name=fire)
    expect(case).to_contain_text("核查：是否办结")
    tab_to(case.locator("summary", has_text="已办结").first, most=20)
    press(check, "Enter")
    tab_to(case.get_by_label("现场情况"), most=1)
    check.keyboard.type("已扑灭，无复燃")
    seen(check, "walk-check-zh")
    press(check, "Escape")
    expect(case.get_by_label("现场情况")).to_be_hidden()
    press(check, "Enter")
    expect(case.get_by_label("现场情况")).to_have_value("已扑灭，无复燃")
    tab_to(case.get_by_role("button", name="已办结", exact=True), most=3)
    press(check, "Enter")
    expect(check.get_by_role("heading", name="没有待办")).to_be_visible()
    assert town.state(fire) == "closed"
    expect(desk.locator("#changed")).to_be_visible()
    press(desk, ".")
    expect(desk.get_by_role("region", name="Before and after")).to_be_visible()
    seen(desk, "walk-closed")

    # what was none is rejected with its reason
    at(desk, f"/?event={glare}")
    eventually(lambda: desk.locator("#picture").evaluate("p => p.complete && p.naturalWidth > 0"))
    press(desk, "n")
    expect(desk.locator(".reasons")).to_be_visible()
    seen(desk, "walk-reasons")
    press(desk, "3")
    expect(desk.locator("#last")).to_contain_text("Vehicle lights")
    expect(desk.get_by_role("heading", name="All clear")).to_be_visible()
    seen(desk, "walk-rejected")
    assert town.state(glare) == "rejected"
    for page in (desk, hand, check):
        page.context.close()


def test_the_box_of_the_notices_stands_in_line_with_its_words_and_its_button(
    browser: Browser, town: City
) -> None:
    for size in (DESK, PHONE):
        page = at(opened(browser, town, "Chen Jing", Role.DISPATCHER, size=size), "/notices")
        shot(page, f"notices-{size[0]}")
        middles = page.locator(".filters :is(input, label, button)").evaluate_all(
            "all => all.map((e) => e.getBoundingClientRect()).map((r) => r.top + r.height / 2)"
        )
        assert max(middles) - min(middles) < 1.0
        page.context.close()
