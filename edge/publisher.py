"""Drains the spool to the hub: detections first, within a window, again until they are committed.

One thread does it all; the transport's callbacks only put events on its queue. `edge/outlet.py`
hands messages over, `edge/resending.py` answers what the hub asks for again.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from contract.control import encode_control, read_control
from contract.envelope import MAX_RECORDS
from contract.errors import ContractError
from contract.messages import Ack, Command, Death, Flow, LaneAck, Limited, Look, Manifest, Nack
from contract.taxonomy import Lane
from contract.topics import Down, Topic, Up, all_down
from edge.errors import SpoolBehindError, SpoolError
from edge.lane_window import LaneWindow
from edge.outlet import Outlet
from edge.resending import Resending
from edge.said_once import SaidOnce
from edge.settings import PublishSettings
from edge.spool import Spool
from edge.transport import Arrived, Connected, Disconnected, Taken, Transport, TransportEvent, Will

log = logging.getLogger(__name__)

PACK_BYTES = 56 * 1024  # of records in one message, so that the whole stays below 64 KiB
SHARE = 0.98  # of that: commas between records
LOOK_S = 0.25  # at least so often it looks at the clock
TIDY_S = 5.0  # between two looks at what is over age in the spool
STOP_S = 2.0
HEAR_S = 1.0  # an old spool waits so long for the hub's word before it sends
_BACK = "connected to the broker again"
_SILENCE = (
    "the broker takes what we send but the hub does not answer: it is away, or agent %s may not "
    "send for station %s (`gridwarden agents list` on the hub's machine); keeping everything in "
    "the spool and trying again"
)
EVENTS = 100_000  # messages to us that wait; the broker's window keeps far below


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How the connection to the hub fares."""

    connected: bool
    clock_offset_s: float | None
    epoch: str
    trouble: str = ""  # why there is no connection, in words for people
    limited: tuple[Limited, ...] = ()  # devices that send more than the hub takes


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
        look: Callable[[Look], None] = lambda look: None,
    ) -> None:
        """manifest: the birth for a session begun at that time. command, look: one has arrived."""
        self._station, self._agent = station, agent
        self._spool = spool
        self._transport = transport
        self._now = now
        self._manifest = manifest
        self._command = command
        self._look = look
        self._own_flow = Flow(records=settings.window_records, bytes=settings.window_bytes)
        self._flow = self._own_flow
        self._events: queue.Queue[TransportEvent] = queue.Queue(EVENTS)
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._boot = spool.boot
        states = spool.state()
        self._lanes = {
            lane: LaneWindow(settings.resend_after_s, settings.probe_max_s, states[lane].watermark)
            for lane in Lane
        }
        for window in self._lanes.values():
            window.rewind()
        self._outlet = Outlet(station, agent, transport, self._woken.set, self._refuse)
        self._resending = Resending(spool, self._outlet, self._lanes, int(PACK_BYTES * SHARE))
        # the highest number of each lane that the hub can have seen
        self._shown = {lane: states[lane].next_seq - 1 for lane in Lane}
        self._heard = not any(self._shown.values())  # the hub's word on this boot, or no need of it
        self._hear_until_s = 0.0
        self._connected = False
        self._trouble = ""
        self._lamented: set[str] = set()  # what was told since the hub answered last
        self._said = SaidOnce()
        self._session_at = now()
        self._birth_due = False
        self._offset_s: float | None = None
        self._hub_time: datetime | None = None
        self._tidy_s = 0.0

    def start(self) -> None:
        """Connect and begin."""
        self._transport.start(self._will, [all_down(self._station, self._agent)], self._take_note)
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the spool. Safe from any thread."""
        self._woken.set()

    def announce(self) -> None:
        """What the manifest says has changed: publish the birth again."""
        self._birth_due = True
        self._woken.set()

    def status(self) -> LinkStatus:
        """How the connection fares."""
        return LinkStatus(
            self._connected,
            self._offset_s,
            self._spool.epoch,
            self._trouble,
            tuple(self._flow.limited),
        )

    def stop(self) -> None:
        """Send what can go within STOP_S, say goodbye, disconnect."""
        self._stopping.set()
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S + 1.0)
        self._transport.stop()

    def _will(self) -> Will:
        """The last will of the session that is about to begin. Called by the transport."""
        self._session_at = self._now()
        death = Death(boot=self._spool.boot, published_at=self._session_at)
        topic = str(Topic(self._station, self._agent, Up.DEATH))
        return Will(topic, encode_control(death))

    def _take_note(self, event: TransportEvent) -> None:
        if isinstance(event, Taken):  # most of the events, and nothing to think about
            self._outlet.taken(event.token)
            return
        self._events.put(event)
        self._woken.set()

    def _run(self) -> None:
        deadline: float | None = None
        while True:
            self._woken.wait(LOOK_S)
            self._woken.clear()
            if self._stopping.is_set() and deadline is None:
                deadline = time.monotonic() + STOP_S
            drained = self._step()
            if deadline is not None and (drained or time.monotonic() > deadline):
                break
        if self._connected:
            death = Death(boot=self._boot, published_at=self._session_at)
            self._outlet.tell(Up.DEATH, encode_control(death))

    def _step(self) -> bool:
        """Do what there is to do; whether everything was handed over. No error ends the thread."""
        try:
            for event in self._waiting_events():
                self._handle(event)
            self._notice_boot()
            self._drain()
            self._tidy()
            return self._drained()
        except SpoolError as e:
            if self._said.is_new(str(e)):
                log.error("nothing can be sent while the spool fails: %s", e)
        except Exception as e:  # whatever it is, the next look may do better
            if self._said.is_new(repr(e)):
                log.exception("the publisher goes on after an error of its own")
        return False

    def _waiting_events(self) -> Iterator[TransportEvent]:
        while True:
            try:
                yield self._events.get_nowait()
            except queue.Empty:
                return

    def _drained(self) -> bool:
        """Whether everything has been handed to the broker, as far as the hub lets us."""
        if not self._connected:
            return True
        states = self._spool.state()
        return all(
            w.probing or w.sent >= states[lane].next_seq - 1 for lane, w in self._lanes.items()
        )

    def _tidy(self) -> None:
        if time.monotonic() - self._tidy_s >= TIDY_S:
            self._tidy_s = time.monotonic()
            self._spool.tidy(connected=self._connected)

    def _handle(self, event: TransportEvent) -> None:
        if isinstance(event, Connected):
            self._outlet.begin_session()
            self._connected = True
            self._trouble = ""
            self._birth_due = True
            self._flow = self._own_flow  # the hub answers the birth with its own
            self._hear_until_s = time.monotonic() + HEAR_S
            self._rewind()
            if self._lamented and self._is_news(_BACK):
                log.info(_BACK)
        elif isinstance(event, Disconnected):
            self._outlet.begin_session()
            self._connected = False
            self._trouble = event.reason
            if self._is_news(event.reason):
                log.warning("%s; keeping everything in the spool and trying again", event.reason)
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
            nack = read_control(Nack, event.payload)
            if nack.boot == self._boot:
                self._resending.take(nack)
        elif kind is Down.FLOW:
            self._obey(read_control(Flow, event.payload))
        elif kind is Down.COMMAND:
            self._command(read_control(Command, event.payload))
        elif kind is Down.LOOK:
            self._look(read_control(Look, event.payload))

    def _obey(self, flow: Flow) -> None:
        known = {(x.lane, x.device) for x in self._flow.limited}
        for x in flow.limited:
            if (x.lane, x.device) not in known:
                log.warning(
                    "the hub takes %d records a minute of %s %s and discards the others: "
                    "let it send less, or raise the hub's limit",
                    x.per_minute,
                    x.lane,
                    x.device or "as a whole",
                )
        self._flow = flow

    def _acknowledge(self, ack: Ack, retained: bool) -> None:
        fresh = self._hub_time is None or ack.hub_time > self._hub_time
        if not retained and fresh:
            self._offset_s = (ack.hub_time - self._now()).total_seconds()
        if ack.boot != self._boot:
            return
        if fresh or not retained:  # a hub whose clock was set back is fresh again with its next ack
            self._hub_time = ack.hub_time
            if self._lamented and not retained:
                log.info("the hub answers again")
                self._lamented.clear()
        try:
            self._check(ack)
            if ack.epoch != self._spool.epoch:
                self._begin_epoch(ack)
            for lane, one in ack.lanes.items():
                self._spool.advance(lane, one.watermark)
                self._lanes[lane].acknowledge(one, time.monotonic())
        except SpoolBehindError as e:
            log.error("%s; beginning a new boot", e)
            self._spool.begin_boot()
            self._notice_boot()
            return
        self._heard = True
        if fresh and not retained:
            for lane, window in self._lanes.items():
                if window.probing:
                    window.resume()
                    self._resending.forget(lane)

    def _check(self, ack: Ack) -> None:
        """Refuse what the hub cannot have from us: it speaks of a later life of this spool.

        Numbers below that would be given out twice, and the hub would take the second records for
        copies of the first.
        """
        for lane, one in ack.lanes.items():
            if _highest(one) > self._shown[lane]:
                raise SpoolBehindError(
                    f"the hub has {lane} {_highest(one)} of boot {self._boot}, which was never "
                    f"sent from here: an older copy of the spool was put back"
                )

    def _begin_epoch(self, ack: Ack) -> None:
        first = not self._spool.epoch
        watermarks = {lane: one.watermark for lane, one in ack.lanes.items()}
        self._spool.begin_epoch(ack.epoch, watermarks)
        if not first:
            log.warning("the hub began a new epoch %s: sending again what it lacks", ack.epoch)
        for lane, window in self._lanes.items():
            window.rewind(watermarks.get(lane, 0))
            self._resending.forget(lane)

    def _notice_boot(self) -> None:
        """Begin at the beginning where the spool has begun a new boot."""
        if self._spool.boot == self._boot:
            return
        self._boot = self._spool.boot
        self._birth_due = True
        self._heard = True
        self._shown = dict.fromkeys(Lane, 0)
        self._rewind(0)
        self._resending.begin_boot()

    def _rewind(self, watermark: int | None = None) -> None:
        for lane, window in self._lanes.items():
            window.rewind(watermark)
            self._resending.forget(lane)

    def _drain(self) -> None:
        if not self._connected:
            return
        if self._birth_due:
            self._birth_due = False
            birth = self._manifest(self._session_at)
            self._outlet.tell(Up.BIRTH, encode_control(birth), retain=True)
        if not self._heard and time.monotonic() < self._hear_until_s:
            return  # an older copy put back would send numbers that the hub knows as others
        now_s = time.monotonic()
        for lane, window in self._lanes.items():
            if window.overdue(now_s):
                self._resending.forget(lane)
                log.debug("no word of the hub on %s: sending one message again", lane)
                self._complain_of_silence()
        while self._send_next(Lane.DETECTION):
            pass
        others = [lane for lane in Lane if lane is not Lane.DETECTION]
        while any([self._send_next(lane) for lane in others]):
            while self._send_next(Lane.DETECTION):
                pass

    def _is_news(self, text: str) -> bool:
        """Whether it was not told since the hub answered last; from now on it was."""
        new = text not in self._lamented
        self._lamented.add(text)
        return new

    def _complain_of_silence(self) -> None:
        """A broker says nothing to who may not write: it takes the message and drops it."""
        if self._is_news(_SILENCE):
            log.warning(_SILENCE, self._agent, self._station)

    def _send_next(self, lane: Lane) -> bool:
        """Publish one message of the lane, if there is room and the spool has one."""
        window = self._lanes[lane]
        if not self._connected or not (lane is Lane.DETECTION or self._outlet.has_room):
            return False
        if self._resending.waits(lane):
            return self._resending.send_next(self._boot, lane)
        if not window.may_send:
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
        if not records or self._spool.boot != self._boot:
            return False
        self._shown[lane] = max(self._shown[lane], records[-1].seq)
        if not self._outlet.publish(self._boot, lane, window.wanted(records)):
            return False
        window.published(records, time.monotonic())
        return True

    def _refuse(self, lane: Lane, seq: int, reason: str) -> None:
        self._spool.declare_lost(lane, seq, seq, reason)


def _highest(ack: LaneAck) -> int:
    """The highest number the hub has of a lane."""
    return max([ack.watermark, *(last for _, last in ack.ranges)])
