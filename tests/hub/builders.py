"""What tests of the hub begin with: a hub, an agent that speaks MQTT, records."""

from __future__ import annotations

import hashlib
import itertools
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from contract.control import encode_control, read_control
from contract.envelope import Identity, build, encode_record
from contract.geometry import Point
from contract.messages import (
    Ack,
    Command,
    Death,
    Detection,
    DetectorManifest,
    EvidenceChunk,
    EvidenceRef,
    Flow,
    Health,
    Lost,
    Manifest,
    Nack,
    Reading,
    Record,
    RuleNote,
    ScoreBlock,
    StreamHealth,
    StreamManifest,
)
from contract.taxonomy import CameraState, Lane, Phase
from contract.topics import Down, Topic, Up
from hub.config import (
    BrokerConfig,
    DatabaseConfig,
    FlowConfig,
    HubConfig,
    IngestConfig,
    LimitsConfig,
    SiteConfig,
)
from hub.services.context import Hub, open_hub

SQUARE = Point(113.65, 34.76)  # in the demo district
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

_numbers = itertools.count(1)


def fresh(word: str) -> str:
    """A name nobody else uses: the broker is shared."""
    return f"{word}-{uuid.uuid4().hex[:8]}"


def north(point: Point, metres: float) -> Point:
    return Point(point.lon, point.lat + metres / 111_195.0)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


def system_clock() -> datetime:
    return datetime.now(UTC)


def config(
    database_url: str,
    data_dir: Path,
    *,
    broker_port: int = 1,
    stations: tuple[str, ...] = ("demo",),
    ingest: IngestConfig | None = None,
    limits: LimitsConfig | None = None,
    flow: FlowConfig | None = None,
    district_file: Path | None = None,
) -> HubConfig:
    return HubConfig(
        database=DatabaseConfig(url=database_url, pool_size=30),
        broker=BrokerConfig(port=broker_port),
        hub=SiteConfig(data_dir=data_dir, stations=stations, district_file=district_file),
        ingest=ingest or IngestConfig(batch_wait_ms=10, ack_every_ms=20, hole_s=0.5),
        limits=limits or LimitsConfig(),
        flow=flow or FlowConfig(),
    )


@contextmanager
def opened(config: HubConfig, now: Callable[[], datetime] = system_clock) -> Iterator[Hub]:
    hub = open_hub(config, now)
    try:
        yield hub
    finally:
        hub.close()


def episode_id() -> str:
    return str(uuid.uuid4())


def detection(
    *,
    at: datetime | None = None,
    episode: str | None = None,
    revision: int = 1,
    phase: Phase = Phase.RAISED,
    stream: str = "cam-01",
    kind: str = "flame",
    label: str = "flame",
    position: Point | None = SQUARE,
    score: float = 0.9,
    peak_score: float | None = None,
    evidence: Sequence[EvidenceRef] = (),
    test: bool = False,
) -> Detection:
    at = at or system_clock()
    return Detection(
        episode=episode or episode_id(),
        revision=revision,
        phase=phase,
        stream=stream,
        kind=kind,
        label=label,
        started_at=at,
        raised_at=at,
        captured_at=at,
        frame=10 * revision,
        raised_frame=10,
        score=score,
        peak_score=score if peak_score is None else peak_score,
        position=position,
        rule=RuleNote("k_of_n", 0.5, "5 of the last 8 samples"),
        scores=[(-1.0, 0.4), (0.0, score)],
        evidence=list(evidence),
        test=test,
    )


def reading(value: float, *, at: datetime | None = None, device: str = "cam-01") -> Reading:
    return Reading(
        device=device, metric="vehicle_crossing", value=value, captured_at=at or system_clock()
    )


def score_block(at: datetime | None = None) -> ScoreBlock:
    return ScoreBlock(
        stream="cam-01",
        kind="flame",
        label="flame",
        started_at=at or system_clock(),
        offsets_ms=[0, 40, 80],
        scores=[0.1, 0.5, 0.9],
    )


def health(
    *,
    state: CameraState = CameraState.ONLINE,
    offset_s: float | None = None,
    at: datetime | None = None,
    stream: str = "cam-01",
) -> Health:
    at = at or system_clock()
    return Health(
        captured_at=at,
        uptime_s=5.0,
        streams=[StreamHealth(stream=stream, state=state, since=at, frame_age_s=0.1)],
        clock_offset_s=offset_s,
    )


def picture(size: int = 100_000) -> bytes:
    seed = uuid.uuid4().bytes
    return (seed * (size // len(seed) + 1))[:size]


def chunks(data: bytes, piece: int = 48 * 1024) -> list[tuple[EvidenceChunk, bytes]]:
    digest = hashlib.sha256(data).hexdigest()
    return [
        (
            EvidenceChunk(
                digest=digest,
                media_type="image/jpeg",
                offset=offset,
                total=len(data),
                captured_at=START,
                stream="cam-01",
            ),
            data[offset : offset + piece],
        )
        for offset in range(0, len(data), piece)
    ]


def manifest(
    boot: str,
    *,
    at: datetime | None = None,
    position: Point | None = SQUARE,
    command_version: int = 0,
    command_errors: Sequence[str] = (),
    streams: Sequence[str] = ("cam-01",),
) -> Manifest:
    at = at or system_clock()
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "threshold": {
                "type": "number",
                "minimum": 0.05,
                "maximum": 1.0,
                "default": 0.5,
                "description": "Score to raise at",
            },
            "k": {"type": "integer", "minimum": 1, "description": "Samples"},
        },
    }
    return Manifest(
        boot=boot,
        started_at=at,
        published_at=at,
        software="test",
        command_version=command_version,
        command_errors=list(command_errors),
        streams=[
            StreamManifest(
                stream=s,
                name=f"Camera {s}",
                position=position,
                state=CameraState.ONLINE,
                detectors=[
                    DetectorManifest(
                        kind="flame", version="1", schema=schema, parameters={"threshold": 0.5}
                    )
                ],
            )
            for s in streams
        ],
    )


class Agent:
    """An edge agent as the hub sees one: publishes at QoS 1, hears acks, nacks, commands."""

    def __init__(self, port: int, station: str, name: str | None = None) -> None:
        self.station = station
        self.name = name or fresh("agent")
        self.boot = fresh("boot")
        self.heard: queue.Queue[tuple[Down, bytes]] = queue.Queue()
        self.acks: list[Ack] = []  # every one heard, oldest first
        self._next: dict[Lane, int] = {}
        self._subscribed = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=fresh("edge"))
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._arrived
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(30)

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def topic(self, kind: Up) -> str:
        return str(Topic(self.station, self.name, kind))

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, timeout_s: float = 30.0
    ) -> None:
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        info.wait_for_publish(timeout_s)
        assert info.is_published()

    def message(
        self, lane: Lane, seq: int, records: Sequence[Record | Lost], payload: bytes = b""
    ) -> bytes:
        return build(
            Identity(self.station, self.name, self.boot, lane, seq),
            [encode_record(r) for r in records],
            START,
            payload,
        )

    def send(
        self,
        lane: Lane,
        records: Sequence[Record | Lost],
        *,
        seq: int | None = None,
        payload: bytes = b"",
    ) -> int:
        """Publish records in one message; the sequence number of the first."""
        first = self._next.get(lane, 1) if seq is None else seq
        self._next[lane] = max(self._next.get(lane, 1), first + len(records))
        self.publish(self.topic(Up(lane)), self.message(lane, first, records, payload))
        return first

    def send_picture(self, data: bytes) -> str:
        for header, piece in chunks(data):
            self.send(Lane.EVIDENCE, [header], payload=piece)
        return hashlib.sha256(data).hexdigest()

    def bear(self, born: Manifest | None = None) -> Manifest:
        born = born or manifest(self.boot)
        self.publish(self.topic(Up.BIRTH), encode_control(born), retain=True)
        return born

    def die(self, born: Manifest) -> None:
        death = Death(boot=born.boot, published_at=born.published_at)
        self.publish(self.topic(Up.DEATH), encode_control(death))

    def hear(self, kind: Down, until: Callable[[Any], bool], timeout_s: float = 30.0) -> Any:
        """The first message of that kind that satisfies `until`."""
        types: dict[Down, Any] = {Down.NACK: Nack, Down.COMMAND: Command, Down.FLOW: Flow}
        deadline = time.monotonic() + timeout_s
        seen: list[Any] = []
        while True:
            try:
                got, payload = self.heard.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no such {kind} within {timeout_s} s; heard {seen}") from None
            if got is kind:
                message = read_control(types[kind], payload)
                if until(message):
                    return message
                seen.append(message)

    def acked(self, lane: Lane, watermark: int) -> Ack:
        """The ack that says the hub has 1..watermark of the lane."""
        found: list[Ack] = []

        def here() -> bool:
            found[:] = [
                a
                for a in self.acks
                if a.boot == self.boot and lane in a.lanes and a.lanes[lane].watermark >= watermark
            ]
            return bool(found)

        eventually(here)
        return found[0]

    def _connected(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(f"gw/v1/{self.station}/dn/{self.name}/+", 1)

    def _arrived(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        kind, payload = Down(message.topic.rsplit("/", 1)[1]), bytes(message.payload)
        if kind is Down.ACK:
            self.acks.append(read_control(Ack, payload))
        else:
            self.heard.put((kind, payload))


@contextmanager
def running(part: Callable[[threading.Event], None]) -> Iterator[threading.Event]:
    """`part` in a thread until the block ends; what it raises is raised here."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            part(stop)
        except BaseException as e:  # noqa: BLE001 - raised below
            failures.append(e)

    thread = threading.Thread(target=run, name="part")
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(20)
    if failures:
        raise failures[0]
    assert not thread.is_alive()


def rows(database_url: str, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(database_url) as conn:
        return conn.execute(statement.encode(), parameters or None).fetchall()


def trap(database_url: str, on: bool = True) -> None:
    """A fault that a detection labelled `trap` trips: a function of ours that is not there."""
    with psycopg.connect(database_url) as conn:
        conn.execute(
            """
            CREATE OR REPLACE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF NEW.label = 'trap' THEN PERFORM nobody_wrote_this(); END IF;
            RETURN NEW; END $$
            """
        )
        conn.execute("DROP TRIGGER IF EXISTS trap ON detection")
        if on:
            conn.execute(
                "CREATE TRIGGER trap BEFORE INSERT ON detection FOR EACH ROW "
                "EXECUTE FUNCTION trap()"
            )


def eventually(
    question: Callable[[], object], expected: object = True, timeout_s: float = 30.0
) -> None:
    """Ask until the answer is as expected."""
    deadline = time.monotonic() + timeout_s
    while (answer := question()) != expected:
        assert time.monotonic() < deadline, f"still {answer!r}, not {expected!r}"
        time.sleep(0.02)


def together(works: Iterable[Callable[[], object]]) -> list[object]:
    """What each gives, run at once from threads that start at the same moment."""
    jobs = list(works)
    gate = threading.Barrier(len(jobs))
    results: list[object] = [None] * len(jobs)

    def run(i: int, job: Callable[[], object]) -> None:
        gate.wait()
        try:
            results[i] = job()
        except BaseException as e:  # noqa: BLE001 - looked at by the test
            results[i] = e

    threads = [threading.Thread(target=run, args=(i, j)) for i, j in enumerate(jobs)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results
