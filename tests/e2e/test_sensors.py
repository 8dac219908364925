"""Foreign systems through a real broker, a real agent and the hub's ingestion into its tables.

One agent with a [[sensor]] for each system; each test publishes what that system documents and
finds it in the database.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge import agent as edge_agent
from gridwarden.district import write_district
from gridwarden.ports import choose
from hub.domain.actor import Actor, Role
from hub.server import run_ingest
from hub.services.context import open_hub
from hub.services.tune_threshold import tune_threshold
from tests.edge.builders import eventually
from tests.edge.readings.modbus_slave import SLAVE, slave
from tests.edge.readings.test_sparkplug import (
    BOOLEAN,
    FLOAT,
    INT64,
    message,
    metric,
)
from tests.edge.sensor_builders import config as edge_config
from tests.hub.builders import config as hub_config
from tests.hub.builders import fresh, rows, running

VIEW = """
[[stream]]
id = "view"
source = "scene:street"
position = [113.66, 34.77]
"""
POSITION = "position = [113.65, 34.76]\n"
SENSORS = """
[[sensor]]
id = "zigbee"
kind = "zigbee2mqtt"
topic = "{me}z2m"
{position}
[[sensor.device]]
id = "kitchen"
name = "Smoke detector, kitchen"
cell = "{cell}"
[[sensor.watch]]
metric = "smoke"
[sensor.watch.detectors.reading_limit]
high_on = true
high = 1

[[sensor]]
id = "tasmota"
kind = "tasmota"
topic = "{me}tele/{{device}}/SENSOR"

[[sensor]]
id = "lora"
kind = "chirpstack"
application = "{me}"

[[sensor]]
id = "discovery"
kind = "home_assistant"
topic = "{me}ha"

[[sensor]]
id = "plant"
kind = "sparkplug"
group = "{me}"

[[sensor]]
id = "frigate"
kind = "frigate"
topic = "{me}frigate"
{position}
reviews = ["alert"]
[sensor.kinds]
fire = "flame"

[[sensor]]
id = "yard"
kind = "number"
topic = "{me}yard/{{device}}/{{metric}}"
also_listen = ["{me}yard/#"]
{position}
[[sensor.watch]]
metric = "water_level"
[sensor.watch.detectors.reading_limit]
high_on = true
high = 2.0

[[sensor]]
id = "weather"
kind = "json"
topic = "{me}weather/{{device}}"
time = "ts"
[sensor.values]
"air.t" = {{ metric = "temperature", unit = "°F" }}

[[sensor]]
id = "pump"
kind = "modbus"
host = "127.0.0.1"
port = {modbus}
slave = {slave}
poll_s = 0.3
[[sensor.register]]
metric = "flow"
address = 0
scale = 0.5
"""


@dataclass
class Town:
    """The parts, running."""

    me: str
    url: str
    client: paho.Client
    heard: list[tuple[str, bytes]]
    agent: str
    hub_folder: Path

    def publish(self, topic: str, payload: bytes | str | dict[str, Any], *, qos: int = 1) -> None:
        data = json.dumps(payload) if isinstance(payload, dict) else payload
        self.client.publish(f"{self.me}{topic}" if topic[0] != "/" else topic[1:], data, qos=qos)

    def values(self, device: str) -> dict[str, tuple[float, str]]:
        found = rows(
            self.url,
            "SELECT metric, value, unit FROM reading WHERE agent = %s AND device = %s "
            "ORDER BY received_at",
            self.agent,
            device,
        )
        return {name: (value, unit) for name, value, unit in found}

    def await_values(self, device: str, **expected: tuple[float, str]) -> None:
        eventually(lambda: expected.items() <= self.values(device).items())

    def detections(self, stream: str) -> list[tuple[Any, ...]]:
        return rows(
            self.url,
            "SELECT d.kind, d.label, d.phase, d.cell, e.subcategory, d.episode "
            "FROM detection d LEFT JOIN grid_event e ON e.id = d.event "
            "WHERE d.agent = %s AND d.stream = %s",
            self.agent,
            stream,
        )


@pytest.fixture(scope="module")
def town(
    broker_port: int, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("sensors")
    me, name, modbus = fresh("s"), fresh("agent"), choose(15_100)
    district = folder / "district.geojson"
    write_district(district)
    cells = [f["properties"]["code"] for f in json.loads(district.read_text())["features"]]
    cell = next(c for c in cells if len(c) == 15)
    text = VIEW + SENSORS.format(me=me, position=POSITION, cell=cell, modbus=modbus, slave=SLAVE)
    agent = edge_config(folder, text, name=name, station=me, port=broker_port)
    agent.agent.folder.mkdir()
    long_ago = b'"2026-01-01T04:00:00Z"'  # so that the daily test is due at once
    (agent.agent.folder / "daily-test.json").write_bytes(long_ago)
    heard: list[tuple[str, bytes]] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=fresh("systems"))
    client.on_message = lambda _c, _d, m: heard.append((m.topic, bytes(m.payload)))
    client.connect("127.0.0.1", broker_port)
    client.loop_start()
    client.subscribe(f"spBv1.0/{me}/NCMD/#", 1)
    with ExitStack() as stack:
        url = module_database_url
        hub = hub_config(
            url, folder / "hub", broker_port=broker_port, stations=(me,), district_file=district
        )
        stack.enter_context(slave(modbus, [25]))
        stack.enter_context(running(lambda stop: run_ingest(hub, stop)))
        stop = threading.Event()
        thread = threading.Thread(target=edge_agent.run, args=(agent, stop), name="agent")
        thread.start()
        try:
            status = agent.agent.folder / "status.json"
            eventually(lambda: _online(status) == 9, 30.0)
            time.sleep(0.2)  # the subscriptions were asked for: a broker has them at once
            yield Town(me, url, client, heard, name, folder / "hub")
        finally:
            stop.set()
            thread.join(10)
            client.disconnect()
            client.loop_stop()
        assert not thread.is_alive()


def _online(status: Path) -> int:
    try:
        told = json.loads(status.read_text())["sensors"]
    except (OSError, ValueError, KeyError):
        return 0
    return sum(s["state"] == "online" for s in told.values())


def test_zigbee2mqtt_and_a_smoke_alarm_in_a_cell_of_the_grid(town: Town) -> None:
    town.publish("z2m/kitchen", {"smoke": True, "battery": 97, "linkquality": 120})
    town.publish("z2m/kitchen/availability", {"state": "online"})
    town.await_values("kitchen", smoke=(1.0, "1"), battery=(97.0, "%"), online=(1.0, "1"))
    eventually(lambda: len(town.detections("kitchen")) == 1)
    kind, label, phase, cell, opened, episode = town.detections("kitchen")[0]
    assert (kind, label, phase, opened) == ("reading_limit", "smoke.high", "raised", "smoke")
    assert cell == rows(town.url, "SELECT cell FROM sensor WHERE device = 'kitchen'")[0][0]
    assert cell is not None
    (curve,) = rows(
        town.url, "SELECT body -> 'readings' FROM detection_change WHERE episode = %s", episode
    )[0]
    assert (curve["metric"], curve["high"], curve["values"][-1]) == ("smoke", 1.0, [0.0, 1.0])


def test_tasmota(town: Town) -> None:
    town.publish(
        "tele/TH16/SENSOR",
        {
            "Time": "2018-03-02T18:25:03",
            "AM2301": {"Temperature": 72.5, "Humidity": 32.4},
            "TempUnit": "F",
        },
    )
    town.await_values("TH16", temperature=(22.5, "Cel"), humidity=(32.4, "%"))


def test_chirpstack_whose_device_has_a_wrong_clock_is_told(town: Town) -> None:
    eui = "a84041000181c061"
    town.publish(
        f"/application/{town.me}/device/{eui}/event/up",
        {
            "time": "2011-01-01T07:59:15.775023242+00:00",
            "deviceInfo": {"devEui": eui, "deviceName": "Bridge 4"},
            "object": {"water_level": 1.2},
            "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -98, "snr": 1.5}],
        },
    )
    town.await_values(eui, water_level=(1.2, "m"), rssi=(-98.0, "dB[mW]"))
    assert town.values(eui)["clock_offset"][0] < -3e8


def test_home_assistant_discovery(town: Town) -> None:
    state = f"{town.me}esp/bedroom/state"
    town.publish(
        "ha/sensor/bedroomT/config",
        {
            "dev_cla": "temperature",
            "stat_t": state,
            "unit_of_meas": "°C",
            "val_tpl": "{{ value_json.temperature}}",
            "dev": {"ids": ["bedroom01ae"]},
        },
    )

    def told() -> bool:  # until the agent has subscribed to the state topic
        town.publish("/" + state, '{"temperature": 23.2}')
        return "temperature" in town.values("bedroom01ae")

    eventually(told)
    assert town.values("bedroom01ae") == {"temperature": (23.2, "Cel")}


def test_sparkplug_asks_for_a_birth_it_missed_and_follows_births_data_and_deaths(
    town: Town,
) -> None:
    group = f"spBv1.0/{town.me}"
    device = f"{town.me}.gw1.pump"
    town.publish(f"/{group}/DDATA/gw1/pump", message(4, metric("", 2.5, FLOAT, alias=7)))
    eventually(lambda: any(t == f"{group}/NCMD/gw1" and b"Rebirth" in p for t, p in town.heard))
    town.publish(
        f"/{group}/NBIRTH/gw1",
        message(0, metric("bdSeq", 3, INT64), metric("Node Control/Rebirth", 0, BOOLEAN)),
    )
    birth = metric("Flow", 1.5, FLOAT, alias=7, unit="m³/h")
    town.publish(f"/{group}/DBIRTH/gw1/pump", message(1, birth))
    town.publish(f"/{group}/DDATA/gw1/pump", message(2, metric("", 2.5, FLOAT, alias=7)))
    town.await_values(device, flow=(2.5, "m3/h"), online=(1.0, "1"))
    town.publish(f"/{group}/NDEATH/gw1", message(None, metric("bdSeq", 3, INT64)))
    town.await_values(device, online=(0.0, "1"))


def test_frigate_feeds_the_loop_with_its_picture(town: Town) -> None:
    start = time.time()
    event = {
        "id": f"{start}-mxklsc",
        "camera": "gate",
        "frame_time": start,
        "label": "fire",
        "sub_label": None,
        "top_score": 0.95,
        "false_positive": False,
        "start_time": start,
        "end_time": None,
        "score": 0.87,
        "box": [432, 496, 544, 640],
        "current_zones": [],
        "entered_zones": [],
    }
    town.publish("frigate/events", {"type": "new", "before": event, "after": event})
    town.publish("frigate/gate/fire/snapshot", b"\xff\xd8\xff\xe0" + b"picture" * 10_000)
    eventually(lambda: len(town.detections("gate")) == 1)
    kind, label, _, cell, opened, episode = town.detections("gate")[0]
    assert (kind, label, opened) == ("flame", "fire", "burning_or_fire")
    assert cell is not None
    eventually(
        lambda: (
            rows(
                town.url,
                "SELECT count(*) FROM detection_evidence d JOIN evidence v USING (digest) "
                "WHERE d.episode = %s AND v.complete_at IS NOT NULL",
                episode,
            )
            == [(1,)]
        )
    )


def test_frigate_reviews_feed_the_loop_once_they_are_alerts(town: Town) -> None:
    # https://docs.frigate.video/integrations/mqtt, "frigate/reviews": a review may begin as a
    # detection and become an alert with an update
    start = time.time()

    def review(kind: str, severity: str, end: float | None = None) -> None:
        after = {
            "id": f"{start}-fqk5ka",
            "camera": "front_cam",
            "start_time": start,
            "end_time": end,
            "severity": severity,
            "thumb_path": "/media/frigate/clips/review/thumb-front_cam-fqk5ka.webp",
            "data": {
                "detections": [f"{start}-g92ztx", f"{start}-d7oq7r", f"{start}-q5ywpt"],
                "objects": ["person", "car"],
                "sub_labels": ["Bob"],
                "zones": ["front_yard"],
                "audio": [],
            },
        }
        message = {"type": kind, "before": after | {"severity": "detection"}, "after": after}
        town.publish("frigate/reviews", message)

    review("new", "detection")
    review("update", "alert")
    eventually(lambda: len(town.detections("front_cam")) == 1)
    kind, label, phase, cell, opened, _ = town.detections("front_cam")[0]
    assert (kind, label, phase, opened) == ("frigate_review", "alert", "updated", "other_emergency")
    assert cell is not None
    review("end", "alert", start + 2.0)
    eventually(lambda: town.detections("front_cam")[0][2] == "cleared")


def test_a_camera_without_detectors_sends_its_daily_test_and_its_frames_hash(town: Town) -> None:
    ((test, state, tested),) = awaited(
        lambda: rows(
            town.url,
            "SELECT d.test, e.state, e.test FROM detection d JOIN grid_event e ON e.id = d.event "
            "WHERE d.agent = %s AND d.stream = 'view' AND d.kind = 'daily_test'",
            town.agent,
        )
    )
    assert (test, state, tested) == (True, "lapsed", True)
    ((frame_hash, age_s),) = awaited(
        lambda: rows(
            town.url,
            "SELECT frame_hash, frame_age_s FROM stream "
            "WHERE agent = %s AND stream = 'view' AND frame_hash <> ''",
            town.agent,
        )
    )
    assert len(frame_hash) == 8
    assert age_s < 5.0


def awaited(ask: Callable[[], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """What is found once there is something."""
    found: list[tuple[Any, ...]] = []

    def there() -> bool:
        found[:] = ask()
        return found != []

    eventually(there, 25.0)
    return found


def test_a_plain_number_a_json_document_and_a_modbus_register(town: Town) -> None:
    now = datetime.now(UTC)
    town.publish("yard/well/humidity", "40.5")
    town.publish("weather/roof", {"ts": now.isoformat(), "air": {"t": 50}})
    town.await_values("well", humidity=(40.5, "%"))
    town.await_values("roof", temperature=(10.0, "Cel"))
    town.await_values("pump", flow=(12.5, "m3/h"), online=(1.0, "1"))
    ((captured_at,),) = rows(town.url, "SELECT captured_at FROM reading WHERE device = 'roof'")
    assert captured_at == now


def test_what_nothing_reads_reaches_the_hub_in_the_heartbeat(town: Town) -> None:
    town.publish("yard/well/too/deep", "1")
    town.publish("yard/well/level", "a lot")

    def told() -> bool:
        found = rows(
            town.url,
            "SELECT s FROM health, jsonb_array_elements(body -> 'sensors') s "
            "WHERE agent = %s AND s ->> 'sensor' = 'yard' ORDER BY received_at DESC LIMIT 1",
            town.agent,
        )
        s = found[0][0] if found else {}
        return bool(s.get("topics")) and s.get("refused") == 1 and "a lot" in s["last_example"]

    eventually(told, 25.0)


def test_a_limit_is_tuned_from_the_hub_and_the_agent_says_what_is_in_force(town: Town) -> None:
    town.publish("yard/well-9/water_level", "1.5")
    town.await_values("well-9", water_level=(1.5, "m"))
    assert town.detections("well-9") == []
    hub = open_hub(hub_config(town.url, town.hub_folder), lambda: datetime.now(UTC))
    try:
        with hub.pool.connection() as conn:
            command = tune_threshold(
                conn,
                hub,
                town.agent,
                "yard.water_level",
                "reading_limit",
                {"high": 1.0},
                Actor("engineer", Role.DISPATCHER),
            )
    finally:
        hub.close()
    eventually(
        lambda: (
            rows(
                town.url,
                "SELECT answered_at IS NOT NULL, errors FROM command "
                "WHERE agent = %s AND version = %s",
                town.agent,
                command.version,
            )
            == [(True, [])]
        )
    )
    town.publish("yard/well-9/water_level", "1.5")
    eventually(lambda: [d[1] for d in town.detections("well-9")] == ["water_level.high"])
    assert town.detections("well-9")[0][4] == "flooded_road"
