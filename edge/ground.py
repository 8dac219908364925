"""What a camera sees of the ground, as a site's settings say it."""

from __future__ import annotations

import itertools

from contract.geometry import Point
from contract.messages import GroundPoint
from edge.errors import ConfigError

MOST = 64  # of a list


def read_footprint(value: object, where: str) -> tuple[Point, ...]:
    """The corners [longitude, latitude] of the ground that is seen; raises ConfigError."""
    corners = _rows(value, 2, "footprint", "[longitude, latitude]", where)
    if len(corners) < 3:
        raise ConfigError(f"{where}: footprint needs 3 corners or more, got {len(corners)}")
    try:
        return tuple(Point(lon, lat) for lon, lat in corners)
    except ValueError as e:
        raise ConfigError(f"{where}: footprint: {e}") from None


def read_ground(value: object, where: str) -> tuple[GroundPoint, ...]:
    """Points of the picture with their places; raises ConfigError where they fix no plane."""
    rows = _rows(value, 4, "ground", "[x, y, longitude, latitude]", where)
    if len(rows) < 4:
        raise ConfigError(f"{where}: ground needs 4 points or more, got {len(rows)}")
    for x, y, lon, lat in rows:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise ConfigError(f"{where}: ground: x {x:g}, y {y:g} are no shares of the picture")
        try:
            Point(lon, lat)
        except ValueError as e:
            raise ConfigError(f"{where}: ground: {e}") from None
    if all(_in_line(a, b, c) for a, b, c in itertools.combinations(rows, 3)):
        raise ConfigError(f"{where}: ground: all its points lie in one line of the picture")
    return tuple(GroundPoint(*row) for row in rows)


def _rows(value: object, width: int, name: str, form: str, where: str) -> list[list[float]]:
    if isinstance(value, list) and len(value) <= MOST and all(_is_row(r, width) for r in value):
        return [[float(v) for v in row] for row in value]
    raise ConfigError(f"{where}: {name} must be a list of at most {MOST} {form}, got {value!r:.80}")


def _is_row(row: object, width: int) -> bool:
    return (
        isinstance(row, list)
        and len(row) == width
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in row)
    )


def _in_line(a: list[float], b: list[float], c: list[float]) -> bool:
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) < 1e-6
