"""An operator at the console: a real browser on a real hub, keyboard only."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Request,
    expect,
    sync_playwright,
)

from contract.taxonomy import CameraState
from edge.clip_encoder import encode
from gridwarden.assets import default_folder, is_complete
from hub.domain.actor import Actor, Role
from hub.server import serve
from hub.services.judge_detection import Judgement, Verdict, judge_detection
from tests.hub.api.city import City, city, free_port, offset, street, town_with_cameras
from tests.hub.api.signing_in import signed_in
from tests.hub.builders import eventually, running

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # ms; a browser beside other tests needs more than the usual 5 s

CHROMIUM = next(  # the shell, which draws no windows, takes half the processor time
    (found for name in ("chromium-headless-shell", "chromium") if (found := shutil.which(name))),
    None,
)
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = [(1440, 900), (1280, 720), (390, 844)]
PAGES = [
    "/",
    "/events",
    "/report",
    "/devices",
    "/tuning",
    "/completeness",
    "/quarantine",
    "/account",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("neither chromium-headless-shell nor chromium is installed")
    if not is_complete(default_folder()):
        pytest.skip("the console's libraries are not here: run python -m gridwarden.assets")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[City]:
    with town_with_cameras(database_url, tmp_path) as here:
        yield here


def sign_in(context: BrowserContext, town: City) -> None:
    """The browser is signed in as the dispatcher."""
    for name, value in signed_in(town.hub).items():
        context.add_cookies([{"name": name, "value": value, "url": town.url}])


@dataclass(slots=True)
class Operator:
    """Somebody at a browser, and everything it complained about or asked of other machines."""

    page: Page
    town: City
    complaints: list[str] = field(default_factory=list)
    refusals_expected: bool = False

    def open(self, path: str = "/") -> None:
        self.page.goto(self.town.url + path)
        expect(self.page.locator("body")).to_have_attribute("data-live", "live")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    @property
    def rows(self) -> Locator:
        return self.page.locator("#queue .item")

    def row(self, number: str) -> Locator:
        return self.page.locator(f"#row-{number}")

    def sees_picture(self, number: str) -> None:
        """Wait until the pane shows this event's picture."""
        expect(self.page.locator("#decide")).to_have_attribute("data-number", number)
        shown = (
            "(p => Boolean(p && p.complete && p.naturalWidth))(document.querySelector('#picture'))"
        )
        eventually(lambda: self.page.evaluate(shown))


@pytest.fixture
def operator(browser: Browser, town: City) -> Iterator[Operator]:
    """An operator; at the end nothing was complained about and no other machine was asked."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    sign_in(context, town)
    page = context.new_page()
    somebody = Operator(page, town)

    def asked(request: Request) -> None:
        if not request.url.startswith((town.url, "data:", "blob:")):
            somebody.complaints.append(f"asked another machine: {request.url}")

    page.on("request", asked)
    page.on("pageerror", lambda error: somebody.complaints.append(str(error)))
    page.on(
        "console",
        lambda m: somebody.complaints.append(m.text) if m.type in ("error", "warning") else None,
    )
    yield somebody
    context.close()
    refused = "the server responded with a status of 409"
    assert [
        c for c in somebody.complaints if not (somebody.refusals_expected and refused in c)
    ] == []


def test_an_event_that_arrives_while_the_page_is_open_appears_by_itself(
    town: City, operator: Operator
) -> None:
    operator.open()
    expect(operator.page.get_by_role("heading", name="All clear")).to_be_visible()
    number = town.sees(picture=street())
    expect(operator.row(number)).to_have_attribute("aria-current", "true")
    operator.sees_picture(number)
    expect(operator.page.locator("#waiting")).to_have_text("1")
    expect(operator.page).to_have_title(re.compile(r"^\(1\) Triage"))


def test_new_arrivals_wait_so_that_the_list_never_jumps(town: City, operator: Operator) -> None:
    first = town.sees("stopped_vehicle", "car", picture=street(False))
    operator.open()
    operator.sees_picture(first)
    fire = town.sees(stream="cam-02", picture=street())
    arrived = operator.page.locator("#arrived")
    expect(arrived).to_contain_text("Show 1 new")
    expect(operator.rows).to_have_count(1)
    expect(operator.page.locator("#announce")).to_contain_text("New emergency")
    operator.press(".")
    expect(operator.rows).to_have_count(2)
    expect(operator.rows.first).to_have_attribute("data-number", fire)
    expect(operator.row(first)).to_have_attribute("aria-current", "true")
    expect(arrived).to_be_hidden()


def test_the_queue_follows_while_changes_never_pause(town: City, operator: Operator) -> None:
    operator.open()
    quiet = threading.Event()

    def storm() -> None:
        while not quiet.wait(0.03):
            note = f'{{"topic": "evidence", "id": "{uuid.uuid4()}"}}'
            town.execute("SELECT pg_notify('gridwarden', %s)", note)

    busy = threading.Thread(target=storm, name="storm")
    busy.start()
    try:
        expect(operator.row(town.sees(picture=street()))).to_be_visible()
    finally:
        quiet.set()
        busy.join()


def test_a_fire_is_confirmed_by_one_key_and_the_next_event_is_there_at_once(
    town: City, operator: Operator
) -> None:
    fire = town.sees(picture=street())
    car = town.sees("stopped_vehicle", "car", "cam-02", picture=street(False))
    operator.open()
    operator.sees_picture(fire)
    expect(operator.page.locator("#then")).to_contain_text("files it under Fire safety")
    operator.press("y")
    expect(operator.row(car)).to_have_attribute("aria-current", "true")
    expect(operator.row(fire)).to_have_count(0)
    expect(operator.page.locator("#last")).to_contain_text("Confirmed and filed")
    assert town.state(fire) == "filed"


def test_a_rejection_takes_a_digit_and_can_be_taken_back(town: City, operator: Operator) -> None:
    number = town.sees(picture=street())
    operator.open()
    operator.sees_picture(number)
    operator.press("n")
    reasons = operator.page.locator(".reasons")
    expect(reasons).to_be_visible()
    operator.press("Escape")
    expect(reasons).to_be_hidden()
    operator.press("n")
    operator.press("3")
    expect(operator.page.locator("#last")).to_contain_text("Vehicle lights")
    assert town.state(number) == "rejected"
    operator.press("z")
    expect(operator.row(number)).to_have_attribute("aria-current", "true")
    assert town.state(number) == "suspected"
    expect(operator.page.locator("#last .toast")).to_have_count(0)


def test_j_and_k_walk_the_queue_and_keys_rest_while_one_types(
    town: City, operator: Operator
) -> None:
    fire = town.sees(picture=street())
    car = town.sees("stopped_vehicle", "car", "cam-02", picture=street(False))
    operator.open()
    operator.press("j")
    operator.sees_picture(car)
    operator.press("k")
    operator.sees_picture(fire)
    operator.press("/")
    operator.page.keyboard.type("yny stopped")
    expect(operator.page.locator("#filter")).to_have_value("yny stopped")
    assert town.state(fire) == "suspected"
    operator.page.locator("#filter").fill("stopped")
    expect(operator.page.locator("#queue [data-row]:visible")).to_have_count(1)
    operator.press("Escape")
    expect(operator.page.locator("#queue [data-row]:visible")).to_have_count(2)


def test_without_a_picture_nothing_is_judged_until_it_is_declared_missing(
    town: City, operator: Operator
) -> None:
    number = town.sees(picture=street(), arrives=False)
    operator.open()
    expect(operator.page.get_by_text("The picture is on its way")).to_be_visible()
    operator.press("y")
    expect(operator.row(number)).to_have_count(1)
    assert town.state(number) == "suspected"
    operator.press("x")
    operator.press("y")
    expect(operator.page.locator("#last")).to_contain_text("Confirmed and filed")
    assert town.state(number) == "filed"


def test_a_picture_that_arrives_opens_the_verdict(town: City, operator: Operator) -> None:
    picture = street()
    number = town.sees(picture=picture, arrives=False)
    operator.open()
    expect(operator.page.locator("[data-key=y]")).to_be_disabled()
    town.picture_arrives(picture)
    operator.sees_picture(number)
    expect(operator.page.locator("[data-key=y]")).to_be_enabled()


def clip_webm() -> bytes:
    """Three seconds that Chromium plays, made as an agent makes them."""
    jpegs = []
    for n in range(12):
        image = np.full((360, 640, 3), (90, 110, 90), np.uint8)
        cv2.rectangle(image, (40 * n, 150), (40 * n + 80, 220), (40, 60, 230), -1)
        done, data = cv2.imencode(".jpg", image)
        assert done
        jpegs.append(data.tobytes())
    return encode([250 * n for n in range(12)], jpegs)


def test_a_clip_plays_by_one_key_from_the_still_with_its_own_time(
    town: City, operator: Operator
) -> None:
    town.cameras(clip_s=20.0)
    number = town.sees(picture=street())
    operator.open()
    operator.sees_picture(number)
    expect(operator.page.locator(".views")).to_contain_text("Clip is on its way")
    clip = {"kind": "video/webm", "clip_of": [town.episode_of(number)], "begun_s": 2.0}
    town.picture_arrives(clip_webm(), **clip)  # type: ignore[arg-type]
    tab = operator.page.locator("[data-clip]")
    expect(tab).to_contain_text("Clip")
    operator.press("v")
    video = operator.page.locator("#clip")
    expect(video).to_be_visible()
    expect(operator.page.locator("#picture")).to_be_hidden()
    assert (video.get_attribute("poster") or "").startswith("/api/v1/evidence/")
    eventually(lambda: video.evaluate("v => v.currentTime > 0.2 && v.videoWidth === 640"))
    expect(operator.page.locator("#shot-at")).to_contain_text(re.compile(r"UTC\+8 · \d+ s "))
    if folder := os.environ.get("GRIDWARDEN_SHOTS"):
        operator.page.screenshot(path=f"{folder}/clip.png")
    operator.press("v")
    assert video.evaluate("v => v.paused")
    operator.press("y")
    expect(operator.page.locator("#last")).to_contain_text("Confirmed and filed")


def test_what_was_erased_is_told_in_its_place_and_what_is_held_cannot_be(
    town: City, operator: Operator
) -> None:
    number = town.sees(picture=street(seed=1), score=0.95)
    town.sees(picture=street(seed=2), score=0.80)
    operator.open(f"/events/{number}")
    operator.page.get_by_text("Erase…").first.click()
    operator.page.locator("[name=reason]:visible").fill("shows a bedroom")
    operator.page.get_by_role("button", name="Erase").first.click()
    gallery = operator.page.locator(".gallery")
    expect(gallery).to_contain_text("Chen Jing: shows a bedroom")
    expect(gallery.locator("img")).to_have_count(1)
    operator.page.get_by_text("Hold the evidence…").click()
    operator.page.locator("[name=reason]:visible").fill("a complaint")
    operator.page.get_by_role("button", name="Hold the evidence").click()
    expect(operator.page.locator(".card").first).to_contain_text("by Chen Jing")
    expect(operator.page.get_by_text("Erase…")).to_have_count(0)
    expect(operator.page.locator(".line").first).to_contain_text("Evidence held")
    if folder := os.environ.get("GRIDWARDEN_SHOTS"):
        operator.page.screenshot(path=f"{folder}/held.png", full_page=True)


def test_nothing_of_the_console_covers_what_a_camera_burnt_into_its_picture(
    town: City, operator: Operator
) -> None:
    number = town.sees(picture=street())
    operator.open()
    operator.sees_picture(number)
    picture, caption = operator.page.locator("#picture"), operator.page.locator(".frame figcaption")
    for width, height in SIZES:
        operator.page.set_viewport_size({"width": width, "height": height})
        above, below = picture.bounding_box(), caption.bounding_box()
        assert above
        assert below
        assert above["y"] + above["height"] <= below["y"]


def test_another_picture_is_told_of_by_its_own_detection(town: City, operator: Operator) -> None:
    number = town.sees(picture=street(seed=1), score=0.95)
    town.sees(picture=street(seed=2), score=0.80)
    operator.open()
    operator.sees_picture(number)
    caption = operator.page.locator(".frame figcaption")
    expect(caption).to_contain_text("peak 0.80")
    operator.page.get_by_role("tab").nth(1).click()
    expect(caption).to_contain_text("peak 0.95")
    operator.sees_picture(number)


def test_who_loses_a_race_reads_who_was_faster_and_that_nothing_was_done(
    town: City, operator: Operator
) -> None:
    operator.refusals_expected = True
    number = town.sees(picture=street())
    operator.open()
    operator.sees_picture(number)
    operator.page.route("**/triage/queue", lambda route: route.abort())  # the page hears nothing
    operator.page.route("**/triage/events/*", lambda route: route.abort())
    with town.hub.pool.connection() as conn:
        judged = Judgement(Verdict.CONFIRMED, evidence_viewed=True)
        judge_detection(conn, town.hub, number, judged, Actor("Li Wei", Role.DISPATCHER), None)
    operator.page.unroute_all()
    operator.press("n")
    operator.press("1")
    conflict = operator.page.locator("#conflict")
    expect(conflict).to_contain_text("Somebody was faster: Li Wei")
    expect(conflict).to_contain_text("Nothing of yours was done")
    expect(operator.page.locator(".clock")).to_contain_text("Filed")
    operator.complaints[:] = [c for c in operator.complaints if "ERR_FAILED" not in c]


def test_the_map_shows_the_cells_the_camera_and_where_it_burns(
    town: City, operator: Operator
) -> None:
    number = town.sees(picture=street())
    operator.open()
    cells = operator.page.locator("#map path.cell")
    eventually(lambda: cells.count() >= 300)
    expect(operator.page.locator("#map path.here")).to_have_count(1)
    expect(operator.page.locator("#map path.cam")).to_have_count(2)
    pin = operator.page.locator("#map .pin-box")
    expect(pin).to_have_attribute("title", re.compile("S1 Open fire"))
    expect(operator.page.locator("#here")).to_have_attribute("data-number", number)


def test_a_report_is_placed_by_a_click_and_becomes_an_event(town: City, operator: Operator) -> None:
    operator.open("/report")
    eventually(lambda: operator.page.locator("#map path.cell").count() >= 300)
    operator.page.locator("#map").click()
    expect(operator.page.locator("#cell")).to_contain_text("cell ")
    operator.page.get_by_role("radio", name="Urban management").check()
    operator.page.locator("textarea").fill("Three bins overflow 垃圾满冒 <b>smell</b>")
    operator.page.get_by_role("button", name="Report it").click()
    operator.page.wait_for_url("**/events/*")
    expect(operator.page.locator("h1")).to_contain_text("Three bins overflow")
    expect(operator.page.locator(".state.discovery").first).to_contain_text("Reported")


def test_a_report_is_filed_from_the_queue_and_dispatched_on_its_page(
    town: City, operator: Operator
) -> None:
    number = town.reports("Three bins overflow")
    operator.open()
    expect(operator.page.locator(".words")).to_contain_text("Three bins overflow")
    operator.press("y")
    expect(operator.page.locator("#last")).to_contain_text("Filed")
    operator.open(f"/events/{number}")
    operator.page.get_by_text("Dispatch…").click()
    operator.page.locator("[name=responsible_unit]").fill("环卫三所")
    operator.page.get_by_role("button", name="Dispatch").click()
    expect(operator.page.locator(".state.dispatch")).to_contain_text("Dispatched")
    assert town.state(number) == "dispatched"


def test_an_open_event_page_says_that_it_has_changed(town: City, operator: Operator) -> None:
    number = town.sees(picture=street())
    operator.open(f"/events/{number}")
    with town.hub.pool.connection() as conn:
        judged = Judgement(Verdict.CONFIRMED, evidence_viewed=True)
        judge_detection(conn, town.hub, number, judged, Actor("Li Wei", Role.DISPATCHER), None)
    expect(operator.page.locator("#changed")).to_be_visible()


def test_a_threshold_goes_out_and_comes_back_as_in_force(town: City, operator: Operator) -> None:
    operator.open("/tuning")
    state = operator.page.locator("#state")
    expect(state).to_contain_text("its own settings are in force")
    operator.page.get_by_label("threshold").fill("0.62")
    expect(operator.page.locator("#tell")).to_contain_text("Will set threshold = 0.62")
    operator.page.get_by_role("button", name="Send to the agent").click()
    expect(state).to_contain_text("v1 sent, waiting for the agent")
    town.cameras(command=1, threshold=0.62)
    expect(state).to_contain_text("v1 is in force")
    expect(operator.page.locator(".knob[data-name=threshold]")).to_contain_text("in force 0.62")
    operator.page.get_by_label("threshold").fill("0.7")
    operator.page.get_by_role("button", name="Send to the agent").click()
    expect(state).to_contain_text("v2 sent, waiting for the agent")
    town.cameras(command=2, threshold=0.62, errors=("threshold 0.7 is above hold",))
    expect(state).to_contain_text("v2 was refused")
    expect(state).to_contain_text("threshold 0.7 is above hold")


def test_devices_follow_a_camera_that_freezes(town: City, operator: Operator) -> None:
    town.heartbeat({"cam-01": CameraState.ONLINE, "cam-02": CameraState.ONLINE})
    town.crossings(27)
    operator.open("/devices")
    expect(operator.page.locator("#devices")).to_contain_text("27")
    town.heartbeat({"cam-01": CameraState.ONLINE, "cam-02": CameraState.FROZEN})
    expect(operator.page.locator("tbody tr", has_text="Gate 02")).to_contain_text("frozen")


def test_a_hub_that_is_gone_is_told_and_its_return_too(
    database_url: str, tmp_path: Path, browser: Browser
) -> None:
    with city(database_url, tmp_path, free_port()) as here:
        context = browser.new_context()
        sign_in(context, here)
        page = context.new_page()
        with running(lambda stop: serve(here.hub, stop)):
            eventually(here.answers)
            page.goto(here.url)
            expect(page.locator("body")).to_have_attribute("data-live", "live")
        expect(page.get_by_text("Connection lost")).to_be_visible()
        with running(lambda stop: serve(here.hub, stop)):
            expect(page.locator("body")).to_have_attribute("data-live", "live")
            expect(page.get_by_text("Connection lost")).to_be_hidden()
        page.context.close()


def test_no_page_overflows_at_any_size(town: City, operator: Operator) -> None:
    number = town.sees(picture=street())
    town.sees("stopped_vehicle", "car", "cam-02", picture=street(False))
    town.reports("A long report " * 40, at=offset(town.centre, 700, 700))
    for path in (*PAGES, f"/events/{number}"):
        for lang in ("en", "zh"):
            operator.open(f"{path}?lang={lang}")
            for scheme, (width, height) in itertools.product(SCHEMES, SIZES):
                operator.page.emulate_media(color_scheme=scheme)
                operator.page.set_viewport_size({"width": width, "height": height})
                wide = operator.page.evaluate("document.documentElement.scrollWidth")
                where = f"{path} in {lang}, {scheme}, at {width} x {height}"
                assert wide <= width, f"{where} is {wide} wide"
