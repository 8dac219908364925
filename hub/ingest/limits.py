"""Limits by name: a device that floods harms nobody but itself.

Counted is by minute of capture, so that a backlog of days that drains at full speed is no flood;
what cannot be read has no time of its own and is counted by the hub's minute. What lies beyond a
limit is acknowledged, discarded and counted by its device's name.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from contract.messages import Detection, EvidenceChunk, Health, Looked, Lost, Reading
from contract.reading_pack import EPOCH
from contract.taxonomy import Lane
from hub.config import LimitsConfig
from hub.ingest.decode import Entry, Pack, entries_of
from hub.store.quarantine import Reject

WHOLE = ""  # the device that stands for all of a lane
UNREADABLE = ""  # the lane that stands for messages that could not be read
REFUSED = "(refused)"  # the device that stands for a lane's records that are quarantined
MINUTE_US = 60_000_000
EPOCH_MINUTE = int(EPOCH.timestamp()) // 60
MINUTES_KEPT = 100_000  # of device and minute; above that the ones not heard of longest go


class DeviceKey(NamedTuple):
    """A device of an agent, in one boot and lane."""

    agent: str
    boot: str
    lane: str
    device: str


Minute = tuple[DeviceKey, int]


@dataclass(slots=True)
class Judged:
    """What the limits say of some entries."""

    taken: list[Entry | Pack] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)  # taken
    beyond: Counter[DeviceKey] = field(default_factory=Counter)  # discarded, by who flooded
    discarded: set[int] = field(default_factory=set)  # ids of the entries that were
    spent: Counter[Minute] = field(default_factory=Counter)


class Limits:
    """How much each device has sent in which minute. For one thread.

    `judge` changes nothing: a transaction may fail and be tried again. `spend` what was committed.
    """

    def __init__(self, config: LimitsConfig) -> None:
        self._config = config
        self._spent: OrderedDict[Minute, int] = OrderedDict()

    def of(self, key: DeviceKey) -> int:
        """The records a minute that are taken of it; 0: no limit."""
        limits = self._config
        if key.lane == UNREADABLE or key.device == REFUSED:
            return limits.refused_per_minute
        if key.device == WHOLE and key.lane != Lane.HEALTH:
            return limits.lane_per_minute
        return {
            Lane.DETECTION: limits.detections_per_minute,
            Lane.EVIDENCE: limits.chunks_per_minute,
            Lane.READING: limits.readings_per_minute,
            Lane.SCORE: limits.scores_per_minute,
            Lane.HEALTH: limits.heartbeats_per_minute,
        }[Lane(key.lane)]

    def judge(
        self, items: Iterable[Entry | Pack], rejects: Sequence[Reject], now: datetime
    ) -> Judged:
        """What of these is taken; each must be new, a copy of what is here counts nothing."""
        judged = Judged()
        items = list(items)
        packs = [item for item in items if isinstance(item, Pack)]
        none_beyond = self._all_pass(judged, packs)
        for item in items:
            if isinstance(item, Pack) and (none_beyond or self._all_pass(judged, [item])):
                judged.taken.append(item)
                continue
            for e in entries_of(item):
                if isinstance(e.content, Lost) or self._passes(judged, *_keys(e, now)):
                    judged.taken.append(e)
                else:
                    judged.discarded.add(id(e))
        for r in rejects:
            key = DeviceKey(r.agent or "", r.boot or "", UNREADABLE, WHOLE)
            if self._passes(judged, (key,), _minute(now)):
                judged.rejects.append(r)
        return judged

    def spend(self, judged: Judged) -> None:
        """What was judged is committed."""
        for key, n in judged.spent.items():
            self._spent[key] = self._spent.pop(key, 0) + n
        while len(self._spent) > MINUTES_KEPT:
            self._spent.popitem(last=False)

    def _all_pass(self, judged: Judged, packs: Iterable[Pack]) -> bool:
        """Whether no limit keeps any of these out; otherwise nothing is counted.

        All at once: counters and keys for each message would cost more than all else of it.
        """
        boots: defaultdict[str, list[Pack]] = defaultdict(list)
        for pack in packs:
            boots[pack.identity.boot].append(pack)
        counted: Counter[Minute] = Counter()
        for boot, its in boots.items():
            series = chain.from_iterable(pack.columns.series for pack in its)
            times = chain.from_iterable(pack.columns.captured_us for pack in its)
            minutes = [us // MINUTE_US for us in times]
            for (what, since), n in Counter(zip(series, minutes, strict=True)).items():
                minute = since + EPOCH_MINUTE
                counted[DeviceKey(what.agent, boot, "reading", what.device), minute] += n
                counted[DeviceKey(what.agent, boot, "reading", WHOLE), minute] += n
        for key, n in counted.items():
            limit = self.of(key[0])
            if limit and self._spent.get(key, 0) + judged.spent[key] + n > limit:
                return False
        judged.spent.update(counted)
        return True

    def _passes(self, judged: Judged, keys: Sequence[DeviceKey], minute: int) -> bool:
        for key in keys:
            limit = self.of(key)
            if limit and self._spent.get((key, minute), 0) + judged.spent[key, minute] >= limit:
                judged.beyond[key] += 1
                return False
        for key in keys:
            judged.spent[key, minute] += 1
        return True


def _keys(e: Entry, now: datetime) -> tuple[tuple[DeviceKey, ...], int]:
    """Whom an entry is counted for, the narrowest first, and its minute."""
    who, content = e.identity, e.content
    if isinstance(content, Reject):
        return (DeviceKey(who.agent, who.boot, str(who.lane), REFUSED),), _minute(now)
    lane = DeviceKey(who.agent, who.boot, str(who.lane), WHOLE)
    if isinstance(content, Health):
        return (lane,), _minute(content.captured_at)
    assert not isinstance(content, Lost)
    if isinstance(content, Reading):
        device, at = content.device, content.captured_at
    elif isinstance(content, Detection | Looked | EvidenceChunk):
        device, at = content.stream, content.captured_at
    else:
        device, at = content.stream, content.started_at
    return (DeviceKey(who.agent, who.boot, str(who.lane), device), lane), _minute(at)


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60
