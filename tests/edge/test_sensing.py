"""Sensors at work: sources, detectors over readings, the spool."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from contract.control import encode_control, read_control
from contract.envelope import encode_record
from contract.messages import Health, Manifest, Reading
from contract.taxonomy import SensorState
from edge import sensor_config
from edge.readings.adapter import Record
from edge.readings.adapters import build_adapter
from edge.readings.intake import Intake
from edge.readings.mqtt_source import QUEUE, MqttSource
from edge.readings.source import ReadingSource, SourceStatus
from edge.sensing import Sensing
from edge.settings import SensorSettings
from edge.spool import Entry
from edge.transport import Arrived
from tests.edge.builders import eventually, now
from tests.edge.memory_transport import MemoryBroker, MemoryTransport
from tests.edge.sensor_builders import config, readings, told

YARD = '[[sensor]]\nid = "yard"\nkind = "number"\ntopic = "yard/{device}/{metric}"\n'
LIMIT = "[sensor.watch.detectors.reading_limit]\nhigh_on = true\nhigh = 2.0\n"
WATCH = '[[sensor.watch]]\nmetric = "water_level"\n' + LIMIT


class Desk:
    """The sensors of an agent over brokers in memory; what they spool."""

    def __init__(self, folder: Path, text: str) -> None:
        self.taken: list[Entry] = []
        self.transactions = 0
        self.broker = MemoryBroker()
        self.transports: dict[str, MemoryTransport] = {}
        sensors = config(folder, text).sensors
        self.ahead = timedelta()
        self._asked = 0
        self.sensing = Sensing("a-1", sensors, self._open, self._take, self._now)

    def _open(self, sensor: SensorSettings) -> ReadingSource:
        transport = self.transports[sensor.id] = MemoryTransport(self.broker)
        intake = Intake(sensor.id, (build_adapter(sensor),), now(), ("yard/#",))
        return MqttSource(sensor.id, intake, transport, now)

    def _now(self) -> datetime:
        self._asked += 1
        return now() + self.ahead

    def looks(self, times: int) -> None:
        """Wait until it has looked at the clock so often: with nothing to read, once a tick."""
        wanted = self._asked + times
        eventually(lambda: self._asked >= wanted)

    def _take(self, entries: Sequence[Entry]) -> None:
        self.taken += entries
        self.transactions += bool(entries)

    @contextmanager
    def running(self) -> Iterator[None]:
        self.sensing.start()
        states = self.sensing.health
        eventually(lambda: {s.state for s in states(0)} == {SensorState.ONLINE})
        try:
            yield
        finally:
            self.sensing.stop()


def test_a_reading_and_the_detection_it_raises_are_spooled(tmp_path: Path) -> None:
    desk = Desk(tmp_path, YARD + WATCH)
    with desk.running():
        desk.broker.publish("yard/well/water_level", b"1.0")
        desk.broker.publish("yard/well/water_level", b"2.5")
        desk.broker.publish("yard/well/battery", b"80")
        eventually(lambda: len(readings(desk.taken)) == 3)
        eventually(lambda: told(desk.taken) == [("well", "water_level.high", "raised")])
    (manifest,) = desk.sensing.manifests()
    assert (manifest.kind, manifest.source) == ("number", "mqtt://127.0.0.1:1")
    assert [w.stream for w in manifest.watches] == ["yard.water_level"]


def test_what_no_mapping_takes_and_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    desk = Desk(tmp_path, YARD)
    with desk.running():
        desk.broker.publish("yard/well/deep/down", b"1.0")
        desk.broker.publish("yard/well/water_level", b"high!")
        eventually(lambda: desk.sensing.health(8)[0].messages == 2)
    (health,) = desk.sensing.health(8)
    assert health.topics == {"yard/well/deep/down": 1}
    assert health.refused == 1
    assert "'high!' is not a number" in health.last_refusal
    assert health.last_example == "yard/well/water_level  b'high!'"


def test_a_retained_value_is_no_new_reading_and_a_live_one_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path, YARD)
    desk.broker.publish("yard/well/water_level", b"9.0", retain=True)
    desk.broker.publish("yard/well/online", b"1", retain=True)  # a state: it holds
    with desk.running():
        eventually(lambda: desk.sensing.health(0)[0].messages == 2)
        desk.broker.publish("yard/well/water_level", b"1.0", retain=True)
        eventually(lambda: len(readings(desk.taken)) == 2)
        desk.transports["yard"].cut()
        eventually(lambda: desk.sensing.health(0)[0].state is SensorState.LOST)
        desk.transports["yard"].restore()
        eventually(lambda: desk.sensing.health(0)[0].messages == 5)
    (health,) = desk.sensing.health(0)
    assert [(r.metric, r.value) for r in readings(desk.taken)][:2] == [
        ("online", 1.0),
        ("water_level", 1.0),
    ]
    assert [r.value for r in readings(desk.taken) if r.metric == "water_level"] == [1.0]
    assert health.retained == 2


def test_a_broker_that_is_away_is_not_the_silence_of_its_devices(tmp_path: Path) -> None:
    silence = '[[sensor.watch]]\nmetric = "water_level"\n'
    silence += "[sensor.watch.detectors.reading_limit]\ngap_s = 60\n"
    desk = Desk(tmp_path, YARD + silence)
    with desk.running():
        desk.broker.publish("yard/well/water_level", b"1.0")
        eventually(lambda: len(readings(desk.taken)) == 1)
        desk.transports["yard"].cut()
        desk.ahead += timedelta(hours=1)
        desk.looks(2)
        assert told(desk.taken) == []
        desk.transports["yard"].restore()
        desk.looks(2)
        assert told(desk.taken) == []
        desk.ahead += timedelta(seconds=61)
        eventually(lambda: told(desk.taken) == [("well", "water_level.gap", "raised")])


def test_a_source_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    class Failing:
        name = "bad"

        def readings(self) -> Iterator[Record]:
            raise RuntimeError("no such port")

        def status(self) -> SourceStatus:
            return SourceStatus(SensorState.CONNECTING, now())

        def close(self) -> None:
            pass

    desk = Desk(tmp_path, YARD)
    both = config(tmp_path, YARD + YARD.replace('"yard"', '"bad"')).sensors
    opened = {"bad": Failing(), "yard": desk._open(both[0])}
    sensing = Sensing("a-1", both, lambda s: opened[s.id], desk._take, now)
    sensing.start()
    try:
        eventually(lambda: "no such port" in sensing.health(0)[1].detail)
        eventually(lambda: sensing.health(0)[0].state is SensorState.ONLINE)
        desk.broker.publish("yard/well/water_level", b"1.0")
        eventually(lambda: len(readings(desk.taken)) == 1)
    finally:
        sensing.stop()


def test_a_full_queue_keeps_the_newest_messages_and_counts_the_others(tmp_path: Path) -> None:
    intake = Intake("yard", (build_adapter(config(tmp_path, YARD).sensors[0]),), now())
    source = MqttSource("yard", intake, MemoryTransport(MemoryBroker()), now)
    for k in range(QUEUE + 5):
        source._tell(Arrived("yard/well/water_level", b"%d" % k, retained=False))
    assert intake.status().overrun == 5
    stream = source.readings()
    first = next(stream)
    assert isinstance(first, Reading)
    assert first.value == 5.0
    source.close()


def test_a_thousand_devices_at_once_are_all_taken_in_batches(tmp_path: Path) -> None:
    desk = Desk(tmp_path, YARD + WATCH)
    with desk.running():
        for k in range(1000):
            desk.broker.publish(f"yard/well-{k}/water_level", b"3.0")
        eventually(lambda: len(readings(desk.taken)) == 1000)
        eventually(lambda: len(told(desk.taken)) == 1000)
    (health,) = desk.sensing.health(0)
    assert (health.devices, health.overrun) == (1000, 0)
    assert desk.transactions < 500  # not one for each


def test_a_birth_with_all_that_an_agent_may_name_still_goes_through_a_broker(
    tmp_path: Path,
) -> None:
    watches = "".join(
        WATCH.replace("water_level", f"level_{k}") for k in range(sensor_config.MAX_WATCHES)
    )
    devices = "".join(
        f'[[sensor.device]]\nid = "a84041000181c{k:03}"\nname = "Level of well {k}"\n'
        f"position = [113.{k:06}, 34.76]\n"
        for k in range(sensor_config.MAX_DEVICES)
    )
    desk = Desk(tmp_path, YARD + devices + watches)
    born = Manifest(
        boot="b", started_at=now(), published_at=now(), software="s",
        sensors=desk.sensing.manifests(),
    )  # fmt: skip
    assert len(encode_control(born)) < 240_000  # the embedded broker takes 262,144
    again = read_control(Manifest, encode_control(born))
    schema = again.tuned()[-1].detectors[0].schema
    assert schema["properties"]["high"]["type"] == "number"


def test_a_heartbeat_stays_small_whatever_foreign_systems_send(tmp_path: Path) -> None:
    blocks = "".join(YARD.replace('"yard"', f'"y{k}"') for k in range(sensor_config.MAX_SENSORS))
    desk = Desk(tmp_path, blocks)
    well, control = "井" * 60, "\x01" * 100
    with desk.running():
        for k in range(50):
            desk.broker.publish(f"yard/{k}/{well}/{control}", b"1")
            desk.broker.publish(f"yard/{well}{k}/level", b"\x01\x02" * 500)
        eventually(lambda: all(s.messages >= 100 for s in desk.sensing.health(0)))
    sensors = desk.sensing.health(8)
    assert all(len(s.topics) == 8 for s in sensors)
    beat = Health(captured_at=now(), uptime_s=1.0, sensors=sensors)
    assert len(encode_record(beat)) < 48 * 1024


def test_stopping_takes_what_was_already_heard(tmp_path: Path) -> None:
    desk = Desk(tmp_path, YARD)
    with desk.running():
        for k in range(50):
            desk.broker.publish("yard/well/water_level", b"%d" % k)
        eventually(lambda: desk.sensing.health(0)[0].messages == 50)
    assert [r.value for r in readings(desk.taken)] == [float(k) for k in range(50)]
    assert not [t for t in threading.enumerate() if t.name in ("sensor-yard", "readings")]
