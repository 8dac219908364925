"""Pictures and clips as the API tells of them: on their way, whole, expired, held, erased."""

from __future__ import annotations

import hashlib

import httpx

from tests.hub.api.city import City, street
from tests.hub.api.problems import problem

WEBM = b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 600  # 150 kB: four chunks


def test_a_clip_that_comes_after_its_detection_belongs_to_it_once_it_is_whole(
    town: City, client: httpx.Client
) -> None:
    number = town.sees(picture=street())
    episode = town.episode_of(number)
    clip = {"kind": "video/webm", "clip_of": [episode], "begun_s": 12.0}
    digest = town.picture_arrives(WEBM, part=0.6, **clip)  # type: ignore[arg-type]
    (told,) = [
        e for e in client.get(f"/api/v1/events/{number}").json()["evidence"] if e["role"] == "clip"
    ]
    assert (told["digest"], told["complete"]) == (digest, False)
    assert 0 < told["received"] < told["total"] == len(WEBM)
    problem(client.get(f"/api/v1/evidence/{digest}"), 404)
    town.picture_arrives(WEBM, **clip)  # type: ignore[arg-type]
    (told,) = [
        e for e in client.get(f"/api/v1/events/{number}").json()["evidence"] if e["role"] == "clip"
    ]
    assert told["complete"]
    assert told["episode"] == episode
    answer = client.get(f"/api/v1/evidence/{digest}", headers={"Range": "bytes=4-13"})
    assert (answer.status_code, answer.content) == (206, WEBM[4:14])
    assert hashlib.sha256(client.get(f"/api/v1/evidence/{digest}").content).hexdigest() == digest


def test_one_clip_shows_every_detection_it_names_and_none_of_another_agent(
    town: City, client: httpx.Client
) -> None:
    first = town.sees(picture=street(seed=1))
    second = town.sees("stopped_vehicle", "car", "cam-02", picture=street(seed=2))
    episodes = [town.episode_of(n) for n in (first, second)]
    own = town.picture_arrives(WEBM, kind="video/webm", clip_of=episodes)
    foreign = town.picture_arrives(
        WEBM[::-1], kind="video/webm", clip_of=episodes, agent="somebody-else"
    )
    for episode in episodes:
        shown = {
            e["digest"] for e in client.get(f"/api/v1/detections/{episode}").json()["evidence"]
        }
        assert own in shown
        assert foreign not in shown
