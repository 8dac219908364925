"""Which clips are for tuning and which are held out: fixed before anything is tuned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import msgspec

from gridwarden.evaluation.errors import EvaluationError
from gridwarden.evaluation.labels import ClipLabel

BY_SOURCE = "by-source"
TUNING, HELD_OUT = "tuning", "held-out"
HELD_OUT_OF_TEN = 4
Split = Callable[[ClipLabel], str]


def by_source(label: ClipLabel) -> str:
    """The half a clip belongs to, by the hash of its source: clips of one source stay together."""
    digest = hashlib.sha256(label.origin.encode()).digest()
    return HELD_OUT if int.from_bytes(digest[:8]) % 10 < HELD_OUT_OF_TEN else TUNING


def choose(asked: str | None) -> Split | None:
    """The split that `--split` asks for: by-source, or a JSON file {"name": ["glob", ...]}.

    Raises EvaluationError.
    """
    if asked is None:
        return None
    if asked == BY_SOURCE:
        return by_source
    try:
        named = msgspec.json.decode(Path(asked).read_bytes(), type=dict[str, list[str]])
    except OSError as e:
        raise EvaluationError(
            f"split {asked} cannot be read ({e.strerror}), or: {BY_SOURCE}"
        ) from e
    except msgspec.MsgspecError as e:
        raise EvaluationError(f'split {asked} must be {{"name": ["glob", ...]}}: {e}') from e

    def of(label: ClipLabel) -> str:
        for name, globs in named.items():
            if any(fnmatch(label.file, glob) for glob in globs):
                return name
        return "in no split"

    return of
