"""Detections, and evidence that is shown only once it is whole."""

from __future__ import annotations

import hashlib
import uuid

import httpx

from gridwarden.district import CENTRE
from tests.hub.api.city import City, offset, street
from tests.hub.api.problems import problem


def test_detections_are_listed_newest_first_and_page_without_gap(
    town: City, client: httpx.Client
) -> None:
    for n in range(3):
        town.sees(at=offset(CENTRE, 400.0 * n, 0))
    town.sees("stopped_vehicle", "car", "cam-02")
    first = client.get("/api/v1/detections", params={"limit": 2}).json()
    rest = client.get("/api/v1/detections", params={"limit": 2, "cursor": first["next"]}).json()
    episodes = [d["episode"] for d in first["detections"] + rest["detections"]]
    assert len(set(episodes)) == 4
    assert first["detections"][0]["kind"] == "stopped_vehicle"
    assert rest["next"] is None
    flames = client.get("/api/v1/detections", params={"kind": "flame"}).json()["detections"]
    assert {d["stream"] for d in flames} == {"cam-01"}
    problem(client.get("/api/v1/detections", params={"cursor": "yesterday"}), 422)


def test_one_detection_names_its_event_and_its_evidence(town: City, client: httpx.Client) -> None:
    number = town.sees(picture=street())
    (listed,) = client.get("/api/v1/detections").json()["detections"]
    one = client.get(f"/api/v1/detections/{listed['episode']}").json()
    assert one["event"] == number
    assert one["evidence"][0]["role"] == "box"
    problem(client.get(f"/api/v1/detections/{uuid.uuid4()}"), 404)
    problem(client.get("/api/v1/detections/fire"), 422)


def test_a_picture_is_shown_only_once_every_byte_is_here(town: City, client: httpx.Client) -> None:
    picture = street()
    town.sees(picture=picture, arrives=False)
    path = f"/api/v1/evidence/{hashlib.sha256(picture).hexdigest()}"
    problem(client.get(path), 404)
    town.picture_arrives(picture, part=0.5)
    told = problem(client.get(path), 404)
    assert "not arrived whole" in told["detail"]
    assert told["total"] == len(picture)
    town.picture_arrives(picture)
    whole = client.get(path)
    assert whole.content == picture
    assert whole.headers["content-type"] == "image/jpeg"
    assert whole.headers["cache-control"] == "private, no-cache"  # who signs in next has to ask
    again = client.get(path, headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in whole.headers["content-security-policy"]
    part = client.get(path, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, picture[:10])


def test_what_an_agent_calls_a_page_is_a_download(town: City, client: httpx.Client) -> None:
    digest = town.picture_arrives(b"<script>alert(1)</script>", kind="text/html")
    answer = client.get(f"/api/v1/evidence/{digest}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_only_a_digest_names_evidence(client: httpx.Client) -> None:
    problem(client.get("/api/v1/evidence/..%2F..%2Fetc%2Fpasswd"), 404)
    problem(client.get("/api/v1/evidence/ABC"), 422)
    problem(client.get(f"/api/v1/evidence/{'0' * 64}"), 404)
