"""Agents, cameras, completeness, counts, the grid, the quarantine and parameters."""

from __future__ import annotations

import base64

import httpx

from contract.taxonomy import CameraState
from gridwarden.district import CENTRE
from hub.services.record_detections import record_detections
from hub.store.detections import Change
from tests.hub.api.city import AGENT, BOOT, STATION, City
from tests.hub.api.problems import problem
from tests.hub.builders import detection

FLAME = f"/api/v1/agents/{AGENT}/streams/cam-01/detectors/flame/parameters"


def test_an_agent_tells_its_cameras_and_what_waits_at_the_edge(
    town: City, client: httpx.Client
) -> None:
    town.heartbeat({"cam-01": CameraState.FROZEN}, "61,090 frames with one hash")
    (agent,) = client.get("/api/v1/agents").json()
    assert agent["online"] is True
    assert agent["spooled"] == {"evidence": 3}
    states = {s["stream"]: s["state"] for s in agent["streams"]}
    assert states["cam-01"] == "frozen"
    assert client.get(f"/api/v1/agents/{AGENT}").json() == agent
    (frozen,) = (s for s in client.get("/api/v1/streams").json() if s["state"] == "frozen")
    assert frozen["detail"].startswith("61,090")
    assert frozen["since"] < frozen["heard_at"]
    problem(client.get("/api/v1/agents/nobody"), 404)


def test_a_camera_whose_daily_test_did_not_come_is_missing_one(
    town: City, client: httpx.Client
) -> None:
    def told() -> dict[str, str]:
        return {x["stream"]: x["state"] for x in client.get("/api/v1/daily-tests").json()}

    assert told() == {"cam-01": "off", "cam-02": "off"}
    town.execute("UPDATE agent SET manifest = manifest || '{\"daily_test\": true}'")
    assert told() == {"cam-01": "awaited", "cam-02": "awaited"}

    with town.hub.pool.connection() as conn:
        test = detection(kind="daily_test", label="daily_test", position=None, test=True)
        record_detections(conn, town.hub, [Change(STATION, AGENT, BOOT, 1, test, town.hub.now())])
    town.execute(
        "UPDATE agent SET first_seen_at = first_seen_at - INTERVAL '2 days', manifest = manifest ||"
        " jsonb_build_object('started_at', now() - INTERVAL '26 hours')"
    )
    assert told() == {"cam-01": "arrived", "cam-02": "missing"}
    page = client.get("/devices").text
    assert "none has come" in page
    assert "gridwarden_daily_tests_missing 1.0" in client.get("/metrics").text
    assert client.get("/triage/queue").text.count("Test") == 0

    town.execute("UPDATE detection SET received_at = received_at - INTERVAL '26 hours'")
    assert told() == {"cam-01": "missing", "cam-02": "missing"}
    assert "从未到达" in client.get("/devices?lang=zh").text


def test_completeness_tells_holes_and_losses_by_their_numbers(
    town: City, client: httpx.Client
) -> None:
    town.execute(
        "INSERT INTO ledger (agent, boot, lane, watermark, received, lost) VALUES "
        "('demo-01', 'boot-1', 'reading', 10, '{[13,16)}', '{[4,6)}')"
    )
    (lane,) = client.get("/api/v1/completeness", params={"agent": AGENT}).json()
    assert lane["beyond"] == [[13, 15]]
    assert lane["holes"] == [[11, 12]]
    assert lane["lost"] == [[4, 5]]
    assert (lane["stored"], lane["missing"], lane["lost_count"]) == (11, 2, 2)


def test_crossings_are_summed_by_camera_direction_and_period(
    town: City, client: httpx.Client
) -> None:
    town.crossings(27)
    town.crossings(4, "up", "cam-02")
    query = {"metric": "vehicle_crossing", "width": "1d"}
    totals = client.get("/api/v1/readings/totals", params=query).json()
    counted = {(t["device"], t["label"]): t["total"] for t in totals}
    assert counted == {("cam-01", "down"): 27.0, ("cam-02", "up"): 4.0}
    problem(client.get("/api/v1/readings/totals?width=7d"), 422)
    problem(client.get("/api/v1/readings/totals?since=2026-01-01T00:00:00"), 422)
    backwards = {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
    problem(client.get("/api/v1/readings/totals", params=backwards), 422)


def test_the_grid_is_geojson_and_a_point_has_one_cell(client: httpx.Client) -> None:
    grid = client.get("/api/v1/grid", params={"level": 1}).json()
    assert grid["type"] == "FeatureCollection"
    assert len(grid["features"]) >= 300
    assert grid["features"][0]["geometry"]["type"] == "Polygon"
    place = {"lon": CENTRE.lon, "lat": CENTRE.lat}
    cell = client.get("/api/v1/grid/at", params=place).json()
    assert cell["code"].startswith("410105")
    assert cell["code"] in {f["id"] for f in grid["features"]}
    problem(client.get("/api/v1/grid/at", params={"lon": 0, "lat": 0}), 404)
    problem(client.get("/api/v1/grid/at", params={"lon": 500, "lat": 0}), 422)
    problem(client.get("/api/v1/grid/at", params={"lon": "NaN", "lat": 0}), 422)


def test_the_nine_categories_are_told_in_both_languages(client: httpx.Client) -> None:
    categories = client.get("/api/v1/categories").json()
    assert len(categories) == 9
    assert all(c["en"] and c["zh"] and c["subcategories"] for c in categories)


def test_what_was_refused_is_shown_with_its_reason_and_bytes(
    town: City, client: httpx.Client
) -> None:
    for n in range(3):
        town.execute(
            "INSERT INTO quarantine (received_at, last_at, topic, agent, reason, payload, hash) "
            "VALUES (now(), now(), 'gw/v1/demo/up/x/health', %s, 'not JSON', %s, %s)",
            f"agent-{n}",
            b"\x00\xff",
            f"h{n}",
        )
    page = client.get("/api/v1/quarantine", params={"limit": 2}).json()
    assert [r["agent"] for r in page["entries"]] == ["agent-2", "agent-1"]
    rest = client.get("/api/v1/quarantine", params={"cursor": page["next"]}).json()
    one = client.get(f"/api/v1/quarantine/{rest['entries'][0]['id']}").json()
    assert base64.b64decode(one["payload_base64"]) == b"\x00\xff"
    assert one["reason"] == "not JSON"
    problem(client.get("/api/v1/quarantine/999"), 404)
    problem(client.get("/api/v1/quarantine/0"), 422)
    problem(client.get("/api/v1/quarantine", params={"cursor": "-1"}), 422)


def test_parameters_tell_unit_range_what_is_in_force_and_what_was_sent(
    town: City, client: httpx.Client
) -> None:
    told = client.get(f"/api/v1/agents/{AGENT}/parameters").json()
    detector = told["streams"][0]["detectors"][0]
    assert detector["in_force"]["threshold"] == 0.5
    assert detector["parameter_schema"]["properties"]["off_delay_s"]["x-unit"] == "s"
    sent = client.put(FLAME, json={"parameters": {"threshold": 0.6}, "note": "low sun"})
    assert sent.status_code == 202
    assert (sent.json()["version"], sent.json()["answered_at"]) == (1, None)
    assert sent.json()["parameters"] == {"cam-01": {"flame": {"threshold": 0.6}}}
    (command,) = client.get(f"/api/v1/agents/{AGENT}/parameters").json()["commands"]
    assert (command["issued_by"], command["note"]) == ("Chen Jing", "low sun")


def test_a_parameter_that_does_not_fit_is_refused(client: httpx.Client) -> None:
    for path, parameters, status in (
        (FLAME, {"threshold": 7}, 422),
        (FLAME, {"thresold": 0.6}, 422),
        (FLAME, {}, 422),
        (FLAME, {"threshold": [1]}, 422),
        (FLAME.replace("cam-01", "cam-99"), {"threshold": 0.6}, 404),
        (FLAME.replace("flame", "smoke"), {"threshold": 0.6}, 404),
        (FLAME.replace(AGENT, "nobody"), {"threshold": 0.6}, 404),
    ):
        problem(client.put(path, json={"parameters": parameters}), status)
