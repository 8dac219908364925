"""The intake: foreign messages in, records out; what cannot be read is counted and told.

No message of a foreign system may stop an agent. A refusal is logged once for each adapter and
reason, then counted, so that a device that sends nonsense every second does not fill the disk.

A message that the broker had retained is what was so before we came, perhaps a year ago: its values
are counted, not taken, but for `online`, which is a state that holds until it is told otherwise.
What such a message teaches an adapter (a discovery configuration) is taken.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from contract.messages import Reading
from contract.taxonomy import SensorState
from edge.readings.adapter import MAX_PAYLOAD, NOTHING, Adapter, AdapterError, Decoded, Record
from edge.readings.source import SourceStatus
from edge.readings.topics import covers, fewest
from edge.said_once import SaidOnce

MAX_NAMES = 200  # unmapped names, topics and wrong clocks kept for the status, each
MAX_DEVICES = 20_000  # told apart for the count
OTHERS = "(others)"  # stands for what came after MAX_NAMES
_REASON_LENGTH = 300
_NAME_LENGTH = 100

log = logging.getLogger(__name__)


class Intake:
    """The adapters of one source with their counters. `take` from one thread, `status` from any."""

    def __init__(
        self,
        name: str,
        adapters: Sequence[Adapter],
        since: datetime,
        also_listen: Sequence[str] = (),
    ) -> None:
        """also_listen: filters of topics that are counted although no adapter reads them."""
        self.name = name
        self._adapters = tuple(adapters)
        self._also_listen = tuple(also_listen)
        self._lock = threading.Lock()
        self._status = SourceStatus(SensorState.CONNECTING, since)
        self._unmapped: dict[str, int] = {}
        self._topics: dict[str, int] = {}
        self._wrong_clocks: dict[str, float] = {}
        self._devices: set[str] = set()
        self._told = SaidOnce()

    @property
    def filters(self) -> tuple[str, ...]:
        """The topic filters to subscribe to now; none that another one covers."""
        wanted = (f for adapter in self._adapters for f in adapter.filters)
        return fewest((*wanted, *self._also_listen))

    def take(
        self, topic: str, payload: bytes, received_at: datetime, retained: bool = False
    ) -> Decoded:
        """What all adapters make of one message; never raises for what the message holds."""
        records: list[Record] = []
        replies: list[tuple[str, bytes]] = []
        wants: list[str] = []
        notes: list[str] = []
        refusals: list[str] = []
        unmapped: list[str] = []
        mapped = False
        for adapter in self._adapters:
            try:
                decoded = _decode(adapter, topic, payload, received_at)
            except ValueError as e:  # AdapterError, and a record the contract refuses
                mapped = True
                refusals.append(f"{type(adapter).__name__}: {e}"[:_REASON_LENGTH])
                continue
            mapped = mapped or decoded is not NOTHING
            records.extend(decoded.records)
            replies.extend(decoded.replies)
            wants.extend(
                f for f in decoded.wants if not any(covers(w, f) for w in self._also_listen)
            )
            notes.extend(decoded.notes)
            unmapped.extend(decoded.unmapped)
        decoded_count = len(records)
        if retained:
            records = [r for r in records if _holds_still(r)]
        with self._lock:
            self._count(records, refusals, notes, unmapped, decoded_count - len(records))
            if refusals:
                self._status = replace(
                    self._status, last_example=f"{topic[:_NAME_LENGTH]}  {payload[:80]!r}"
                )
            if not mapped:
                _note(self._topics, topic)
        for text in (*refusals, *notes):
            self._tell(topic, text)
        return Decoded(tuple(records), tuple(unmapped), tuple(notes), tuple(replies), tuple(wants))

    def moved(self, state: SensorState, at: datetime, detail: str = "") -> None:
        """Note the state of the connection, and why it is so."""
        with self._lock:
            if state is not self._status.state:
                self._status = replace(self._status, state=state, since=at)
                if state is SensorState.LOST:
                    log.warning("sensor source %s: %s; trying again", self.name, detail)
            self._status = replace(self._status, detail=detail)

    def overran(self) -> None:
        """A message was left out because they came faster than they could be read."""
        with self._lock:
            self._status = replace(self._status, overrun=self._status.overrun + 1)

    def status(self) -> SourceStatus:
        """The counters and the state. Any thread."""
        with self._lock:
            return replace(
                self._status,
                unmapped=dict(self._unmapped),
                topics=dict(self._topics),
                wrong_clocks=dict(self._wrong_clocks),
                devices=len(self._devices),
            )

    def _count(
        self,
        records: list[Record],
        refusals: list[str],
        notes: list[str],
        unmapped: list[str],
        retained: int,
    ) -> None:
        s = self._status
        self._status = replace(
            s,
            messages=s.messages + 1,
            records=s.records + len(records),
            refused=s.refused + len(refusals),
            retained=s.retained + retained,
            last_refusal=refusals[-1] if refusals else s.last_refusal,
            last_note=notes[-1] if notes else s.last_note,
        )
        for name in unmapped:
            _note(self._unmapped, name)
        for record in records:
            if isinstance(record, Reading):
                if len(self._devices) < MAX_DEVICES:
                    self._devices.add(record.device)
                if record.metric == "clock_offset" and (
                    record.device in self._wrong_clocks or len(self._wrong_clocks) < MAX_NAMES
                ):
                    self._wrong_clocks[record.device] = record.value

    def _tell(self, topic: str, text: str) -> None:
        if self._told.is_new(text):
            log.warning("sensor source %s, topic %s: %s", self.name, topic[:200], text)


def _note(counts: dict[str, int], name: str) -> None:
    """Count a name; those beyond MAX_NAMES together."""
    key = name[:_NAME_LENGTH].replace("\0", "")
    if key not in counts and len(counts) >= MAX_NAMES:
        key = OTHERS
    counts[key] = counts.get(key, 0) + 1


def _holds_still(record: Record) -> bool:
    return isinstance(record, Reading) and record.metric == "online"


def _decode(adapter: Adapter, topic: str, payload: bytes, received_at: datetime) -> Decoded:
    if len(payload) > MAX_PAYLOAD:
        raise AdapterError(f"payload has {len(payload)} bytes, at most {MAX_PAYLOAD} are read")
    return adapter.decode(topic, payload, received_at)
