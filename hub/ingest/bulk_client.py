"""paho's client, reading PUBLISH packets as they lie in the socket: many with one call.

Stock paho reads a packet byte by byte and makes several objects of it. This takes over two of
its private methods, of the versions it was tested with; with any other, reading is stock paho's.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt import MQTTException, __version__
from paho.mqtt.enums import MQTTErrorCode

TESTED = ("2.1.0", "2.2.0")  # versions of paho whose private methods are known to fit
READ = 128 * 1024  # bytes asked of the socket at once
_ROOM_S = 0.05  # how long reading is put off before paho looks after its connection
_PUBLISH, _PUBACK = 0x30, 0x40


class Arrival(NamedTuple):
    """A PUBLISH as it came."""

    topic: bytes
    payload: bytes
    mid: int  # 0 at QoS 0
    qos: int


def fits(version: str = __version__) -> bool:
    """Whether bulk reading was tested with this paho."""
    return version in TESTED


class BulkClient(mqtt.Client):
    """Gives PUBLISH packets at QoS 0 and 1 to `on_arrivals`; all else is stock paho's."""

    def __init__(
        self,
        *args: Any,
        on_arrivals: Callable[[list[Arrival]], None],
        wait_for_room: Callable[[float], bool],
        **kwargs: Any,
    ) -> None:
        """on_arrivals: called by paho's thread, in order. wait_for_room: False stops reading."""
        super().__init__(*args, **kwargs)
        self._on_arrivals = on_arrivals
        self._wait_for_room = wait_for_room
        self._parts: list[bytes] = []  # of a packet that is not all here
        self._missing = 0  # bytes of it, at least

    def acknowledge(self, mids: Sequence[int]) -> None:
        """PUBACK these in order, in one piece."""
        if mids:
            acks = struct.pack(f">{len(mids)}I", *(0x40020000 | mid for mid in mids))
            self._packet_queue(_PUBACK, acks, mids[-1], 1)

    def _packet_read(self) -> MQTTErrorCode:
        if not self._wait_for_room(_ROOM_S):
            return MQTTErrorCode.MQTT_ERR_AGAIN
        try:
            data = self._sock_recv(READ)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError as e:
            self._easy_log(mqtt.MQTT_LOG_ERR, "failed to receive on socket: %s", e)
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        if not data:
            return MQTTErrorCode.MQTT_ERR_CONN_LOST
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        if self._parts:
            self._parts.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            data = b"".join(self._parts)
            self._parts = []
        return self._read_all(data)

    def _read_all(self, data: bytes) -> MQTTErrorCode:
        """Take every whole packet in `data`; what follows is kept for the next read."""
        arrivals: list[Arrival] = []
        size, begin = len(data), 0
        rc = MQTTErrorCode.MQTT_ERR_SUCCESS
        while size - begin >= 2:
            head, length, at = data[begin], data[begin + 1], begin + 2
            if length & 0x80:
                length, at = _remaining_length(data, begin + 1)
                if at < 0:  # malformed
                    rc = MQTTErrorCode.MQTT_ERR_PROTOCOL
                    break
                if at == 0:
                    break
            end = at + length
            if end > size:
                self._missing = end - size
                break
            if head & 0xF4 == _PUBLISH:  # at QoS 0 or 1
                name = at + 2
                body = name + (data[at] << 8 | data[at + 1]) if length >= 2 else end + 1
                mid, qos = 0, head >> 1 & 1
                topic = data[name:body]
                if qos and body + 2 <= end:
                    mid = data[body] << 8 | data[body + 1]
                    body += 2
                if body > end or (qos and not mid):
                    rc = MQTTErrorCode.MQTT_ERR_PROTOCOL
                    break
                arrivals.append(Arrival(topic, data[body:end], mid, qos))
            else:
                if arrivals:
                    self._on_arrivals(arrivals)
                    arrivals = []
                rc = self._handle(head, data[at:end])
                if rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    break
            begin = end
        if arrivals:
            self._on_arrivals(arrivals)
        if begin < size and rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._parts = [data[begin:]]
            self._missing = max(self._missing, 1)
        else:
            self._missing = 0
        return rc

    def _handle(self, head: int, body: bytes) -> MQTTErrorCode:
        """Have stock paho handle a packet that is not for us."""
        packet = self._in_packet
        packet["command"], packet["packet"] = head, bytearray(body)
        packet["remaining_length"] = len(body)
        try:
            return self._packet_handle()
        except MQTTException as e:
            self._easy_log(mqtt.MQTT_LOG_DEBUG, "received malformed packet: %s", e)
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        finally:
            packet["command"], packet["packet"] = 0, bytearray()
            packet["remaining_length"] = 0


def _remaining_length(data: bytes, at: int) -> tuple[int, int]:
    """The length that begins at `at`, and where it ends: 0 if not all is here, -1 if malformed."""
    length = 0
    for n in range(4):
        if at + n >= len(data):
            return 0, 0
        length |= (data[at + n] & 0x7F) << 7 * n
        if not data[at + n] & 0x80:
            return length, at + n + 1
    return 0, -1
