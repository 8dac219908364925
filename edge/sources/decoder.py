"""Decodes one camera in a process of its own: `python -m edge.sources.decoder SOCKET`.

A corrupt stream can kill this process and no other. It ends with the agent, however the agent
ends: the kernel sends SIGKILL when the agent's thread dies, and the socket breaks.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from contract.taxonomy import CameraState
from detectors.kit.types import Frame, Image
from edge.sources import wire
from edge.sources.keeping import Keeper
from edge.sources.opening import SourceSettings, open_source

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Buffers:
    """The child's side of the picture buffers. Used by one thread."""

    def __init__(self, agent: socket.socket) -> None:
        self._agent = agent
        self._round = 0
        self._canvas: wire.Canvas | None = None
        self._images: list[Image] = []
        self._free: list[int] = []

    def canvas(self, height: int, width: int) -> Image | None:
        """A free buffer to draw the next picture in, None while the agent has all of them."""
        if self._canvas is None or (height, width) != (self._canvas.height, self._canvas.width):
            self._lay_out(height, width)
        self._collect()
        return self._images[self._free[-1]] if self._free else None

    def canvas_once_read(self, height: int, width: int) -> Image | None:
        """The same, once the agent has read all that was shown: nothing of a file is left out."""
        while self.canvas(height, width) is None or len(self._free) < wire.BUFFERS:
            if select.select([self._agent], [], [], 1.0)[0]:
                self._collect()
        return self._images[self._free[-1]]

    def show(self, frame: Frame) -> None:
        """Hand a frame to the agent; it is left out while the agent has all buffers."""
        canvas = self.canvas(frame.height, frame.width)
        if canvas is None:
            return
        if frame.image is not canvas:
            np.copyto(canvas, frame.image)
        at_us = since_1970_us(frame.captured_at)
        shown = wire.Shown(self._round, self._free.pop(), at_us, frame.number)
        self._agent.send(wire.encode(shown))

    def wait(self, seconds: float) -> None:
        """Sleep, but not longer than the agent lives."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0.0:
            if select.select([self._agent], [], [], left)[0]:
                self._collect()

    def _lay_out(self, height: int, width: int) -> None:
        self._round += 1
        canvas = wire.Canvas(self._round, height, width)
        memory = os.memfd_create("gridwarden-frames", os.MFD_CLOEXEC)
        try:
            os.ftruncate(memory, canvas.size * wire.BUFFERS)
            mapped = mmap.mmap(memory, canvas.size * wire.BUFFERS)
            socket.send_fds(self._agent, [wire.encode(canvas)], [memory])
        finally:
            os.close(memory)
        whole = np.frombuffer(mapped, np.uint8).reshape(wire.BUFFERS, height, width, 3)
        self._images = list(whole)
        self._free = list(range(wire.BUFFERS))
        self._canvas = canvas

    def _collect(self) -> None:
        """Take back what the agent has read; ends the process where the agent is gone."""
        while True:
            try:
                given = self._agent.recv(2, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not given:
                raise SystemExit(0)
            if given[0] == self._round % 256:
                self._free.append(given[1])


def since_1970_us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def main(descriptor: int) -> int:
    """Play until the source has ended or the agent is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the agent, which ends us
    agent = socket.socket(fileno=descriptor)
    settings = msgspec.json.decode(agent.recv(wire.MESSAGE), type=SourceSettings)
    buffers = Buffers(agent)

    def tell(state: CameraState, detail: str) -> None:
        agent.send(wire.encode(wire.Told(state, detail[:1000])))

    keeper = Keeper(settings.keep_fps, settings.privacy)
    canvas = buffers.canvas_once_read if settings.pace == "fast" else buffers.canvas
    source = open_source(settings, tell, canvas, _now, buffers.wait)
    if not settings.source.startswith("scene:"):
        import cv2

        cv2.setNumThreads(1)
    for frame in source.frames():
        jpeg = keeper.look(frame)
        if jpeg is not None:
            agent.send(wire.encode_kept(since_1970_us(frame.captured_at), jpeg))
        buffers.show(frame)
    return 0


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    with suppress(BrokenPipeError, ConnectionResetError):  # the agent is gone
        sys.exit(main(int(sys.argv[1])))
