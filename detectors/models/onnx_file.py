"""An ONNX file, looked at without a library: the few fields of its protobuf that matter here.

Field numbers: onnx.proto of ONNX 1.17, messages ModelProto, GraphProto, NodeProto, AttributeProto,
TensorProto, ValueInfoProto.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from detectors.models.errors import ModelError, UnsafeModelError
from detectors.models.facts import MOST_SIDE, ModelFacts, read_names, read_side

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})  # operators that are known
DEEPEST = 8  # graphs within graphs
MOST_FIELDS = 5_000_000
_EXTERNAL = 1  # TensorProto.DataLocation

Value = int | memoryview


class _Fields:
    """Walks messages; counts what it read, so that a hostile file ends."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._read = 0

    def of(self, message: memoryview) -> Iterator[tuple[int, Value]]:
        """(number, value) of each field: whole numbers and bytes, others left out."""
        at, end = 0, len(message)
        while at < end:
            self._read += 1
            if self._read > MOST_FIELDS:
                raise UnsafeModelError(f"{self._where} has endlessly many fields")
            key, at = self._number(message, at)
            kind = key & 7
            if kind == 0:
                value, at = self._number(message, at)
                yield key >> 3, value
            elif kind == 2:
                length, at = self._number(message, at)
                if at + length > end:
                    raise ModelError(f"{self._where} is no ONNX file, or was cut off")
                yield key >> 3, message[at : at + length]
                at += length
            elif kind in (1, 5):
                at += 8 if kind == 1 else 4
            else:
                raise ModelError(f"{self._where} is no ONNX file")

    def _number(self, message: memoryview, at: int) -> tuple[int, int]:
        value = shift = 0
        while at < len(message) and shift < 70:
            byte = message[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not byte & 0x80:
                return value, at
        raise ModelError(f"{self._where} is no ONNX file, or was cut off")


def inspect(data: bytes, where: str) -> ModelFacts:
    """What the file says of itself; raises ModelError where it may not be loaded."""
    fields = _Fields(where)
    told: dict[str, str] = {}
    graph: memoryview | None = None
    for number, value in fields.of(memoryview(data)):
        if number == 7 and isinstance(value, memoryview):
            graph = value
        elif number == 25 and isinstance(value, memoryview):
            raise UnsafeModelError(f"{where} brings functions of its own: export it without them")
        elif number == 14 and isinstance(value, memoryview):
            entry = {n: _text(v) for n, v in fields.of(value)}
            told[entry.get(1, "")] = entry.get(2, "")
    if graph is None:
        raise ModelError(f"{where} is no ONNX file: it holds no graph")
    shape = _check_graph(fields, graph, where, 0)
    if "names" not in told:
        raise ModelError(
            f"{where} names no classes: export it with ultralytics, or add the metadata `names`"
        )
    size = read_side(told.get("imgsz", ""))
    batch: int | None = None
    if len(shape) == 4:
        batch = shape[0] or None
        if shape[2] and shape[3]:
            size = shape[2], shape[3]
        if max(shape[2:]) > MOST_SIDE or shape[1] not in (0, 3):
            raise ModelError(f"{where} wants pictures of {shape}: 3 colours, {MOST_SIDE} at most")
    return ModelFacts(
        format="ONNX",
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        classes=read_names(told["names"], where),
        input_size=size,
        batch=batch,
        licence=told.get("license", "")[:200],
        task=told.get("task", "")[:40],
    )


def _check_graph(fields: _Fields, graph: memoryview, where: str, depth: int) -> tuple[int, ...]:
    """Refuse what reaches out of the file; the shape of its first input, 0 where it is free."""
    if depth > DEEPEST:
        raise UnsafeModelError(f"{where} nests graphs in graphs without end")
    shape: tuple[int, ...] | None = None
    for number, value in fields.of(graph):
        if not isinstance(value, memoryview):
            continue
        if number == 1:
            _check_node(fields, value, where, depth)
        elif number == 5:
            _check_tensor(fields, value, where)
        elif number == 11 and shape is None:
            shape = _shape(fields, value)
    return shape or ()


def _check_node(fields: _Fields, node: memoryview, where: str, depth: int) -> None:
    for number, value in fields.of(node):
        if number == 7 and _text(value) not in DOMAINS:
            raise UnsafeModelError(
                f"{where} wants operators of {_text(value)!r:.60}, which come from elsewhere"
            )
        if number == 5 and isinstance(value, memoryview):
            for inner, part in fields.of(value):
                if isinstance(part, memoryview) and inner in (5, 10):
                    _check_tensor(fields, part, where)
                elif isinstance(part, memoryview) and inner in (6, 11):
                    _check_graph(fields, part, where, depth + 1)


def _check_tensor(fields: _Fields, tensor: memoryview, where: str) -> None:
    for number, value in fields.of(tensor):
        if number == 13 or (number == 14 and value == _EXTERNAL):
            raise UnsafeModelError(
                f"{where} keeps weights in another file, which may be any: export it as one file"
            )


def _shape(fields: _Fields, value: memoryview) -> tuple[int, ...]:
    """ValueInfoProto.type.tensor_type.shape.dim.dim_value."""
    sides: list[int] = []
    for part in _within(fields, value, (2, 1, 2)):
        for number, dim in fields.of(part):
            if number == 1 and isinstance(dim, memoryview):
                sizes = [v for n, v in fields.of(dim) if n == 1 and isinstance(v, int)]
                sides.append(sizes[0] if sizes else 0)
    return tuple(sides)


def _within(fields: _Fields, message: memoryview, path: tuple[int, ...]) -> Iterator[memoryview]:
    if not path:
        yield message
        return
    for number, value in fields.of(message):
        if number == path[0] and isinstance(value, memoryview):
            yield from _within(fields, value, path[1:])


def _text(value: Value) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, memoryview) else ""
