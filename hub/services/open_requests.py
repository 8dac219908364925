"""What was asked for on an event and waits for somebody else, as its history tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.services.context import Hub
from hub.store.rows import HistoryRow


@dataclass(frozen=True, slots=True)
class OpenRequests:
    """The entry of each request that stands; None where there is none."""

    extension: HistoryRow | None  # request_extension, not decided yet
    hang: HistoryRow | None  # request_hang since it was dispatched or resumed
    closing: HistoryRow | None  # propose_close since the state last changed
    appeal: HistoryRow | None  # appeal, not decided yet
    review: HistoryRow | None  # review_appeal, the last of that appeal
    appealed: bool  # ever

    def waiting(self, state: str) -> list[HistoryRow]:
        """Those that somebody else has to decide on, of an event in that state."""
        hang = None if state == "suspended" else self.hang
        asked = (self.extension, hang, self.closing, self.appeal, self.review)
        return [entry for entry in asked if entry is not None]


def open_requests(hub: Hub, history: Sequence[HistoryRow]) -> OpenRequests:
    """What waits on an event with this history, the oldest entry first."""
    appeal = _waiting(history, "appeal", "decide_appeal")
    return OpenRequests(
        extension=_waiting(
            _since(history, "dispatch", "check_fail", "reopen"),
            "request_extension",
            "decide_extension",
        ),
        hang=_last(_since(history, "dispatch", "resume"), "request_hang"),
        closing=_last(_since(history, *hub.lifecycle.transitions), "propose_close"),
        appeal=appeal,
        review=_last(_since(history, "appeal"), "review_appeal") if appeal else None,
        appealed=_last(history, "appeal") is not None,
    )


def second_of(requests: OpenRequests, act: str) -> HistoryRow | None:
    """What another person signed before, for an act that two have to sign."""
    return {"force_close": requests.closing, "decide_appeal": requests.review}.get(act)


def _since(history: Sequence[HistoryRow], *names: str) -> Sequence[HistoryRow]:
    """The entries after the last one of these names, all where there is none."""
    start = max((i + 1 for i, h in enumerate(history) if h.name in names), default=0)
    return history[start:]


def _last(history: Sequence[HistoryRow], name: str) -> HistoryRow | None:
    return next((h for h in reversed(history) if h.name == name), None)


def _waiting(history: Sequence[HistoryRow], asked: str, decided: str) -> HistoryRow | None:
    """What was asked and not decided since."""
    last = next((h for h in reversed(history) if h.name in (asked, decided)), None)
    return last if last is not None and last.name == asked else None
