"""Checks of what people hand in: text that can be stored, photos that are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import Connection

from hub.domain.errors import InvalidError
from hub.store import evidence_index

MAX_REASON = 2000  # characters


def check_text(field: str, text: str, longest: int, *, needed: bool = False) -> None:
    """Raise InvalidError where the text is too long, empty though needed, or holds NUL."""
    if "\x00" in text:
        raise InvalidError(f"{field} contains a NUL character, which no text has", field=field)
    if len(text) > longest:
        raise InvalidError(
            f"{field} has {len(text)} characters, at most {longest} are kept", field=field
        )
    if needed and not text.strip():
        raise InvalidError(f"{field} is empty", field=field)


def complete_evidence(conn: Connection[Any], digests: Iterable[str]) -> tuple[str, ...]:
    """The digests, once each; raises InvalidError where one is not here complete."""
    wanted = tuple(dict.fromkeys(digests))
    missing = sorted(set(wanted) - evidence_index.complete_among(conn, wanted)) if wanted else []
    if missing:
        raise InvalidError(
            f"there is no complete evidence {missing[0]!r}: hand the photo in first",
            field="evidence",
        )
    return wanted
