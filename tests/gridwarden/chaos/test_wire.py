from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from gridwarden.chaos.wire import Way, Wire, Wires


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that answers with what it hears."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    def answer(client: socket.socket) -> None:
        with client:
            try:
                while data := client.recv(4096):
                    client.sendall(data)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    server.close()


@pytest.fixture
def wire(echo: int) -> Iterator[Wire]:
    wires = Wires()
    yield wires.lay(("127.0.0.1", echo))
    wires.close()


def connect(wire: Wire) -> socket.socket:
    end = socket.create_connection(("127.0.0.1", wire.port), timeout=5.0)
    end.sendall(b"a")
    assert end.recv(1) == b"a"
    return end


def hears_nothing(end: socket.socket) -> bool:
    end.settimeout(0.1)
    try:
        return end.recv(1) is None
    except TimeoutError:
        return True
    finally:
        end.settimeout(5.0)


def is_over(end: socket.socket) -> bool:
    try:
        return end.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("way", list(Way))
def test_a_held_wire_says_nothing_and_delivers_once_it_is_mended(wire: Wire, way: Way) -> None:
    with connect(wire) as end:
        wire.hold(way)
        end.sendall(b"b")
        assert hears_nothing(end)
        wire.mend()
        assert end.recv(1) == b"b"


def test_a_cut_ends_the_connection_and_what_was_held_is_gone(wire: Wire) -> None:
    with connect(wire) as end:
        wire.hold(Way.OUT)
        end.sendall(b"b")
        time.sleep(0.05)
        wire.cut()
        wire.mend()
        assert is_over(end)
    connect(wire).close()


def test_a_refusing_wire_lets_nobody_in_until_it_is_mended(wire: Wire) -> None:
    wire.cut(refuse=True)
    with socket.create_connection(("127.0.0.1", wire.port), timeout=5.0) as end:
        assert is_over(end)
    wire.mend()
    connect(wire).close()


def test_the_far_ports_are_those_the_server_sees(wire: Wire) -> None:
    assert wire.far_ports() == set()
    with connect(wire):
        assert len(wire.far_ports()) == 1
