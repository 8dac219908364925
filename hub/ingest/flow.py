"""How much each agent may have under way, by how the hub keeps up; and who is told to slow down.

While the queue of received messages fills, every agent's window is halved; while it is all but
empty, windows grow back. So what waits for a slow hub waits in the spools, not in the broker.
Pure bookkeeping; `Downlink` does the sending.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contract.messages import Flow, Limited
from contract.taxonomy import Lane
from hub.config import FlowConfig
from hub.ingest.limits import UNREADABLE
from hub.store.discarded import Discarded

FULL, EMPTY = 0.5, 0.1  # shares of the queue
SHRINK, GROW = 0.5, 1.25  # a step
LEAST_BYTES = 128 * 1024  # two messages
CALM_S = 120.0  # without a discard, a device is no longer told of
REPEAT_S = 5.0  # how often a number that grows is told anew


@dataclass(slots=True)
class _Flooding:
    limited: Limited
    last_s: float


class FlowControl:
    """The window of all agents and the devices that flood. Not thread-safe."""

    def __init__(self, config: FlowConfig) -> None:
        self._config = config
        self._share = 1.0  # of the configured window
        self._told_share = 1.0
        self._flooding: dict[str, dict[tuple[Lane, str], _Flooding]] = {}
        self._told_s: dict[str, float] = {}
        self._due: set[str] = set()

    def step(self, fill: float) -> bool:
        """See how full the queue is, full from 1 on; whether all are told of another window."""
        least = self._config.least_records / self._config.window_records
        if fill >= FULL:
            self._share = max(least, self._share * SHRINK)
        elif fill <= EMPTY:
            self._share = min(1.0, self._share * GROW)
        changed = abs(self._share - self._told_share) > self._told_share / 4 or (
            self._share != self._told_share and self._share in (1.0, least)
        )
        if changed:
            self._told_share = self._share
        return changed

    def flood(self, discarded: Iterable[Discarded], now_s: float) -> None:
        """These devices had records discarded; their agents are due to be told."""
        for d in discarded:
            if d.lane == UNREADABLE:
                continue  # what cannot be read has no lane to slow down in
            lane = Lane(d.lane)
            limited = Limited(lane=lane, device=d.device, per_minute=d.per_minute, discarded=d.n)
            known = self._flooding.setdefault(d.agent, {})
            if (lane, d.device) not in known or now_s - self._told_s.get(d.agent, 0) >= REPEAT_S:
                self._due.add(d.agent)
            known[lane, d.device] = _Flooding(limited, now_s)

    def due(self, now_s: float) -> set[str]:
        """Agents whose list of limited devices has changed since they were told."""
        for agent, known in list(self._flooding.items()):
            calm = [key for key, f in known.items() if now_s - f.last_s >= CALM_S]
            for key in calm:
                del known[key]
                self._due.add(agent)
            if not known:
                del self._flooding[agent]
        due, self._due = self._due, set()
        return due

    def of(self, agent: str, now_s: float) -> Flow:
        """What that agent is told now."""
        self._told_s[agent] = now_s
        known = self._flooding.get(agent, {})
        return Flow(
            records=max(1, round(self._told_share * self._config.window_records)),
            bytes=max(LEAST_BYTES, round(self._told_share * self._config.window_bytes)),
            limited=[f.limited for _, f in sorted(known.items())],
        )
