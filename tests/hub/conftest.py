from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.services.context import Hub
from tests.hub.builders import Clock, config, opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Hub]:
    """A hub without broker and grid, whose clock is moved by hand."""
    with opened(config(database_url, tmp_path), clock) as hub:
        yield hub
