"""A MobileNet in plain numpy and float64, as TensorFlow defines it, and tiny TensorFlow.js graphs to try it on.

It shares nothing with the conversion: rows, columns, channels stay in TensorFlow's order, nothing is folded.
"""

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Graph = dict[str, Any]


def features(topology: bytes, weights: bytes, picture: NDArray[np.floating[Any]]) -> Numbers:
    """What the operation `global_pooling/Mean` gives for `picture` (rows, columns, 3), the mean already taken off."""
    graph = json.loads(topology)
    arrays, at = {}, 0
    for entry in graph["weightsManifest"][0]["weights"]:
        dtype, shape = {"float32": "<f4", "int32": "<i4"}[entry["dtype"]], entry["shape"]
        count = int(np.prod(shape)) if shape else 1
        arrays[entry["name"]] = np.frombuffer(weights, dtype, count, at).reshape(shape).astype(np.float64)
        at += 4 * count
    nodes = {node["name"]: node for node in graph["modelTopology"]["node"]}

    def value(name: str) -> Numbers:
        if name in arrays:
            return arrays[name]
        node = nodes[name]
        if node["op"] == "Placeholder":
            return np.asarray(picture, np.float64)
        first, second = value(node["input"][0]), value(node["input"][1]) if len(node["input"]) > 1 else np.zeros(0)
        return _result(node, first, second)

    return value("global_pooling/Mean")


def _result(node: Graph, first: Numbers, second: Numbers) -> Numbers:
    match node["op"]:
        case "Conv2D" | "DepthwiseConv2dNative":
            stride = int(node["attr"]["strides"]["list"]["i"][1])
            return _convolve(first, second, stride, depthwise=node["op"] != "Conv2D")
        case "Add":
            return first + second
        case "Mul":
            return first * second
        case "Relu":
            return np.maximum(first, 0)
        case "Minimum":
            return np.minimum(first, second)
        case "Maximum":
            return np.maximum(first, second)
        case "Mean":
            return np.asarray(first.mean((0, 1)))
    raise ValueError(node["op"])


def _convolve(picture: Numbers, kernel: Numbers, stride: int, *, depthwise: bool) -> Numbers:
    """TensorFlow's "SAME": the output has ceil(side / stride) rows, and the odd pixel of padding comes last."""
    side, window = picture.shape[0], kernel.shape[0]
    out = -(-side // stride)
    missing = max((out - 1) * stride + window - side, 0)
    padded = np.pad(picture, ((missing // 2, missing - missing // 2),) * 2 + ((0, 0),))
    total: Numbers = np.zeros((out, out, picture.shape[2] if depthwise else kernel.shape[3]))
    for row in range(window):
        for column in range(window):
            seen = padded[
                row : row + (out - 1) * stride + 1 : stride, column : column + (out - 1) * stride + 1 : stride
            ]
            total += seen * kernel[row, column, :, 0] if depthwise else seen @ kernel[row, column]
    return total


def tiny_graph(seed: int = 0) -> tuple[Graph, bytes]:
    """A topology (to be written as JSON) and weights: 3 channels to 4, to 4 depthwise, to 6 single pixels, the mean."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, Numbers] = {}
    nodes: list[Graph] = [{"name": "picture", "op": "Placeholder", "attr": {}}]

    def add(name: str, kind: str, second: Numbers | None = None, **attributes: Any) -> None:
        inputs = [nodes[-1]["name"]]
        if second is not None:
            arrays[f"{name}/w"] = second
            inputs.append(f"{name}/w")
        nodes.append({"name": name, "op": kind, "input": inputs, "attr": attributes})

    def rectify(name: str) -> None:
        add(f"{name}/relu", "Relu")
        add(f"{name}/min", "Minimum", np.array(6.0))
        add(f"{name}/max", "Maximum", np.array(0.0))

    for name, kind, shape, stride in (
        ("one", "Conv2D", (3, 3, 3, 4), 2),
        ("two", "DepthwiseConv2dNative", (3, 3, 4, 1), 2),
        ("three", "Conv2D", (1, 1, 4, 6), 1),
    ):
        add(name, kind, rng.normal(size=shape), **_convolution(stride))
        channels = shape[2] if kind != "Conv2D" else shape[3]
        if kind != "Conv2D":
            add(f"{name}/mul", "Mul", rng.normal(size=channels))
        add(f"{name}/add", "Add", rng.normal(size=channels) + 1)
        rectify(name)
    add("global_pooling/Mean", "Mean", np.array([1, 2]))
    entries = [
        {"name": name, "shape": list(array.shape), "dtype": "int32" if array.dtype == np.int64 else "float32"}
        for name, array in arrays.items()
    ]
    data = b"".join(array.astype("<i4" if array.dtype == np.int64 else "<f4").tobytes() for array in arrays.values())
    nodes += [{"name": name, "op": "Const", "attr": {}} for name in arrays]
    graph = {"format": "graph-model", "modelTopology": {"node": nodes}}
    return graph | {"weightsManifest": [{"paths": ["tiny.bin"], "weights": entries}]}, data


def _convolution(stride: int) -> Graph:
    return {
        "strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}},
        "padding": {"s": base64.b64encode(b"SAME").decode()},
        "data_format": {"s": base64.b64encode(b"NHWC").decode()},
        "dilations": {"list": {"i": ["1", "1", "1", "1"]}},
    }
