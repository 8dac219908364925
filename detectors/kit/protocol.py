"""The detector seam: what every detector is.

A detector is a class in a module of its own:

    @register
    class Flame:
        kind = "flame"
        version = "1"
        summary = "Open flame by colour, motion, growth and flicker."
        Params = FlameParams                      # a frozen dataclass, every field with `param`
        budget_ms = 4.0
        sample_fps = 10.0

        def __init__(self, params: FlameParams) -> None: ...
        def rule(self) -> ConfirmationRule | None: ...
        def policy(self) -> EpisodePolicy: ...
        def observe(self, frame: Frame) -> Iterable[Finding]: ...
        def use(self, params: FlameParams) -> None: ...
        def reset(self) -> None: ...

It reads no clock: time is `frame.captured_at`, so a replay equals the live run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

from contract.episode import EpisodePolicy
from contract.rules import ConfirmationRule
from detectors.kit.types import Finding, Frame


class Detector(Protocol):
    """Looks at the frames of one stream, in order. Not thread-safe; one per stream."""

    kind: ClassVar[str]
    version: ClassVar[str]
    summary: ClassVar[str]
    Params: ClassVar[type[Any]]
    budget_ms: ClassVar[float]  # ms a 720p frame may cost; `make bench ARGS=detectors` measures
    sample_fps: ClassVar[float]  # frames per second it wants to see; 0 for every frame

    params: Any

    def __init__(self, params: Any) -> None: ...

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """What this frame shows. Never writes to it."""

    def use(self, params: Any) -> None:
        """Go on with other parameters, keeping what was learnt of the scene where possible."""

    def rule(self) -> ConfirmationRule | None:
        """A fresh rule for one subject at the present parameters; None: it only measures."""

    def policy(self) -> EpisodePolicy:
        """When an episode of this detector is told again and when it ends."""

    def reset(self) -> None:
        """Forget everything; the next frame is the first."""
