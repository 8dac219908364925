"""A network of a few lines, as an ONNX file written by hand: it sees what is red or green.

The picture is averaged over cells of 8 x 8 pixels; each cell is a box of its own size, whose score
for `red` is how much redder than the rest it is, and the same for `green`. Output as that of YOLO:
(n, 4 + classes, cells).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE, CELL = 64, 8


def number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def part(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def tiny_model(
    names: str | None = "{0: 'red', 1: 'green'}",
    batch: int | None = None,
    domain: str = "",
    extra_tensor: bytes = b"",
    extra: bytes = b"",
    classes: int = 2,
) -> bytes:
    """The file. batch: frames at a time; None: any. classes: rows of scores, red and green."""
    rows = 4 + classes
    weights = np.zeros((rows, 3, 1, 1), np.float32)
    weights[4, :, 0, 0] = (1.0, -0.5, -0.5)
    weights[5, :, 0, 0] = (-0.5, 1.0, -0.5)
    nodes = [
        _node(
            "AveragePool",
            ["images"],
            ["pooled"],
            domain,
            kernel_shape=[CELL] * 2,
            strides=[CELL] * 2,
        ),
        _node("Conv", ["pooled", "w"], ["scores"], "", kernel_shape=[1, 1]),
        _node("Reshape", ["scores", "rows"], ["flat"], ""),
        _node("Add", ["flat", "boxes"], ["output0"], ""),
    ]
    values = [
        _tensor("w", weights),
        _tensor("rows", np.array([0, rows, -1], np.int64)),
        _tensor("boxes", _boxes(rows)),
    ]
    graph = b"".join(part(1, n) for n in nodes) + part(2, "tiny")
    graph += b"".join(part(5, v) for v in values)
    if extra_tensor:
        graph += part(5, extra_tensor)
    cells = (SIDE // CELL) ** 2
    graph += part(11, _info("images", [batch, 3, SIDE, SIDE]))
    graph += part(12, _info("output0", [batch, rows, cells]))
    told = {"task": "detect", "license": "CC0-1.0", "imgsz": f"[{SIDE}, {SIDE}]"}
    if names is not None:
        told["names"] = names
    model = number(1, 8) + part(8, number(2, 13)) + part(7, graph) + extra
    return model + b"".join(part(14, part(1, k) + part(2, v)) for k, v in told.items())


def external_tensor() -> bytes:
    """One whose numbers lie in another file."""
    where = part(13, part(1, "location") + part(2, "../../etc/passwd"))
    return number(1, 1) + number(2, 1) + part(8, "far") + where + number(14, 1)


def _boxes(rows: int) -> NDArray[np.float32]:
    n = SIDE // CELL
    y, x = np.mgrid[:n, :n].reshape(2, -1) * CELL + CELL / 2.0
    boxes = np.zeros((1, rows, n * n), np.float32)
    boxes[0, 0], boxes[0, 1], boxes[0, 2:4] = x, y, CELL
    return boxes


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _node(kind: str, takes: list[str], gives: list[str], domain: str, **ints: list[int]) -> bytes:
    node = b"".join(part(1, t) for t in takes) + b"".join(part(2, g) for g in gives) + part(4, kind)
    for name, values in ints.items():
        node += part(5, part(1, name) + b"".join(number(8, v) for v in values) + number(20, 7))
    return node + (part(7, domain) if domain else b"")


def _tensor(name: str, array: NDArray[np.float32] | NDArray[np.int64]) -> bytes:
    kind = 1 if array.dtype == np.float32 else 7
    dims = b"".join(number(1, d) for d in array.shape)
    return dims + number(2, kind) + part(8, name) + part(9, array.tobytes())


def _info(name: str, shape: list[int | None]) -> bytes:
    dims = b"".join(part(1, number(1, d) if d is not None else part(2, "n")) for d in shape)
    return part(1, name) + part(2, part(1, number(1, 1) + part(2, dims)))
