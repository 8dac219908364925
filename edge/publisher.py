"""Drains the spool to the hub: detections first, within a window, again until they are committed.

One thread does it all; the transport's callbacks only put events on its queue.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from contract.control import encode_control, read_control
from contract.envelope import MAX_RECORDS, Identity, build
from contract.errors import ContractError, EnvelopeError
from contract.messages import Ack, Command, Death, Flow, Manifest, Nack
from contract.ranges import consecutive
from contract.taxonomy import Lane
from contract.topics import Down, Topic, Up, all_down
from edge.errors import SpoolBehindError, SpoolError
from edge.lane_window import LaneWindow
from edge.said_once import SaidOnce
from edge.settings import PublishSettings
from edge.spool import Spool, Spooled, missing
from edge.transport import Arrived, Connected, Disconnected, Transport, TransportEvent, Will

log = logging.getLogger(__name__)

PACK_BYTES = 56 * 1024  # of records in one message, so that the whole stays below 64 KiB
SHARE = 0.98  # of that: commas between records
REFUSALS = 3  # the same records asked for so often are given up
NACKS_KEPT = 1000
LOOK_S = 0.25  # at least so often it looks at the clock
STOP_S = 2.0
EVENTS = 100_000  # messages to us that wait; the broker's window keeps far below


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How the connection to the hub fares."""

    connected: bool
    clock_offset_s: float | None
    epoch: str


class Publisher:
    """Owns the connection. `start` once, `wake` when something was spooled, `stop` at the end."""

    def __init__(
        self,
        station: str,
        agent: str,
        spool: Spool,
        transport: Transport,
        settings: PublishSettings,
        now: Callable[[], datetime],
        manifest: Callable[[datetime], Manifest],
        command: Callable[[Command], None],
    ) -> None:
        """manifest: the birth for a session begun at that time. command: one has arrived."""
        self._station, self._agent = station, agent
        self._spool = spool
        self._transport = transport
        self._now = now
        self._manifest = manifest
        self._command = command
        self._flow = Flow(records=settings.window_records, bytes=settings.window_bytes)
        self._events: queue.Queue[TransportEvent | None] = queue.Queue(EVENTS)
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        states = spool.state()
        self._lanes = {
            lane: LaneWindow(settings.resend_after_s, settings.probe_max_s, states[lane].watermark)
            for lane in Lane
        }
        for window in self._lanes.values():
            window.rewind()
        self._connected = False
        self._lamented = False  # one line when the connection is gone, one when it is back
        self._said = SaidOnce()
        self._session_at = now()
        self._birth_due = False
        self._offset_s: float | None = None
        self._hub_time: datetime | None = None
        self._refusals: dict[tuple[Lane, int, int], tuple[int, float]] = {}

    def start(self) -> None:
        """Connect and begin."""
        self._transport.start(self._will, [all_down(self._station, self._agent)], self._take_note)
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the spool. Safe from any thread."""
        self._ring()

    def announce(self) -> None:
        """What the manifest says has changed: publish the birth again."""
        self._birth_due = True
        self._ring()

    def status(self) -> LinkStatus:
        """How the connection fares."""
        return LinkStatus(self._connected, self._offset_s, self._spool.epoch)

    def stop(self) -> None:
        """Send what can go within STOP_S, say goodbye, disconnect."""
        self._stopping.set()
        self._ring()
        if self._thread.ident is not None:
            self._thread.join(STOP_S + 1.0)
        self._transport.stop()

    def _will(self) -> Will:
        """The last will of the session that is about to begin. Called by the transport."""
        self._session_at = self._now()
        death = Death(boot=self._spool.boot, published_at=self._session_at)
        return Will(self._topic(Up.DEATH), encode_control(death))

    def _take_note(self, event: TransportEvent) -> None:
        self._events.put(event)
        self._woken.set()

    def _ring(self) -> None:
        self._woken.set()

    def _run(self) -> None:
        deadline: float | None = None
        while True:
            self._woken.wait(LOOK_S)
            self._woken.clear()
            if self._stopping.is_set() and deadline is None:
                deadline = time.monotonic() + STOP_S
            for event in self._waiting_events():
                self._handle(event)
            drained = False
            try:
                self._drain()
                drained = self._drained()
            except SpoolError as e:
                if self._said.is_new(str(e)):
                    log.error("nothing can be sent while the spool fails: %s", e)
            if deadline is not None and (drained or time.monotonic() > deadline):
                break
        if self._connected:
            death = Death(boot=self._spool.boot, published_at=self._session_at)
            self._transport.publish(self._topic(Up.DEATH), encode_control(death))

    def _waiting_events(self) -> Iterator[TransportEvent]:
        while True:
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                return
            if event is not None:
                yield event

    def _drained(self) -> bool:
        """Whether everything has been handed to the broker, as far as the hub lets us."""
        if not self._connected:
            return True
        states = self._spool.state()
        return all(
            w.probing or w.sent >= states[lane].next_seq - 1 for lane, w in self._lanes.items()
        )

    def _handle(self, event: TransportEvent) -> None:
        if isinstance(event, Connected):
            self._connected = True
            self._birth_due = True
            for window in self._lanes.values():
                window.rewind()
            if self._lamented:
                log.info("connected to the broker again")
                self._lamented = False
        elif isinstance(event, Disconnected):
            self._connected = False
            if not self._lamented:
                log.warning("%s; keeping everything in the spool and trying again", event.reason)
                self._lamented = True
        elif isinstance(event, Arrived):
            try:
                self._read(event)
            except (ContractError, SpoolError) as e:
                log.warning("message on %s left aside: %s", event.topic[:200], e)

    def _read(self, event: Arrived) -> None:
        kind = Topic.parse(event.topic).kind
        if kind is Down.ACK:
            self._acknowledge(read_control(Ack, event.payload), event.retained)
        elif kind is Down.NACK:
            self._send_again(read_control(Nack, event.payload))
        elif kind is Down.FLOW:
            self._flow = read_control(Flow, event.payload)
        elif kind is Down.COMMAND:
            self._command(read_control(Command, event.payload))

    def _acknowledge(self, ack: Ack, retained: bool) -> None:
        fresh = self._hub_time is None or ack.hub_time > self._hub_time
        if not retained and fresh:
            self._offset_s = (ack.hub_time - self._now()).total_seconds()
        if ack.boot != self._spool.boot:
            return
        if fresh:
            self._hub_time = ack.hub_time
        try:
            if ack.epoch != self._spool.epoch:
                self._begin_epoch(ack)
            for lane, one in ack.lanes.items():
                self._spool.advance(lane, one.watermark)
                self._lanes[lane].acknowledge(one, time.monotonic())
        except SpoolBehindError as e:
            log.error("%s; beginning a new boot", e)
            self._spool.begin_boot()
            self._birth_due = True
            for window in self._lanes.values():
                window.rewind(0)
            return
        if fresh and not retained:
            for window in self._lanes.values():
                window.resume()

    def _begin_epoch(self, ack: Ack) -> None:
        first = not self._spool.epoch
        watermarks = {lane: one.watermark for lane, one in ack.lanes.items()}
        self._spool.begin_epoch(ack.epoch, watermarks)
        if not first:
            log.warning("the hub began a new epoch %s: sending again what it lacks", ack.epoch)
        for lane, window in self._lanes.items():
            window.rewind(watermarks.get(lane, 0))

    def _send_again(self, nack: Nack) -> None:
        if nack.boot != self._spool.boot:
            return
        for lane, ranges in nack.lanes.items():
            for first, last in ranges:
                self._answer(lane, first, last)
        for digest in nack.digests:
            log.warning("the hub has a broken copy of picture %s, which is gone here", digest)

    def _answer(self, lane: Lane, first: int, last: int) -> None:
        """Send again what the hub misses; declare lost what is not here or refused for good.

        What lies beyond the window goes out in its turn, however much is asked for.
        """
        window = self._lanes[lane]
        last = min(last, window.sent)
        first = max(first, window.watermark + 1)
        if first > last:
            return
        if self._refused(lane, first, last, window.resend_after_s):
            self._spool.declare_lost(lane, first, last, f"refused by the hub {REFUSALS} times")
            return
        held: list[int] = []
        after = first - 1
        while records := self._spool.peek(lane, after, MAX_RECORDS, PACK_BYTES, last):
            held += [r.seq for r in records]
            after = records[-1].seq
            self._publish(lane, records)
        for a, b in missing(first, last, held):
            self._spool.declare_lost(lane, a, b, "no longer in the spool")

    def _refused(self, lane: Lane, first: int, last: int, wait_s: float) -> bool:
        """Whether this range has been asked for too often, each time long enough after the last."""
        now_s = time.monotonic()
        count, at_s = self._refusals.get((lane, first, last), (0, now_s - wait_s))
        if now_s - at_s >= wait_s:
            count, at_s = count + 1, now_s
        if len(self._refusals) >= NACKS_KEPT:
            self._refusals.clear()
        self._refusals[lane, first, last] = count, at_s
        return count > REFUSALS

    def _drain(self) -> None:
        if not self._connected:
            return
        if self._birth_due:
            self._birth_due = False
            birth = self._manifest(self._session_at)
            self._transport.publish(self._topic(Up.BIRTH), encode_control(birth), retain=True)
        now_s = time.monotonic()
        for lane, window in self._lanes.items():
            if window.overdue(now_s):
                log.debug("no word of the hub on %s: sending one message again", lane)
        while self._send_next(Lane.DETECTION):
            pass
        others = [lane for lane in Lane if lane is not Lane.DETECTION]
        while any([self._send_next(lane) for lane in others]):
            while self._send_next(Lane.DETECTION):
                pass

    def _send_next(self, lane: Lane) -> bool:
        """Publish one message of the lane, if the window has room and the spool has one."""
        window = self._lanes[lane]
        if not self._connected or not window.may_send:
            return False
        # detections have a window of their own: they wait behind nothing
        sharing = (
            [window]
            if lane is Lane.DETECTION
            else [w for x, w in self._lanes.items() if x is not Lane.DETECTION]
        )
        room = self._flow.records - sum(w.records for w in sharing)
        if room < 1 or sum(w.bytes for w in sharing) >= self._flow.bytes:
            return False
        count = 1 if lane is Lane.EVIDENCE or window.probing else min(room, MAX_RECORDS)
        records = self._spool.peek(lane, window.sent, count, int(PACK_BYTES * SHARE))
        if not records:
            return False
        wanted = window.wanted(records)
        if not self._publish(lane, wanted):
            return False
        window.published(records, time.monotonic())
        return True

    def _publish(self, lane: Lane, records: Sequence[Spooled]) -> bool:
        """Hand records to the transport, a message for each consecutive run."""
        by_seq = {r.seq: r for r in records}
        one = lane is Lane.EVIDENCE
        for first, last in consecutive(by_seq):
            step = 1 if one else last - first + 1
            for seq in range(first, last + 1, step):
                run = [by_seq[s] for s in range(seq, seq + step)]
                identity = Identity(self._station, self._agent, self._spool.boot, lane, seq)
                try:
                    message = build(
                        identity, [r.record for r in run], run[0].captured_at, run[0].payload
                    )
                except EnvelopeError as e:
                    if len(run) > 1:
                        half = len(run) // 2
                        if not (
                            self._publish(lane, run[:half]) and self._publish(lane, run[half:])
                        ):
                            return False
                        continue
                    self._spool.declare_lost(lane, seq, seq, f"too large to travel: {e}")
                    continue
                if self._transport.publish(self._topic(Up(lane.value)), message) is None:
                    return False
        return True

    def _topic(self, kind: Up) -> str:
        return str(Topic(self._station, self._agent, kind))
