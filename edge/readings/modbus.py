"""Modbus TCP: a slave's registers read every few seconds, through pymodbus.

Registers of one table whose addresses follow one another are read with one request, up to what the
protocol takes (125 registers, 2000 bits: Modbus Application Protocol 1.1b3, 6.1 to 6.4). A gap is
never read over: many devices refuse a request that touches an address they lack.

A slave that does not answer is a state, told by a reading `online` 0, and asked again after a wait
that doubles. A register that is refused is counted with its reason; the others are read.
"""

from __future__ import annotations

import logging
import math
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from contract.messages import Reading
from contract.taxonomy import SensorState
from edge.readings.adapter import Record, number
from edge.readings.metrics import Metric, known, measured, ucum
from edge.readings.names import device_name, label, metric_name
from edge.readings.settings import ModbusSensor, Register
from edge.readings.source import SourceStatus
from edge.sources.backoff import Backoff

_FORMATS = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip
_BITS = ("coil", "discrete")
_MOST = {"holding": 125, "input": 125, "coil": 2000, "discrete": 2000}
# exception codes of a gateway that cannot reach the slave: 0A path unavailable, 0B no response
_SLAVE_IS_AWAY = (0x0A, 0x0B)

log = logging.getLogger(__name__)
# pymodbus logs every attempt at a dead slave; its state is told here, once
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class ModbusSource:
    """A `ReadingSource` over one slave."""

    def __init__(self, settings: ModbusSensor, now: Callable[[], datetime]) -> None:
        self.name = settings.id
        self._settings = settings
        self._now = now
        self._device = device_name(settings.device_name or settings.id, settings.prefix)
        self._requests = plan(settings.register)
        self._closed = threading.Event()
        self._status = SourceStatus(SensorState.CONNECTING, now(), devices=1)
        self._client = ModbusTcpClient(
            settings.host, port=settings.port, timeout=settings.timeout_s, retries=0
        )

    def readings(self) -> Iterator[Record]:
        """A reading for each register at every poll, and `online` when that changes."""
        backoff = Backoff(1.0, self._settings.retry_max_s)
        online: bool | None = None
        try:
            while not self._closed.is_set():
                found, away = self._poll()
                if away == "":
                    backoff.reset()
                    wait_s = self._settings.poll_s
                    self._moved(SensorState.ONLINE, "")
                else:
                    wait_s = backoff.next_s()
                    self._moved(SensorState.LOST, away)
                if online is not (away == ""):
                    online = away == ""
                    found.append(self._reading(Metric("online"), float(online), "1", ""))
                self._status = replace(self._status, records=self._status.records + len(found))
                yield from found
                self._closed.wait(wait_s)
        finally:
            self._client.close()  # type: ignore[no-untyped-call]
            self._moved(SensorState.ENDED, "")

    def status(self) -> SourceStatus:
        """How it fares. Any thread."""
        return self._status

    def close(self) -> None:
        """End `readings`. Any thread."""
        self._closed.set()

    def _poll(self) -> tuple[list[Record], str]:
        """(readings, "") of a slave that answers; ([], why) of one that does not."""
        s = self._settings
        found: list[Record] = []
        for request in self._requests:
            if self._closed.is_set():
                break
            try:
                if not self._is_connected():
                    return [], f"{s.host}:{s.port} cannot be reached"
                answer = self._ask(request)
            except (ModbusException, OSError) as e:
                # what still comes would answer another question
                self._client.close()  # type: ignore[no-untyped-call]
                return [], f"slave {s.slave} at {s.host}:{s.port} does not answer: {e}"[:300]
            if answer.isError():
                code = getattr(answer, "exception_code", None)
                if code in _SLAVE_IS_AWAY:
                    return [], f"the gateway {s.host}:{s.port} cannot reach slave {s.slave}"
                self._refuse(f"{request.what()}: the slave refuses it with exception {code}")
                continue
            found += self._read(request, answer)
        self._status = replace(self._status, messages=self._status.messages + 1)
        return found, ""

    def _is_connected(self) -> bool:
        client = self._client
        return client.connected or bool(client.connect())  # type: ignore[no-untyped-call]

    def _ask(self, request: Request) -> ModbusPDU:
        read = {
            "holding": self._client.read_holding_registers,
            "input": self._client.read_input_registers,
            "coil": self._client.read_coils,
            "discrete": self._client.read_discrete_inputs,
        }[request.table]
        return read(request.address, count=request.count, device_id=self._settings.slave)

    def _read(self, request: Request, answer: ModbusPDU) -> Iterator[Record]:
        for register in request.registers:
            at = register.address - request.address
            try:
                if request.table in _BITS:
                    raw = float(answer.bits[at])
                else:
                    raw = decode(register, answer.registers[at : at + register.words])
            except (IndexError, struct.error) as e:
                self._refuse(f"{register.metric} at {register.address}: answer too short: {e}")
                continue
            value = number(raw * register.scale + register.offset)
            if value is None:
                self._refuse(f"{register.metric} at {register.address}: {raw!r} is no number")
                continue
            unit = ucum(register.unit) if register.unit else None
            metric = known(register.metric) or Metric(metric_name(register.metric), unit or "1")
            value, kept = measured(metric, value, unit)
            yield self._reading(metric, value, kept, register.place)

    def _reading(self, metric: Metric, value: float, unit: str, place: str) -> Reading:
        return Reading(
            device=self._device,
            metric=metric.name,
            value=value,
            unit=unit,
            captured_at=self._now(),
            place=label(place),
        )

    def _refuse(self, why: str) -> None:
        s = self._status
        if why[:300] != s.last_refusal:
            log.warning("sensor source %s: %s", self.name, why)
        self._status = replace(s, refused=s.refused + 1, last_refusal=why[:300])

    def _moved(self, state: SensorState, detail: str) -> None:
        s = self._status
        since = s.since if state is s.state else self._now()
        if state is SensorState.LOST and state is not s.state:
            log.warning("sensor source %s: %s", self.name, detail)
        self._status = replace(s, state=state, since=since, detail=detail)


@dataclass(frozen=True, slots=True)
class Request:
    """Neighbouring registers of one table, read at once."""

    table: str
    address: int
    count: int
    registers: tuple[Register, ...]

    def what(self) -> str:
        """Which values it asks for."""
        return f"{', '.join(r.metric for r in self.registers)} ({self.table} {self.address})"


def plan(registers: Sequence[Register]) -> list[Request]:
    """The fewest requests that touch no address that was not asked for."""
    requests: list[Request] = []
    for r in sorted(registers, key=lambda r: (r.table, r.address)):
        size = 1 if r.table in _BITS else r.words
        last = requests[-1] if requests else None
        if last is not None and last.table == r.table and r.address <= last.address + last.count:
            count = max(last.count, r.address + size - last.address)
            if count <= _MOST[r.table]:
                requests[-1] = replace(last, count=count, registers=(*last.registers, r))
                continue
        requests.append(Request(r.table, r.address, size, (r,)))
    return requests


def decode(register: Register, words: Sequence[int]) -> float:
    """The number in 16-bit words, those in the order the device sends; raises struct.error."""
    ordered = words if register.word_order == "big" else list(reversed(words))
    (value,) = struct.unpack(_FORMATS[register.type], struct.pack(f">{len(ordered)}H", *ordered))
    return float(value) if not isinstance(value, float) or math.isfinite(value) else math.nan
