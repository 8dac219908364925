"""Parameters of detectors: frozen dataclasses whose fields carry unit, range and meaning.

    @dataclass(frozen=True, slots=True)
    class FlameParams:
        threshold: float = param(0.5, minimum=0.05, maximum=1.0, unit="1", text="Score to raise at")

`schema` turns such a class into JSON Schema for the manifest; `build` turns a mapping from a
configuration or a command into an instance, refusing what does not fit by name.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from contract.errors import GridwardenError

P = TypeVar("P")

_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


class ParameterError(GridwardenError, ValueError):
    """A parameter is unknown, of the wrong type or out of range."""


def param(
    default: Any,
    *,
    text: str,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] | None = None,
    check: Callable[[str], object] | None = None,
) -> Any:
    """A field of a parameter class. unit: UCUM, "" where there is none.

    check: reads a text and raises ValueError saying what is wrong with it.
    """
    facts = {
        "text": text,
        "unit": unit,
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "check": check,
    }
    return dataclasses.field(default=default, metadata=facts)


def schema(params: type[Any]) -> dict[str, Any]:
    """JSON Schema (2020-12) of a parameter class, with `x-unit` beside each property."""
    hints = typing.get_type_hints(params)
    properties: dict[str, Any] = {}
    for f in dataclasses.fields(params):
        entry: dict[str, Any] = {
            "type": _JSON_TYPES.get(hints[f.name], "string"),
            "description": f.metadata["text"],
            "default": f.default,
        }
        for key in ("minimum", "maximum"):
            if f.metadata[key] is not None:
                entry[key] = f.metadata[key]
        if f.metadata["choices"]:
            entry["enum"] = list(f.metadata["choices"])
        if f.metadata["unit"]:
            entry["x-unit"] = f.metadata["unit"]
        properties[f.name] = entry
    return {"type": "object", "additionalProperties": False, "properties": properties}


def build(params: type[P], values: Mapping[str, Any], where: str) -> P:
    """An instance of `params` with `values` over its defaults.

    where: what the message names, such as "flame of stream cam-1". Raises ParameterError.
    """
    fields = {f.name: f for f in dataclasses.fields(params)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(params)
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            near = difflib.get_close_matches(name, fields, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ParameterError(
                f"{where} has no parameter {name!r:.100}{hint} "
                f"(it has: {', '.join(sorted(fields))})"
            )
        checked[name] = _check(f"{where}: {name}", hints[name], fields[name].metadata, value)
    return params(**checked)


def _check(what: str, kind: type[Any], facts: Mapping[str, Any], value: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            value = float(value)
        except OverflowError:
            raise ParameterError(f"{what} must be a finite number, got a far larger one") from None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ParameterError(f"{what} must be a {_JSON_TYPES.get(kind, kind)}, got {value!r:.100}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"{what} must be a finite number, got {value!r:.100}")
    low, high, choices = facts["minimum"], facts["maximum"], facts["choices"]
    if (low is not None and value < low) or (high is not None and value > high):
        span = f"be at least {low}" if high is None else f"lie in {low} to {high}"
        raise ParameterError(f"{what} must {span} {facts['unit']}, got {value!r:.100}")
    if choices and value not in choices:
        raise ParameterError(f"{what} must be one of {', '.join(choices)}, got {value!r:.100}")
    if facts["check"] is not None:
        try:
            facts["check"](value)
        except ValueError as e:
            raise ParameterError(f"{what}: {e}") from None
    return value
