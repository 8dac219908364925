"""The worker of records: a batch is one transaction, or a few.

A record that cannot be stored is found by bisection and quarantined; its neighbours survive. That
goes for a record that trips a fault of our own code too, as long as others do not: see `canary`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from contract.taxonomy import Lane
from hub.ingest import canary
from hub.ingest.database import Stopped, blame
from hub.ingest.decode import Decoder, Entry, Pack
from hub.ingest.intake import Intake
from hub.ingest.limits import Limits
from hub.ingest.mqtt import BrokerConnection, Delivery
from hub.ingest.transaction import Written, write
from hub.services.context import Hub
from hub.store import quarantine
from hub.store.quarantine import Fault, Reject

# of one transaction; a detection takes up to nine locks of a table the server keeps in memory
MAX_RECORDS = 20_000
MAX_DETECTIONS = 100

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Decoded:
    """What is in a batch."""

    items: list[Entry | Pack] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    tripped: list[tuple[Delivery, Exception]] = field(default_factory=list)  # our decoder


class Worker(Intake[Decoded]):
    """Takes records in."""

    def __init__(
        self,
        hub: Hub,
        broker: BrokerConnection,
        committed: Callable[[Written], None],
        *,
        ignore: Callable[[str], bool] = lambda topic: False,
    ) -> None:
        """committed: told what came of every transaction.

        ignore: topics that another connection takes, to be acknowledged and left alone.
        """
        super().__init__(hub, broker)
        self._committed = committed
        self._ignore = ignore
        self._decoder = Decoder()
        self._limits = Limits(hub.config.limits)

    def _prepare(self, batch: Sequence[Delivery]) -> Decoded:
        out = Decoded()
        for delivery in batch:
            if self._ignore(delivery.topic):
                continue
            try:
                decoded = self._decoder.decode(delivery.topic, delivery.payload)
            except Exception as e:  # noqa: BLE001 - raised again unless it is one message's
                out.tripped.append((delivery, e))
                continue
            if isinstance(decoded, Reject):
                out.rejects.append(decoded)
            elif isinstance(decoded, Pack):
                out.items.append(decoded)
            else:
                out.items += decoded
        return out

    def _take(self, batch: Decoded) -> None:
        rejects = [*batch.rejects, *(self._tripped(d, e) for d, e in batch.tripped)]
        most = MAX_DETECTIONS if self._broker.name == "detections" else MAX_RECORDS
        for part in _parts(batch.items, most):
            self._commit(part, rejects)
            rejects = []

    def _tripped(self, delivery: Delivery, error: Exception) -> Reject:
        """A message that trips a fault of our decoder, unless the hub itself is broken."""
        self._blame(Lane.READING, error)
        reason, fault = blame(error)
        _log.error(
            "a fault of the hub: message on %s is quarantined", delivery.topic, exc_info=error
        )
        return Reject(delivery.topic, delivery.payload, reason, fault=fault)

    def _commit(self, items: list[Entry | Pack], rejects: list[Reject]) -> None:
        """Commit these, bisecting where one is poisoned."""
        if not items and not rejects:
            return
        try:
            written = self._database.run(
                lambda conn: write(conn, self._hub, items, rejects, self._limits),
                self._stopping,
            )
        except Stopped:
            raise
        except Exception as e:  # noqa: BLE001 - raised again unless it is one record's
            self._without_poison(items, rejects, e)
        else:
            self._limits.spend(written.judged)
            self._committed(written)

    def _without_poison(
        self, items: list[Entry | Pack], rejects: list[Reject], error: Exception
    ) -> None:
        if len(items) > 1:
            half = len(items) // 2
            self._commit(items[:half], rejects)
            self._commit(items[half:], [])
            return
        if not items:
            self._drop(rejects, error)
            return
        (entry,) = items
        if isinstance(entry, Pack):
            self._commit(list(entry.entries()), rejects)
            return
        if isinstance(entry.content, Reject):
            self._drop([*rejects, entry.content], error)
            return
        self._blame(entry.identity.lane, error)
        reason, fault = blame(error)
        _log.log(
            logging.WARNING if fault == "sender" else logging.ERROR,
            "record %s/%s/%s/%d is quarantined: %s",
            entry.identity.agent,
            entry.identity.boot,
            entry.identity.lane,
            entry.seq,
            reason,
            exc_info=None if fault == "sender" else error,
        )
        self._commit([poisoned(entry, reason, fault)], rejects)

    def _blame(self, lane: Lane, error: Exception) -> None:
        """Return where a good record of the lane can be stored; else the hub itself is broken."""
        station = self._hub.config.hub.stations[0]
        try:
            self._database.run(
                lambda conn: canary.sings(conn, self._hub, station, lane), self._stopping
            )
        except Stopped:
            raise
        except Exception:  # noqa: BLE001 - the first error is raised
            _log.exception("not even a good record of lane %s can be stored", lane)
            raise error from None

    def _drop(self, rejects: list[Reject], error: Exception) -> None:
        """Not even the quarantine takes them as they are: keep what it does take."""
        bare = [Reject(repr(r.topic)[:200], r.payload, f"{error}"[:200]) for r in rejects]
        self._database.run(
            lambda conn: quarantine.put_aside(conn, bare, self._hub.now()), self._stopping
        )


def _parts(items: list[Entry | Pack], most: int) -> Iterator[list[Entry | Pack]]:
    """The items in order, in parts of at most `most` records and a pack; one at least."""
    part: list[Entry | Pack] = []
    records = 0
    for item in items:
        if records >= most:
            yield part
            part, records = [], 0
        part.append(item)
        records += len(item.columns.values) if isinstance(item, Pack) else 1
    yield part


def poisoned(entry: Entry, reason: str, fault: Fault) -> Entry:
    """That entry, refused."""
    who = entry.identity
    content = Reject(
        entry.topic,
        entry.raw,
        reason,
        who.station,
        who.agent,
        who.boot,
        str(who.lane),
        entry.seq,
        chunk=entry.payload,
        fault=fault,
        counted=True,
    )
    return Entry(who, entry.seq, content, entry.topic, entry.raw, entry.payload)
