"""A small city for tests of API and console: a hub with the demo district, cameras, events.

What an agent would send enters through the services; nothing here runs an agent.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx
import msgspec
import numpy as np

from contract.control import encode_control
from contract.envelope import Identity
from contract.geometry import Box, Point
from contract.messages import (
    Detection,
    DetectorManifest,
    EvidenceChunk,
    EvidenceRef,
    Health,
    Manifest,
    Reading,
    RuleNote,
    StreamHealth,
    StreamManifest,
)
from contract.taxonomy import CameraState, Category, Lane, Phase
from contract.topics import Topic, Up
from gridwarden.district import CENTRE, write_district
from gridwarden.ports import choose
from hub.config import AccountsConfig, DatabaseConfig, HttpConfig, HubConfig, SiteConfig
from hub.domain.actor import Actor, Role
from hub.ingest.births import take_control
from hub.ingest.decode import Entry
from hub.ingest.evidence import receive_chunks
from hub.ingest.heartbeats import take_heartbeats
from hub.server import serve
from hub.services.context import Hub, open_hub
from hub.services.record_detections import record_detections
from hub.services.report_manually import ManualReport, report_manually
from hub.store import quarantine, readings, views
from hub.store.detections import Change
from hub.store.health import ReceivedHealth
from hub.store.quarantine import Reject
from tests.hub.builders import eventually, running

CHEAP = AccountsConfig(argon2_time_cost=1, argon2_memory_kib=8, argon2_parallelism=1)
STATION, AGENT, BOOT = "demo", "demo-01", "boot-1"
CHUNK = 48 * 1024
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "threshold": {
            "type": "number",
            "minimum": 0.05,
            "maximum": 1.0,
            "default": 0.5,
            "description": "Score at or above which a sample speaks for a flame",
        },
        "k": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 5,
            "description": "Samples of the window that must speak for it",
        },
        "off_delay_s": {
            "type": "number",
            "minimum": 1.0,
            "maximum": 600.0,
            "default": 10.0,
            "x-unit": "s",
            "description": "Quiet this long clears it",
        },
    },
}


def system_clock() -> datetime:
    return datetime.now(UTC)


def free_port() -> int:
    """A port nobody listens on, from a random place on: others may look at the same time."""
    return choose(random.randrange(20_000, 30_000))


def offset(point: Point, east_m: float, north_m: float) -> Point:
    return Point(point.lon + east_m / 91_300.0, point.lat + north_m / 111_195.0)


@dataclass(slots=True)
class City:
    """Everything a test does to its hub."""

    hub: Hub
    _seq: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.hub.config.http.port}"

    @property
    def centre(self) -> Point:
        return CENTRE

    def answers(self) -> bool:
        """Whether its hub serves by now."""
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def state(self, number: str) -> str:
        """The state of an event, read from the database."""
        with self.hub.pool.connection() as conn:
            return views.event(conn, number).state

    def cameras(
        self,
        names: Sequence[str] = ("cam-01", "cam-02"),
        command: int = 0,
        errors: tuple[str, ...] = (),
        threshold: float = 0.5,
        clip_s: float = 0.0,
    ) -> None:
        """An agent is born that runs these cameras, 900 m from each other."""
        now = self.hub.now()
        manifest = Manifest(
            boot=BOOT,
            started_at=now,
            published_at=now,
            software="gridwarden 0.1.0",
            command_version=command,
            command_errors=list(errors),
            streams=[
                StreamManifest(
                    stream=name,
                    name=f"Gate {name[-2:]}",
                    source="scene:fire",
                    position=offset(CENTRE, 900.0 * n, 0),
                    state=CameraState.ONLINE,
                    clip_s=clip_s,
                    detectors=[
                        DetectorManifest(
                            kind="flame",
                            version="1.0",
                            summary="Open flames by colour, flicker and growth",
                            schema=SCHEMA,
                            parameters={"threshold": threshold, "k": 5, "off_delay_s": 10.0},
                        )
                    ],
                )
                for n, name in enumerate(names)
            ],
        )
        topic = str(Topic(STATION, AGENT, Up.BIRTH))
        with self.hub.pool.connection() as conn:
            take_control(conn, self.hub, topic, encode_control(manifest))

    def heartbeat(
        self,
        states: dict[str, CameraState],
        detail: str = "",
        not_taken: dict[Lane, int] | None = None,
    ) -> None:
        now = self.hub.now()
        record = Health(
            captured_at=now,
            uptime_s=60.0,
            streams=[
                StreamHealth(
                    stream=stream,
                    state=state,
                    since=now - timedelta(minutes=5),
                    frame_age_s=0.1,
                    captured=1500,
                    observed=750,
                    detail=detail,
                )
                for stream, state in states.items()
            ],
            spooled={Lane.EVIDENCE: 3},
            not_taken=not_taken or {},
        )
        with self.hub.pool.connection() as conn:
            take_heartbeats(
                conn,
                [ReceivedHealth(AGENT, BOOT, next(self._seq), record, now)],
                self.hub.insert,
            )

    def sees(
        self,
        kind: str = "flame",
        label: str = "flame",
        stream: str = "cam-01",
        *,
        at: Point | None = None,
        picture: bytes | None = None,
        arrives: bool = True,
        score: float = 0.91,
        again_after_s: float = 0.0,
        lasted_s: float = 2.0,
    ) -> str:
        """The number of the event that a new detection opened or joined."""
        now = self.hub.now()
        episode = str(uuid.uuid4())
        evidence: list[EvidenceRef] = []
        if picture is not None:
            digest = hashlib.sha256(picture).hexdigest()
            evidence = [EvidenceRef(digest, "image/jpeg", len(picture), now, "box")]
        ramp = [(s / 2, round(min(score, max(0.05, 0.3 + s * 0.08)), 2)) for s in range(-12, 5)]
        record = Detection(
            episode=episode,
            revision=1,
            phase=Phase.RAISED,
            stream=stream,
            kind=kind,
            label=label,
            started_at=now - timedelta(seconds=lasted_s),
            raised_at=now,
            captured_at=now,
            frame=120,
            raised_frame=117,
            score=score,
            peak_score=score,
            box=Box(0.36, 0.48, 0.22, 0.29),
            position=at,
            detector_version="1.0",
            rule=RuleNote(
                "k-of-n",
                0.5,
                "5 of the last 8 samples at or above 0.50 within 0.7 s (5 of 8 needed)",
            ),
            scores=ramp,
            evidence=evidence,
        )
        records = [record]
        if again_after_s:  # the same episode is told of again, with its latest samples only
            late = [(again_after_s + s / 2, score) for s in range(8)]
            rule = RuleNote("k-of-n", 0.5, "it goes on")
            again = msgspec.structs.replace(
                record, revision=2, phase=Phase.UPDATED, scores=late, rule=rule
            )
            records.append(again)
        changes = [Change(STATION, AGENT, BOOT, next(self._seq), r, now) for r in records]
        with self.hub.pool.connection() as conn:
            assert record_detections(conn, self.hub, changes) == []
        if picture is not None and arrives:
            self.picture_arrives(picture, stream)
        with self.hub.pool.connection() as conn:
            row = conn.execute(
                "SELECT e.number FROM detection d JOIN grid_event e ON e.id = d.event"
                " WHERE d.episode = %s",
                (episode,),
            ).fetchone()
        return str(row[0]) if row else ""

    def picture_arrives(
        self,
        picture: bytes,
        stream: str = "cam-01",
        part: float = 1.0,
        kind: str = "image/jpeg",
        *,
        agent: str = AGENT,
        clip_of: Sequence[str] = (),
        begun_s: float = 0.0,
    ) -> str:
        """The first share of a picture's bytes arrive; its digest.

        clip_of: it is a clip of these episodes, begun so many seconds ago.
        """
        digest = hashlib.sha256(picture).hexdigest()
        now = self.hub.now()
        entries = []
        for begin in range(0, int(len(picture) * part), CHUNK):
            piece = picture[begin : min(begin + CHUNK, int(len(picture) * part))]
            chunk = EvidenceChunk(
                digest=digest,
                media_type=kind,
                offset=begin,
                total=len(picture),
                captured_at=now - timedelta(seconds=begun_s),
                stream=stream,
                role="clip" if clip_of else "box",
                episodes=list(clip_of) if begin == 0 else [],
            )
            seq = next(self._seq)
            identity = Identity(STATION, agent, BOOT, Lane.EVIDENCE, seq)
            entries.append(Entry(identity, seq, chunk, "", b"", piece))
        with self.hub.pool.connection() as conn:
            receive_chunks(conn, self.hub, entries, now)
        return digest

    def episode_of(self, number: str) -> str:
        """The first episode that feeds an event."""
        with self.hub.pool.connection() as conn:
            return str(views.detections_of(conn, views.event(conn, number).id)[0].episode)

    def reports(self, words: str, at: Point = CENTRE) -> str:
        """The number of the event that a person's report opened or joined."""
        who = Actor("Zhao Lei", Role.ASSISTANT)
        report = ManualReport(who, words, at, Category.URBAN_MANAGEMENT)
        with self.hub.pool.connection() as conn:
            return report_manually(conn, self.hub, report).number

    def crossings(self, n: int, label: str = "down", stream: str = "cam-01") -> None:
        now = self.hub.now()
        values = readings.ReadingRows()
        for _ in range(n):
            values.add(
                AGENT,
                Reading(
                    device=stream,
                    metric="vehicle_crossing",
                    value=1.0,
                    captured_at=now,
                    label=label,
                    place="line",
                ),
            )
        with self.hub.pool.connection() as conn:
            zone = self.hub.zone
            readings.append(conn, values, now, zone, self.hub.insert)

    def refused(self, reason: str, payload: bytes = b"garbage", **identity: Any) -> None:
        """Something could not be taken; `identity` as a reject names it."""
        topic = str(Topic(STATION, AGENT, Up.READING))
        reject = Reject(topic, payload, reason, station=STATION, **identity)
        with self.hub.pool.connection() as conn:
            quarantine.put_aside(conn, [reject], self.hub.now())

    def execute(self, statement: str, *values: object) -> None:
        with self.hub.pool.connection() as conn:
            conn.execute(statement.encode(), values or None)


def street(flame: bool = True, seed: int = 1) -> bytes:
    """A drawn picture of a street, with a fire in its box, as a JPEG of some 100 kB."""
    noise = np.random.default_rng(seed).integers(0, 18, (720, 1280, 3), np.uint8)
    image = np.full((720, 1280, 3), (150, 156, 160), np.uint8)
    cv2.rectangle(image, (0, 430), (1280, 720), (92, 96, 98), -1)
    for x in range(40, 1280, 260):
        cv2.rectangle(image, (x, 130 + x % 90), (x + 200, 430), (128, 120, 118), -1)
        for wx in range(x + 20, x + 190, 45):
            for wy in range(160 + x % 90, 410, 55):
                cv2.rectangle(image, (wx, wy), (wx + 24, wy + 30), (95, 85, 78), -1)
    for x in range(0, 1280, 160):
        cv2.rectangle(image, (x, 570), (x + 80, 578), (220, 225, 228), -1)
    if flame:
        for k, colour in enumerate(((20, 90, 235), (40, 160, 250), (110, 220, 255))):
            tip = np.array(
                [[600, 360 + 60 * k], [690 - 20 * k, 550], [510 + 20 * k, 550]], np.int32
            )
            cv2.fillPoly(image, [tip], colour)
        cv2.rectangle(image, (461, 346), (742, 554), (255, 255, 255), 3)
    done, jpeg = cv2.imencode(".jpg", cv2.add(image, noise), [cv2.IMWRITE_JPEG_QUALITY, 75])
    assert done
    return jpeg.tobytes()


@contextmanager
def town_with_cameras(
    database_url: str,
    folder: Path,
    accounts: AccountsConfig = CHEAP,
    trusted_proxies: tuple[str, ...] = (),
) -> Iterator[City]:
    """A city with two cameras and no event yet; its hub serves API and console."""
    with (
        city(database_url, folder, free_port(), accounts, trusted_proxies) as here,
        running(lambda stop: serve(here.hub, stop)),
    ):
        here.cameras()
        eventually(here.answers)
        yield here


@contextmanager
def city(
    database_url: str,
    folder: Path,
    port: int = 8080,
    accounts: AccountsConfig = CHEAP,
    trusted_proxies: tuple[str, ...] = (),
) -> Iterator[City]:
    """A city on a fresh database, with the demo district and nothing in it yet."""
    district = folder / "district.geojson"
    write_district(district)
    config = HubConfig(
        database=DatabaseConfig(url=database_url),
        http=HttpConfig(port=port, trusted_proxies=trusted_proxies),
        accounts=accounts,
        hub=SiteConfig(data_dir=folder / "hub", district_file=district),
    )
    hub = open_hub(config, system_clock)
    try:
        yield City(hub)
    finally:
        hub.close()
