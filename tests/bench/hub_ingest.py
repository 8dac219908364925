"""Messages a second into the database against a bare paho subscriber on the same broker.

The floor is what paho can read and acknowledge with nothing behind it. Ours is measured from the
first PUBLISH to the commit watermark that covers the last record: decoded, checked, deduped, in
PostgreSQL with fsync, acknowledged.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from contract.control import encode_control
from contract.envelope import Identity, build, encode_record
from contract.messages import Ack, Manifest, Reading
from contract.taxonomy import Lane
from contract.topics import Down, Topic, Up
from gridwarden.broker import EmbeddedBroker, find_mosquitto
from gridwarden.database import EmbeddedDatabase
from gridwarden.ports import choose
from tests.bench.measure import Comparison, compare
from tests.bench.wire import BareClient

WINDOW = 90  # unacknowledged messages of the sender, below every broker's own window
STATION = "bench"


@contextmanager
def _hub(folder: Path, broker_port: int, database_url: str) -> Iterator[None]:
    """The hub's ingestion as a process of its own."""
    environ = {
        **os.environ,
        "GRIDWARDEN_HUB__DATABASE__URL": database_url,
        "GRIDWARDEN_HUB__BROKER__PORT": str(broker_port),
        "GRIDWARDEN_HUB__HUB__STATIONS": STATION,
        "GRIDWARDEN_HUB__HUB__DATA_DIR": str(folder / "hub"),
    }
    with (folder / "hub.log").open("wb") as log:
        hub = subprocess.Popen(
            [sys.executable, "-m", "gridwarden", "hub", "ingest"],
            env=environ,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        hub.terminate()
        hub.wait(20)


def _payloads(agent: str, boot: str, messages: int, records_each: int) -> list[bytes]:
    """Ready-made messages of readings, so that making them costs the sender nothing."""
    start = datetime.now(UTC) - timedelta(seconds=messages)
    out = []
    for m in range(messages):
        at = start + timedelta(seconds=m)
        records = [
            encode_record(
                Reading(
                    device=f"meter-{r % 50}",
                    metric="temperature",
                    value=20.0 + (m + r) % 100 / 10,
                    unit="Cel",
                    captured_at=at,
                )
            )
            for r in range(records_each)
        ]
        identity = Identity(STATION, agent, boot, Lane.READING, m * records_each + 1)
        out.append(build(identity, records, at))
    return out


def _committed_rate(port: int, messages: int, records_each: int) -> float:
    """Messages a second from the first PUBLISH to the covering watermark."""
    agent, boot = f"b-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex[:8]
    payloads = _payloads(agent, boot, messages, records_each)
    total = messages * records_each
    listener = BareClient(port, f"l-{agent}")
    listener.subscribe(str(Topic(STATION, agent, Down.ACK)))
    sender = BareClient(port, f"s-{agent}")
    now = datetime.now(UTC)
    birth = Manifest(boot=boot, started_at=now, published_at=now, software="bench")
    birth_topic = str(Topic(STATION, agent, Up.BIRTH))
    for _ in range(60):  # until the hub is there to answer
        sender.publish_all(birth_topic, [encode_control(birth)], WINDOW)
        if next(listener.messages(1.0), None) is not None:
            break
    else:
        raise RuntimeError("the hub does not answer a birth")
    topic = str(Topic(STATION, agent, Up.READING))
    begun = time.perf_counter()
    sending = threading.Thread(
        target=sender.publish_all, args=(topic, payloads, WINDOW), name="sender"
    )
    sending.start()
    for raw in listener.messages(60.0):
        ack = msgspec.json.decode(raw, type=Ack)
        lane = ack.lanes.get(Lane.READING)
        if ack.boot == boot and lane is not None and lane.watermark >= total:
            break
    else:
        raise RuntimeError(f"the hub did not commit {total} records")
    took = time.perf_counter() - begun
    sending.join()
    sender.close()
    listener.close()
    return messages / took


def _bare_rate(port: int, messages: int, records_each: int) -> float:
    """Messages a second that a paho subscriber without any work behind it takes at QoS 1."""
    name = f"f-{uuid.uuid4().hex[:8]}"
    payloads = _payloads(name, "boot", messages, records_each)
    topic = f"bench/{name}"
    ready, done = threading.Event(), threading.Event()
    seen = 0

    def count(client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        nonlocal seen
        seen += 1
        if seen == messages:
            done.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv311)
    client.on_message = count
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.subscribe(topic, 1)
    client.loop_start()
    ready.wait(10)
    sender = BareClient(port, f"s-{name}")
    begun = time.perf_counter()
    sender.publish_all(topic, payloads, WINDOW)
    if not done.wait(60):
        raise RuntimeError(f"the bare subscriber saw {seen} of {messages} messages")
    took = time.perf_counter() - begun
    client.disconnect()
    client.loop_stop()
    sender.close()
    return messages / took


def measure(runs: int, quick: bool) -> list[Comparison]:
    """Single-record and packed messages, on the embedded broker's preferred form."""
    messages = 3_000 if quick else 20_000
    with tempfile.TemporaryDirectory(prefix="gridwarden-bench-") as name:
        folder = Path(name)
        database = EmbeddedDatabase(folder / "db")
        broker = EmbeddedBroker(choose(18_950), folder, mosquitto=find_mosquitto())
        try:
            url = database.start()
            broker.start()
            with _hub(folder, broker.port, url):
                return [
                    compare(
                        f"hub, {n} record{'s' * (n > 1)} a message, {broker.name}",
                        lambda m=m, n=n: _committed_rate(broker.port, m, n),  # type: ignore[misc]
                        "bare paho subscriber",
                        lambda m=m, n=n: _bare_rate(broker.port, m, n),  # type: ignore[misc]
                        unit="messages/s",
                        runs=runs,
                    )
                    for m, n in ((messages, 1), (messages // 10, 100))
                ]
        finally:
            broker.stop()
            database.remove()
