"""Another system, for tests: takes what is posted to it and answers as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Message:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """What came, and what is answered: a status for each message in turn, then 204."""

    port: int = 0
    messages: list[Message] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    refuses: str = ""  # answer 422 to bodies that hold this text
    drips: bool = False  # answer a byte at a time, for ever

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {k.lower(): v for k, v in self.headers.items()}
            receiver.messages.append(Message(self.path, headers, body))
            if receiver.drips:
                self._drip()
                return
            status = receiver.answers.pop(0) if receiver.answers else 204
            if receiver.refuses and receiver.refuses.encode() in body:
                status = 422
            self.send_response(status)
            if status == 302:
                self.send_header("Location", receiver.url + "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _drip(self) -> None:
            try:
                for byte in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100:
                    self.wfile.write(bytes((byte,)))
                    time.sleep(0.05)
            except OSError:
                return

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
