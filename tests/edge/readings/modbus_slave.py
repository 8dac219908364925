"""A Modbus TCP slave: pymodbus' own server, in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

SLAVE = 3


@contextmanager
def slave(
    port: int, registers: Sequence[int], bits: Sequence[bool] = (), exception: int = 0
) -> Iterator[None]:
    """Holding and input registers from address 0 on, and coils and discrete inputs.

    exception: the code that every request is answered with; 0: none.
    """
    words = SimData(0, values=list(registers), datatype=DataType.REGISTERS)
    flags = SimData(0, values=list(bits) or [False], datatype=DataType.BITS)
    device = SimDevice(SLAVE, simdata=([flags], [flags], [words], [words]))
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    server: list[ModbusTcpServer] = []

    def answer(sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        if not (sending and exception):
            return pdu
        refusal = ExceptionResponse(pdu.function_code, exception, device_id=pdu.dev_id)
        refusal.transaction_id = pdu.transaction_id
        return refusal

    async def serve() -> None:
        server.append(ModbusTcpServer(device, address=("127.0.0.1", port), trace_pdu=answer))
        await server[0].listen()
        ready.set()
        await server[0].serving

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(serve())
        except asyncio.CancelledError:
            pass
        finally:
            loop.close()

    thread = threading.Thread(target=run, name="modbus-slave", daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(server[0].shutdown(), loop).result(10)  # type: ignore[no-untyped-call]
        thread.join(10)
