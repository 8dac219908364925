"""Every list of the API: bounded by `limit`, and paged to its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from contract.taxonomy import CameraState
from hub.domain.actor import Role
from tests.hub.api.city import AGENT, City, street
from tests.hub.api.problems import problem
from tests.hub.api.signing_in import signed_in
from tests.hub.staff import EAST, WEST, day, found, hire

# what answers with one thing and all that belongs to it, or is bounded by what it is
WHOLE = {
    "/api/v1/agents/{agent}": "one agent with its cameras",
    "/api/v1/agents/{agent}/parameters": "one agent's detectors, and its last 20 commands",
    "/api/v1/agents/{agent}/sensors/{device}": "one sensor with its series",
    "/api/v1/assessment": "one period, with the figures of the sets and a score for each compared",
    "/api/v1/categories": "as the file of categories has them",
    "/api/v1/detections/{episode}": "one detection with its evidence",
    "/api/v1/events/{number}": "one event with everything",
    "/api/v1/events/{number}/clock": "one event's clocks",
    "/api/v1/events/{number}/handling": "one event's tasks and helpers",
    "/api/v1/notices/preferences": "one person's wishes",
    "/api/v1/people/{code}": "one person with their posts",
    "/api/v1/training/attempts/{id}": "one go at a set of 500 at most",
    "/api/v1/work": "50 of each kind at most",
}
ENOUGH = {  # lists of which the test has at least two entries to page through
    *("/api/v1/blind", "/api/v1/completeness", "/api/v1/detections", "/api/v1/duty"),
    *("/api/v1/duty/positions", "/api/v1/events", "/api/v1/events/{number}/entries"),
    *("/api/v1/holds", "/api/v1/grid", "/api/v1/people", "/api/v1/registry"),
    *("/api/v1/responsibility", "/api/v1/shifts", "/api/v1/streams", "/api/v1/units"),
    *("/api/v1/audit", "/api/v1/quarantine", "/api/v1/readings/totals", "/api/v1/daily-tests"),
}

NEEDED = {  # without which nothing is told
    "/api/v1/assessment/events": "?of=reported",
    "/api/v1/duty": "?role=assistant&cell=" + WEST,
}


@pytest.fixture
def busy(town: City, client: httpx.Client) -> dict[str, str]:
    """Two of most things; what paths name."""
    number = town.sees(picture=street(seed=1))
    town.sees(stream="cam-02", picture=street(seed=2))
    town.heartbeat({name: CameraState.FROZEN for name in ("cam-01", "cam-02")})
    town.crossings(2, "down")
    town.crossings(2, "up")
    town.refused("unreadable")
    town.refused("unreadable", b"more of it")
    town.execute(
        "INSERT INTO ledger (agent, boot, lane, watermark)"
        " VALUES ('demo-01', 'boot-1', 'score', 7), ('demo-01', 'boot-1', 'health', 3)"
    )
    with town.hub.pool.connection() as conn:
        found(conn, "urban", "parks")
        for code in ("wang", "zhao"):
            hire(conn, code, Role.ASSISTANT, WEST, shift=day(town.hub.now()))
    for code in ("wang", "zhao"):
        at = {"lon": town.centre.lon, "lat": town.centre.lat, "at": town.hub.now().isoformat()}
        assert client.put(f"/api/v1/people/{code}/position", json=at).is_success
    for unit, cell in (("urban", WEST), ("parks", EAST)):
        says = {"category": "urban_management", "cell": cell, "unit": unit}
        assert client.post("/api/v1/responsibility", json=says).is_success
    for name in ("A well", "A shop"):
        entry = client.post("/api/v1/registry", json={"kind": "place", "name": name}).json()
        body = {"entry": entry["id"], "relation": "at"}
        assert client.post(f"/api/v1/events/{number}/entries", json=body).is_success
    for digest in client.get(f"/api/v1/events/{number}").json()["evidence"]:
        body = {"reason": "a complaint"}
        client.post(f"/api/v1/evidence/{digest['digest']}/hold", json=body)
    client.post(f"/api/v1/events/{number}/hold", json={"reason": "a complaint"})
    return {
        "number": number,
        "agent": AGENT,
        "device": "cam-01",
        "code": "wang",
        "id": "1",
        "role": "assistant",
    }


@pytest.fixture
def head(town: City) -> Iterator[httpx.Client]:
    """Asks as a supervisor, who may see every list."""
    cookies = signed_in(town.hub, "head", Role.SUPERVISOR)
    with httpx.Client(base_url=town.url, cookies=cookies, timeout=20, trust_env=False) as asks:
        yield asks


def test_every_list_is_bounded_and_its_pages_are_the_whole_of_it(
    head: httpx.Client, busy: dict[str, str]
) -> None:
    document = head.get("/api/v1/openapi.json").json()
    lists = dict(_lists(document))
    assert set(lists) >= ENOUGH
    assert not set(lists) & set(WHOLE)
    paged = set()
    for path, names in lists.items():
        assert {"limit", "cursor"} <= names, f"{path} answers with a list and is not paged"
        asked = path.format_map(busy)
        asked += NEEDED.get(path, "?")
        problem(head.get(f"{asked}&limit=0"), 422)
        if head.get(asked).status_code == 404:
            continue  # there is none of its kind here
        entries = [e for page in _pages(head, asked, None) for e in page]
        share = max(1, len(entries) // 3)
        pages = list(_pages(head, asked, share))
        assert all(len(page) <= share for page in pages), path
        assert [e for page in pages for e in page] == entries, path
        paged |= {path} if len(entries) > 1 else set()
    assert paged >= ENOUGH


def _lists(document: dict[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """Operations that answer with many things, and the names of their parameters."""
    for path, methods in document["paths"].items():
        operation = methods.get("get")
        if operation is None or not path.startswith("/api/v1/") or path in WHOLE:
            continue
        schema = operation["responses"]["200"].get("content", {}).get("application/json", {})
        if _is_of_many(schema.get("schema", {}), document["components"]["schemas"]):
            yield path, {p["name"] for p in operation.get("parameters", [])}


def _is_of_many(schema: dict[str, Any], known: dict[str, Any]) -> bool:
    if "$ref" in schema:
        parts = known[schema["$ref"].rsplit("/", 1)[1]].get("properties", {}).values()
        return any(p.get("type") == "array" and "$ref" in p.get("items", {}) for p in parts)
    return schema.get("type") == "array"


def _entries(answer: httpx.Response) -> list[str]:
    """Each entry of a page as JSON; without what tells the moment of the question."""
    said = answer.json()
    many = said
    if isinstance(said, dict):
        (many,) = (v for v in said.values() if isinstance(v, list) and not _are_texts(v))
    return [json.dumps(_still(e), sort_keys=True) for e in many]


def _are_texts(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(v, str) for v in values)


def _still(entry: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in entry.items() if k not in ("blind_s", "periods")}


def _pages(client: httpx.Client, asked: str, share: int | None) -> Iterator[list[str]]:
    """Every page, of so many entries at most; of as many as the list gives where none is asked."""
    path, _, query = asked.partition("?")
    params = dict(parse_qsl(query)) | ({} if share is None else {"limit": str(share)})
    for _ in range(9):
        answer = client.get(path, params=params)
        assert answer.status_code == 200, (asked, answer.text)
        yield _entries(answer)
        following = answer.links.get("next", {}).get("url")
        said = answer.json()
        if following is not None:
            split = urlsplit(following)
            assert split.path == path
            params = dict(parse_qsl(split.query))
        elif isinstance(said, dict) and said.get("next"):
            params |= {"cursor": said["next"]}
        else:
            return
    raise AssertionError(f"{asked} goes on and on")
