"""Sensors: the last word on each, what they measured, and the console's pages of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from contract.control import encode_control
from contract.geometry import Point
from contract.messages import (
    Detection,
    DetectorManifest,
    DeviceManifest,
    Health,
    Manifest,
    Reading,
    ReadingCurve,
    RuleNote,
    SensorHealth,
    SensorManifest,
    StreamManifest,
)
from contract.taxonomy import Phase, SensorState
from contract.topics import Topic, Up
from gridwarden.district import CENTRE
from hub.ingest.births import take_control
from hub.ingest.heartbeats import take_heartbeats
from hub.services.record_detections import record_detections
from hub.store import readings, sensors
from hub.store.detections import Change
from hub.store.health import ReceivedHealth
from hub.store.readings import ReadingRows
from tests.hub.api.city import AGENT, BOOT, SCHEMA, STATION, City, town_with_cameras
from tests.hub.api.problems import problem
from tests.hub.api.signing_in import signed_in

ZONE = ZoneInfo("Asia/Shanghai")
WATCH = "air.pm2_5"


class Yard:
    """A city whose agent listens to sensors."""

    def __init__(self, city: City) -> None:
        self.city = city
        self._seq = 0

    def born(self, *devices: DeviceManifest) -> None:
        now = self.city.hub.now()
        detector = DetectorManifest(
            kind="reading_limit", version="1", schema=SCHEMA, parameters={"threshold": 0.5}
        )
        watch = StreamManifest(stream=WATCH, name="Air: pm2_5", detectors=[detector])
        air = SensorManifest(sensor="air", kind="simulated", devices=list(devices), watches=[watch])
        manifest = Manifest(
            boot=BOOT, started_at=now, published_at=now, software="gridwarden 0.1.0", sensors=[air]
        )
        with self.city.hub.pool.connection() as conn:
            topic = str(Topic(STATION, AGENT, Up.BIRTH))
            take_control(conn, self.city.hub, topic, encode_control(manifest))

    def hears(
        self,
        values: Sequence[tuple[datetime, float]],
        device: str = "air-1",
        metric: str = "pm2_5",
        received_at: datetime | None = None,
    ) -> None:
        """Readings come in one batch."""
        hub, rows = self.city.hub, ReadingRows()
        for at, v in values:
            rows.add(
                AGENT, Reading(device=device, metric=metric, value=v, unit="ug/m3", captured_at=at)
            )
        at = received_at or max(at for at, _ in values)
        with hub.pool.connection() as conn:
            readings.append(conn, rows, at, ZONE, hub.insert)
            sensors.hear(conn, rows, at)

    def raises(
        self, label: str, *, device: str = "air-1", cell: str = "", at: Point | None = None
    ) -> str:
        """A detection over readings; its episode."""
        hub, now, episode = self.city.hub, self.city.hub.now(), str(uuid.uuid4())
        record = Detection(
            episode=episode,
            revision=1,
            phase=Phase.RAISED,
            stream=device,
            kind="reading_limit",
            label=label,
            started_at=now,
            raised_at=now,
            captured_at=now,
            frame=0,
            raised_frame=0,
            score=0.9,
            peak_score=0.9,
            position=at,
            cell=cell,
            rule=RuleNote("sustained", 0.5, "0.90, at or above 0.50 for 60 s"),
            readings=ReadingCurve(
                "pm2_5", "ug/m3", [(-120.0, 40.0), (-60.0, 80.0), (0.0, 130.0)], high=75.0
            ),
        )
        self._seq += 1
        with hub.pool.connection() as conn:
            change = Change(STATION, AGENT, BOOT, self._seq, record, now)
            assert record_detections(conn, hub, [change]) == []
        return episode

    def heartbeat(self, *told: SensorHealth) -> None:
        hub, now = self.city.hub, self.city.hub.now()
        record = Health(captured_at=now, uptime_s=1.0, sensors=list(told))
        self._seq += 1
        with hub.pool.connection() as conn:
            beat = ReceivedHealth(AGENT, BOOT, self._seq, record, now)
            take_heartbeats(conn, [beat], hub.insert)


@pytest.fixture(scope="module")
def yard(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    folder: Path = tmp_path_factory.mktemp("yard")
    with town_with_cameras(module_database_url, folder) as here:
        yield Yard(here)


@pytest.fixture
def client(yard: Yard) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=yard.city.url, cookies=signed_in(yard.city.hub), timeout=20, trust_env=False
    ) as asks:
        yield asks


def place(client: httpx.Client, device: str) -> tuple[float | None, str | None]:
    told = client.get(f"/api/v1/agents/{AGENT}/sensors/{device}").json()
    return told["lon"], told["cell"]


def test_a_devices_page_without_a_sensor_says_how_to_add_one(client: httpx.Client) -> None:
    assert "No sensor has been heard of" in client.get("/devices").text
    assert "尚无传感器数据" in client.get("/devices?lang=zh").text
    assert client.get("/api/v1/sensors").json() == []


def test_a_device_stands_where_its_manifest_says_or_inside_its_cell(
    yard: Yard, client: httpx.Client
) -> None:
    cell = next(c for c in yard.city.hub.grid.cells if len(c) == 15)
    yard.born(
        DeviceManifest(device="air-1", name="Air, gate", position=CENTRE),
        DeviceManifest(device="well-1", cell=cell),
        DeviceManifest(device="lost-1", cell="999999"),
    )
    assert place(client, "air-1")[0] == CENTRE.lon
    assert place(client, "well-1")[1] == cell
    assert place(client, "lost-1") == (None, None)
    yard.born(DeviceManifest(device="air-1", name="Air, gate", position=CENTRE))
    problem(client.get(f"/api/v1/agents/{AGENT}/sensors/well-1"), 404)


def test_the_last_word_is_the_newest_by_capture_and_late_ones_only_count(
    yard: Yard, client: httpx.Client
) -> None:
    now = yard.city.hub.now()
    yard.hears([(now - timedelta(seconds=10 * k), float(k)) for k in range(5)])
    yard.hears([(now - timedelta(days=1), 99.0)], received_at=now)
    told = client.get(f"/api/v1/agents/{AGENT}/sensors/air-1").json()
    (series,) = told["series"]
    assert (series["value"], series["unit"], series["n"]) == (0.0, "ug/m3", 6)
    assert series["silent"] is False
    assert told["silent_since"] is None


def test_a_sensor_overdue_by_four_of_its_intervals_is_silent_since_its_last_reading(
    yard: Yard, client: httpx.Client
) -> None:
    now = yard.city.hub.now()
    for k in range(5):
        yard.hears([(now - timedelta(hours=1, seconds=-30 * k), 1.0)], device="hushed")
    for k in range(3):
        yard.hears([(now - timedelta(hours=2 - k), 1.0)], device="hourly")
    told = {s["device"]: s["silent_since"] for s in client.get("/api/v1/sensors").json()}
    assert told["hourly"] is None
    assert told["hushed"] is not None
    page = client.get("/devices").text
    assert page.index("hushed") < page.index("hourly")  # what needs a look first


def test_an_outage_does_not_make_a_sensor_seem_slow(yard: Yard, client: httpx.Client) -> None:
    now = yard.city.hub.now()
    start = now - timedelta(days=2)
    for k in range(10):
        yard.hears([(start + timedelta(seconds=10 * k), 1.0)], device="back")
    yard.hears([(now, 1.0)], device="back")
    told = client.get(f"/api/v1/agents/{AGENT}/sensors/back").json()
    assert told["series"][0]["interval_s"] == pytest.approx(14.0)


def test_readings_and_rollups_of_a_time_are_bounded(yard: Yard, client: httpx.Client) -> None:
    now = yard.city.hub.now()
    yard.hears([(now - timedelta(minutes=k), float(k)) for k in range(30)], device="gauge")
    base = f"/api/v1/agents/{AGENT}/sensors/gauge"
    since = (now - timedelta(minutes=10, seconds=30)).isoformat()
    found = client.get(f"{base}/readings", params={"since": since, "limit": 5}).json()
    assert [r["value"] for r in found] == [0.0, 1.0, 2.0, 3.0, 4.0]
    minutes = client.get(f"{base}/rollups", params={"width": "1m", "since": since}).json()
    assert sum(m["n"] for m in minutes) in (10, 11)
    assert all(m["low"] <= m["mean"] <= m["high"] for m in minutes)
    days = client.get(f"{base}/rollups", params={"width": "1d"}).json()
    midnights = {datetime.fromisoformat(d["bucket"]).astimezone(ZONE).hour for d in days}
    assert midnights == {0}
    problem(client.get(f"{base}/readings", params={"since": "2020-01-01T00:00:00Z"}), 422)
    problem(client.get(f"{base}/rollups", params={"limit": 100_000}), 422)
    problem(client.get("/api/v1/agents/demo-01/sensors/nobody/rollups"), 404)


def test_a_time_without_a_zone_is_the_districts(yard: Yard, client: httpx.Client) -> None:
    now = yard.city.hub.now()
    yard.hears([(now, 1.0)], device="zoned")
    local = (now.astimezone(ZONE) - timedelta(minutes=1)).replace(tzinfo=None)
    found = client.get(
        f"/api/v1/agents/{AGENT}/sensors/zoned/readings", params={"since": local.isoformat()}
    ).json()
    assert len(found) == 1


def test_a_limit_opens_an_event_in_the_cell_of_the_device_with_its_curve(
    yard: Yard, client: httpx.Client
) -> None:
    cell = [c for c in yard.city.hub.grid.cells if len(c) == 15][7]
    episode = yard.raises("pm2_5.high", device="gate-air", cell=cell)
    detection = client.get(f"/api/v1/detections/{episode}").json()
    assert detection["cell"] == cell
    page = client.get("/", params={"event": detection["event"]}).text
    assert "PM2.5 too high" in page
    assert 'class="chart values"' in page
    assert "75 µg/m³" in page
    assert "The picture is on its way" not in page
    assert "data-shut" not in page  # its curve is what is judged by
    assert "PM2.5 过高" in client.get(f"/events/{detection['event']}?lang=zh").text


def test_a_fault_of_the_sensor_opens_no_event_and_shows_on_its_page(
    yard: Yard, client: httpx.Client
) -> None:
    yard.hears([(yard.city.hub.now(), 7.5)], device="stuck-1")
    episode = yard.raises("pm2_5.stuck", device="stuck-1")
    assert client.get(f"/api/v1/detections/{episode}").json()["event"] is None
    told = client.get(f"/api/v1/agents/{AGENT}/sensors/stuck-1").json()
    assert [(o["label"], o["event"]) for o in told["open"]] == [("pm2_5.stuck", None)]
    page = client.get(f"/sensors/{AGENT}/stuck-1").text
    assert "PM2.5 stuck" in page
    assert "7.5 µg/m³" in page
    assert 'class="chart values"' in page
    assert "数值卡死" in client.get(f"/sensors/{AGENT}/stuck-1?lang=zh").text
    assert client.get(f"/sensors/{AGENT}/nobody?lang=en").status_code == 404


def test_what_a_source_could_not_take_stands_on_the_devices_page(
    yard: Yard, client: httpx.Client
) -> None:
    now = yard.city.hub.now()
    yard.heartbeat(
        SensorHealth(
            sensor="zigbee",
            state=SensorState.LOST,
            since=now,
            refused=3,
            last_refusal="payload is not JSON",
            last_example="zigbee2mqtt/hall  b'<script>'",
            unmapped={"flux": 2},
            topics={"zigbee2mqtt/x/y": 4},
            wrong_clocks={"a8": -31_536_000.0},
            detail="broker iot:1883 cannot be reached",
        )
    )
    page = client.get("/devices").text
    for text in (
        "payload is not JSON",
        "flux",
        "zigbee2mqtt/x/y",
        "-31536000 s",
        "cannot be reach",
    ):
        assert text in page
    assert "<script>'" not in page


def test_a_watch_is_tuned_as_a_stream_is(yard: Yard, client: httpx.Client) -> None:
    yard.born()
    streams = client.get(f"/api/v1/agents/{AGENT}/parameters").json()["streams"]
    assert [s["stream"] for s in streams] == [WATCH]
    path = f"/api/v1/agents/{AGENT}/streams/{WATCH}/detectors/reading_limit/parameters"
    done = client.put(path, json={"parameters": {"threshold": 0.7}, "note": ""})
    assert done.status_code == 202
    assert done.json()["parameters"] == {WATCH: {"reading_limit": {"threshold": 0.7}}}
    assert "Air: pm2_5" in client.get("/tuning").text
