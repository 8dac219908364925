"""The hub as the edge sees it: takes messages, keeps a ledger, answers. For tests of the edge."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import defaultdict
from datetime import timedelta

from contract.control import encode_control, read_control
from contract.envelope import MAX_MESSAGE, read_identity, read_record
from contract.messages import (
    Ack,
    Command,
    Death,
    EvidenceChunk,
    Flow,
    LaneAck,
    Look,
    Lost,
    Manifest,
    Nack,
)
from contract.ranges import SequenceSet
from contract.taxonomy import Lane
from contract.topics import Down, Topic, Up, all_up
from edge.transport import Arrived, Connected, Transport, TransportEvent, Will
from tests.edge.builders import now


class HubSide:
    """Commits what arrives while `working`; acknowledges after each message."""

    def __init__(self, transport: Transport, station: str, agent: str) -> None:
        self._transport = transport
        self._station, self._agent = station, agent
        self._lock = threading.RLock()
        self._connected = threading.Event()
        self.epoch = "epoch-1"
        self.working = True
        self.ahead = timedelta(0)  # how far its clock is ahead
        self.begin_anew()
        self.births: list[tuple[Manifest, bool]] = []
        self.deaths: list[Death] = []
        self.order: list[Lane] = []
        self.messages: dict[Lane, int] = defaultdict(int)
        self.copies = 0
        transport.start(
            lambda: Will("gw/none", b""), [all_up(station, kind) for kind in Up], self._hear
        )

    def begin_anew(self) -> None:
        """An empty database."""
        self.boot = ""
        self.ledger: dict[Lane, SequenceSet] = {lane: SequenceSet() for lane in Lane}
        self.records: dict[Lane, dict[int, object]] = {lane: {} for lane in Lane}
        self.lost: dict[Lane, list[tuple[int, int]]] = {lane: [] for lane in Lane}
        self.pieces: dict[str, dict[int, tuple[EvidenceChunk, bytes]]] = defaultdict(dict)

    def say(
        self, kind: Down, message: Ack | Nack | Flow | Command | Look, retain: bool = False
    ) -> None:
        topic = str(Topic(self._station, self._agent, kind))
        deadline = time.monotonic() + 30.0
        while self._transport.publish(topic, encode_control(message), retain=retain) is None:
            assert time.monotonic() < deadline, "the hub has no connection"
            time.sleep(0.02)

    def acknowledge(self) -> None:
        with self._lock:
            lanes = {lane: LaneAck(s.watermark, s.ranges[:]) for lane, s in self.ledger.items()}
            ack = Ack(epoch=self.epoch, hub_time=now() + self.ahead, boot=self.boot, lanes=lanes)
        topic = str(Topic(self._station, self._agent, Down.ACK))
        self._transport.publish(topic, encode_control(ack), retain=True)  # no session: too late

    def whole(self, role: str) -> tuple[EvidenceChunk, bytes] | None:
        """The first chunk's header and all bytes of the first evidence of that role, once whole."""
        with self._lock:
            for digest, chunks in self.pieces.items():
                data = b"".join(payload for _, (_, payload) in sorted(chunks.items()))
                if 0 in chunks and chunks[0][0].role == role:
                    right = hashlib.sha256(data).hexdigest() == digest
                    return (chunks[0][0], data) if right else None
        return None

    def nack(self, lane: Lane, *ranges: tuple[int, int]) -> None:
        self.say(Down.NACK, Nack(boot=self.boot, lanes={lane: list(ranges)}))

    def wait_connected(self) -> None:
        """Return once there is a session with the broker."""
        assert self._connected.wait(30.0)

    def _hear(self, event: TransportEvent) -> None:
        if isinstance(event, Connected):
            self._connected.set()
        if not isinstance(event, Arrived) or not event.topic.startswith("gw/v1/"):
            return
        topic = Topic.parse(event.topic)
        if topic.agent != self._agent:
            return
        kind = topic.kind
        with self._lock:
            if kind is Up.BIRTH:
                self.births.append((read_control(Manifest, event.payload), event.retained))
            elif kind is Up.DEATH:
                self.deaths.append(read_control(Death, event.payload))
            elif isinstance(kind, Up):
                self._take(Lane(kind.value), event.payload)

    def _take(self, lane: Lane, payload: bytes) -> None:
        assert len(payload) <= MAX_MESSAGE
        self.order.append(lane)
        self.messages[lane] += 1
        if not self.working:
            return
        message = read_identity(lane, payload)
        if message.identity.boot != self.boot:
            self.begin_anew()
            self.boot = message.identity.boot
        for seq, raw in enumerate(message.records, message.identity.seq):
            if seq in self.ledger[lane]:
                self.copies += 1
                continue
            record = read_record(lane, raw, message.payload)
            self.ledger[lane].add(seq)
            if isinstance(record, Lost):
                self.lost[lane].append((record.first, record.last))
                self.ledger[lane].add(record.first, record.last)
            else:
                self.records[lane][seq] = record
            if isinstance(record, EvidenceChunk):
                self.pieces[record.digest][record.offset] = record, message.payload
        threading.Thread(target=self.acknowledge, name="hub-ack", daemon=True).start()
