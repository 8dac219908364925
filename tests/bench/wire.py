"""A bare MQTT 3.1.1 client on a plain socket: as fast a one as this machine has.

Only for measuring: it knows CONNECT, SUBSCRIBE, PUBLISH, PUBACK, and nothing else.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterable, Iterator, Sequence

_READ = 1 << 18


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
        self.unacknowledged = 0  # of what we published at QoS 1
        self._mid = 0
        self._rest = b""
        self._early: list[tuple[int, bytes]] = []  # packets that came while we sent
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connect = _text("MQTT") + bytes([4, 2]) + struct.pack(">H", 0) + _text(name)
        self._socket.sendall(_packet(0x10, connect))
        _, body = self._wait_for(2)
        if body[1] != 0:
            raise ConnectionError(f"the broker on port {port} refused us: {body.hex()}")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def subscribe(self, topic: str, qos: int = 0) -> None:
        """Ask for a topic and wait for the answer."""
        self._socket.sendall(_packet(0x82, struct.pack(">H", 1) + _text(topic) + bytes([qos])))
        self._wait_for(9)

    def publish(self, topic: str, payloads: Sequence[bytes]) -> None:
        """Publish these at QoS 1, without waiting for PUBACK."""
        name, out = _text(topic), bytearray()
        for payload in payloads:
            self._mid = self._mid % 65535 + 1
            body = len(name) + 2 + len(payload)
            out += b"\x32" + _length(body) + name + self._mid.to_bytes(2, "big") + payload
        self.unacknowledged += len(payloads)
        self._send(out)

    def tell(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 0."""
        self._send(_packet(0x30, _text(topic) + payload))

    def heard(self, timeout_s: float) -> Iterator[bytes]:
        """Payloads of what is there, or comes within `timeout_s`."""
        for head, body in self._packets(timeout_s):
            if head >> 4 == 3:
                yield _content(head, body)[2]

    def take_all(self, timeout_s: float) -> list[tuple[str, bytes]]:
        """(topic, payload) of what is there, or comes within `timeout_s`, acknowledged."""
        out, acks = [], bytearray()
        for head, body in self._packets(timeout_s):
            if head >> 4 == 3:
                topic, mid, payload = _content(head, body)
                out.append((topic, payload))
                if mid:
                    acks += b"\x40\x02" + mid
        if acks:
            self._send(acks)
        return out

    def publish_all(self, topic: str, payloads: Iterable[bytes], window: int) -> None:
        """Publish at QoS 1 with at most `window` unacknowledged; returns at the last PUBACK."""
        for payload in payloads:
            self.publish(topic, [payload])
            while self.unacknowledged >= window:
                for _ in self.heard(30.0):
                    pass
        deadline = time.monotonic() + 30.0
        while self.unacknowledged:
            for _ in self.heard(1.0):
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.unacknowledged} messages were not acknowledged")

    def _packets(self, timeout_s: float) -> list[tuple[int, bytes]]:
        """Whole packets of one read; PUBACKs are only counted."""
        early, self._early = self._early, []
        if not select.select([self._socket], [], [], 0.0 if early else timeout_s)[0]:
            return early
        data = self._socket.recv(_READ)
        if not data:
            raise ConnectionError("the broker hung up")
        return early + self._parse(data)

    def _parse(self, data: bytes) -> list[tuple[int, bytes]]:
        b = self._rest + data if self._rest else data
        size, begin, out = len(b), 0, []
        while size - begin >= 2:
            if b[begin] == 0x40:
                if size - begin < 4:
                    break
                self.unacknowledged -= 1
                begin += 4
                continue
            length, shift, i = 0, 0, begin + 1
            while i < size:
                length |= (b[i] & 127) << shift
                shift += 7
                i += 1
                if not b[i - 1] & 128:
                    break
            else:
                break
            if i + length > size:
                break
            out.append((b[begin], b[i : i + length]))
            begin = i + length
        self._rest = b[begin:]
        return out

    def _send(self, data: bytes | bytearray) -> None:
        """Send all, reading on meanwhile: a broker that cannot write to us stops reading us."""
        view = memoryview(data)
        self._socket.setblocking(False)
        try:
            while view:
                try:
                    view = view[self._socket.send(view) :]
                except BlockingIOError:
                    if select.select([self._socket], [self._socket], [], 30.0)[0]:
                        self._early += self._parse(self._socket.recv(_READ))
        finally:
            self._socket.setblocking(True)

    def _wait_for(self, kind: int) -> tuple[int, bytes]:
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline:
            for head, body in self._packets(1.0):
                if head >> 4 == kind:
                    return head, body
        raise TimeoutError(f"the broker did not send a packet of kind {kind}")


def _content(head: int, body: bytes) -> tuple[str, bytes, bytes]:
    """Topic, packet id (empty at QoS 0) and payload of a PUBLISH."""
    n = 2 + (body[0] << 8 | body[1])
    at = n + 2 if head & 6 else n
    return body[2:n].decode(), body[n:at], body[at:]
