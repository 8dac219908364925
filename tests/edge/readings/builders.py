"""What the tests of this folder share: a time, and readings as short tuples."""

from __future__ import annotations

from datetime import UTC, datetime

from contract.messages import Reading
from edge.readings.adapter import Decoded

AT = datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)


def values(decoded: Decoded) -> dict[str, tuple[float, str]]:
    """metric -> (value, unit) of every reading; fails where two readings have the same metric."""
    readings = [r for r in decoded.records if isinstance(r, Reading)]
    found = {r.metric: (round(r.value, 6), r.unit) for r in readings}
    assert len(found) == len(readings), "two readings of one metric"
    return found


def readings(decoded: Decoded) -> list[Reading]:
    """Every reading; fails where there is something else."""
    assert all(isinstance(r, Reading) for r in decoded.records)
    return [r for r in decoded.records if isinstance(r, Reading)]
