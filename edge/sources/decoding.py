"""The agent's side of a decoding child process: started, heard, its pictures read, ended."""

from __future__ import annotations

import errno
import mmap
import os
import socket
import subprocess
import sys
import threading

import msgspec
import numpy as np

from detectors.kit.types import Image
from edge.sources import wire
from edge.sources.opening import SourceSettings

STOP_S = 1.0


class Decoding:
    """One decoding process and the memory it shares with us."""

    def __init__(self, source: SourceSettings) -> None:
        """Begin to decode. Raises OSError where the machine has no room for another process."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "edge.sources.decoder", str(theirs.fileno())]
            try:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
                )
            except OSError:
                ours.close()
                raise
            # not as an argument: it may name a password
            ours.send(msgspec.json.encode(source))
        self.socket = ours
        self._canvas: wire.Canvas | None = None
        self._images: list[Image] = []
        self._lock = threading.Lock()  # of the pictures: a new canvas replaces them

    def __enter__(self) -> Decoding:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        with self._lock:
            self.socket.close()  # the last picture can still be read

    def end(self) -> int:
        """End the process, if it has not ended by itself; its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def receive(self) -> tuple[wire.Message, bytes] | None:
        """The next message and the bytes that follow it, None once the child is gone.

        Raises TimeoutError where it hangs, OSError or msgspec.MsgspecError where what it sent
        cannot be used.
        """
        raw, descriptors = wire.receive(self.socket)
        if not raw:
            return None
        message, rest = wire.decode(raw)
        if isinstance(message, wire.Canvas):
            if not descriptors:  # the kernel drops what a full table of descriptors cannot take
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            self._map(message, descriptors[0])
        return message, rest

    def copy(self, shown: wire.Shown) -> Image | None:
        """The picture in a buffer, which goes back to the child; None where it is gone."""
        with self._lock:
            if self._canvas is None or self._canvas.round != shown.round:
                return None
            image = self._images[shown.buffer].copy()
        image.flags.writeable = False
        self.give_back(shown)
        return image

    def give_back(self, shown: wire.Shown) -> None:
        """Let the child fill that buffer again."""
        with self._lock:
            if self.socket.fileno() < 0:
                return
            try:
                self.socket.send(wire.give_back(shown))
            except OSError:
                return  # it is gone, and its buffers with it; `receive` tells

    def _map(self, canvas: wire.Canvas, descriptor: int) -> None:
        try:
            mapped = mmap.mmap(descriptor, canvas.size * wire.BUFFERS, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)
        whole = np.frombuffer(mapped, np.uint8)
        shaped = whole.reshape(wire.BUFFERS, canvas.height, canvas.width, 3)
        with self._lock:
            self._canvas = canvas
            self._images = list(shaped)
