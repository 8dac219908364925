"""A lively street whose camera freezes for a while: every picture the same, bit by bit."""

from __future__ import annotations

from detectors.kit.types import Image
from edge.sources.drawing.street import Street
from edge.sources.drawing.truth import Span, Truth

FREEZES_S, RECOVERS_S = 8.0, 68.0


class Freeze:
    """Frozen from second 8 to second 68 of 100."""

    def __init__(self, seed: int = 4) -> None:
        self.period_s = 100.0
        self._street = Street(seed, stopping=False)

    @staticmethod
    def shown(t: float) -> float:
        """The moment that the picture of second `t` really shows."""
        return FREEZES_S if FREEZES_S <= t < RECOVERS_S else t

    def draw(self, t: float, picture: Image) -> None:
        """What the camera shows at second `t`."""
        self._street.draw(self.shown(t), picture)

    def truth(self) -> Truth:
        """When it is frozen."""
        return Truth((Span("frozen", FREEZES_S, RECOVERS_S),))
