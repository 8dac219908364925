"""TCP wires of our own between the parts, so that the network can fail: cut, dead, one way only."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from gridwarden.ports import LOOPBACK

PIECE = 65536  # bytes
CLOSED_S = 2.0
T = TypeVar("T")
Address = tuple[str, int]  # host, TCP port


class Way(Enum):
    """Which direction of a wire, seen from who connects."""

    OUT = "what it says"
    IN = "what it hears"
    BOTH = "both ways"


class Wires:
    """All wires of a run, in one thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="wires", daemon=True)
        self._thread.start()
        self._wires: list[Wire] = []

    def lay(self, target: Address) -> Wire:
        """A wire to a server."""
        wire = self.run(lambda: Wire(self, target))
        asyncio.run_coroutine_threadsafe(wire.listen(), self.loop).result()
        self._wires.append(wire)
        return wire

    def run(self, act: Callable[[], T]) -> T:
        """Do this in the wires' thread and wait for it."""

        async def acting() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(acting(), self.loop).result()

    def mend(self) -> None:
        """Every wire carries everything again."""
        for wire in self._wires:
            wire.mend()

    def close(self) -> None:
        """Take all of them away, and wait until every connection is closed."""

        async def ending() -> None:
            for wire in self._wires:
                wire.end()
            serving = asyncio.all_tasks() - {asyncio.current_task()}
            if serving:
                await asyncio.wait(serving, timeout=CLOSED_S)
            await asyncio.sleep(0)  # an aborted connection is closed in the turn after

        asyncio.run_coroutine_threadsafe(ending(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Wire:
    """A port that forwards to another one. Its verbs may be called from any thread."""

    def __init__(self, wires: Wires, target: Address) -> None:
        self.port = 0
        self._wires = wires
        self._target = target
        self._server: asyncio.Server | None = None
        self._open = {Way.OUT: asyncio.Event(), Way.IN: asyncio.Event()}
        for gate in self._open.values():
            gate.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._far_ports: set[int] = set()
        self._refusing = False

    async def listen(self) -> None:
        """Begin."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def hold(self, way: Way) -> None:
        """Nothing gets through that way any more, and nobody is told."""

        def act() -> None:
            for one, gate in self._open.items():
                if way in (one, Way.BOTH):
                    gate.clear()

        self._wires.run(act)

    def cut(self, *, refuse: bool = False) -> None:
        """End every connection without a word; refuse: and new ones too, until mended."""

        def act() -> None:
            self._refusing = refuse
            for end in list(self._ends):
                end.transport.abort()

        self._wires.run(act)

    def mend(self) -> None:
        """Carry everything again."""

        def act() -> None:
            self._refusing = False
            for gate in self._open.values():
                gate.set()

        self._wires.run(act)

    def far_ports(self) -> set[int]:
        """The ports our connections to the target come from: how the target knows them."""
        return self._wires.run(lambda: set(self._far_ports))

    def close(self) -> None:
        """End it."""
        self._wires.run(self.end)

    def end(self) -> None:
        """The same, for the wires' own thread."""
        if self._server is not None:
            self._server.close()
        self._refusing = True
        for end in list(self._ends):
            end.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._ends |= ends
        port = int(far_writer.get_extra_info("sockname")[1])
        self._far_ports.add(port)
        pumps = [
            asyncio.ensure_future(_pump(reader, far_writer, self._open[Way.OUT])),
            asyncio.ensure_future(_pump(far_reader, writer, self._open[Way.IN])),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for end in ends:
                end.transport.abort()
            self._ends -= ends
            self._far_ports.discard(port)


async def _pump(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, is_open: asyncio.Event
) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(PIECE):
            await is_open.wait()
            sink.write(data)
            await sink.drain()
