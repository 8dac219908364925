"""Which worker runs which test file, for `pytest -n`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).resolve().parent.parent
# read from the file's text: the one that shares out has collected nothing
_MARKED = re.compile(r"^pytestmark = .*mark\.(processes|timescale)\b", re.M)


def company(file: str) -> str:
    """The files that share a worker: what runs the demo, for its ports; what needs TimescaleDB, as
    starting that takes seconds; else each by itself."""
    found = _MARKED.search((ROOT / file).read_text(encoding="utf-8"))
    return found[1] if found else file


class Companies(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """A file stays on one worker, with its fixtures, and so does its company."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # in the order of conftest.py

    def _split_scope(self, nodeid: str) -> str:
        return company(nodeid.partition("::")[0])
