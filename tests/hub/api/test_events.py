"""Grid events through the API: seen, judged, undone, reported."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx

from gridwarden.district import CENTRE
from tests.hub.api.city import City, offset, street
from tests.hub.api.problems import problem

CONFIRM = {"verdict": "confirmed", "evidence_viewed": True}


def test_a_detection_appears_as_an_event_with_its_cell_picture_and_camera(
    town: City, client: httpx.Client
) -> None:
    number = town.sees(picture=street())
    (event,) = client.get("/api/v1/events").json()["events"]
    assert event["number"] == number
    assert (event["state"], event["severity"], event["kind"]) == ("suspected", "S1", "flame")
    assert event["cell"].startswith("410105")
    assert event["camera"] == "Gate 01"
    assert len(event["picture"]) == 64


def test_events_are_found_by_severity_state_cell_or_words(town: City, client: httpx.Client) -> None:
    fire = town.sees()
    car = town.sees("stopped_vehicle", "car", "cam-02")
    cell = client.get(f"/api/v1/events/{car}").json()["cell"]

    def numbers(**query: str) -> list[str]:
        found = client.get("/api/v1/events", params=query).json()["events"]
        return [e["number"] for e in found]

    assert numbers() == [car, fire]
    assert numbers(severity="S1") == [fire]
    assert numbers(state="filed") == []
    assert numbers(cell=cell) == [car]
    assert numbers(text="gate 01") == [fire]
    assert numbers(text="100%") == []


def test_pages_of_events_lose_and_repeat_nothing(town: City, client: httpx.Client) -> None:
    seen = [town.sees(at=offset(CENTRE, 300.0 * n, 0)) for n in range(5)]
    got: list[str] = []
    cursor = None
    for _ in range(3):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/v1/events", params=query).json()
        got += [e["number"] for e in page["events"]]
        cursor = page["next"]
    assert got == seen[::-1]
    assert cursor is None


def test_one_event_comes_with_detections_evidence_history_and_what_is_allowed(
    town: City, client: httpx.Client
) -> None:
    number = town.sees(picture=street())
    response = client.get(f"/api/v1/events/{number}")
    event = response.json()
    assert response.headers["etag"] == f'"{event["version"]}"'
    assert event["detections"][0]["rule"]["reason"].startswith("5 of the last 8")
    assert event["evidence"][0]["complete"] is True
    assert event["history"][0]["name"] == "ingest_detection"
    assert {"confirm", "reject"} <= {o["name"] for o in event["allowed"]}
    needs = {o["name"]: o["needs"] for o in event["allowed"]}
    assert needs["reject"] == ["reject_reason"]


def test_a_confirmed_event_is_filed_and_a_rejected_one_keeps_its_reason(
    town: City, client: httpx.Client
) -> None:
    first, second = town.sees(), town.sees(stream="cam-02")
    filed = client.post(f"/api/v1/events/{first}/verdict", json=CONFIRM)
    assert (filed.status_code, filed.json()["state"]) == (200, "filed")
    rejected = client.post(
        f"/api/v1/events/{second}/verdict",
        json={"verdict": "false_alarm", "reason": "vehicle lights"},
    )
    assert rejected.json()["reject_reason"] == "vehicle lights"
    assert client.get(f"/api/v1/events/{second}").json()["verdict"]["actor"] == "Chen Jing"


def test_who_comes_second_is_told_who_did_what_and_when(town: City, client: httpx.Client) -> None:
    number = town.sees()
    seen = client.get(f"/api/v1/events/{number}").json()["version"]
    client.post(f"/api/v1/events/{number}/verdict", json=CONFIRM | {"expected_version": seen})
    late = client.post(
        f"/api/v1/events/{number}/verdict",
        json={"verdict": "false_alarm", "reason": "vehicle lights", "expected_version": seen},
    )
    told = problem(late, 409)
    assert told["type"] == "urn:gridwarden:problem:conflict"
    assert (told["actor"], told["action"], told["version"]) == ("Chen Jing", "confirm", seen + 1)
    assert datetime.fromisoformat(told["at"])


def test_if_match_guards_like_expected_version(town: City, client: httpx.Client) -> None:
    path = f"/api/v1/events/{town.sees()}/verdict"
    problem(client.post(path, json=CONFIRM, headers={"If-Match": '"99"'}), 409)
    problem(client.post(path, json=CONFIRM, headers={"If-Match": "seven"}), 422)
    two = CONFIRM | {"expected_version": 1}
    problem(client.post(path, json=two, headers={"If-Match": '"2"'}), 422)
    assert client.post(path, json=CONFIRM, headers={"If-Match": '"1"'}).status_code == 200


def test_a_verdict_without_a_picture_seen_or_declared_missing_is_refused(
    town: City, client: httpx.Client
) -> None:
    path = f"/api/v1/events/{town.sees()}/verdict"
    told = problem(client.post(path, json={"verdict": "confirmed"}), 409)
    assert told["type"] == "urn:gridwarden:problem:not-allowed"
    assert told["missing"] == ["evidence_viewed_or_declared_missing"]
    declared = client.post(path, json={"verdict": "confirmed", "evidence_missing": True})
    assert declared.json()["state"] == "filed"


def test_a_rejection_without_a_reason_is_refused(town: City, client: httpx.Client) -> None:
    told = problem(
        client.post(f"/api/v1/events/{town.sees()}/verdict", json={"verdict": "false_alarm"}), 409
    )
    assert told["missing"] == ["reject_reason"]


def test_an_act_moves_an_event_on_and_an_impossible_one_says_what_it_needs(
    town: City, client: httpx.Client
) -> None:
    number = town.sees()
    client.post(f"/api/v1/events/{number}/verdict", json=CONFIRM)
    path = f"/api/v1/events/{number}/acts"
    told = problem(client.post(path, json={"name": "dispatch"}), 409)
    assert told["missing"] == ["responsible_unit"]
    told = problem(client.post(path, json={"name": "accept"}), 409)
    assert told["action"] == "accept"
    done = client.post(path, json={"name": "dispatch", "responsible_unit": "二中队 Unit B"}).json()
    assert (done["state"], done["responsible_unit"]) == ("dispatched", "二中队 Unit B")


def test_a_decision_is_taken_back_within_thirty_seconds_and_not_twice(
    town: City, client: httpx.Client
) -> None:
    number = town.sees()
    client.post(f"/api/v1/events/{number}/verdict", json=CONFIRM)
    assert client.post(f"/api/v1/events/{number}/undo").json()["state"] == "suspected"
    problem(client.post(f"/api/v1/events/{number}/undo"), 409)


def test_a_report_opens_an_event_and_the_same_request_again_is_the_same_report(
    town: City, client: httpx.Client
) -> None:
    report = {
        "description": "垃圾满冒 <b>bins</b>",
        "lon": CENTRE.lon,
        "lat": CENTRE.lat,
        "category": "urban_management",
    }
    key = {"Idempotency-Key": "a-7f31"}
    first = client.post("/api/v1/reports", json=report, headers=key)
    assert first.status_code == 201
    assert first.headers["location"] == f"/api/v1/events/{first.json()['number']}"
    assert first.json()["state"] == "reported"
    again = client.post("/api/v1/reports", json=report, headers=key)
    assert again.json()["number"] == first.json()["number"]
    full = client.get(first.headers["location"]).json()
    assert [r["description"] for r in full["reports"]] == ["垃圾满冒 <b>bins</b>"]


def test_a_report_that_makes_no_sense_is_refused_by_the_name_of_its_member(
    town: City, client: httpx.Client
) -> None:
    good = {"description": "x", "lon": 113.65, "lat": 34.78, "category": "fire_safety"}
    soon = (town.hub.now() + timedelta(hours=1)).isoformat()
    for wrong, at in (
        ({"lat": 91}, "body.lat"),
        ({"category": "weather"}, "body.category"),
        ({"description": ""}, "body.description"),
        ({"colour": "red"}, "body.colour"),
    ):
        told = problem(client.post("/api/v1/reports", json=good | wrong), 422)
        assert told["errors"][0]["at"] == at
    for wrong in ({"subcategory": "ponding"}, {"occurred_at": soon}, {"description": "a\0b"}):
        problem(client.post("/api/v1/reports", json=good | wrong), 422)


def test_an_event_that_is_not_there_is_a_404_everywhere(client: httpx.Client) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/verdict", CONFIRM),
        ("POST", "/acts", {"name": "comment", "note": "x"}),
        ("POST", "/undo", None),
    ):
        told = problem(client.request(method, f"/api/v1/events/410105-x{path}", json=body), 404)
        assert told["key"] == "410105-x"
