"""Payloads as https://docs.frigate.video/integrations/mqtt documents them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from contract.envelope import encode_record, read_record
from contract.geometry import Box, Point
from contract.messages import Detection
from contract.taxonomy import Lane, Phase
from edge.evidence import Evidence
from edge.readings.adapter import NOTHING, AdapterError
from edge.readings.frigate import Frigate, FrigateCamera
from tests.edge.readings.builders import AT

START = AT.timestamp() - 60.0
FRIGATE = Frigate(
    kinds={"fire": "flame", "person": "objects"},
    reviews=("alert",),
    cameras={"front_door": FrigateCamera("cam-07", 1280, 720, Point(113.65, 34.76))},
)


def event(kind: str, frame_s: float, **changes: Any) -> bytes:
    after = {
        "id": "1607123955.475377-mxklsc",
        "camera": "front_door",
        "frame_time": START + frame_s,
        "label": "person",
        "sub_label": ["John Smith", 0.79],
        "top_score": 0.958984375,
        "false_positive": False,
        "start_time": START,
        "end_time": None,
        "score": 0.87890625,
        "box": [432, 496, 544, 640],
        "area": 40096,
        "current_zones": ["yard", "driveway"],
        "entered_zones": ["yard", "driveway"],
        "stationary": False,
    }
    return json.dumps({"type": kind, "before": {}, "after": after | changes}).encode()


def detection(payload: bytes, topic: str = "frigate/events") -> Detection:
    (record,) = FRIGATE.decode(topic, payload, AT).records
    assert isinstance(record, Detection)
    return record


def test_a_tracked_object_becomes_a_detection_of_our_stream_where_the_camera_stands() -> None:
    found = detection(event("new", 2.0))
    assert (found.stream, found.kind, found.label, found.place) == (
        "cam-07",
        "objects",
        "person",
        "yard",
    )
    assert (found.phase, found.revision) == (Phase.RAISED, 1)
    assert found.started_at == AT - timedelta(seconds=60)
    assert found.captured_at == AT - timedelta(seconds=58)
    assert (found.score, found.peak_score) == (0.87890625, 0.958984375)
    assert found.box == Box(432 / 1280, 496 / 720, 112 / 1280, 144 / 720)
    assert found.position == Point(113.65, 34.76)


def test_the_hub_takes_what_the_adapter_gives() -> None:
    for kind, frame_s, end in (("new", 1, None), ("update", 2, None), ("end", 3, START + 3)):
        found = detection(event(kind, frame_s, end_time=end))
        assert read_record(Lane.DETECTION, encode_record(found)) == found


def test_one_object_is_one_episode_whose_later_changes_have_higher_revisions() -> None:
    changes = [
        detection(event("new", 0.5)),
        detection(event("update", 0.5)),
        detection(event("update", 4.0)),
        detection(event("end", 4.0, end_time=START + 4.0)),
    ]
    assert len({c.episode for c in changes}) == 1
    revisions = [c.revision for c in changes]
    assert revisions == sorted(set(revisions))
    assert [c.phase for c in changes] == [R, U, U, C]


R, U, C = Phase.RAISED, Phase.UPDATED, Phase.CLEARED


def test_a_message_that_comes_twice_is_the_same_record() -> None:
    assert detection(event("update", 3.0)) == detection(event("update", 3.0))


def test_a_label_that_is_not_wanted_is_told_and_raises_nothing() -> None:
    decoded = FRIGATE.decode("frigate/events", event("new", 1.0, label="car"), AT)
    assert (decoded.records, decoded.unmapped) == ((), ("car",))


def test_what_frigate_itself_doubts_raises_nothing() -> None:
    assert FRIGATE.decode("frigate/events", event("new", 1.0, false_positive=True), AT) == NOTHING


def test_a_camera_we_know_nothing_of_keeps_its_name_and_has_no_box() -> None:
    found = detection(event("new", 1.0, camera="Back Yard", label="fire"))
    assert found.stream.startswith("Back-Yard-")
    assert (found.kind, found.box, found.position) == ("flame", None, None)


def test_a_wrong_clock_at_frigate_costs_no_detection() -> None:
    found = detection(event("new", 1.0, start_time=3.0, frame_time=5.0))
    assert found.captured_at == AT


def review(kind: str, severity: str, end: float | None = None) -> bytes:
    after = {
        "id": "1718987129.308396-fqk5ka",
        "camera": "front_door",
        "start_time": START,
        "end_time": end,
        "severity": severity,
        "thumb_path": "/media/frigate/clips/review/thumb.webp",
        "data": {
            "detections": ["1718987128.947436-g92ztx"],
            "objects": ["person", "car"],
            "sub_labels": ["Bob"],
            "zones": ["front_yard"],
            "audio": [],
        },
    }
    return json.dumps({"type": kind, "before": after, "after": after}).encode()


def test_an_alert_under_review_becomes_a_detection() -> None:
    found = detection(review("new", "alert"), "frigate/reviews")
    assert (found.kind, found.label, found.place) == ("frigate_review", "alert", "front_yard")
    assert found.rule.reason == "Frigate's review: alert for person, car"
    ended = detection(review("end", "alert", START + 30), "frigate/reviews")
    assert (ended.episode, ended.phase) == (found.episode, C)
    assert ended.revision > found.revision


def test_a_severity_that_is_not_wanted_raises_nothing() -> None:
    assert FRIGATE.decode("frigate/reviews", review("new", "detection"), AT).records == ()
    assert Frigate(snapshots=False).filters == ("frigate/events",)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b'{"type": "new"}',
        b'{"type": "odd", "after": {}}',
        event("new", 1.0, id=None),
        event("new", 1.0, start_time="x"),
        event("new", 1.0, score=7),
    ],
)
def test_what_is_not_as_documented_is_refused(payload: bytes) -> None:
    with pytest.raises(AdapterError):
        FRIGATE.decode("frigate/events", payload, AT)


JPEG = b"\xff\xd8\xff\xe0 a picture"


def pictures(adapter: Frigate, topic: str, payload: bytes, after_s: float) -> list[Evidence]:
    records = adapter.decode(topic, payload, AT + timedelta(seconds=after_s)).records
    return [r for r in records if isinstance(r, Evidence)]


def test_a_snapshot_is_the_picture_of_the_open_event_of_its_camera_and_label() -> None:
    frigate = Frigate(kinds={"fire": "flame"})
    snapshot = "frigate/gate/fire/snapshot"
    assert "frigate/+/+/snapshot" in frigate.filters
    assert pictures(frigate, snapshot, JPEG, 0) == []  # nothing is open: an old one
    (raised,) = frigate.decode(
        "frigate/events", event("new", 1.0, camera="gate", label="fire"), AT
    ).records
    assert isinstance(raised, Detection)
    (picture,) = pictures(frigate, snapshot, JPEG, 1)
    assert picture.episodes == (raised.episode,)
    assert (picture.data, picture.media_type, picture.stream) == (JPEG, "image/jpeg", "gate")
    assert pictures(frigate, "frigate/yard/fire/snapshot", JPEG, 1) == []
    assert pictures(frigate, snapshot, JPEG, 5) == []  # one in ten seconds
    frigate.decode(
        "frigate/events",
        event("end", 20.0, camera="gate", label="fire"),
        AT + timedelta(seconds=20),
    )
    assert len(pictures(frigate, snapshot, JPEG, 25)) == 1  # the best one, told again at the end
    assert pictures(frigate, snapshot, JPEG, 60) == []


def test_a_snapshot_that_is_no_jpeg_is_refused() -> None:
    frigate = Frigate(kinds={"fire": "flame"})
    frigate.decode("frigate/events", event("new", 1.0, camera="gate", label="fire"), AT)
    with pytest.raises(AdapterError, match="no JPEG"):
        frigate.decode("frigate/gate/fire/snapshot", b"<html>", AT)
