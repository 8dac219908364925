"""One answer of a broker, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a finding means."""

    SAFE = "safe"
    NOTE = "note"  # safe as it stands here
    UNKNOWN = "not probed"
    UNSAFE = "UNSAFE"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of the broker."""

    verdict: Verdict
    what: str

    def __str__(self) -> str:
        return f"{self.verdict:<11}{self.what}"
