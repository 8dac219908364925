"""Whether an event may be filed by itself, and why: every condition of the policy, none skipped.

All must hold: the category allows it, it is no drill, the calibrated probability reaches the bar,
it persisted, the device is sound, no control window covers it, and the stream has earned trust for
this class. An emergency (S1) needs no earned trust; it needs all the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from contract.taxonomy import Severity
from hub.domain.control_window import ControlWindow
from hub.domain.trust import Trust


class Why(StrEnum):
    """What was in the way, in the order in which it is told; or that nothing was."""

    PASSED = "passed"
    OFF = "off"  # the category does not file by itself
    DRILL = "drill"  # a synthetic alarm
    SCORE = "score"
    PERSISTENCE = "persistence"
    DEVICE = "device"
    TRUST = "trust"
    WINDOW = "window"


class Device(StrEnum):
    """How the device that saw it is."""

    SOUND = "sound"
    UNSOUND = "unsound"  # frozen, dark, covered, moved, lost
    SILENT = "silent"  # not heard of in time
    UNKNOWN = "unknown"  # no agent named it


@dataclass(frozen=True, slots=True)
class Bar:
    """What the category asks for before it files by itself."""

    on: bool
    probability: float  # 0..1
    persist_s: float
    trust: float  # 0..1, Wilson lower bound


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the detection that might file its event."""

    severity: Severity
    test: bool
    probability: float  # calibrated, 0..1
    lasted_s: float
    device: Device
    trust: Trust
    least: int  # verdicts before trust can be earned
    window: ControlWindow | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The decision with its reasons, as it is kept with the event: JSON values.

    failed: what was in the way; empty where it may be filed.
    """

    failed: tuple[Why, ...]
    probability: float | None = None
    bar: float | None = None
    lasted_s: float | None = None
    persist_s: float | None = None
    device: str | None = None
    verdicts: int | None = None
    least: int | None = None
    trust: float | None = None
    target: float | None = None
    exempt: bool = False  # S1: trust was not asked for
    window: int | None = None
    window_kind: str | None = None
    window_by: str | None = None
    window_until: datetime | None = None
    window_reason: str | None = None
    unit: str | None = None  # it was dispatched to at once
    no_unit: bool = False  # it was filed, and there was nobody to dispatch it to

    @property
    def passed(self) -> bool:
        """Whether it may be filed by itself."""
        return not self.failed


def off() -> Judgement:
    """The category does not file by itself; nothing else was asked."""
    return Judgement((Why.OFF,))


def judge(bar: Bar, seen: Seen) -> Judgement:
    """The decision on one detection of a suspected event."""
    if not bar.on:
        return off()
    exempt = seen.severity is Severity.S1
    conditions = {
        Why.DRILL: not seen.test,
        Why.SCORE: seen.probability >= bar.probability,
        Why.PERSISTENCE: seen.lasted_s >= bar.persist_s,
        Why.DEVICE: seen.device is Device.SOUND,
        Why.TRUST: exempt or (seen.trust.verdicts >= seen.least and seen.trust.bound >= bar.trust),
        Why.WINDOW: seen.window is None,
    }
    window = seen.window
    return Judgement(
        failed=tuple(why for why, met in conditions.items() if not met),
        probability=round(seen.probability, 3),
        bar=bar.probability,
        lasted_s=min(round(seen.lasted_s, 1), bar.persist_s),
        persist_s=bar.persist_s,
        device=str(seen.device),
        verdicts=seen.trust.verdicts,
        least=seen.least,
        trust=round(seen.trust.bound, 3),
        target=bar.trust,
        exempt=exempt,
        window=window.id if window else None,
        window_kind=window.kind if window else None,
        window_by=window.made_by if window else None,
        window_until=window.over_at if window else None,
        window_reason=window.reason if window else None,
    )


def kept(judgement: Judgement) -> dict[str, Any]:
    """The decision as JSON values, what does not apply left out; `read` gives it back."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(judgement))
    return {k: v for k, v in told.items() if k == "failed" or v not in (None, False)}


def read(told: dict[str, Any]) -> Judgement:
    """The decision that `kept` told of."""
    return msgspec.convert(told, Judgement)
