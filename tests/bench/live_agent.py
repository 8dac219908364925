"""An agent with cameras' worth of records instead of cameras: all else of it is the real one.

    python -m tests.bench.live_agent PORT STATION NAME FOLDER CAMERAS EVENTS_EACH_S SECONDS

Each second every camera counts a crossing, sends a block of scores in its turn, and a share of the
cameras raises a detection with a picture of 60 KB. Captured is when a record is made, just before
the spool takes it. Ends when all of it is committed.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
import uuid
from datetime import UTC, datetime

from contract.envelope import encode_record
from contract.geometry import Point
from contract.messages import (
    Detection,
    EvidenceChunk,
    EvidenceRef,
    Reading,
    RuleNote,
    ScoreBlock,
)
from contract.taxonomy import Lane, Phase
from edge.agent import Agent, open_spool
from edge.mqtt import MqttTransport
from edge.settings import (
    AgentSettings,
    BrokerSettings,
    CaptureSettings,
    EdgeConfig,
    PublishSettings,
    SpoolSettings,
)
from edge.spool import Entry, Spool

TICK_S = 0.1
PICTURE, CHUNK = 60_000, 48 * 1024  # bytes
CENTRE = Point(113.65, 34.76)
LEFT_S = 60.0  # for the last commit


def _now() -> datetime:
    return datetime.now(UTC)


def crossing(camera: int) -> Entry:
    """One car that was counted."""
    at = _now()
    record = Reading(
        device=f"cam-{camera:03}",
        metric="vehicle_crossing",
        value=1.0,
        captured_at=at,
        place="line",
        label="down",
    )
    return Entry(Lane.READING, encode_record(record), at)


def scores(camera: int) -> Entry:
    """A minute of one detector's scores, one a second."""
    at = _now()
    block = ScoreBlock(
        stream=f"cam-{camera:03}",
        kind="flame",
        label="flame",
        started_at=at,
        offsets_ms=list(range(0, 60_000, 1000)),
        scores=[0.1] * 60,
    )
    return Entry(Lane.SCORE, encode_record(block), at)


def alarm(camera: int) -> list[Entry]:
    """A detection and its picture."""
    at, picture = _now(), os.urandom(PICTURE)
    digest = hashlib.sha256(picture).hexdigest()
    record = Detection(
        episode=str(uuid.uuid4()),
        revision=1,
        phase=Phase.RAISED,
        stream=f"cam-{camera:03}",
        kind="flame",
        label="flame",
        started_at=at,
        raised_at=at,
        captured_at=at,
        frame=10,
        raised_frame=10,
        score=0.9,
        peak_score=0.9,
        position=Point(CENTRE.lon, CENTRE.lat + 0.002 * camera),  # 220 m apart
        rule=RuleNote("k_of_n", 0.5, "5 of the last 8 samples"),
        evidence=[
            EvidenceRef(digest=digest, media_type="image/jpeg", size=PICTURE, captured_at=at)
        ],
    )
    out = [Entry(Lane.DETECTION, encode_record(record), at)]
    for offset in range(0, PICTURE, CHUNK):
        head = EvidenceChunk(
            digest=digest,
            media_type="image/jpeg",
            offset=offset,
            total=PICTURE,
            captured_at=at,
            stream=f"cam-{camera:03}",
        )
        out.append(Entry(Lane.EVIDENCE, encode_record(head), at, picture[offset : offset + CHUNK]))
    return out


def live(spool: Spool, agent: Agent, cameras: int, alarms_a_s: float, seconds: float) -> None:
    """Spool what the cameras would, as time goes by."""
    begun, due = time.monotonic(), 0.0
    for tick in range(round(seconds / TICK_S)):
        time.sleep(max(0.0, begun + tick * TICK_S - time.monotonic()))
        # a tenth of the cameras at each tick, and a sixtieth of a second's scores
        turn = [c for c in range(cameras) if c % 10 == tick % 10]
        entries = [crossing(c) for c in turn]
        entries += [scores(c) for c in turn if c // 10 % 60 == tick // 10 % 60]
        due += alarms_a_s * TICK_S
        while due >= 1.0:
            entries += alarm(tick % cameras)
            due -= 1.0
        spool.append(entries)
        agent.publisher.wake()


def main(
    port: int, station: str, name: str, folder: str, cameras: int, alarms: float, s: float
) -> int:
    """Be that agent."""
    config = EdgeConfig(
        AgentSettings(name=name, station=station, data_dir=folder, workers=1),
        BrokerSettings(port=port),
        CaptureSettings(),
        SpoolSettings(),
        PublishSettings(),
        (),
    )
    config.agent.folder.mkdir(parents=True, exist_ok=True)
    spool = open_spool(config, _now)
    agent = Agent(config, spool, MqttTransport(config.broker, f"{station}.{name}"), _now)
    agent.start()
    while not spool.epoch:  # the hub has not answered yet
        time.sleep(0.01)
    live(spool, agent, cameras, alarms, s)
    agent.health.stop()
    given_up_s = time.monotonic() + LEFT_S
    while any(lane.watermark + 1 < lane.next_seq for lane in spool.state().values()):
        if time.monotonic() > given_up_s:
            raise RuntimeError(f"agent {name}: not all of its spool was committed")
        time.sleep(0.1)
    agent.stop()
    spool.close()
    return 0


if __name__ == "__main__":
    a = sys.argv[1:]
    raise SystemExit(main(int(a[0]), a[1], a[2], a[3], int(a[4]), float(a[5]), float(a[6])))
