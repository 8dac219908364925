"""The intake: foreign messages in, records out; what cannot be read is counted and told.

No message of a foreign system may stop an agent. A refusal is logged once for each adapter and
reason, then counted, so that a device that sends nonsense every second does not fill the disk.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from contract.messages import Detection, Reading
from edge.readings.adapter import MAX_PAYLOAD, Adapter, AdapterError, Decoded
from edge.readings.source import SourceState, SourceStatus
from edge.said_once import SaidOnce

MAX_UNMAPPED = 200  # names kept for the status
_REASON_LENGTH = 300

log = logging.getLogger(__name__)


class Intake:
    """The adapters of one source with their counters. `take` from one thread, `status` from any."""

    def __init__(self, name: str, adapters: Sequence[Adapter], since: datetime) -> None:
        self.name = name
        self._adapters = tuple(adapters)
        self._lock = threading.Lock()
        self._status = SourceStatus(SourceState.CONNECTING, since)
        self._unmapped: dict[str, int] = {}
        self._told = SaidOnce()

    @property
    def filters(self) -> tuple[str, ...]:
        """The topic filters to subscribe to now, each once."""
        return tuple(dict.fromkeys(f for adapter in self._adapters for f in adapter.filters))

    def take(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """What all adapters make of one message; never raises for what the message holds."""
        records: list[Reading | Detection] = []
        replies: list[tuple[str, bytes]] = []
        notes: list[str] = []
        refusals: list[str] = []
        unmapped: list[str] = []
        for adapter in self._adapters:
            try:
                decoded = _decode(adapter, topic, payload, received_at)
            except ValueError as e:  # AdapterError, and a record the contract refuses
                refusals.append(f"{type(adapter).__name__}: {e}"[:_REASON_LENGTH])
                continue
            records.extend(decoded.records)
            replies.extend(decoded.replies)
            notes.extend(decoded.notes)
            unmapped.extend(decoded.unmapped)
        self._count(records, refusals, notes, unmapped)
        for text in (*refusals, *notes):
            self._tell(topic, text)
        return Decoded(tuple(records), tuple(unmapped), tuple(notes), tuple(replies))

    def moved(self, state: SourceState, at: datetime) -> None:
        """Note the state of the connection."""
        with self._lock:
            if state is not self._status.state:
                self._status = replace(self._status, state=state, since=at)

    def status(self) -> SourceStatus:
        """The counters and the state. Any thread."""
        with self._lock:
            return replace(self._status, unmapped=dict(self._unmapped))

    def _count(
        self,
        records: list[Reading | Detection],
        refusals: list[str],
        notes: list[str],
        unmapped: list[str],
    ) -> None:
        with self._lock:
            s = self._status
            self._status = replace(
                s,
                messages=s.messages + 1,
                records=s.records + len(records),
                refused=s.refused + len(refusals),
                last_refusal=refusals[-1] if refusals else s.last_refusal,
                last_note=notes[-1] if notes else s.last_note,
            )
            for name in unmapped:
                if name in self._unmapped or len(self._unmapped) < MAX_UNMAPPED:
                    self._unmapped[name[:100]] = self._unmapped.get(name[:100], 0) + 1

    def _tell(self, topic: str, text: str) -> None:
        if self._told.is_new(text):
            log.warning("sensor source %s, topic %s: %s", self.name, topic[:200], text)


def _decode(adapter: Adapter, topic: str, payload: bytes, received_at: datetime) -> Decoded:
    if len(payload) > MAX_PAYLOAD:
        raise AdapterError(f"payload has {len(payload)} bytes, at most {MAX_PAYLOAD} are read")
    return adapter.decode(topic, payload, received_at)
