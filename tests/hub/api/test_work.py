"""Work by the API: what is proposed, what waits for whom, answers to tasks."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from contract.taxonomy import Category
from hub.domain.actor import Role
from hub.domain.people import Post
from hub.domain.responsibility import Assignment
from hub.store import duty, people, units
from hub.store.duty import NewShift
from hub.store.people import PersonRow
from tests.hub.api.city import City, street
from tests.hub.api.signing_in import signed_in
from tests.hub.staff import BEGUN, day, found


@pytest.fixture
def hand(town: City) -> Iterator[httpx.Client]:
    """An assistant of the cell in the middle, signed in; there is a unit for everything there."""
    cell = town.hub.grid.locate(town.centre, town.hub.now())
    assert cell is not None
    with town.hub.pool.connection() as conn:
        found(conn, "clean")
        what = Assignment(Category.URBAN_MANAGEMENT, None, cell.code[:6], "clean", BEGUN, None)
        units.assign(conn, [what], BEGUN)
        people.save_people(conn, [PersonRow("A017", "Zhao", None, "", "", "zh", False, None)])
        post = Post("A017", Role.ASSISTANT, cell.code, None, BEGUN, None)
        people.set_posts(conn, ["A017"], [post], BEGUN)
        duty.save_shifts(conn, [NewShift("A017", None, *day(town.hub.now()))])
    cookies = signed_in(town.hub, "A017", Role.ASSISTANT, (cell.code,))
    with httpx.Client(base_url=town.url, cookies=cookies, timeout=20, trust_env=False) as asks:
        yield asks


def act(client: httpx.Client, number: str, name: str, **given: object) -> httpx.Response:
    return client.post(f"/api/v1/events/{number}/acts", json={"name": name, **given})


def test_a_proposal_is_accepted_and_the_case_waits_for_who_was_named(
    town: City, client: httpx.Client, hand: httpx.Client
) -> None:
    number = town.reports("Bins overflow")
    assert act(client, number, "file").status_code == 200
    proposal = client.get(f"/api/v1/events/{number}/handling").json()["proposal"]
    assert (proposal["act"], proposal["complete"]) == ("dispatch", True)
    assert (proposal["unit"]["code"], proposal["person"]["code"]) == ("clean", "A017")
    assert proposal["distance_m"] is None
    assert "where they are is not known" in proposal["reason_en"]
    chosen = {"responsible_unit": proposal["unit"]["code"], "assignee": proposal["person"]["code"]}
    assert act(client, number, proposal["act"], **chosen).status_code == 200
    work = hand.get("/api/v1/work").json()
    assert [c["number"] for c in work["to_accept"]] == [number]
    assert work["to_accept"][0]["words"] == "Bins overflow"
    assert act(hand, number, "accept").json()["assignee"] == "A017"
    assert [c["number"] for c in hand.get("/api/v1/work").json()["to_handle"]] == [number]


def test_a_unit_that_is_not_there_is_refused_with_where_to_look(
    town: City, client: httpx.Client, hand: httpx.Client
) -> None:
    number = town.reports("Bins overflow")
    act(client, number, "file")
    refused = act(client, number, "dispatch", responsible_unit="cleen")
    assert (refused.status_code, refused.json()["field"]) == (422, "responsible_unit")
    assert "there is no unit 'cleen'" in refused.json()["detail"]


def test_a_task_is_answered_once_with_a_photo_by_who_has_it(
    town: City, client: httpx.Client, hand: httpx.Client
) -> None:
    number = town.reports("Bins overflow")
    act(client, number, "send_verify", assignee="A017")
    (mine,) = hand.get("/api/v1/work").json()["tasks"]
    path = f"/api/v1/tasks/{mine['task']['id']}/answer"
    jpeg = {"Content-Type": "image/jpeg"}
    digest = hand.post("/api/v1/evidence/photos", content=street(), headers=jpeg).json()["digest"]
    said = {"answer": "exists", "evidence": [digest]}
    other = client.post(path, json=said)
    assert (other.status_code, "is A017's" in other.json()["detail"]) == (403, True)
    bare = hand.post(path, json={"answer": "exists"})
    assert (bare.status_code, "at least one photo" in bare.json()["detail"]) == (409, True)
    assert hand.post(path, json=said).json()["state"] == "reported"
    late = hand.post(path, json=said)
    assert (late.status_code, late.json()["actor"]) == (409, "A017")
    assert hand.post("/api/v1/tasks/999999/answer", json=said).status_code == 404
    (task,) = client.get(f"/api/v1/events/{number}/handling").json()["tasks"]
    assert (task["outcome"], task["answered_by"]) == ("exists", "A017")
