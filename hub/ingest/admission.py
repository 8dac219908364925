"""Whether a message's topic and envelope agree with the agent's enrolment.

The broker's access rules come first; this is for brokers without rules, and for rules written
wrongly. Until somebody is enrolled, and unless `identity.required` is set, an agent never heard
of before belongs to the station it first spoke from.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from typing import Any, NamedTuple

from psycopg import Connection

from hub.services.context import Hub
from hub.store import agents, enrolments
from hub.store.enrolments import Standing

AGAIN_S = 3600.0  # the same refusal is logged once in this time
_KEPT = 1000  # refusals remembered for that

_log = logging.getLogger(__name__)
_said: dict[str, float] = {}  # reason -> monotonic time; a race costs a line


class Claim(NamedTuple):
    """What a message says of itself, topic and envelope alike."""

    agent: str
    station: str


def admit(conn: Connection[Any], hub: Hub, claims: Collection[Claim]) -> dict[Claim, str]:
    """The claims that are refused, each with its reason; the others' agents are known from now."""
    if not claims:
        return {}
    standing = {s.agent: s for s in enrolments.standings(conn, {c.agent for c in claims})}
    required = hub.config.identity.required
    refused: dict[Claim, str] = {}
    for claim in claims:
        reason = _refusal(claim, standing[claim.agent], required)
        if reason is not None:
            refused[claim] = reason
    admitted = [c for c in claims if c not in refused]
    first: dict[str, str] = {}
    for claim in admitted:
        first.setdefault(claim.agent, claim.station)
    station_of = agents.enrol(conn, first) if first else {}
    for claim in admitted:
        if station_of[claim.agent] != claim.station:
            refused[claim] = _elsewhere(claim, station_of[claim.agent])
    _tell(refused.values())
    return refused


def _refusal(claim: Claim, standing: Standing, required: bool) -> str | None:
    if standing.station is None:
        if standing.anybody or required:
            return f"agent {claim.agent} is not enrolled: gridwarden agents enrol {claim.agent}"
        return None
    if standing.revoked_at is not None:
        return f"agent {claim.agent} was revoked at {standing.revoked_at:%Y-%m-%d %H:%M} UTC"
    if standing.station != claim.station:
        return _elsewhere(claim, standing.station)
    return None


def _elsewhere(claim: Claim, station: str) -> str:
    return f"agent {claim.agent} is enrolled at station {station}, not at {claim.station}"


def _tell(reasons: Collection[str]) -> None:
    now_s = time.monotonic()
    for reason in reasons:
        if now_s - _said.get(reason, -AGAIN_S) >= AGAIN_S:
            if len(_said) >= _KEPT:
                _said.clear()
            _said[reason] = now_s
            _log.warning("refused and quarantined: %s", reason)
