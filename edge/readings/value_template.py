"""The part of Home Assistant's value templates that sensors use, as a small parser: no Jinja.

    {{ value }}                               the payload itself, a number
    {{ value_json.a.b }}  {{ value_json['a'][0] }}
    ... | float   | float(0)   | int   | round(1)   | abs   | is_defined   | default(0)
    ... * 0.1   / 10   + 5   - 273.15          one after another, left to right as Python does
    {{ 'text' if ... }} and everything else    refused: the message names the template

Jinja itself is left out because these templates come from the network: whoever may publish a
configuration could have the agent compute for ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from edge.readings.adapter import AdapterError, number

Template = Callable[[Any], float | None]
"""The decoded payload (JSON document, or the number it is) in, a number or None out."""

_WHOLE = re.compile(r"\s*\{\{-?\s*(.*?)\s*-?\}\}\s*", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|'(?P<single>[^'\\]*)'|\"(?P<double>[^\"\\]*)\"|(?P<sign>[.\[\]()|*/+,-]))"
)
_MAX_LENGTH = 500
_MAX_TOKENS = 60  # bounds the depth of the parser and of what it makes

_Token = tuple[str, str]


def compile_template(text: str) -> Template:
    """The template as a function; raises AdapterError naming it where it is beyond the subset."""
    whole = _WHOLE.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if whole is None:
        raise _refused(text, "it is not one {{ expression }}")
    return _Parser(text, _tokens(text, whole[1])).parse()


def _tokens(text: str, inside: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(inside):
        if len(tokens) == _MAX_TOKENS:
            raise _refused(text, f"it has more than {_MAX_TOKENS} parts")
        found = _TOKEN.match(inside, at)
        if found is None:
            raise _refused(text, f"{inside[at : at + 20]!r} is beyond the subset")
        kind = str(found.lastgroup)
        tokens.append(("text" if kind in ("single", "double") else kind, found[kind]))
        at = found.end()
    return tokens


class _Parser:
    """sum := product (('+' | '-') product)*, product := filtered (('*' | '/') filtered)*"""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0

    def parse(self) -> Template:
        template = self._sum()
        if self.at < len(self.tokens):
            raise _refused(self.text, f"{self.tokens[self.at][1]!r} is beyond the subset")
        return template

    def _sum(self) -> Template:
        left = self._product()
        while self._peek() in (("sign", "+"), ("sign", "-")):
            left = _arithmetic(self._next()[1], left, self._product())
        return left

    def _product(self) -> Template:
        left = self._filtered()
        while self._peek() in (("sign", "*"), ("sign", "/")):
            left = _arithmetic(self._next()[1], left, self._filtered())
        return left

    def _filtered(self) -> Template:
        value = self._atom()
        while self._peek() == ("sign", "|"):
            self._next()
            value = self._filter(value)
        return value

    def _atom(self) -> Template:
        kind, what = self._next()
        if (kind, what) == ("sign", "("):
            inner = self._sum()
            self._expect(")")
            return inner
        if (kind, what) == ("sign", "-"):
            return _arithmetic("-", lambda _: 0.0, self._filtered())
        if kind == "number":
            constant = float(what)
            return lambda _: constant
        if (kind, what) == ("name", "value"):
            return lambda document: _number(document)
        if (kind, what) == ("name", "value_json"):
            path = self._path()
            return lambda document: _number(_walk(document, path))
        raise _refused(self.text, f"{what!r} is beyond the subset")

    def _path(self) -> tuple[str | int, ...]:
        steps: list[str | int] = []
        while self._peek() in (("sign", "."), ("sign", "[")):
            if self._next()[1] == ".":
                steps.append(self._next()[1])
                continue
            kind, what = self._next()
            steps.append(int(what) if kind == "number" and what.isdecimal() else what)
            self._expect("]")
        return tuple(steps)

    def _filter(self, value: Template) -> Template:
        name = self._next()[1]
        argument: float | None = None
        if self._peek() == ("sign", "("):
            self._next()
            kind, what = self._next()
            if kind == "number":
                argument = float(what)
                kind, what = self._next()
            if (kind, what) != ("sign", ")"):
                raise _refused(self.text, f"the arguments of {name} are beyond the subset")
        if name in ("float", "int", "default") and argument is not None:
            fallback = argument
            return lambda document: _or(value(document), fallback, name == "int")
        if name == "round":
            digits = int(argument or 0)
            return lambda document: _apply(value(document), lambda v: round(v, digits))
        if name == "int":
            return lambda document: _apply(value(document), lambda v: float(int(v)))
        if name == "abs":
            return lambda document: _apply(value(document), abs)
        if name in ("float", "is_defined"):
            return value
        raise _refused(self.text, f"filter {name!r} is beyond the subset")

    def _peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _next(self) -> _Token:
        token = self._peek()
        if token is None:
            raise _refused(self.text, "it ends too early")
        self.at += 1
        return token

    def _expect(self, sign: str) -> None:
        if self._next() != ("sign", sign):
            raise _refused(self.text, f"{sign!r} is missing")


def _arithmetic(sign: str, left: Template, right: Template) -> Template:
    def result(document: Any) -> float | None:
        a, b = left(document), right(document)
        if a is None or b is None or (sign == "/" and b == 0.0):
            return None
        outcomes = {"+": a + b, "-": a - b, "*": a * b}
        return number(a / b if sign == "/" else outcomes[sign])

    return result


def _or(value: float | None, fallback: float, whole: bool) -> float:
    if value is None:
        return fallback
    return float(int(value)) if whole else value


def _apply(value: float | None, function: Callable[[float], float]) -> float | None:
    return None if value is None else function(value)


def _walk(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if isinstance(document, dict):
            document = document.get(str(step))
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
        else:
            return None
    return document


def _number(value: Any) -> float | None:
    if isinstance(value, str) and len(value) <= 64 and "_" not in value:
        try:
            return number(float(value))
        except ValueError:
            return None
    return number(value)


def _refused(text: str, why: str) -> AdapterError:
    return AdapterError(f"value_template {text[:120]!r} cannot be used: {why}")
