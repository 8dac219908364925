"""The grid events that the findings of one transaction may touch, read and written together.

They are looked for and locked at once, changed in memory while finding after finding is placed, and
written by a few statements for all. So a batch costs a hub few more round trips than one detection,
and what it opens early is there for what it places later, as if it had been written.

A step of the lifecycle is recorded one by one: `write` comes before it, `stand` after it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection

from contract.geometry import Point
from contract.taxonomy import Severity
from hub.domain.correlate import Candidate, Closed, choose, rectangle
from hub.domain.strips import Strips
from hub.services.context import Hub
from hub.services.event_history import Beginning, begin_histories
from hub.services.finding import Finding
from hub.store import changes, events, nearby
from hub.store.events import NewEvent
from hub.store.nearby import Area, StreamArea
from hub.store.rows import GridEventRow

_NOT_WRITTEN = 1 << 62  # stands for the ids of events that have none yet: above all others


@dataclass(slots=True, eq=False)
class Standing:
    """A grid event as it stands in this transaction, seen by what has been placed so far.

    row: as it is stored, without a later sight; None while an event is being opened.
    """

    order: int  # its id, or what comes after all ids
    row: GridEventRow | None
    severity: Severity
    first_seen_at: datetime
    last_seen_at: datetime

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.row is None or self.row.ended_at is None

    @property
    def written(self) -> GridEventRow:
        """Its row; `write` comes first."""
        if self.row is None:
            raise LookupError("a grid event that is being opened has no row yet")
        return self.row


@dataclass(frozen=True, slots=True)
class _Opened:
    standing: Standing
    event: NewEvent
    district: str
    day: date
    how: Beginning


_Kind = tuple[str, bool]  # merge group, test
_Stream = tuple[str, bool, tuple[str, str]]  # merge group, test, (agent, stream)


class EventsAtHand:
    """For one transaction, which holds the locks of these findings."""

    def __init__(
        self,
        conn: Connection[Any],
        hub: Hub,
        findings: Collection[Finding],
        known: Collection[int] = (),
    ) -> None:
        """Look for the events around these findings, and lock them and the known ones (ids)."""
        self.conn = conn
        self.hub = hub
        self._standings: dict[int, Standing] = {}
        self._lying: dict[_Kind, Strips[Standing]] = {}
        self._of_stream: dict[_Stream, Standing] = {}
        self._closed: dict[int, list[Closed]] = {}  # by identity of the finding
        self._opened: list[_Opened] = []
        self._seen: dict[Standing, None] = {}  # again, and not yet written
        placed = [f for f in findings if f.position is not None]
        near = nearby.live_near(conn, [self._area(f, self._time(f)) for f in placed])
        on_streams = self._live_of_streams(findings)
        self._lock({*known, *(id for id, *_ in near), *on_streams.values()})
        for standing in self._standings.values():
            self._put_row(standing)
        for id, place, group, test in near:  # one that was merged meanwhile leads to its root
            self._put(group, test, place, self._standings[id])
        for stream, id in on_streams.items():
            self._of_stream[stream] = self._standings[id]
        self._look_for_closed([f for f in placed if self.live(f) is None])

    def root_of(self, id: int) -> Standing:
        """The event of that id, or the one that stands for it; locked."""
        if id not in self._standings:
            self._lock({id})
        return self._standings[id]

    def live(self, finding: Finding) -> Standing | None:
        """The live event of the finding's group within its radius and time, the nearest."""
        group, time = finding.what.group, self._time(finding)
        if finding.position is None:
            found = self._of_stream.get(_stream(finding)) if finding.stream else None
            seen = found is not None and found.live and found.last_seen_at >= finding.last_at - time
            return found if seen else None
        lying = self._lying.get((group, finding.test))
        near = [] if lying is None else [p for p in lying.around(finding.position) if p[1].live]
        chosen = choose(
            finding.position,
            finding.last_at,
            [Candidate(s.order, place, s.first_seen_at, s.last_seen_at) for place, s in near],
            self.hub.categories.groups[group].radius_m,
            time,
        )
        return None if chosen is None else next(s for _, s in near if s.order == chosen.id)

    def closed(self, finding: Finding) -> list[Closed]:
        """The closed events around a finding since its group's `recur_days`, the latest first."""
        if finding.position is None or not self._recur(finding):
            return []
        if id(finding) not in self._closed:  # what was live when it was looked for has ended
            self._look_for_closed([finding])
        return [
            c
            for c in self._closed[id(finding)]
            if c.id not in self._standings or not self._standings[c.id].live
        ]

    def see(self, standing: Standing, at: datetime, stream: tuple[str, str] | None = None) -> None:
        """It was seen at that time too, by that (agent, stream); what has ended is seen no more."""
        if not standing.live:
            return
        standing.last_seen_at = max(standing.last_seen_at, at)
        self._seen[standing] = None
        row = standing.row
        if stream is not None and row is not None and row.lon is None:
            self._of_stream[row.merge_group, row.test, stream] = standing

    def open(self, finding: Finding, event: NewEvent, district: str, how: Beginning) -> Standing:
        """Open an event for a finding; `write` gives it its id and number."""
        standing = Standing(
            _NOT_WRITTEN + len(self._opened),
            None,
            Severity(event.severity),
            event.occurred_at,
            event.last_seen_at,
        )
        day = event.opened_at.astimezone(self.hub.zone).date()
        self._opened.append(_Opened(standing, event, district, day, how))
        if finding.position is not None:
            self._put(finding.what.group, finding.test, finding.position, standing)
        elif finding.stream is not None:
            self._of_stream[_stream(finding)] = standing
        return standing

    def stand(self, standing: Standing, row: GridEventRow) -> None:
        """A step was recorded, and its event is this now."""
        standing.row, standing.last_seen_at = row, row.last_seen_at
        standing.severity = Severity(row.severity)
        self._put_row(standing)

    def write(self) -> None:
        """Store what was opened and seen so far."""
        self._write_opened()
        self.write_seen()

    def write_seen(self) -> None:
        """Store when events were seen again, of those that are stored."""
        seen = {s: s.row for s in self._seen if s.row is not None}
        later = {s: r for s, r in seen.items() if s.last_seen_at > r.last_seen_at}
        if later:
            events.see(self.conn, {r.id: s.last_seen_at for s, r in later.items()})
        for standing, row in later.items():
            standing.row = replace(row, last_seen_at=standing.last_seen_at)
        if seen:
            changes.tell_each(self.conn, "event", (row.number for row in seen.values()))
        self._seen = {s: None for s in self._seen if s.row is None}

    def _write_opened(self) -> None:
        opened, self._opened = self._opened, []
        if not opened:
            return
        days = Counter((o.district, o.day) for o in opened)
        numbers = {
            (district, day): itertools.count(
                events.next_sequence(self.conn, district, day, days[district, day])
            )
            for district, day in sorted(days)
        }
        rows = events.insert(
            self.conn,
            [
                replace(
                    o.event,
                    number=f"{o.district}-{o.day:%Y%m%d}-{next(numbers[o.district, o.day]):05}",
                )
                for o in opened
            ],
        )
        begin_histories(self.conn, [(r, o.how) for r, o in zip(rows, opened, strict=True)])
        for row, o in zip(rows, opened, strict=True):
            o.standing.order, o.standing.row = row.id, row
            self._standings[row.id] = o.standing

    def _lock(self, ids: Collection[int]) -> None:
        for id, row in events.roots_of(self.conn, ids).items():
            if row.id not in self._standings:
                self._standings[row.id] = Standing(
                    row.id, row, Severity(row.severity), row.occurred_at, row.last_seen_at
                )
            self._standings[id] = self._standings[row.id]

    def _put_row(self, standing: Standing) -> None:
        """Have a stored event found where it lies."""
        row = standing.row
        if row is not None and row.lon is not None and row.lat is not None:
            self._put(row.merge_group, row.test, Point(row.lon, row.lat), standing)

    def _put(self, group: str, test: bool, place: Point, standing: Standing) -> None:
        if (group, test) not in self._lying:
            found = self.hub.categories.groups.get(group)
            if found is None:  # a group that is no more
                return
            self._lying[group, test] = Strips(found.radius_m)
        self._lying[group, test].put(place, standing)

    def _live_of_streams(self, findings: Collection[Finding]) -> dict[_Stream, int]:
        asked = {
            _stream(f): StreamArea(f.what.group, *f.stream, f.last_at - self._time(f), f.test)
            for f in sorted(findings, key=lambda f: f.last_at, reverse=True)  # the earliest counts
            if f.position is None and f.stream is not None
        }
        found = nearby.live_of_streams(self.conn, list(asked.values()))
        return {s: id for s, id in zip(asked, found, strict=True) if id is not None}

    def _look_for_closed(self, findings: Collection[Finding]) -> None:
        asked = [f for f in findings if self._recur(f)]
        areas = [self._area(f, self._recur(f)) for f in asked]
        for finding, found in zip(asked, nearby.closed_near(self.conn, areas), strict=True):
            self._closed[id(finding)] = found

    def _area(self, finding: Finding, time: timedelta) -> Area:
        assert finding.position is not None
        group = finding.what.group
        lon, lat = rectangle(finding.position, self.hub.categories.groups[group].radius_m)
        return Area(group, lon, lat, finding.last_at - time, finding.test)

    def _time(self, finding: Finding) -> timedelta:
        return timedelta(seconds=self.hub.categories.groups[finding.what.group].time_s)

    def _recur(self, finding: Finding) -> timedelta:
        return timedelta(days=self.hub.categories.groups[finding.what.group].recur_days)


def _stream(finding: Finding) -> _Stream:
    assert finding.stream is not None
    return finding.what.group, finding.test, finding.stream
