"""Units, people, duty, the grid's upkeep, the base registry and training, as programs use them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from contract.geometry import Point
from gridwarden.district import CENTRE, DISTRICT, build_district, to_geojson
from hub.domain.actor import Actor, Role
from hub.domain.errors import ForbiddenError, NotAllowedError
from hub.domain.training import Answer, Marks, mark
from hub.services.reach import check_evidence_reach
from hub.services.registry import base_registry, train
from hub.store.registry import EntryFacts
from tests.hub.api.city import City, offset, street, town_with_cameras
from tests.hub.api.problems import problem
from tests.hub.api.signing_in import signed_in

CELL = "410105001001001"
BEYOND = "410105002001001"
_names = (f"x{n}" for n in itertools.count(1))


@pytest.fixture(scope="module")
def town(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One city for all tests of this file: each uses names of its own."""
    with town_with_cameras(module_database_url, tmp_path_factory.mktemp("town")) as here:
        yield here


@pytest.fixture(scope="module")
def client(town: City) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=f"{town.url}/api/v1", cookies=signed_in(town.hub), timeout=20, trust_env=False
    ) as asks:
        yield asks


def rows(town: City, table: str) -> list[Any]:
    with town.hub.pool.connection() as conn:
        return conn.execute(f"SELECT * FROM {table} ORDER BY 1, 2".encode()).fetchall()


def unit(client: httpx.Client, **said: Any) -> str:
    code = next(_names)
    named = {"kind": "department", "name_en": f"Unit {code}", "name_zh": f"单位{code}"}
    assert client.put(f"/units/{code}", json=named | said).status_code == 200
    return code


def person(client: httpx.Client, *posts: dict[str, Any], **said: Any) -> str:
    code = next(_names)
    body = {"name": f"王{code}", "posts": list(posts)} | said
    response = client.put(f"/people/{code}", json=body)
    assert response.status_code == 200, response.text
    return code


def on_shift(client: httpx.Client, code: str) -> None:
    now = datetime.now(UTC)
    times = {"begins_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=7)}
    body = {"person": code} | {k: v.isoformat() for k, v in times.items()}
    assert client.post("/shifts", json=body).status_code == 204


def test_a_unit_is_made_changed_and_closed_once_it_answers_for_nothing(
    client: httpx.Client,
) -> None:
    above = unit(client)
    code = unit(client, parent=above, phone="110")
    assert client.get(f"/units/{code}").json()["parent"] == above
    problem(
        client.put(
            f"/units/{above}",
            json={"kind": "station", "name_en": "A", "name_zh": "甲", "parent": code},
        ),
        422,
    )

    entry = {"category": "land_supervision", "cell": CELL, "unit": code}
    assert client.post("/responsibility", json=entry).status_code == 204
    answers = client.get(
        "/responsibility/unit", params={"category": "land_supervision", "cell": CELL}
    )
    assert answers.json()["code"] == code
    refused = problem(client.post(f"/units/{code}/close"), 409)
    assert "give them to another one first" in refused["detail"]
    (known,) = client.get("/responsibility", params={"unit": code}).json()
    assert client.post(f"/responsibility/{known['id']}/withdraw").status_code == 204
    problem(client.post(f"/responsibility/{known['id']}/withdraw"), 404)
    assert client.post(f"/units/{code}/close").json()["closed_at"] is not None
    assert code not in [u["code"] for u in client.get("/units").json()]
    assert code in [u["code"] for u in client.get("/units?closed=true").json()]
    problem(client.post("/responsibility", json=entry), 422)


def test_where_nobody_answers_it_says_so(client: httpx.Client) -> None:
    asked = {"category": "letters_and_visits", "cell": CELL}
    problem(client.get("/responsibility/unit", params=asked), 404)
    problem(client.get("/responsibility/unit", params=asked | {"at": "2026-01-01T00:00"}), 422)
    wrong = {"category": "fire_safety", "subcategory": "litter", "cell": DISTRICT, "unit": "x"}
    assert "'litter'" in problem(client.post("/responsibility", json=wrong), 422)["detail"]


def test_a_person_has_posts_until_they_leave(client: httpx.Client) -> None:
    code = person(client, {"role": "leader", "cell": CELL[:12]}, {"role": "master"})
    changed = client.put(
        f"/people/{code}", json={"name": "王静", "posts": [{"role": "master"}]}
    ).json()
    assert [(p["role"], p["to_at"] is None) for p in changed["posts"]] == [
        ("leader", False),
        ("master", True),
    ]

    left = client.post(f"/people/{code}/leave").json()
    assert left["left_at"]
    assert all(p["to_at"] for p in left["posts"])
    assert client.get("/people", params={"text": code}).json()["people"] == []
    found = client.get("/people", params={"text": code, "left": True}).json()["people"]
    assert [p["name"] for p in found] == ["王静"]
    problem(client.get("/people/nobody"), 404)
    wrong = {"name": "A", "posts": [{"role": "assistant", "cell": CELL[:12]}]}
    assert "15 digits" in problem(client.put("/people/y", json=wrong), 422)["detail"]


def test_posts_are_rights_so_nobody_gives_more_than_they_may(
    town: City, client: httpx.Client
) -> None:
    code = person(client, {"role": "assistant", "cell": CELL})
    itself = {"name": "A", "posts": [{"role": "supervisor"}]}
    told = problem(client.put(f"/people/{code}", json=itself), 403)
    assert told["needs_role"] == ["supervisor"]

    of_cell = signed_in(town.hub, "master of one cell", Role.MASTER, cells=(CELL,))
    with httpx.Client(base_url=client.base_url, cookies=of_cell, trust_env=False) as master:
        wider = {"name": "A", "posts": [{"role": "master"}]}
        assert problem(master.put(f"/people/{code}", json=wider), 403)["cells"] == [CELL]
        entry = {"category": "fire_safety", "cell": CELL[:6], "unit": unit(client)}
        problem(master.post("/responsibility", json=entry), 403)
        assert master.post(f"/people/{code}/leave").status_code == 200
        problem(master.post(f"/people/{person(client, {'role': 'master'})}/leave"), 403)


def test_people_are_listed_in_pages(client: httpx.Client) -> None:
    home = unit(client)
    codes = sorted(person(client, unit=home) for _ in range(3))
    first = client.get("/people", params={"unit": home, "limit": 2}).json()
    rest = client.get("/people", params={"unit": home, "limit": 2, "cursor": first["next"]}).json()
    assert [p["code"] for p in first["people"] + rest["people"]] == codes
    assert rest["next"] is None
    problem(client.get("/people", params={"cursor": "no code"}), 422)


def test_the_nearest_on_duty_is_found_by_the_position_they_sent(client: httpx.Client) -> None:
    near, far = (person(client, {"role": "assistant", "cell": CELL}) for _ in range(2))
    for code, lon in ((near, 113.61), (far, 113.66)):
        on_shift(client, code)
        sent = client.put(f"/people/{code}/position", json={"lon": lon, "lat": 34.76})
        assert sent.status_code == 204
    asked: dict[str, Any] = {"role": "assistant", "cell": CELL, "lon": 113.60, "lat": 34.76}
    assert [p["code"] for p in client.get("/duty", params=asked).json()] == [near, far]
    shown = client.get("/duty/positions").json()["features"]
    assert [113.61, 34.76] in [f["geometry"]["coordinates"] for f in shown]

    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    wrong = {"lon": 113.61, "lat": 34.76, "at": tomorrow}
    assert (
        "set the clock"
        in problem(client.put(f"/people/{near}/position", json=wrong), 422)["detail"]
    )
    problem(client.get("/duty", params={"role": "assistant", "lon": 1}), 422)


def test_a_shift_can_be_taken_back(client: httpx.Client) -> None:
    code = person(client, {"role": "assistant", "cell": CELL})
    on_shift(client, code)
    (shift,) = client.get("/shifts", params={"person": code}).json()["shifts"]
    assert client.delete(f"/shifts/{shift['id']}").status_code == 204
    problem(client.delete(f"/shifts/{shift['id']}"), 404)
    assert client.get("/shifts", params={"person": code}).json()["shifts"] == []
    begin = "2026-11-24T08:00:00+08:00"
    for body in (
        {"person": "nobody", "begins_at": begin, "ends_at": "2026-11-24T16:00:00+08:00"},
        {"person": code, "begins_at": begin, "ends_at": begin},
        {"person": code, "begins_at": "2026-11-24T08:00:00", "ends_at": begin},
    ):
        problem(client.post("/shifts", json=body), 422)


def test_readiness_lists_what_each_cell_lacks(town: City, client: httpx.Client) -> None:
    cell = "410105006005010"
    before = client.get("/readiness", params={"cell": cell}).json()
    assert [g["need"] for g in before["gaps"]] == [
        "leader",
        "assistant",
        "terminal",
        "account",
        "budget_line",
    ]

    person(client, {"role": "leader", "cell": cell[:12]})
    trainee = person(client, {"role": "assistant", "cell": cell}, in_training=True)
    gaps = client.get("/readiness", params={"cell": cell}).json()["gaps"]
    (assistant,) = (g for g in gaps if g["need"] == "assistant")
    assert assistant["detail"] == f"{trainee} is in training for assistant of {cell}"

    code = person(client, {"role": "assistant", "cell": cell})
    town.execute("INSERT INTO terminal (code, person) VALUES ('t1', %s)", code)
    town.execute("INSERT INTO budget_line VALUES (%s, extract(year FROM now()), 100)", cell)
    town.execute(
        "INSERT INTO account (login, login_key, role, person, created_at, created_by) "
        "VALUES (%s, lower(%s), 'assistant', %s, now(), 'test')",
        *[code] * 3,
    )
    after = client.get("/readiness", params={"cell": cell}).json()
    assert after["gaps"] == []
    assert "fire_safety" in after["unassigned"][cell]


def test_the_grid_is_imported_with_a_dry_run_a_report_and_a_clear_error(
    client: httpx.Client,
) -> None:
    document = to_geojson(build_district())
    document["features"][1]["properties"]["name_en"] = "Renamed"
    dry = client.post("/grid/import", params={"dry_run": True}, json=document).json()
    assert (dry["done"], dry["changed"], dry["unchanged"]) == (False, ["410105001001"], 330)
    assert set(dry["report"]["counts"]) <= {"no_owner"}
    before = datetime.now(UTC)

    assert client.post("/grid/import", json=document).json()["done"] is True

    cells = {f["id"]: f for f in client.get("/grid", params={"level": 2}).json()["features"]}
    assert cells["410105001001"]["properties"]["name_en"] == "Renamed"
    then = client.get("/grid", params={"level": 2, "at": before.isoformat()}).json()["features"]
    assert "Renamed" not in [f["properties"]["name_en"] for f in then]
    report = client.get("/grid/report").json()
    assert report["counts"]["no_owner"] == len(report["features"])
    document["features"][1]["properties"]["name_zh"] = ""
    told = problem(client.post("/grid/import", json=document), 422)["detail"]
    assert told.startswith("feature 2 of the grid: property `name_zh`")


def test_an_entry_of_the_registry_is_edited_by_who_saw_its_last_version(
    client: httpx.Client,
) -> None:
    said = {"kind": "place", "name": "Timber yard", "lon": CENTRE.lon, "lat": CENTRE.lat}
    made = client.post("/registry", json=said | {"attributes": {"风险": "堆放木材"}})
    assert made.status_code == 201
    entry = made.json()
    assert entry["cell"].startswith(DISTRICT)
    at = f"/registry/{entry['id']}"
    assert made.headers["Location"] == f"/api/v1{at}"
    assert [e["id"] for e in client.get("/registry?text=木材").json()["entries"]] == [entry["id"]]
    assert client.get("/registry?kind=thing").json()["entries"] == []

    changed = client.put(at, json=said | {"name": "Yard"}, headers={"If-Match": '"1"'})
    assert changed.headers["ETag"] == '"2"'
    told = problem(client.put(at, json=said, headers={"If-Match": '"1"'}), 409)
    assert (told["version"], told["actor"]) == (2, "Chen Jing")
    assert client.post(f"{at}/retire", json={"expected_version": 2}).json()["retired_at"]
    assert client.get("/registry?text=Yard").json()["entries"] == []
    assert client.post(f"{at}/restore", json={}).json()["retired_at"] is None
    problem(client.get("/registry/999999"), 404)
    problem(client.post("/registry", json={"kind": "place", "name": "A", "lon": 1}), 422)
    problem(client.post("/registry", json={"kind": "matter", "name": "A", "cell": "410106"}), 422)


def test_an_assistant_enters_what_lies_in_their_own_cell_only(town: City) -> None:
    assistant = Actor("zhao", Role.ASSISTANT, (CELL,))
    officer = Actor("li", Role.DEPT, unit="urban")
    there = EntryFacts("thing", "Hydrant", CELL, None, None, {})
    beyond = EntryFacts("thing", "Hydrant", CELL[:14] + "2", None, None, {})
    with town.hub.pool.connection() as conn:
        assert base_registry.enter(conn, town.hub, there, assistant).created_by == "zhao"
        assert base_registry.enter(conn, town.hub, beyond, officer).created_by == "li"
        with pytest.raises(ForbiddenError, match=f"you may act in {CELL} only"):
            base_registry.enter(conn, town.hub, beyond, assistant)


def test_an_event_shows_what_it_concerns_and_an_entry_its_events(
    town: City, client: httpx.Client
) -> None:
    number = town.reports("Rubbish burns behind the yard")
    said = {"kind": "organisation", "name": "金属回收公司"}
    entry = client.post("/registry", json=said).json()["id"]
    links = f"/events/{number}/entries"
    for _ in range(2):
        (link,) = client.post(links, json={"entry": entry, "relation": "caused_by"}).json()
    assert (link["name"], link["relation"], link["linked_by"]) == (
        "金属回收公司",
        "caused_by",
        "Chen Jing",
    )
    assert [e["event"] for e in client.get(f"/registry/{entry}/events").json()["links"]] == [number]
    page = client.get(f"{town.url}/events/{number}")
    assert "金属回收公司" in page.text

    client.post(f"/registry/{entry}/retire", json={})
    problem(client.post(links, json={"entry": entry, "relation": "at"}), 422)
    problem(client.post(links, json={"entry": 999_999}), 422)
    assert client.get(links).json() == [link]
    assert client.delete(f"{links}/{link['id']}").json() == []
    problem(client.delete(f"{links}/{link['id']}"), 404)
    problem(client.get("/events/none/entries"), 404)


REAL = ("grid_event", "grid_event_history", "verdict", "detection", "report")


def test_somebody_in_training_answers_recorded_detections_and_no_event_changes(
    town: City, client: httpx.Client
) -> None:
    seen = [town.sees(at=offset(CENTRE, 0, 1500.0 * n), picture=street()) for n in range(3)]
    for number, verdict in zip(seen, ("confirmed", "false_alarm"), strict=False):
        body = {"verdict": verdict, "reason": "reflection", "evidence_viewed": True}
        judged = client.post(f"/events/{number}/verdict", json=body)
        assert judged.status_code == 200, judged.text
    before = [rows(town, table) for table in REAL]
    trainee = person(client, {"role": "assistant", "cell": CELL}, in_training=True)

    made = client.post("/training/sets", json={"name": "Fire or not", "latest": 2}).json()
    problem(client.post("/training/sets", json={"name": "Fire or not"}), 422)
    go = client.post(f"/training/sets/{made['id']}/attempts", json={"person": trainee}).json()
    assert (made["items"], go["key"], go["marks"]) == (2, None, None)
    assert all(i["picture"] for i in go["items"])
    at = f"/training/attempts/{go['id']}"
    for n in (1, 2):
        answered = client.put(f"{at}/answers/{n}", json={"answer": "confirmed"})
        assert answered.status_code == 204
    problem(client.put(f"{at}/answers/3", json={"answer": "confirmed"}), 422)
    elsewhere = Actor(trainee, Role.ASSISTANT, (CELL,))
    with town.hub.pool.connection() as conn:
        check_evidence_reach(conn, go["items"][0]["picture"], elsewhere)
    over = client.post(f"{at}/finish").json()
    with town.hub.pool.connection() as conn, pytest.raises(ForbiddenError):
        check_evidence_reach(conn, go["items"][0]["picture"], elsewhere)

    assert over["marks"] == {
        "items": 2,
        "right": 1,
        "missed": 0,
        "false_alarms": 1,
        "score": 0.5,
        "passed": False,
    }
    assert set(over["key"].values()) == {"confirmed", "false_alarm"}
    problem(client.put(f"{at}/answers/1", json={"answer": "confirmed"}), 409)
    assert [a["score"] for a in client.get(f"/training/people/{trainee}").json()] == [0.5]
    assert [rows(town, table) for table in REAL] == before
    problem(client.post("/training/sets/999/attempts", json={"person": trainee}), 404)
    assert client.post(f"/training/sets/{made['id']}/retire").status_code == 204
    problem(client.post(f"/training/sets/{made['id']}/attempts", json={"person": trainee}), 409)


def test_the_score_is_the_share_of_right_answers_and_no_answer_is_a_wrong_one() -> None:
    fire, alarm = Answer.CONFIRMED, Answer.FALSE_ALARM
    key = {1: fire, 2: fire, 3: alarm, 4: alarm}
    given = {1: fire, 2: alarm, 3: fire, 9: fire}
    assert mark(key, given, 0.25) == Marks(4, 1, 1, 1, 0.25, True)
    assert mark({}, given, 0.25) == Marks(0, 0, 0, 0, 0.0, False)


def test_nobody_trains_in_anothers_name(town: City, client: httpx.Client) -> None:
    code = person(client)
    other = Actor("somebody", Role.ASSISTANT)
    with (
        town.hub.pool.connection() as conn,
        pytest.raises(NotAllowedError, match="who teaches"),
    ):
        train.begin(conn, town.hub, 1, code, other)


def test_what_somebody_scored_is_for_them_and_their_teachers(
    town: City, client: httpx.Client
) -> None:
    code = person(client)
    assert client.get(f"/training/people/{code}").json() == []
    cookies = signed_in(town.hub, "somebody", Role.ASSISTANT)
    with httpx.Client(base_url=client.base_url, cookies=cookies, trust_env=False) as other:
        problem(other.get(f"/training/people/{code}"), 403)


@contextmanager
def of_one_cell(town: City, client: httpx.Client) -> Iterator[httpx.Client]:
    cookies = signed_in(town.hub, "master of one cell", Role.MASTER, cells=(CELL,))
    with httpx.Client(base_url=client.base_url, cookies=cookies, trust_env=False) as asks:
        yield asks


def test_what_lies_beyond_somebodys_cells_they_do_not_change(
    town: City, client: httpx.Client
) -> None:
    there = person(client, {"role": "assistant", "cell": CELL})
    beyond = person(client, {"role": "assistant", "cell": BEYOND})
    on_shift(client, beyond)
    (shift,) = client.get("/shifts", params={"person": beyond}).json()["shifts"]
    code = unit(client)
    entry = {"category": "land_supervision", "cell": BEYOND, "unit": code}
    assert client.post("/responsibility", json=entry).status_code == 204
    (matrix,) = client.get("/responsibility", params={"unit": code}).json()
    other = {"kind": "station", "name_en": "A", "name_zh": "甲"}
    place = {"lon": 113.61, "lat": 34.76}
    posts = [{"role": "assistant", "cell": BEYOND}]
    with of_one_cell(town, client) as master:
        on_shift(master, there)
        assert master.put(f"/people/{there}/position", json=place).status_code == 204
        for refused in (
            master.post("/shifts", json={k: shift[k] for k in ("person", "begins_at", "ends_at")}),
            master.delete(f"/shifts/{shift['id']}"),
            master.put(f"/people/{beyond}/position", json=place),
            master.put(f"/people/{beyond}", json={"name": "Another", "posts": posts}),
            master.post(f"/responsibility/{matrix['id']}/withdraw"),
            master.put(f"/units/{code}", json=other),
            master.post(f"/units/{code}/close"),
        ):
            assert problem(refused, 403)["cells"] == [CELL]
    assert client.get("/shifts", params={"person": beyond}).json()["shifts"] == [shift]
    assert client.get("/responsibility", params={"unit": code}).json() == [matrix]


def test_lists_of_whoever_acts_in_a_cell_leave_out_what_lies_elsewhere(
    town: City, client: httpx.Client
) -> None:
    def entered(name: str, cell: str) -> int:
        said = {"kind": "thing", "name": name, "cell": cell}
        return int(client.post("/registry", json=said).json()["id"])

    mine, theirs = entered("Near well", CELL), entered("Far well", BEYOND)
    inside = town.hub.grid.cells[CELL].polygon.representative_point()
    walker = person(client, {"role": "assistant", "cell": CELL})
    on_shift(client, walker)
    far = {"lon": inside.x, "lat": inside.y + 0.05}
    near = {"lon": inside.x, "lat": inside.y}
    numbers = [town.reports("Rubbish", Point(**at)) for at in (near, far)]
    for number in numbers:
        assert client.post(f"/events/{number}/hold", json={"reason": "court"}).status_code == 204
        client.post(f"/events/{number}/entries", json={"entry": mine, "relation": "at"})
    with of_one_cell(town, client) as master:
        found = master.get("/registry", params={"text": " well"}).json()["entries"]
        assert [e["id"] for e in found] == [mine]
        problem(master.get(f"/registry/{theirs}"), 403)
        problem(master.get(f"/registry/{theirs}/events"), 403)
        link = {"entry": theirs, "relation": "at"}
        problem(master.post(f"/events/{numbers[0]}/entries", json=link), 403)
        links = master.get(f"/registry/{mine}/events").json()["links"]
        assert [link["event"] for link in links] == [numbers[0]]
        assert [h["event"] for h in master.get("/holds").json()] == [numbers[0]]
        for at, seen in ((near, [walker]), (far, [])):
            client.put(f"/people/{walker}/position", json=at)
            shown = master.get("/duty/positions").json()["features"]
            assert [f["id"] for f in shown if f["id"] == walker] == seen
    assert {h["event"] for h in client.get("/holds").json()} == set(numbers)
