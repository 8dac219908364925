"""A bare MQTT 3.1.1 publisher on a plain socket: as fast a sender as this machine has.

Only for measuring: it knows CONNECT, SUBSCRIBE, PUBLISH at QoS 1, PUBACK, and nothing else.
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterable, Iterator


def _length(n: int) -> bytes:
    out = bytearray()
    while True:
        n, digit = divmod(n, 128)
        out.append(digit | (0x80 if n else 0))
        if not n:
            return bytes(out)


def _text(s: str) -> bytes:
    raw = s.encode()
    return struct.pack(">H", len(raw)) + raw


def _packet(head: int, body: bytes) -> bytes:
    return bytes([head]) + _length(len(body)) + body


class BareClient:
    """One connection. Not thread-safe."""

    def __init__(self, port: int, name: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        connect = _text("MQTT") + bytes([4, 2]) + struct.pack(">H", 0) + _text(name)
        self._socket.sendall(_packet(0x10, connect))
        head, body = self._next(10.0)
        if head >> 4 != 2 or body[1] != 0:
            raise ConnectionError(f"the broker on port {port} refused us: {body.hex()}")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def subscribe(self, topic: str) -> None:
        """Ask for a topic at QoS 0 and wait for the answer."""
        self._socket.sendall(_packet(0x82, struct.pack(">H", 1) + _text(topic) + b"\x00"))
        while self._next(10.0)[0] >> 4 != 9:
            pass

    def publish_all(self, topic: str, payloads: Iterable[bytes], window: int) -> None:
        """Publish at QoS 1 with at most `window` unacknowledged; returns at the last PUBACK."""
        name = _text(topic)
        under_way, mid = 0, 0
        batch = bytearray()
        for payload in payloads:
            mid = mid % 65535 + 1
            batch += _packet(0x32, name + struct.pack(">H", mid) + payload)
            under_way += 1
            if under_way >= window or len(batch) > 1 << 16:
                self._socket.sendall(batch)
                batch.clear()
            while under_way >= window:
                under_way -= self._acks(30.0)
        if batch:
            self._socket.sendall(batch)
        while under_way:
            under_way -= self._acks(30.0)

    def messages(self, timeout_s: float) -> Iterator[bytes]:
        """Payloads of the topics asked for (QoS 0), until none comes for `timeout_s`."""
        while True:
            try:
                head, body = self._next(timeout_s)
            except TimeoutError:
                return
            if head >> 4 == 3:
                (n,) = struct.unpack_from(">H", body)
                yield bytes(body[2 + n + (2 if head & 6 else 0) :])

    def _acks(self, timeout_s: float) -> int:
        self._fill(timeout_s)
        n = 0
        while (packet := self._take()) is not None:
            n += packet[0] >> 4 == 4
        return n

    def _next(self, timeout_s: float) -> tuple[int, bytes]:
        while (packet := self._take()) is None:
            self._fill(timeout_s)
        return packet

    def _fill(self, timeout_s: float) -> None:
        if not select.select([self._socket], [], [], timeout_s)[0]:
            raise TimeoutError(f"nothing from the broker for {timeout_s:g} s")
        data = self._socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the broker hung up")
        self._buffer += data

    def _take(self) -> tuple[int, bytes] | None:
        b = self._buffer
        length, shift, i = 0, 0, 1
        while True:
            if i >= len(b):
                return None
            length |= (b[i] & 127) << shift
            shift += 7
            i += 1
            if not b[i - 1] & 128:
                break
        if len(b) < i + length:
            return None
        head, body = b[0], bytes(b[i : i + length])
        del b[: i + length]
        return head, body
