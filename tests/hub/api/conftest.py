from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.hub.api.city import City, town_with_cameras
from tests.hub.api.signing_in import signed_in


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[City]:
    """A city with two cameras and no event yet; its hub serves API and console."""
    with town_with_cameras(database_url, tmp_path) as here:
        yield here


@pytest.fixture
def client(town: City) -> Iterator[httpx.Client]:
    """Asks the hub of that city, signed in as its dispatcher."""
    cookies = signed_in(town.hub)
    with httpx.Client(base_url=town.url, cookies=cookies, timeout=20, trust_env=False) as asks:
        yield asks
