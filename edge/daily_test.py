"""A detection a day on each stream that means nothing: whether the way to the hub is open.

It takes the way of every detection: spool, broker, hub, grid event; marked as a test, it is in no
queue and no count. The time of the last one is kept, so that a test that fell due while the agent
was off is made up for.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from pathlib import Path

import msgspec

from contract.envelope import encode_record
from contract.fields import EARLIEST, LATEST
from contract.messages import Detection, RuleNote
from contract.taxonomy import CameraState, Lane, Phase
from edge.settings import StreamSettings
from edge.spool import Entry

log = logging.getLogger(__name__)

LOOK_S = 5.0
KIND = "daily_test"


class DailyTest:
    """A thread of its own, from `start` to `stop`."""

    def __init__(
        self,
        agent: str,
        folder: Path,
        at: time,
        zone: tzinfo | None,
        streams: Sequence[StreamSettings],
        states: Callable[[], Mapping[str, CameraState]],
        take: Callable[[Sequence[Entry]], None],
        now: Callable[[], datetime],
    ) -> None:
        """at: time of day in `zone`; None: the machine's. states: of the cameras, as last seen."""
        self._agent = agent
        self._path = folder / "daily-test.json"
        self._at, self._zone = at, zone
        self._streams = tuple(streams)
        self._states = states
        self._take = take
        self._now = now
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="daily-test", daemon=True)
        self._last = self._read()

    def start(self) -> None:
        """Begin to wait for the time of day."""
        self._thread.start()

    def stop(self) -> None:
        """Wait no more."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def look(self) -> None:
        """Send the tests, if they are due. A clock that nobody has set yet knows no time of day."""
        now = self._now()
        if not EARLIEST <= now < LATEST:
            return
        due = last_due(now, self._at, self._zone)
        if self._last is None or self._last > now:  # the first start, or the clock was set back
            self._keep(due)
        elif due > self._last:
            states = self._states()
            self._take([e for s in self._streams for e in self._test(s, due, now, states)])
            self._keep(due)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            self.look()

    def _test(
        self,
        stream: StreamSettings,
        due: datetime,
        now: datetime,
        states: Mapping[str, CameraState],
    ) -> list[Entry]:
        """A detection that begins and ends now. Sent twice for one day, it is one."""
        name = f"{KIND}/{self._agent}/{stream.id}/{due.isoformat()}"
        told = f"a test; the camera is {states.get(stream.id, CameraState.CONNECTING)}"
        entries = []
        for revision, phase in ((1, Phase.RAISED), (2, Phase.CLEARED)):
            test = Detection(
                episode=str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
                revision=revision,
                phase=phase,
                stream=stream.id,
                kind=KIND,
                label=KIND,
                started_at=now,
                raised_at=now,
                captured_at=now,
                frame=0,
                raised_frame=0,
                score=1.0,
                peak_score=1.0,
                position=stream.position,
                rule=RuleNote(KIND, 1.0, told),
                test=True,
            )
            entries.append(Entry(Lane.DETECTION, encode_record(test), now))
        return entries

    def _read(self) -> datetime | None:
        try:
            last: datetime = msgspec.json.decode(self._path.read_bytes(), type=datetime)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as e:
            log.warning("when the last daily test was is not readable in %s: %s", self._path, e)
            return None
        return last if last.tzinfo is not None else None

    def _keep(self, due: datetime) -> None:
        if due == self._last:
            return
        self._last = due
        new = self._path.with_suffix(".new")
        try:
            new.write_bytes(msgspec.json.encode(due))
            new.replace(self._path)
        except OSError as e:
            log.warning("when the last daily test was cannot be kept in %s: %s", self._path, e)


def last_due(now: datetime, at: time, zone: tzinfo | None) -> datetime:
    """The last moment, up to now, at which the clock of that zone showed that time of day."""
    day = now.astimezone(zone).date()
    while True:
        due = datetime.combine(day, at, zone).astimezone(UTC)  # no zone: the machine's
        if due <= now:
            return due
        day -= timedelta(days=1)
