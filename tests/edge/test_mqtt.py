"""The transport on lines that are broken in every way a line can be."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from edge.mqtt import MqttTransport
from edge.settings import BrokerSettings
from edge.transport import Connected, Disconnected, TransportEvent
from tests.edge.builders import eventually


@contextmanager
def connecting(
    settings: BrokerSettings, tell: Callable[[TransportEvent], None] = lambda _: None
) -> Iterator[list[TransportEvent]]:
    """A transport that tries; what it tells."""
    told: list[TransportEvent] = []

    def note(event: TransportEvent) -> None:
        told.append(event)
        tell(event)

    transport = MqttTransport(settings, "broken-line", connect_s=0.5)
    transport.start(lambda: None, [], note)
    try:
        yield told
    finally:
        transport.stop()


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Something that listens and is no broker: its port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with suppress(OSError):
                        answer(connection)

        threading.Thread(target=serve, name="no-broker", daemon=True).start()
        yield listening.getsockname()[1]


def reason(told: list[TransportEvent]) -> str:
    """Why the first attempt failed."""
    eventually(lambda: told)
    assert isinstance(told[0], Disconnected)
    return told[0].reason


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself; its key beside it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "cert.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path.with_name("key.pem"),
         "-out", path],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


def test_a_server_that_does_not_answer_is_given_up_and_tried_again() -> None:
    kept: list[socket.socket] = []
    with server(kept.append) as port, connecting(BrokerSettings(port=port)) as told:
        assert reason(told).endswith("does not answer")
        eventually(lambda: len(kept) >= 2)
    for connection in kept:
        connection.close()


def test_a_server_that_speaks_something_else_is_left() -> None:
    def nonsense(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()

    with server(nonsense) as port, connecting(BrokerSettings(port=port)) as told:
        assert reason(told).startswith(f"broker 127.0.0.1:{port} ")


def test_a_port_where_nobody_listens_is_named_with_the_settings_to_look_at() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    with connecting(BrokerSettings(port=port)) as told:
        assert "cannot be reached" in reason(told)
        assert "see host and port" in reason(told)


def test_a_server_that_is_trusted_and_says_nothing_over_tls_is_given_up(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    greeted: list[bytes] = []

    def handshake(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            greeted.append(secure.recv(100))
            secure.recv(100)  # until it is left

    with server(handshake) as port:
        settings = BrokerSettings(port=port, tls=True, ca_file=str(certificate))
        with connecting(settings) as told:
            assert "does not answer" in reason(told)
            assert greeted
            eventually(lambda: len(greeted) >= 2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_session_whose_thread_dies_without_a_word_is_begun_again(broker_port: int) -> None:
    raised: list[TransportEvent] = []

    def fail_once(event: TransportEvent) -> None:
        if not raised:
            raised.append(event)
            raise ZeroDivisionError("in a callback: paho's thread ends, on_disconnect never comes")

    with connecting(BrokerSettings(port=broker_port), fail_once) as told:
        eventually(lambda: len([e for e in told if isinstance(e, Connected)]) >= 2)
        (between,) = [e for e in told if isinstance(e, Disconnected)]
        assert "its thread died" in between.reason
