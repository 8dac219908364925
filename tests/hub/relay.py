"""A wire to a real server that can be cut, and that shows what was said over it."""

from __future__ import annotations

import contextlib
import socket
import threading


class Relay:
    """Forwards TCP connections to a port of this machine. `sent[i]`: bytes of client i's side."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.sent: list[bytearray] = []
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def cut(self) -> None:
        """End every connection at once, without a word."""
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            said = bytearray()
            self.sent.append(said)
            self._ends += [client, server]
            for source, sink, heard in ((client, server, said), (server, client, bytearray())):
                threading.Thread(
                    target=self._pump, args=(source, sink, heard), name="relay", daemon=True
                ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, heard: bytearray) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                heard += data
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
