"""Which frames of a stream a detector is shown."""

from __future__ import annotations

from datetime import datetime, timedelta

EARLY = 0.1  # of a step: a camera's jitter is not early


class Sampling:
    """Frames at a rate, by their capture times. One stream and one detector."""

    def __init__(self, fps: float) -> None:
        """fps: frames per second wanted; 0 for every frame."""
        self._step = timedelta(seconds=1.0 / fps) if fps > 0.0 else None
        self._early = EARLY * (self._step or timedelta())
        self._due: datetime | None = None

    def is_due(self, at: datetime) -> bool:
        """Whether the frame of that time is wanted."""
        return self._step is None or self._due is None or at >= self._due - self._early

    def looked(self, at: datetime) -> None:
        """The frame of that time was shown. A late one does not shift those that follow."""
        if self._step is not None:
            on_time = self._due is not None and at < self._due + self._step
            self._due = (self._due if on_time and self._due is not None else at) + self._step
