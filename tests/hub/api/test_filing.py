"""Merged, provisional and held events as API and console show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from contract.taxonomy import Phase
from hub.domain.actor import Role
from hub.services.record_detections import record_detections
from hub.store.detections import Change
from tests.hub.api.city import AGENT, BOOT, STATION, City, offset
from tests.hub.api.signing_in import signed_in
from tests.hub.builders import detection, episode_id


def burns(town: City) -> str:
    """The number of a fire that has been seen for five seconds by a camera that is well."""
    now, episode = datetime.now(UTC), episode_id()
    told = [
        detection(at=now - timedelta(seconds=5), episode=episode, position=town.centre),
        detection(at=now, episode=episode, revision=2, phase=Phase.UPDATED, position=town.centre),
    ]
    with town.hub.pool.connection() as conn:
        changes = [Change(STATION, AGENT, BOOT, n, d, now) for n, d in enumerate(told, 1)]
        assert record_detections(conn, town.hub, changes) == []
        row = conn.execute("SELECT number FROM grid_event ORDER BY id DESC LIMIT 1").fetchone()
    assert row is not None
    return str(row[0])


def test_what_was_filed_by_itself_stands_first_in_triage_and_is_endorsed_there(
    town: City, client: httpx.Client
) -> None:
    town.sees(at=offset(town.centre, 900, 0))
    number = burns(town)

    event = client.get(f"/api/v1/events/{number}").json()
    assert (event["state"], event["confirmation"]) == ("filed", "pending")
    assert event["by_itself"]["filed"] is True
    assert "not dispatched: no unit is responsible" in event["by_itself"]["en"]
    queue = client.get("/triage/queue").text
    assert queue.index("Filed by itself, to be confirmed") < queue.index("S1 emergency")
    assert "provisional" in queue
    pane = client.get(f"/triage/events/{number}").text
    assert "data-provisional" in pane
    assert "Endorse" in pane
    said = {"verdict": "confirmed", "expected_version": event["version"]}
    done = client.post(f"/api/v1/events/{number}/verdict", json=said).json()
    assert done["confirmation"] == "human"
    (row,) = client.get("/api/v1/trust").json()["rows"]
    assert (row["verdicts"], row["good"], row["earned"]) == (1, 1, False)
    assert "1 / 30" in client.get("/trust").text


def test_a_merged_event_says_where_it_went_and_its_page_leads_there(
    town: City, client: httpx.Client
) -> None:
    parent, child = town.sees(), town.sees(at=offset(town.centre, 300, 0))
    page = client.get(f"/events/{child}").text
    assert f'type="radio" name="parent" value="{parent}"' in page
    act = {"name": "attach", "parent": parent}
    assert client.post(f"/api/v1/events/{child}/acts", json=act).status_code == 200

    answer = client.get(f"/api/v1/events/{child}")
    assert answer.json()["answered_by"]["number"] == parent
    assert f"/events/{parent}>" in answer.headers["link"]
    moved = client.get(f"/events/{child}", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (
        303,
        f"/events/{parent}?merged={child}",
    )
    note = client.get(moved.headers["location"]).text
    assert "was merged into this event" in note
    assert f"/api/v1/events/{child}/undo" in note
    assert [m["number"] for m in client.get(f"/api/v1/events/{parent}").json()["merged"]] == [child]


def test_real_but_authorised_offers_a_window_that_then_holds(
    town: City, client: httpx.Client
) -> None:
    number = town.sees()
    said = {"verdict": "real_but_authorised", "reason": "authorised"}
    client.post(f"/api/v1/events/{number}/verdict", json=said)
    offer = client.get(f"/api/v1/events/{number}").json()["offers"]["control_window"]
    assert f"/windows?event={number}" in client.get(f"/events/{number}").text
    assert "datetime-local" in client.get(f"/windows?event={number}").text
    elsewhere = signed_in(town.hub, "li", Role.LEADER, cells=("410105999",))
    with httpx.Client(base_url=town.url, cookies=elsewhere, trust_env=False) as other:
        page = other.get(f"/windows?event={number}").text
    assert "datetime-local" in page
    assert f"/events/{number}" not in page

    made = client.post("/api/v1/control-windows", json=offer | {"reason": "hot work"})

    assert made.status_code == 201
    held = burns(town)
    event = client.get(f"/api/v1/events/{held}").json()
    assert event["by_itself"]["failed"] == ["window"]
    assert [w["id"] for w in event["control_windows"]] == [made.json()["id"]]
    assert "hot work" in client.get("/windows?lang=zh").text
    ended = client.post(f"/api/v1/control-windows/{made.json()['id']}/end", json={})
    assert ended.json()["ended_at"] is not None
