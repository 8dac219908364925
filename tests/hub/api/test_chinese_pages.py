"""A console in Chinese has no English word on it, whoever looks, whatever has happened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import reduce
from typing import Any

import httpx
import pytest

from contract.taxonomy import CameraState, Category
from detectors.kit import reading_registry, registry
from detectors.kit.params import schema
from hub.api.access import PEOPLE
from hub.api.detector_words import KINDS_ZH, SUMMARIES_ZH, parameter_zh
from hub.api.refusal_words import refusal_zh
from hub.api.refusal_words.needs import NEEDS_ZH
from hub.domain.actor import Actor, Role
from hub.domain.guards import GUARDS
from hub.domain.people import Post
from hub.domain.responsibility import Assignment
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.evidence.keep_photo import keep_photo
from hub.services.outward.share_outbox import share_outbox
from hub.store import duty, people, units, views
from hub.store.duty import NewShift
from hub.store.people import PersonRow
from hub.store.units import UnitRow
from hub.store.view_rows import EventFilter, EventSummary
from tests.hub.api.city import City, offset, street, town_with_cameras
from tests.hub.api.latin import latin_words
from tests.hub.api.signing_in import signed_in
from tests.hub.staff import BEGUN, day

# what Chinese readers know by these letters, and the names that this town's things have
ALLOWED = frozenset(
    {"Gridwarden", "UTC", "CSV", "Ctrl", "Alt", "Webhook", "CloudEvents", "Wilson", "SHA", "kB"}
    | {"Gate", "Chrome", "Linux", "HTTP", "LoRaWAN", "Modbus", "Tasmota"}
    | {"test"}  # the browser that these sign in with
)
# what this town's people and things call themselves, and say
OF_ITS_OWN = ("Zhao Lei", "not JSON", "Samples of the window that must speak for it")
PATHS = (
    "/",
    "/work",
    "/events",
    "/report",
    "/devices",
    "/tuning",
    "/completeness",
    "/quarantine",
    "/quarantine/1",
    "/windows",
    "/trust",
    "/district",
    "/district?tab=people",
    "/district?tab=matrix",
    "/notices",
    "/webhooks",
    "/assessment",
    "/assessment/events?of=closing_rate",
    "/account",
    "/audit",
    "/nothing",
)
WHO = {
    Role.DISPATCHER: ("D001", "陈静"),
    Role.MASTER: ("M001", "孙毅"),
    Role.SUPERVISOR: ("S001", "周海"),
    Role.LEADER: ("L001", "李娜"),
    Role.ASSISTANT: ("A001", "赵磊"),
    Role.DEPT: ("U001", "吴芳"),
}


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with town_with_cameras(module_database_url, tmp_path_factory.mktemp("town")) as here:
        live_in(here)
        yield here


def asks(town: City, role: Role) -> httpx.Client:
    cookies = signed_in(town.hub, WHO[role][0], role) | {"lang": "zh"}
    return httpx.Client(
        base_url=town.url,
        cookies=cookies,
        headers={"Accept": "text/html", "User-Agent": "Chrome/ Linux"},
        timeout=20,
        trust_env=False,
        follow_redirects=True,
    )


def live_in(town: City) -> None:
    """Everybody did something, and something was refused to most."""
    hire_all(town)
    town.heartbeat({"cam-01": CameraState.ONLINE, "cam-02": CameraState.FROZEN})
    town.crossings(3)
    town.sees(picture=street(), at=town.centre, lasted_s=5.0)  # filed and sent by itself
    glare = town.sees("smoke", "smoke", "cam-02", picture=street(seed=2))
    town.sees("stopped_vehicle", "stopped_vehicle", "cam-02", at=offset(town.centre, 0, 2000))
    close(town, town.reports("井盖缺失", offset(town.centre, 0, 4000)))
    town.reports("路灯不亮", offset(town.centre, 0, 6000))
    town.refused("not JSON", agent="demo-01")
    with asks(town, Role.DISPATCHER) as client:
        client.post(
            f"/api/v1/events/{glare}/verdict",
            json={
                "verdict": "false_alarm",
                "reason": "steam, dust or fog",
                "evidence_viewed": True,
            },
        ).raise_for_status()
        client.put(
            "/api/v1/agents/demo-01/streams/cam-01/detectors/flame/parameters",
            json={"parameters": {"threshold": 0.6}},
        ).raise_for_status()
        client.post("/api/v1/webhooks", json={"url": "https://receiver.example/hub"})
    for role in PEOPLE:
        with asks(town, role) as client:
            client.get("/audit")  # refused to most
    with town.hub.pool.connection() as conn:
        while share_outbox(conn, town.hub):  # as the process does that tells others
            pass


def hire_all(town: City) -> None:
    cell = town.hub.grid.locate(town.centre, town.hub.now())
    assert cell is not None
    now = town.hub.now()
    with town.hub.pool.connection() as conn:
        named = (("fire", "Fire Brigade", "消防救援大队"), ("urban", "Urban Management", "城管局"))
        units.save_units(
            conn, [UnitRow(c, "department", en, zh, None, "", "", None) for c, en, zh in named]
        )
        for what, unit in ((Category.FIRE_SAFETY, "fire"), (Category.URBAN_MANAGEMENT, "urban")):
            units.assign(conn, [Assignment(what, None, cell.code[:6], unit, BEGUN, None)], BEGUN)
        for role, (code, name) in WHO.items():
            area = cell.code if role is Role.ASSISTANT else cell.code[:12]
            place = area if role in (Role.ASSISTANT, Role.LEADER) else None
            own = "urban" if role is Role.DEPT else None
            people.save_people(conn, [PersonRow(code, name, own, "", "", "zh", False, None)])
            people.set_posts(conn, [code], [Post(code, role, place, own, BEGUN, None)], BEGUN)
            duty.save_shifts(conn, [NewShift(code, None, *day(now))])


def close(town: City, number: str) -> None:
    hub = town.hub
    desk, unit = (
        Actor(WHO[Role.DISPATCHER][0], Role.DISPATCHER),
        Actor(WHO[Role.DEPT][0], Role.DEPT),
    )
    leader = Actor(WHO[Role.LEADER][0], Role.LEADER)
    with hub.pool.connection() as conn:
        after = keep_photo(conn, hub, b"afterwards", "image/jpeg", leader).digest
        for act, who in (
            (Act("file"), desk),
            (Act("dispatch", responsible_unit="urban"), desk),
            (Act("accept"), unit),
            (Act("feedback", evidence=(after,), note="已补装"), unit),
            (Act("start_check"), leader),
            (Act("check_pass", closing_condition_met=True), leader),
        ):
            act_on_event(conn, hub, number, act, who, None)


@pytest.mark.parametrize("role", WHO)
def test_no_page_has_an_english_word_on_it(town: City, role: Role) -> None:
    found: dict[str, str] = {}
    with asks(town, role) as client:
        listed = re.findall(r'href="(/events/[0-9-]+)"', client.get("/events").text)
        panes = [path.replace("/events/", "/triage/events/") for path in listed]
        for path in (*PATHS, *dict.fromkeys(listed), *dict.fromkeys(panes)):
            page = client.get(path)
            assert page.status_code in (200, 403, 404), path
            without = reduce(lambda text, own: text.replace(own, ""), OF_ITS_OWN, page.text)
            for word, text in latin_words(without):
                if word not in ALLOWED:
                    found.setdefault(word, f"{path}: {text[:200]}")
    assert found == {}


def test_what_was_filed_and_told_by_itself_is_said_in_chinese(town: City) -> None:
    with asks(town, Role.DISPATCHER) as client:
        fire = next(e for e in town_events(town) if e.subcategory == "burning_or_fire")
        page = client.get(f"/events/{fire.number}").text
        assert page.count("已立即派遣至消防救援大队") == 2  # where it stands, and in its history
        assert "→ 消防救援大队" in page
        assert "<dd>消防救援大队</dd>" in page
        assert "已自动立案，请认可：明火" in client.get("/notices").text
    with asks(town, Role.DISPATCHER) as client:
        english = client.get(f"/events/{fire.number}?lang=en").text
        assert "sent to Fire Brigade at once" in english


def town_events(town: City) -> list[EventSummary]:
    with town.hub.pool.connection() as conn:
        return views.events(conn, EventFilter(), None, 50)


def test_the_day_of_another_year_has_its_year(town: City) -> None:
    closed = next(e for e in town_events(town) if e.state == "closed")
    long_ago = timedelta(days=800)
    town.execute(
        "UPDATE grid_event SET ended_at = ended_at - %s WHERE number = %s", long_ago, closed.number
    )
    with asks(town, Role.DISPATCHER) as client:
        kept = re.search(r"保存至 (\d{4})年", client.get(f"/events/{closed.number}").text)
        assert kept is not None
        english = client.get(f"/events/{closed.number}?lang=en").text
        assert re.search(rf"Kept until \w{{3}} \d+ \w{{3}} {kept[1]}", english)
    assert int(kept[1]) < town.hub.now().year


def test_a_refusal_is_in_chinese_where_the_console_is_and_in_english_to_programs(
    town: City,
) -> None:
    fire = next(e for e in town_events(town) if e.subcategory == "burning_or_fire")
    path = f"/api/v1/events/{fire.number}/acts"
    asked = {"name": "reopen"}, {"name": "supervise"}, {"name": "recall"}, {"name": "dispatch"}
    with asks(town, Role.DISPATCHER) as client:
        told = [client.post(path, json=body) for body in asked]
        stale = client.post(path, json={"name": "comment", "expected_version": 1})
        client.cookies.delete("lang")
        english = client.post(path, json=asked[0])
    assert [answer.json()["detail"] for answer in told] == [
        "无法“重新立案”：事件当前为“派遣/待接收”，仅可在以下状态进行：结案、不予立案、作废",
        "“督办”不适用于值班，适用于：规则、督查",
        "“撤回作废”需要：不予立案的原因",
        "无法“派遣”：事件当前为“派遣/待接收”，仅可在以下状态进行：立案/待派遣",
    ]
    assert told[0].headers["content-language"] == "zh"
    assert "已由 自动立案规则 执行“派遣”" in stale.json()["detail"]
    assert english.json()["detail"].startswith("reopen is not possible on an event")
    assert "content-language" not in english.headers


def test_refusals_of_every_part_are_chinese_in_the_console_and_english_to_programs(
    town: City,
) -> None:
    parameters = "/api/v1/agents/demo-01/streams/cam-01/detectors/flame/parameters"
    asks_of = {
        ("PUT", parameters, '{"parameters": {"size": 1}}'): "cam-01 的检测器“明火”没有参数 size",
        ("POST", "/api/v1/webhooks", '{"url": "https://a.example", "cell": "x"}'): "“body.cell”",
        ("POST", "/api/v1/webhooks", '{"url": "ftp://a.example"}'): "ftp://a.example 不是有效地址",
        ("POST", "/api/v1/quarantine/1/give-up", '{"reason": " "}'): "请说明放弃该记录的原因",
        ("GET", "/api/v1/agents/demo-01/sensors/none", ""): "传感器 demo-01/none 不存在",
        ("POST", "/api/v1/reports", "{}"): "“情况描述”必填",
        ("POST", "/api/v1/tasks/999999/answer", '{"answer": "exists"}'): "任务 999999 不存在",
    }
    with asks(town, Role.DISPATCHER) as client:
        for (method, path, body), chinese in asks_of.items():
            headers = {"Accept": "application/json", "Content-Type": "application/json"}
            told = client.request(method, path, content=body, headers=headers)
            assert chinese in told.json()["detail"], told.text
            assert told.headers["content-language"] == "zh"
            english = client.request(
                method, path, content=body, headers=headers | {"Cookie": own_session(client)}
            )
            assert english.status_code == told.status_code
            assert english.json()["detail"].isascii(), english.text
            assert "content-language" not in english.headers
        elsewhere = client.post("/api/v1/reports", headers={"Origin": "https://other.example"})
        assert elsewhere.json()["detail"].startswith("该请求来自 https://other.example 的页面")
    stranger = httpx.get(f"{town.url}/api/v1/me", cookies={"lang": "zh"}, trust_env=False)
    assert (stranger.status_code, stranger.json()["detail"]) == (401, "尚未登录，请先登录")
    program = httpx.get(f"{town.url}/api/v1/me", trust_env=False)
    assert program.json()["detail"].startswith("nobody is signed in: sign in at /sign-in")


def own_session(client: httpx.Client) -> str:
    """The cookies without that of the language, as a program sends them."""
    return "; ".join(f"{c.name}={c.value}" for c in client.cookies.jar if c.name != "lang")


def test_a_refusal_that_is_not_known_or_too_long_stays_as_it_is() -> None:
    assert refusal_zh("the moon is in the way", {}) == "the moon is in the way"
    assert refusal_zh("reason is empty", {}) == "“原因”不能为空"
    assert refusal_zh("there is no task '{0}'", {}) == "任务 {0} 不存在"
    hostile = "this is for " + "a; you are signed in as b, " * 1000 + "!"
    assert refusal_zh(hostile, {}) == hostile


def test_whatever_a_step_needs_has_chinese_words() -> None:
    assert set(GUARDS) <= set(NEEDS_ZH)


def test_every_detector_and_parameter_of_ours_has_chinese_words() -> None:
    every: dict[str, Any] = {
        **registry.available(),
        **reading_registry.available(),
        **reading_registry.area_detectors(),
    }
    assert set(every) <= set(KINDS_ZH)
    assert set(every) <= set(SUMMARIES_ZH)
    missing = [
        f"{kind}.{name}"
        for kind, detector in every.items()
        for name in schema(detector.Params)["properties"]
        if not parameter_zh(kind, name, "")
    ]
    assert missing == []


def test_latin_words_are_found_where_people_read_them() -> None:
    page = (
        '<p title="A title">明火 flame <code>code</code> <b lang="en">word</b> demo-01 x_y 3 m</p>'
        '<svg><path d="M0"/><text>axis</text></svg>'
    )
    assert [word for word, _ in latin_words(page)] == ["title", "flame", "axis"]
