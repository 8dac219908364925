"""A small share of `make fuzz ARGS="api"`: the same questions on every day."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.api import Interview, busy
from tests.hub.api.city import town_with_cameras
from tests.hub.api.signing_in import signed_in

pytestmark = pytest.mark.timeout(180)

EACH, SEED = 1, 20


def test_every_answer_of_the_api_is_one_that_its_document_tells_of(
    database_url: str, tmp_path: Path
) -> None:
    with town_with_cameras(database_url, tmp_path) as town:
        asks = Interview(town.url, signed_in(town.hub), busy(town))

        notes = asks.ask(EACH, SEED, either=True)

    assert not notes.faults, "\n\n".join(notes.faults.values())
    assert notes.operations > 90
    assert notes.statuses.total() > 0.8 * notes.operations
    assert {200, 404, 422} <= set(notes.statuses)
