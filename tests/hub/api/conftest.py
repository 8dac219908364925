from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.hub.api.city import City, town_with_cameras


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[City]:
    """A city with two cameras and no event yet; its hub serves API and console."""
    with town_with_cameras(database_url, tmp_path) as here:
        yield here


@pytest.fixture
def client(town: City) -> Iterator[httpx.Client]:
    """Asks the hub of that city as a program on the same machine would."""
    with httpx.Client(base_url=town.url, timeout=20, trust_env=False) as asks:
        yield asks
