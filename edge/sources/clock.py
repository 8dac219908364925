"""The time of a live frame: the stream's own clock for what lies between frames, ours for the day.

A camera's time stamps are even where arrival is not: a network that stalls delivers ten frames at
once. But they begin anywhere, stop, jump and start again, and their clock runs a little fast or
slow. So they are tied to the wall clock: by the frame that was under way for the shortest time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

GAP_S = 10.0  # two stamps further apart than arrival explains by this: the stream began anew
BEHIND_S = 2.0  # later than its stamp by so much ...
BEHIND_FOR_S = 10.0  # ... for so long: its stamps stood still, no delay lasts like this
DRIFT = 0.0005  # of the time: how much slower than ours a camera's clock may run
TRIES = 2  # a stream whose stamps stood still so often has none worth the name


class StreamClock:
    """Capture times for one connection. Pure: stamps and arrivals come in as arguments."""

    def __init__(self) -> None:
        self._ahead_s: float | None = None  # arrival minus stamp of the fastest frame
        self._stamp_s = 0.0
        self._arrived: datetime | None = None
        self._behind_since: datetime | None = None
        self._stood_still = 0

    def captured_at(self, stamp_s: float, arrived: datetime) -> datetime:
        """When the frame was captured; never later than it arrived.

        stamp_s: the stream's time stamp. arrived: wall clock that does not go back.
        """
        if self._stood_still >= TRIES:
            return arrived
        ahead_s = arrived.timestamp() - stamp_s
        if self._ahead_s is None or self._arrived is None or self._began_anew(stamp_s, arrived):
            tied_s = self._tie(ahead_s)
        else:
            passed_s = (arrived - self._arrived).total_seconds()
            self._ahead_s = min(ahead_s, self._ahead_s + DRIFT * passed_s)
            tied_s = self._watch(ahead_s, self._ahead_s, arrived)
        self._stamp_s, self._arrived = stamp_s, arrived
        return arrived - timedelta(seconds=max(0.0, ahead_s - tied_s))

    def _began_anew(self, stamp_s: float, arrived: datetime) -> bool:
        assert self._arrived is not None
        step_s = stamp_s - self._stamp_s
        passed_s = (arrived - self._arrived).total_seconds()
        return step_s < 0.0 or step_s > passed_s + GAP_S

    def _watch(self, ahead_s: float, tied_s: float, arrived: datetime) -> float:
        """Tie anew where frames stay behind their stamps: the stamps stood still, we did not."""
        if ahead_s - tied_s < BEHIND_S:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = arrived
        elif (arrived - self._behind_since).total_seconds() > BEHIND_FOR_S:
            self._stood_still += 1
            return self._tie(ahead_s)
        return tied_s

    def _tie(self, ahead_s: float) -> float:
        self._ahead_s = ahead_s
        self._behind_since = None
        return ahead_s
