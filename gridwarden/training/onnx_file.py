"""A small net as an ONNX file of plain operators, written by hand so that cv2.dnn reads it.

The exporter of torch writes other operators with every version; these stay: Conv, Relu,
GlobalAveragePool, GlobalMaxPool, Concat, Flatten, Gemm, Sigmoid. The normalisation of each
convolution is folded into its weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper
from torch import nn

OPSET, IR = 11, 6


def of(net: nn.Module, shape: tuple[int, int, int], name: str) -> bytes:
    """The file of a net with `features` (convolution, normalisation, ReLU, ...) and `head`.

    shape: channels, height, width of its input "crops", 0..1; its output "scores" is (n, 2), 0..1.
    """
    layers = list(net.features)
    nodes, values = [], []
    last = "crops"
    for number, (conv, norm) in enumerate(zip(layers[::3], layers[1::3], strict=True)):
        weight, bias = _folded(conv, norm)
        values += [_value(f"w{number}", weight), _value(f"b{number}", bias)]
        nodes.append(
            helper.make_node(
                "Conv",
                [last, f"w{number}", f"b{number}"],
                [f"c{number}"],
                kernel_shape=list(conv.kernel_size),
                strides=list(conv.stride),
                pads=list(conv.padding) * 2,
            )
        )
        last = f"r{number}"
        nodes.append(helper.make_node("Relu", [f"c{number}"], [last]))
    head: nn.Linear = net.head
    values += [_value("w", _array(head.weight)), _value("b", _array(head.bias))]
    nodes += [
        helper.make_node("GlobalAveragePool", [last], ["mean"]),
        helper.make_node("GlobalMaxPool", [last], ["most"]),
        helper.make_node("Concat", ["mean", "most"], ["both"], axis=1),
        helper.make_node("Flatten", ["both"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "w", "b"], ["logits"], transB=1),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["n", *shape])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", head.out_features])],
        values,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="gridwarden"
    )
    model.ir_version = IR
    checker.check_model(model)
    written: bytes = model.SerializeToString()
    return written


def _folded(
    conv: nn.Conv2d, norm: nn.BatchNorm2d
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    assert norm.running_var is not None
    assert norm.running_mean is not None
    scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    bias = _array(norm.bias) - _array(norm.running_mean) * scale
    return (_array(conv.weight) * scale[:, None, None, None]).astype(np.float32), bias.astype(
        np.float32
    )


def _array(tensor: object) -> NDArray[np.float32]:
    return np.asarray(tensor.detach().cpu().numpy(), np.float32)  # type: ignore[attr-defined]


def _value(name: str, array: NDArray[np.float32]) -> TensorProto:
    return numpy_helper.from_array(array, name)
