"""Columns of numbers and times as PostgreSQL's own binary arrays: no object for each value."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = struct.Struct(">iiIii")  # dimensions, has NULLs, type of an element, length, lower bound
_INT8, _FLOAT8, _TIMESTAMPTZ = 20, 701, 1184  # pg_type.oid of an element
_INT8S, _FLOAT8S, _TIMESTAMPTZS = 1016, 1022, 1185  # of the arrays


class _Column:
    """An array parameter."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values


class Ints(_Column):
    """A bigint[]."""


class Floats(_Column):
    """A float8[]."""


class Times(_Column):
    """A timestamptz[] of microseconds since 2000, UTC."""


class _ColumnDumper(Dumper):
    format = Format.BINARY
    element: int
    form: str

    def dump(self, obj: _Column) -> bytes:
        n = len(obj.values)
        cells = np.empty(n, dtype=[("size", ">i4"), ("value", self.form)])
        cells["size"] = 8
        cells["value"] = obj.values
        return _HEAD.pack(1, 0, self.element, n, 1) + cells.tobytes()


class _IntsDumper(_ColumnDumper):
    oid, element, form = _INT8S, _INT8, ">i8"


class _FloatsDumper(_ColumnDumper):
    oid, element, form = _FLOAT8S, _FLOAT8, ">f8"


class _TimesDumper(_ColumnDumper):
    oid, element, form = _TIMESTAMPTZS, _TIMESTAMPTZ, ">i8"


psycopg.adapters.register_dumper(Ints, _IntsDumper)
psycopg.adapters.register_dumper(Floats, _FloatsDumper)
psycopg.adapters.register_dumper(Times, _TimesDumper)
