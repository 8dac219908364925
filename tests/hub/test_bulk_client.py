"""What bulk reading promises is what stock paho does: the same packets, the same messages."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt import __version__
from paho.mqtt.enums import CallbackAPIVersion

from hub.config import BrokerConfig
from hub.ingest import bulk_client, mqtt
from hub.ingest.bulk_client import Arrival, BulkClient, fits
from tests.hub.builders import eventually

CONNACK, SUBACK, PINGRESP = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x01", b"\xd0\x00"
SETTINGS: dict[str, Any] = {
    "callback_api_version": CallbackAPIVersion.VERSION2,
    "client_id": "spy",
    "reconnect_on_failure": False,
    "manual_ack": True,
}


def packet(head: int, body: bytes) -> bytes:
    n, length = len(body), bytearray()
    while True:
        n, digit = divmod(n, 128)
        length.append(digit | (0x80 if n else 0))
        if not n:
            return bytes([head, *length]) + body


def publish(topic: bytes, payload: bytes, mid: int = 0, flags: int = 0) -> bytes:
    qos = struct.pack(">H", mid) if mid else b""
    return packet(
        0x30 | flags | (2 if mid else 0), struct.pack(">H", len(topic)) + topic + qos + payload
    )


class Server:
    """One that says what it is told to, in the pieces it is told to."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = bytearray()
        self.hung_up = threading.Event()
        self._accepted = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def say(self, data: bytes, sizes: Callable[[], int] = lambda: 1 << 20) -> None:
        assert self._accepted.wait(30)
        while data:
            size = sizes()
            self._socket.sendall(data[:size])
            data = data[size:]

    def close(self) -> None:
        self._listener.close()
        if self._accepted.is_set():
            self._socket.close()

    def _serve(self) -> None:
        self._socket, _ = self._listener.accept()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted.set()
        try:
            while data := self._socket.recv(65536):
                self.heard += data
        except OSError:
            pass
        self.hung_up.set()


@contextmanager
def connected(
    bulk: bool, room: Callable[[float], bool] = lambda s: True
) -> Iterator[tuple[paho.Client, Server, list[Arrival]]]:
    seen: list[Arrival] = []
    client = (
        BulkClient(on_arrivals=seen.extend, wait_for_room=room, **SETTINGS)
        if bulk
        else paho.Client(**SETTINGS)
    )
    client.on_message = lambda _c, _d, m: seen.append(
        Arrival(m._topic, bytes(m.payload), m.mid, m.qos)
    )
    server = Server()
    try:
        client.connect("127.0.0.1", server.port)
        client.loop_start()
        server.say(CONNACK)
        yield client, server, seen
    finally:
        client.disconnect()
        client.loop_stop()
        server.close()


both = pytest.mark.parametrize("bulk", [True, False], ids=["bulk", "stock"])


def test_this_paho_is_one_that_bulk_reading_was_tested_with() -> None:
    assert fits(), f"see that these tests pass with paho-mqtt {__version__}, then name it in TESTED"


@both
def test_every_message_arrives_whole_and_in_order_however_the_bytes_are_cut(bulk: bool) -> None:
    chance = random.Random(7)
    stream, expected = bytearray(), []
    for mid in range(1, 200):
        topic = b"gw/v1/north/up/a/" + b"x" * chance.choice((0, 1, 130))
        payload = chance.randbytes(chance.choice((0, 1, 50, 121, 122, 128, 17_000, 70_000)))
        at_once = mid % 5 == 0  # QoS 0
        stream += publish(topic, payload, 0 if at_once else mid, flags=chance.choice((0, 1, 8)) & 9)
        expected.append(Arrival(topic, payload, 0 if at_once else mid, 0 if at_once else 1))
        if mid % 7 == 0:
            stream += PINGRESP
    with connected(bulk) as (_, server, seen):
        server.say(SUBACK)
        server.say(bytes(stream[:40_000]), lambda: chance.choice((1, 2, 3, 900)))
        server.say(bytes(stream[40_000:]), lambda: chance.choice((1, 4000, 300_000)))
        eventually(lambda: len(seen) == len(expected))
    assert seen == expected


@both
def test_subscriptions_and_publications_are_still_answered(bulk: bool) -> None:
    with connected(bulk) as (client, server, seen):
        subscribed = threading.Event()
        client.on_subscribe = lambda *_: subscribed.set()
        client.subscribe("gw/v1/#", 1)
        server.say(publish(b"a", b"1", 5) + SUBACK + publish(b"a", b"2", 6))
        assert subscribed.wait(30)
        told = client.publish("dn", b"x", 1)
        server.say(b"\x40\x02" + struct.pack(">H", told.mid))
        told.wait_for_publish(10)
        assert told.is_published()
        eventually(lambda: [a.payload for a in seen] == [b"1", b"2"])


@both
def test_acknowledgements_go_out_in_order(bulk: bool) -> None:
    mids = [1, 2, 300, 65_535, 7]
    with connected(bulk) as (client, server, _):
        before = len(server.heard)
        if isinstance(client, BulkClient):
            client.acknowledge(mids)
            client.acknowledge([])
        else:
            for mid in mids:
                client.ack(mid, 1)
        expected = b"".join(b"\x40\x02" + struct.pack(">H", mid) for mid in mids)
        eventually(lambda: bytes(server.heard[before:]) == expected)


@pytest.mark.parametrize(
    "malformed",
    [
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x30\x01a",  # no room for the length of a topic
        b"\x32\x04\x00\x09ab",  # a topic longer than the packet
        b"\x00\x00",  # a packet of no kind
    ],
)
def test_what_is_no_mqtt_ends_the_connection(malformed: bytes) -> None:
    with connected(True) as (client, server, seen):
        gone = threading.Event()
        client.on_disconnect = lambda *_: gone.set()
        server.say(publish(b"a", b"1", 5) + malformed)
        assert gone.wait(30)
        assert [a.payload for a in seen] == [b"1"]
        assert server.hung_up.wait(30)


def test_without_room_nothing_is_read_and_the_connection_lives() -> None:
    room = threading.Event()
    with connected(True, lambda _s: room.wait(0.01)) as (client, server, seen):
        server.say(publish(b"a", b"1", 5))
        told = client.publish("dn", b"x", 0)
        eventually(told.is_published)  # still writes
        assert seen == []
        room.set()
        eventually(lambda: [a.payload for a in seen] == [b"1"])


def test_with_a_paho_nobody_tested_messages_are_read_one_by_one(
    monkeypatch: pytest.MonkeyPatch, broker_port: int
) -> None:
    monkeypatch.setattr(bulk_client, "TESTED", ())
    connection = mqtt.BrokerConnection("stock", BrokerConfig(port=broker_port), 100)
    connection.start(["bulk-client-test/#"])
    try:
        eventually(lambda: connection.connected)
        connection.publish("bulk-client-test/é", b"hello", retain=False)
        eventually(lambda: len(connection.inbox) == 1)
        (delivery,) = connection.inbox.take(10, 0.01, threading.Event())
        assert (delivery.topic, delivery.payload, delivery.qos) == (
            "bulk-client-test/é",
            b"hello",
            1,
        )
        mqtt.acknowledge([delivery])
    finally:
        connection.stop()
