"""Who reported a case rates it: by a link without an account, by API, on the event's page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from gridwarden.cli import main
from hub.domain.actor import Actor, Role
from hub.outward_settings import RatingsConfig
from hub.server import serve
from hub.services.act import Act
from hub.services.act_on_event import act_on_event
from hub.services.context import Hub, open_hub
from hub.services.evidence.keep_photo import keep_photo
from hub.store import audit, events, views
from hub.store.rows import GridEventRow
from tests.hub.api.city import City, city, free_port, offset, system_clock
from tests.hub.api.signing_in import signed_in
from tests.hub.builders import eventually, running
from tests.hub.test_assessment import by_the_store

CHEN = Actor("Chen Jing", Role.DISPATCHER)
UNIT = Actor("cleaner", Role.DEPT)
LI = Actor("Li Na", Role.LEADER)
TRIES = 40


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with city(module_database_url, tmp_path_factory.mktemp("town"), free_port()) as plain:
        settings = replace(plain.hub.config, ratings=RatingsConfig(tries_per_hour=TRIES))
        hub = open_hub(settings, system_clock)
        with running(lambda stop: serve(hub, stop)):
            here = City(hub)
            eventually(here.answers)
            yield here
        hub.close()


@pytest.fixture(autouse=True)
def places(town: City) -> None:
    """Whatever was reported before is too old to be joined, by anything but the same test."""
    town.execute("UPDATE grid_event SET last_seen_at = last_seen_at - interval '90 days'")


@pytest.fixture
def stranger(town: City) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=town.url, timeout=20, trust_env=False) as asks:
        yield asks


_places = iter(range(1, 1000))


def reported(town: City, stranger: httpx.Client, at: int | None = None) -> str:
    """The path of the page by which whoever reported something by Open311 rates it."""
    place = offset(town.centre, 0, 700 * (next(_places) if at is None else at))
    answer = stranger.post(
        "/open311/v2/requests.json",
        data={
            "service_code": "exposed_rubbish",
            "lat": place.lat,
            "long": place.lon,
            "description": "Bags <beside> the bins",
        },
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0]["rating_url"]).removeprefix(town.url)


def event_of(town: City, path: str) -> GridEventRow:
    with town.hub.pool.connection() as conn:
        row = conn.execute(
            "SELECT r.event FROM report r JOIN report_token t ON t.report = r.id"
            " WHERE t.digest = encode(sha256(convert_to(%s, 'UTF8')), 'hex')",
            (path.removeprefix("/rate/"),),
        ).fetchone()
        assert row is not None
        return views.root_of(conn, int(str(row[0])))


def act(hub: Hub, event: GridEventRow, name: str, actor: Actor, **given: object) -> None:
    with hub.pool.connection() as conn:
        act_on_event(conn, hub, event.number, Act(name, **given), actor, None)  # type: ignore[arg-type]


def close(town: City, event: GridEventRow) -> None:
    hub = town.hub
    if event.state == "reported":
        act(hub, event, "file", CHEN)
    act(hub, event, "dispatch", CHEN, responsible_unit="cleaner")
    act(hub, event, "accept", UNIT)
    with hub.pool.connection() as conn:
        after = keep_photo(conn, hub, b"afterwards", "image/jpeg", LI).digest
    act(hub, event, "feedback", UNIT, evidence=(after,))
    act(hub, event, "start_check", LI)
    act(hub, event, "check_pass", LI, closing_condition_met=True)


def fresh(town: City, event: GridEventRow) -> GridEventRow:
    with town.hub.pool.connection() as conn:
        now = events.by_id(conn, event.id)
    assert now is not None
    return now


def ratings(town: City, event: GridEventRow) -> list[int]:
    """What the history says the case got, each time somebody rated it."""
    with town.hub.pool.connection() as conn:
        history = events.history(conn, event.id)
    return [h.facts["given"]["satisfaction"] for h in history if h.name == "rate"]


def is_satisfied(town: City, event: GridEventRow) -> bool | None:
    """What the assessment makes of it."""
    return by_the_store(town.hub, town.hub.now())[event.number].satisfied


def test_a_stranger_rates_by_the_link_and_changes_it_and_the_assessment_counts_it(
    town: City, stranger: httpx.Client
) -> None:
    path = reported(town, stranger)
    event = event_of(town, path)
    assert "still being dealt with" in stranger.get(f"{path}?lang=en").text
    assert stranger.post(path, data={"score": "5"}).status_code == 409

    close(town, event)
    page = stranger.get(f"{path}?lang=en")
    assert page.status_code == 200
    assert page.text.count('name="score"') == 5
    assert "Bags &lt;beside&gt; the bins" in page.text
    assert "<script" not in page.text
    assert is_satisfied(town, event) is None

    done = stranger.post(path, data={"score": "2", "comment": " It still smells "})
    assert (done.status_code, done.headers["location"]) == (303, f"{path}?done=1")
    page = stranger.get(f"{path}?done=1")
    assert "Thank you" in page.text
    assert "It still smells" in page.text
    assert (fresh(town, event).satisfaction, is_satisfied(town, event)) == (2, False)

    assert stranger.post(path, data={"score": "4"}).status_code == 303
    assert (ratings(town, event), is_satisfied(town, event)) == ([2, 4], True)
    with town.hub.pool.connection() as conn:
        entries = audit.entries(conn, action="rate_report", subject=event.number)
        history = events.history(conn, event.id)
    token = path.removeprefix("/rate/")
    assert [(e.via, e.actor, e.address) for e in entries] == [("link", "reporter", "127.0.0.1")] * 2
    assert token not in str(entries)
    assert "smells" not in str(history)  # what somebody wrote can be forgotten


def test_what_is_no_rating_is_refused_and_nothing_is_kept(
    town: City, stranger: httpx.Client
) -> None:
    path = reported(town, stranger)
    event = event_of(town, path)
    close(town, event)
    for score in ("", "0", "6", "four", "4.5", "٤"):
        answer = stranger.post(f"{path}?lang=en", data={"score": score, "comment": "kept text"})
        assert answer.status_code == 422
        assert "Choose one of the five" in answer.text
        assert "kept text" in answer.text
    answer = stranger.post(f"{path}?lang=zh", data={"score": "4", "comment": "长" * 501})
    assert (answer.status_code, "意见过长" in answer.text) == (422, True)
    assert ratings(town, event) == []


def test_a_link_that_is_none_of_ours_says_so_and_nothing_of_the_district(
    town: City, stranger: httpx.Client
) -> None:
    for token in ("nonsense", "A" * 43):
        page = stranger.get(f"/rate/{token}?lang=en")
        assert page.status_code == 404
        assert "none of ours" in page.text
        assert token not in re.sub(r'href="[^"]*"', "", page.text)
    assert stranger.post(f"/rate/{'A' * 43}", data={"score": "5"}).status_code == 404
    assert (
        stranger.post(
            "/rate/x", data={"score": "5"}, headers={"Origin": "https://evil"}
        ).status_code
        == 403
    )


def test_a_rating_too_late_or_of_another_month_is_refused(
    town: City, stranger: httpx.Client
) -> None:
    path = reported(town, stranger)
    event = event_of(town, path)
    close(town, event)
    late = timedelta(days=31)
    town.execute("UPDATE grid_event SET ended_at = ended_at - %s WHERE id = %s", late, event.id)
    page = stranger.get(f"{path}?lang=zh")
    assert "评价期限已过" in page.text
    assert 'name="score"' not in page.text
    assert stranger.post(path, data={"score": "1"}).status_code == 409

    # it was rated in time, and its month is over by now
    town.execute(
        "INSERT INTO rating SELECT t.report, e.id, e.ended_at, 5, 'well done', e.ended_at,"
        " e.ended_at FROM report_token t JOIN report r ON r.id = t.report"
        " JOIN grid_event e ON e.id = r.event WHERE e.id = %s",
        event.id,
    )
    page = stranger.get(f"{path}?lang=en")
    assert "can no longer be changed" in page.text
    assert "well done" in page.text
    assert stranger.post(path, data={"score": "1"}).status_code == 409
    assert ratings(town, event) == []


def test_a_case_that_was_opened_again_says_so_and_is_rated_anew_once_it_is_closed(
    town: City, stranger: httpx.Client
) -> None:
    path = reported(town, stranger)
    event = event_of(town, path)
    close(town, event)
    stranger.post(path, data={"score": "1", "comment": "nothing was done"})
    act(town.hub, event, "reopen", CHEN, reason="nothing was done")
    page = stranger.get(f"{path}?lang=en")
    assert "opened again" in page.text
    assert stranger.post(path, data={"score": "5"}).status_code == 409
    close(town, fresh(town, event))
    page = stranger.get(f"{path}?lang=en")
    assert "nothing was done" not in page.text
    assert stranger.post(path, data={"score": "5"}).status_code == 303
    assert ratings(town, event) == [1, 5]


def test_a_report_that_was_not_taken_says_so(town: City, stranger: httpx.Client) -> None:
    path = reported(town, stranger)
    act(town.hub, event_of(town, path), "refuse", CHEN, reason="A private matter")
    assert "not taken as a case" in stranger.get(f"{path}?lang=en").text


def test_several_reporters_of_one_case_each_have_a_rating_and_the_case_their_mean(
    town: City, stranger: httpx.Client
) -> None:
    place = 700
    paths = [reported(town, stranger, place) for _ in range(3)]
    event = event_of(town, paths[0])
    assert {event_of(town, p).id for p in paths} == {event.id}
    close(town, fresh(town, event))
    with ThreadPoolExecutor(3) as pool:  # at once: none is lost
        answers = list(
            pool.map(
                lambda p: httpx.post(f"{town.url}{p[0]}", data={"score": p[1]}, trust_env=False),
                zip(paths, ("5", "5", "2"), strict=True),
            )
        )
    assert [a.status_code for a in answers] == [303] * 3
    assert ratings(town, event)[-1] == 4
    assert len(ratings(town, event)) == 3


def test_a_signed_in_reporter_rates_by_api_and_sees_it_on_the_page_and_nobody_else_does(
    town: City,
) -> None:
    number = town.reports("A broken lamp", offset(town.centre, 0, 600_000))
    with town.hub.pool.connection() as conn:
        event = views.event(conn, number)
        report = views.reports(conn, event.id)[0].id
    close(town, event)
    who = {"Zhao Lei": Role.ASSISTANT, "Wu Fang": Role.ASSISTANT, "citizen app": Role.CITIZEN}
    cookies = {name: signed_in(town.hub, name, role) for name, role in who.items()}

    def asks(name: str) -> httpx.Client:
        return httpx.Client(base_url=town.url, cookies=cookies[name], timeout=20, trust_env=False)

    with asks("Zhao Lei") as client:
        page = client.get(f"/events/{number}?lang=en").text
        assert "You reported it: how was it dealt with?" in page
        answer = client.get(f"/api/v1/reports/{report}").json()["rating"]
        assert (answer["standing"], answer["score"]) == ("open", None)
        body = {"score": 3, "comment": "It took a week"}
        said = client.post(f"/api/v1/reports/{report}/rating", json=body)
        rated = {"standing": "rated", "until": None, "comment_taken_down_at": None}
        assert said.json() | {"until": None} == body | rated
        wrong = client.post(f"/api/v1/reports/{report}/rating", json={"score": 6})
        assert wrong.status_code == 422
        assert "It took a week" in client.get(f"/events/{number}").text
    with asks("Wu Fang") as client:
        assert client.get(f"/api/v1/reports/{report}").json()["rating"] is None
        assert 'id="rate"' not in client.get(f"/events/{number}").text
        refused = client.post(f"/api/v1/reports/{report}/rating", json=body)
        assert refused.status_code == 404
    with asks("citizen app") as client:
        assert client.post(f"/api/v1/reports/{report}/rating", json=body).status_code == 404
    with town.hub.pool.connection() as conn:
        step = events.history(conn, event.id)[-1]
    assert (step.name, step.actor, step.role) == ("rate", "Zhao Lei", "citizen")


def test_nobody_rates_their_own_work(town: City) -> None:
    number = town.reports("A lamp", offset(town.centre, 0, 650_000))
    with town.hub.pool.connection() as conn:
        event = views.event(conn, number)
        report = views.reports(conn, event.id)[0].id
    zhao = Actor("Zhao Lei", Role.ASSISTANT)
    act(town.hub, event, "file", CHEN)
    act(town.hub, event, "dispatch", CHEN, responsible_unit="cleaner")
    act(town.hub, event, "accept", zhao)
    with town.hub.pool.connection() as conn:
        after = keep_photo(conn, town.hub, b"afterwards", "image/jpeg", LI).digest
    act(town.hub, event, "feedback", zhao, evidence=(after,))
    act(town.hub, event, "start_check", LI)
    act(town.hub, event, "check_pass", LI, closing_condition_met=True)
    cookies = signed_in(town.hub, "Zhao Lei", Role.ASSISTANT)
    with httpx.Client(base_url=town.url, cookies=cookies, timeout=20, trust_env=False) as client:
        refused = client.post(f"/api/v1/reports/{report}/rating", json={"score": 5})
        assert refused.status_code == 403
        assert "nobody rates their own work" in refused.json()["detail"]
        assert 'id="rate"' not in client.get(f"/events/{number}").text


def comments(town: City) -> list[str]:
    with town.hub.pool.connection() as conn:
        return [str(c) for (c,) in conn.execute("SELECT comment FROM rating WHERE comment <> ''")]


def test_the_station_master_takes_a_comment_down_and_the_score_stays(
    town: City, stranger: httpx.Client
) -> None:
    path = reported(town, stranger)
    event = event_of(town, path)
    close(town, event)
    insult = "Old Wang of number 7 is a thief"
    stranger.post(path, data={"score": "1", "comment": insult})
    with town.hub.pool.connection() as conn:
        report = views.reports(conn, event.id)[0].id
    take_down = f"/api/v1/reports/{report}/rating/take-down"
    because = {"reason": "names a neighbour"}

    def asks(name: str, role: Role) -> httpx.Client:
        cookies = signed_in(town.hub, name, role)
        return httpx.Client(base_url=town.url, cookies=cookies, timeout=20, trust_env=False)

    with asks("Li Na", Role.LEADER) as leader:
        assert leader.post(take_down, json=because).status_code == 403
        assert take_down not in leader.get(f"/events/{event.number}").text
    with asks("Sun Yi", Role.MASTER) as master:
        assert take_down in master.get(f"/events/{event.number}").text
        assert master.post(take_down, json={"reason": " "}).status_code == 422
        by_name = {"name": "take_down_comment", "reason": "x"}
        refused = master.post(f"/api/v1/events/{event.number}/acts", json=by_name)
        assert (refused.status_code, "take-down" in refused.json()["detail"]) == (422, True)
        assert insult in comments(town)
        assert master.post(take_down, json=because).status_code == 204
        assert master.post(take_down, json=because).status_code == 409
        page = master.get(f"/events/{event.number}?lang=en").text
        assert "the comment was taken down" in page
        assert "names a neighbour" in page
        assert insult not in page
        nobodys = take_down.replace(f"/{report}/", "/999999/")
        assert master.post(nobodys, json=because).status_code == 404
    assert insult not in comments(town)
    assert (fresh(town, event).satisfaction, is_satisfied(town, event)) == (1, False)
    with town.hub.pool.connection() as conn:
        step = events.history(conn, event.id)[-1]
        entries = audit.entries(conn, action="take_down", subject=str(report))
    assert (step.name, step.actor, step.reason) == (
        "take_down_comment",
        "Sun Yi",
        because["reason"],
    )
    assert step.facts["given"] == {"report": report}
    assert [e.outcome for e in entries] == ["refused", "done", "refused", "refused"]

    page = stranger.get(f"{path}?lang=en").text
    assert "Your comment was taken down" in page
    assert "<textarea" not in page
    assert stranger.post(path, data={"score": "2", "comment": insult}).status_code == 409
    assert stranger.post(path, data={"score": "2"}).status_code == 303
    assert (fresh(town, event).satisfaction, insult in comments(town)) == (2, False)


def test_comments_are_listed_and_taken_down_at_the_command_line(
    town: City,
    stranger: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = reported(town, stranger)
    event = event_of(town, path)
    close(town, event)
    stranger.post(path, data={"score": "4", "comment": "Thanks to\nWang, 13800000000"})
    for name, value in {
        "DATABASE__URL": town.hub.config.database.url,
        "HUB__DATA_DIR": str(town.hub.config.hub.data_dir),
    }.items():
        monkeypatch.setenv(f"GRIDWARDEN_HUB__{name}", value)

    def told(*words: str) -> str:
        assert main(["ratings", *words]) == 0
        return capsys.readouterr().out

    line = told("list", "--event", event.number)
    report = line.split()[1]
    assert f"{event.number}  4 of 5" in line
    assert line.endswith("Thanks to Wang, 13800000000\n")
    assert line in told("list")
    assert "4 of 5 stays" in told("take-down", report, "--reason", "a telephone number")
    assert told("list", "--event", event.number) == ""
    assert main(["ratings", "take-down", report, "--reason", "again"]) == 1
    with town.hub.pool.connection() as conn:
        (entry,) = audit.entries(conn, subject=event.number, action="take_down")
    assert (entry.via, entry.detail) == ("command", f"report {report}: a telephone number")
    assert fresh(town, event).satisfaction == 4


def test_whoever_tries_many_links_is_held_up(town: City, stranger: httpx.Client) -> None:
    """The last of the file: this address is used up."""
    path = reported(town, stranger)
    answers = [stranger.get(f"/rate/guess-{i}?lang=en") for i in range(TRIES + 1)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 60
    assert "Too many tries" in answers[-1].text
    assert stranger.post(path, data={"score": "5"}).status_code == 429
    assert stranger.get(path).status_code == 200  # to look at one's own is free
