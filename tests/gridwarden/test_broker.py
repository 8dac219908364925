"""The embedded broker, whichever it is: a real one, spoken to by a real client."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gridwarden.broker import EmbeddedBroker, find_mosquitto
from gridwarden.errors import BrokerError
from gridwarden.ports import LOOPBACK, answers, choose


@pytest.fixture(params=["rumqttd", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedBroker]:
    mosquitto = find_mosquitto() if request.param == "mosquitto" else None
    if request.param == "mosquitto" and mosquitto is None:
        pytest.skip("no mosquitto on this machine")
    running = EmbeddedBroker(choose(18_900), tmp_path, mosquitto=mosquitto)
    running.start()
    assert running.name == request.param
    yield running
    running.stop()


def client(port: int) -> mqtt.Client:
    connected = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    connected.connect(LOOPBACK, port)
    connected.loop_start()
    return connected


def test_the_broker_carries_a_message_of_64_kib(broker: EmbeddedBroker) -> None:
    heard: queue.Queue[bytes] = queue.Queue()
    reader, writer = client(broker.port), client(broker.port)
    subscribed: queue.Queue[bool] = queue.Queue()
    reader.on_message = lambda _c, _u, message: heard.put(bytes(message.payload))
    reader.on_subscribe = lambda *_: subscribed.put(True)
    reader.subscribe("gw/v1/demo/up/+/evidence", qos=1)
    subscribed.get(timeout=30)
    picture = bytes(range(256)) * 256
    writer.publish("gw/v1/demo/up/cam/evidence", picture, qos=1).wait_for_publish(5)
    assert heard.get(timeout=30) == picture
    for end in (reader, writer):
        end.disconnect()
        end.loop_stop()


def test_more_messages_than_mosquitto_keeps_by_default_wait_for_a_slow_reader(
    broker: EmbeddedBroker,
) -> None:
    heard: queue.Queue[int] = queue.Queue()
    subscribed: queue.Queue[bool] = queue.Queue()
    reader = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, manual_ack=True)
    reader.on_message = lambda _c, _u, message: heard.put(message.mid)
    reader.on_subscribe = lambda *_: subscribed.put(True)
    reader.connect(LOOPBACK, broker.port)
    reader.loop_start()
    reader.subscribe("slow/#", qos=1)
    subscribed.get(timeout=30)
    writer = client(broker.port)
    sent = [writer.publish("slow/x", b"%d" % n, qos=1) for n in range(1500)]
    sent[-1].wait_for_publish(20)
    for _ in range(1500):
        reader.ack(heard.get(timeout=30), 1)
    for end in (reader, writer):
        end.disconnect()
        end.loop_stop()


def test_the_broker_listens_on_the_loopback_only(broker: EmbeddedBroker) -> None:
    assert answers(broker.port)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing; tells our own outward address
            outward = probe.getsockname()[0]
    except OSError:
        pytest.skip("this machine has no other address")
    assert not answers(broker.port, outward)


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BrokerError, match=f"port {port} of the broker is taken"):
            EmbeddedBroker(port, tmp_path).start()


def test_a_killed_broker_starts_again_on_its_port(broker: EmbeddedBroker) -> None:
    first = broker.pid
    broker.stop()
    broker.start()
    assert broker.pid not in (None, first)
    assert answers(broker.port)
