"""A network that is too slow for all cameras: each gets its turn, and the budget is kept."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from detectors.models.turns import Turns


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def watched(
    cameras: int, budget_ms: float, look_ms: float, seconds: float, order: str = "same"
) -> Counter[str]:
    """Looks by camera, each asking five times a second."""
    clock, draw = Clock(), random.Random(3)
    turns = Turns(budget_ms, clock)
    looks: Counter[str] = Counter({f"camera-{n}": 0 for n in range(cameras)})
    names = list(looks)
    for _ in range(round(seconds * 5)):
        if order == "any":
            draw.shuffle(names)
        for name in names:
            clock.now += 0.2 / cameras
            if turns.may_look(name):
                looks[name] += 1
                turns.spent(look_ms)
    return looks


@pytest.mark.parametrize("order", ["same", "any"])
@pytest.mark.parametrize(("cameras", "look_ms"), [(20, 50.0), (20, 400.0), (100, 30.0), (3, 90.0)])
def test_every_camera_gets_its_share_in_whatever_order_they_ask(
    cameras: int, look_ms: float, order: str
) -> None:
    looks = watched(cameras, 200.0, look_ms, 120.0, order)
    share = 120.0 * 200.0 / look_ms / cameras
    assert min(looks.values()) >= int(share) - 1, looks
    assert max(looks.values()) <= share + 3, looks


@pytest.mark.parametrize("look_ms", [10.0, 50.0, 700.0])
def test_all_cameras_together_keep_to_the_budget(look_ms: float) -> None:
    looks = watched(20, 300.0, look_ms, 60.0)
    assert sum(looks.values()) * look_ms <= 300.0 * 61.0 + look_ms


def test_within_the_budget_nobody_waits() -> None:
    assert watched(4, 500.0, 10.0, 10.0) == Counter({f"camera-{n}": 50 for n in range(4)})


def test_a_camera_that_went_away_holds_nobody_up() -> None:
    clock = Clock()
    turns = Turns(100.0, clock)
    assert turns.may_look("gone")
    turns.spent(100.0)
    turns.may_look("gone")  # asks once more, and never again
    looks = 0
    for _ in range(50):
        clock.now += 0.2
        if turns.may_look("here"):
            looks += 1
            turns.spent(100.0)
    assert looks >= 7


def test_a_camera_that_comes_back_is_not_put_last() -> None:
    clock = Clock()
    turns = Turns(100.0, clock)
    for _ in range(10):
        clock.now += 1.0
        assert turns.may_look("steady")
        turns.spent(100.0)
    clock.now += 1.0
    assert turns.may_look("new")
