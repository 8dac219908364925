"""When a reading was taken: the device's word where it can be true, else the time it arrived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contract.messages import Reading

MAX_AHEAD = timedelta(minutes=5)  # beyond it the device's clock is wrong
MAX_AGE = timedelta(days=31)  # what a device may have kept back during an outage


def from_iso(text: object) -> datetime | None:
    """The aware time in an ISO 8601 text, None where there is none or it names no zone."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None


def from_epoch_s(seconds: object) -> datetime | None:
    """The time in seconds since 1970, None where it is no number or no time."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def from_epoch_ms(milliseconds: object) -> datetime | None:
    """The time in milliseconds since 1970, None where it is no number or no time."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    return from_epoch_s(milliseconds / 1000)


def is_sane(device_at: datetime, received_at: datetime) -> bool:
    """Whether a device that works can have said so at that moment."""
    return received_at - MAX_AGE <= device_at <= received_at + MAX_AHEAD


def taken_at(device_at: datetime | None, received_at: datetime) -> datetime:
    """When the reading was taken, by the device's word where it can be true."""
    if device_at is not None and is_sane(device_at, received_at):
        return device_at
    return received_at


def wrong_clock(
    device: str, device_at: datetime | None, received_at: datetime
) -> tuple[Reading, ...]:
    """A reading `clock_offset` where the device's clock is wrong: told, not a reason to drop."""
    if device_at is None or is_sane(device_at, received_at):
        return ()
    offset_s = (device_at - received_at).total_seconds()
    return (
        Reading(
            device=device,
            metric="clock_offset",
            value=offset_s,
            unit="s",
            captured_at=received_at,
        ),
    )
