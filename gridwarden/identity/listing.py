"""The lines of `gridwarden agents list`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hub.store.enrolments import Enrolment, Refused

_HEAD = ("AGENT", "STATION", "CREDENTIAL", "STATE", "REFUSED")


def lines(
    everybody: Sequence[Enrolment],
    refused: Sequence[Refused],
    broker_ends_at: datetime | None,
    now: datetime,
    warn: timedelta,
) -> Iterator[str]:
    """A line for each agent, then strangers, then the broker's certificate. Times are UTC.

    broker_ends_at: of its certificate; None: not known. warn: this long before the end of one.
    """
    by_agent = {r.agent: r for r in refused}
    if everybody:
        rows = [_HEAD, *(_row(e, by_agent.get(e.agent), now, warn) for e in everybody)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
        for row in rows:
            cells = zip(row, widths, strict=True)
            yield "  ".join(cell.ljust(width) for cell, width in cells).rstrip()
    else:
        yield (
            "no agent is enrolled, so any that the broker lets in may send: gridwarden agents "
            "enrol AGENT --station S"
        )
    enrolled = {e.agent for e in everybody}
    for r in refused:
        if everybody and r.agent not in enrolled:
            yield (
                f"stranger {r.agent}: {r.times} refused, the last at {_minute(r.last_at)}: "
                f"{r.reason}"
            )
    if broker_ends_at is not None:
        yield f"the broker's certificate {_ends(broker_ends_at, now, warn, 'broker')}"


def _row(
    e: Enrolment, refused: Refused | None, now: datetime, warn: timedelta
) -> tuple[str, str, str, str, str]:
    if e.revoked_at is not None:
        state = f"revoked at {_minute(e.revoked_at)}"
    elif e.expires_at is not None:
        state = _ends(e.expires_at, now, warn, f"rotate {e.agent}")
    else:
        state = f"enrolled, password of {e.issued_at:%Y-%m-%d}"
    if e.former_until is not None and e.former_until > now:
        state += f"; the former one works until {_minute(e.former_until)}"
    elif e.former_until is not None:
        state += "; the former one is to go: gridwarden agents broker"
    times = f"{refused.times}, last at {_minute(refused.last_at)}" if refused else "0"
    return e.agent, e.station, str(e.credential), state, times


def _ends(at: datetime, now: datetime, warn: timedelta, renew: str) -> str:
    if at <= now:
        return f"EXPIRED on {at:%Y-%m-%d}: gridwarden agents {renew}"
    if at <= now + warn:
        days = (at - now).days
        return f"EXPIRES in {days} d, on {at:%Y-%m-%d}: gridwarden agents {renew}"
    return f"good until {at:%Y-%m-%d}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
