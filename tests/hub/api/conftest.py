from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.server import serve
from tests.hub.api.city import City, city, free_port
from tests.hub.builders import eventually, running


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[City]:
    """A city with two cameras and no event yet; its hub serves API and console."""
    with (
        city(database_url, tmp_path, free_port()) as here,
        running(lambda stop: serve(here.hub, stop)),
    ):
        here.cameras()
        eventually(here.answers)
        yield here


@pytest.fixture
def client(town: City) -> Iterator[httpx.Client]:
    """Asks the hub of that city as a program on the same machine would."""
    with httpx.Client(base_url=town.url, timeout=20, trust_env=False) as asks:
        yield asks
