"""The history of one grid event, as assessment and stage clocks read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hub.domain.actor import Role
from hub.domain.lifecycle import UNDO

ACTS = frozenset(  # entries that leave the state as it is
    {
        "request_extension",
        "decide_extension",
        "request_hang",
        "appeal",
        "review_appeal",
        "decide_appeal",
        "propose_close",
        "supervise",
        "remind",
        "raise_level",
        "add_cohandler",
        "finish_part",
        "look_again",
        "comment",
        "join_report",
        "raise_severity",
        "corroborate",
        "take_in",
        "let_go",
        "rate",
        "take_down_comment",
        "hold_evidence",
        "release_evidence",
        "erase_evidence",
    }
)
SIGHTINGS = frozenset(
    {"ingest_detection", "report", "join_report"}
)  # so is every entry with a `seen_at`


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the append-only history: a transition or an act, with what it said."""

    at: datetime
    name: str
    to_state: str
    role: Role
    actor: str = ""
    unit: str = ""  # dispatch: who is to deal with it
    reason: str = ""
    until: datetime | None = None  # suspend: the planned end
    granted: bool = False  # decide_extension, decide_appeal
    level: int = 0  # raise_level: what it is at least from here on
    verdict: str = ""  # what the operator said of a machine detection
    satisfied: bool | None = None  # rate
    seen_at: datetime | None = None  # when somebody or something saw it, known with this entry


def standing(entries: Iterable[Entry], as_of: datetime | None = None) -> list[Entry]:
    """The entries up to `as_of` that hold: an undo takes itself and what it undid away."""
    result: list[Entry] = []
    for entry in entries:
        if as_of is not None and entry.at > as_of:
            break
        if entry.name == UNDO:
            _take_back(result)
        else:
            result.append(entry)
    return result


def _take_back(entries: list[Entry]) -> None:
    for n in range(len(entries) - 1, -1, -1):
        if entries[n].name not in ACTS:
            del entries[n]
            return
