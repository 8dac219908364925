"""Rendered scenes: evidence to look at, and truth to compare detectors with.

Each module draws one scene; `open_scene("fire")` opens it. What does not move is drawn once.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from edge.errors import SourceError
from edge.scenes.truth import Scene


def open_scene(name: str) -> Scene:
    """The scene of that name; "street?seed=7" is another street of the same kind.

    Raises SourceError where there is none.
    """
    kind, seed = read_name(name)
    return _SCENES[kind](seed)


def read_name(name: str) -> tuple[str, int | None]:
    """The kind of a scene and its seed, if it names one; raises SourceError where there is none."""
    kind, _, query = name.partition("?")
    if kind not in _SCENES:
        near = difflib.get_close_matches(kind, _SCENES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SourceError(f"no scene {kind!r}{hint} (there are: {', '.join(_SCENES)})")
    if not query:
        return kind, None
    key, _, number = query.partition("=")
    if key != "seed" or not re.fullmatch("[0-9]{1,9}", number):
        raise SourceError(f"scene {name!r}: only ?seed=NUMBER can follow its name")
    return kind, int(number)


def _street(seed: int | None) -> Scene:
    from edge.scenes.street import Street

    return Street() if seed is None else Street(seed)


def _fire(seed: int | None) -> Scene:
    from edge.scenes.fire import Fire

    return Fire() if seed is None else Fire(seed)


def _water(seed: int | None) -> Scene:
    from edge.scenes.water import Water

    return Water() if seed is None else Water(seed)


def _freeze(seed: int | None) -> Scene:
    from edge.scenes.square import FrozenSquare

    return FrozenSquare() if seed is None else FrozenSquare(seed)


def _wrong_way(seed: int | None) -> Scene:
    from edge.scenes.wrong_way import WrongWay

    return WrongWay() if seed is None else WrongWay(seed)


def _queue(seed: int | None) -> Scene:
    from edge.scenes.queue import Queue

    return Queue() if seed is None else Queue(seed)


def _fog(seed: int | None) -> Scene:
    from edge.scenes.fog import Fog

    return Fog() if seed is None else Fog(seed)


def _dumped(seed: int | None) -> Scene:
    from edge.scenes.dumped import Dumped

    return Dumped() if seed is None else Dumped(seed)


_SCENES: dict[str, Callable[[int | None], Scene]] = {
    "street": _street,
    "fire": _fire,
    "water": _water,
    "freeze": _freeze,
    "wrong_way": _wrong_way,
    "queue": _queue,
    "fog": _fog,
    "dumped": _dumped,
}
NAMES = tuple(_SCENES)
