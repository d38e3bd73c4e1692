"""Write ONNX from the TensorFlow.js graph of a MobileNet, with its features projected to fewer numbers.

The graph must be one chain: convolutions with "SAME" padding, each followed by its batch normalisation (already a
multiplication and an addition), and a rectifier that ends at 6; then the mean over rows and columns. Batch
normalisation is folded into the convolution before it. Rows, columns, channels (TensorFlow's order) become channels,
rows, columns.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstile.face.packs.errors import PackError
from openstile.face.packs.onnx_graph import Graph
from openstile.face.packs.tfjs import GraphModel, Operation, read_graph_model
from openstile.terms.limits import STAGE_INPUTS_MAX

FACERES_SIDE = 224
FACERES_DIMENSIONS = 128
_FEATURES = "global_pooling/Mean"
_RECTIFIER = ("Relu", "Minimum", "Maximum")
_CHAIN_MAX = 1000


def faceres_to_onnx(topology: bytes, weights: bytes) -> bytes:
    """ONNX of `faceres-deep`: `chip` (1, 3, 224, 224) float32 BGR minus its mean in, `embedding` (1, 128) out.

    The 1,024 features are projected by `principal_outputs`. Raises PackError.
    """
    return mobilenet_to_onnx(
        read_graph_model(topology, weights), features=_FEATURES, side=FACERES_SIDE, dimensions=FACERES_DIMENSIONS
    )


def mobilenet_to_onnx(model: GraphModel, *, features: str, side: int, dimensions: int) -> bytes:
    """ONNX of `model` up to the operation `features`, for a square picture of `side`, projected to `dimensions`."""
    writer = _Writer(model, side)
    steps = _chain(model, features)
    at = 0
    while at < len(steps):
        at += writer.add(steps[at:])
    last = writer.last_pointwise
    if last is not None and last.shape[1] > STAGE_INPUTS_MAX:
        raise _wrong(f"its last convolution has more than {STAGE_INPUTS_MAX} outputs")
    if last is None or not 1 <= dimensions <= last.shape[1] or writer.channels != last.shape[1]:
        raise _wrong("its last convolution is not one of single pixels, or it has too few outputs")
    writer.graph.node("MatMul", writer.graph.constant(principal_outputs(last, dimensions)))
    return writer.graph.serialise("faceres", "embedding", ("chip", [1, 3, side, side]), [1, dimensions])


def principal_outputs(weights: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    """The (outputs, dimensions) orthonormal directions of the outputs of a layer in which its weights reach farthest.

    These are the first right singular vectors of `weights` (inputs, outputs), each with its largest number positive, so
    that everybody who computes them gets the same. No face was used: what is kept is what the layer itself, trained on
    other people, spreads widest.
    """
    exact = weights.astype(np.float64)
    _, vectors = np.linalg.eigh(exact.T @ exact)
    kept = vectors.T[::-1][:dimensions]
    largest = np.take_along_axis(kept, np.argmax(np.abs(kept), axis=1)[:, None], axis=1)
    return np.asarray((kept * np.sign(largest)).T, np.float32)


def _wrong(what: str) -> PackError:
    return PackError(f"MobileNet: {what}; the file is damaged or of another kind")


def _chain(model: GraphModel, features: str) -> list[Operation]:
    """The operations from the picture to `features`: each takes the one before it first, and weights second."""
    chain: list[Operation] = []
    name = features
    while (operation := model.operations.get(name)) is not None and operation.kind != "Placeholder":
        if not operation.inputs or len(chain) >= _CHAIN_MAX:
            raise _wrong(f"{operation.name} is not part of a chain from the picture")
        chain.append(operation)
        name = operation.inputs[0]
    if operation is None:
        raise _wrong(f"the operation {name} is missing")
    return chain[::-1]


@dataclass(frozen=True, slots=True)
class _Kernel:
    """weights: (outputs, inputs of a group, rows, columns). stride: of rows and columns."""

    weights: NDArray[np.float32]
    groups: int
    stride: int


class _Writer:
    """Adds the steps of the chain to a graph and keeps the size (channels, side) of the latest output."""

    def __init__(self, model: GraphModel, side: int) -> None:
        self.graph = Graph("chip")
        self.channels = 3
        self.last_pointwise: NDArray[np.float32] | None = None
        self._model = model
        self._side = side

    def add(self, steps: list[Operation]) -> int:
        """Add the first of `steps` and what belongs to it; the number of steps that was."""
        match steps[0].kind:
            case "Conv2D" | "DepthwiseConv2dNative":
                return self._add_convolution(steps)
            case "Relu":
                return self._add_rectifier(steps)
            case "Mean":
                if len(steps) != 1 or list(self._weights(steps[0]).ravel()) != [1, 2]:
                    raise _wrong(f"{steps[0].name} is not a mean over rows and columns at the end")
                self.graph.node("GlobalAveragePool")
                self.graph.node("Flatten", axis=1)
                return 1
        raise _wrong(f"{steps[0].name} is a {steps[0].kind}, which is not part of a MobileNet")

    def _add_convolution(self, steps: list[Operation]) -> int:
        kernel = self._kernel(steps[0])
        outputs = kernel.weights.shape[0]
        used, factors = 1, np.ones(outputs, np.float32)
        if len(steps) > used and steps[used].kind == "Mul":
            factors, used = self._vector(steps[used], outputs), used + 1
        if len(steps) <= used or steps[used].kind != "Add":
            raise _wrong(f"{steps[0].name} is not followed by its batch normalisation")
        biases = self._vector(steps[used], outputs)
        before, after, self._side = _same_padding(self._side, kernel.weights.shape[2], kernel.stride)
        self.graph.node(
            "Conv",
            self.graph.constant(kernel.weights * factors.reshape(-1, 1, 1, 1)),
            self.graph.constant(biases),
            strides=(kernel.stride, kernel.stride),
            pads=(before, before, after, after),
            group=kernel.groups,
        )
        self.channels = outputs
        return used + 1

    def _kernel(self, step: Operation) -> _Kernel:
        weights = self._weights(step)
        if weights.ndim != 4 or weights.shape[0] != weights.shape[1] or weights.dtype != np.float32:
            raise _wrong(f"{step.name} has no square kernel")
        stride = _stride(step)
        if step.kind == "DepthwiseConv2dNative":
            if weights.shape[2:] != (self.channels, 1):
                raise _wrong(f"{step.name} does not fit the layer before it")
            self.last_pointwise = None
            return _Kernel(weights.transpose(2, 3, 0, 1), self.channels, stride)
        if weights.shape[2] != self.channels:
            raise _wrong(f"{step.name} does not fit the layer before it")
        self.last_pointwise = weights[0, 0] if weights.shape[:2] == (1, 1) else None
        return _Kernel(weights.transpose(3, 2, 0, 1), 1, stride)

    def _add_rectifier(self, steps: list[Operation]) -> int:
        if tuple(step.kind for step in steps[:3]) != _RECTIFIER:
            raise _wrong(f"{steps[0].name} is not followed by its limit")
        most, least = (self._weights(step).ravel() for step in steps[1:3])
        if most.tolist() != [6.0] or least.tolist() != [0.0]:
            raise _wrong(f"{steps[0].name} is not limited to 0..6")
        self.graph.node(
            "Clip", self.graph.constant(np.array(0, np.float32)), self.graph.constant(np.array(6, np.float32))
        )
        return 3

    def _weights(self, step: Operation) -> NDArray[Any]:
        found = self._model.weights.get(step.inputs[1]) if len(step.inputs) == 2 else None
        if found is None:
            raise _wrong(f"{step.name} has no weights")
        return found

    def _vector(self, step: Operation, size: int) -> NDArray[np.float32]:
        found = self._weights(step)
        if found.shape != (size,) or found.dtype != np.float32:
            raise _wrong(f"{step.name} does not fit the layer before it")
        return found


def _same_padding(side: int, window: int, stride: int) -> tuple[int, int, int]:
    """Pixels added before and after, and the side of the output: TensorFlow's "SAME", which adds the odd one after."""
    out = -(-side // stride)
    missing = max((out - 1) * stride + window - side, 0)
    return missing // 2, missing - missing // 2, out


def _stride(step: Operation) -> int:
    """The stride of a convolution with "SAME" padding, channels last and no dilation, the same in both directions."""
    attributes = step.attributes
    if _text(attributes, "padding") != b"SAME" or _text(attributes, "data_format") != b"NHWC":
        raise _wrong(f"{step.name} has another padding or order of its numbers")
    strides, dilations = (_numbers(attributes, key) for key in ("strides", "dilations"))
    if strides not in (["1", "1", "1", "1"], ["1", "2", "2", "1"]) or dilations not in ([], ["1", "1", "1", "1"]):
        raise _wrong(f"{step.name} has a stride that is neither 1 nor 2")
    return int(strides[1])


def _text(attributes: Any, key: str) -> bytes:
    value = attributes.get(key)
    found = value.get("s") if isinstance(value, dict) else None
    try:
        return base64.b64decode(found, validate=True) if isinstance(found, str) else b""
    except (binascii.Error, ValueError):
        return b""


def _numbers(attributes: Any, key: str) -> list[Any]:
    value = attributes.get(key)
    found = value.get("list") if isinstance(value, dict) else None
    numbers = found.get("i", []) if isinstance(found, dict) else []
    return numbers if isinstance(numbers, list) else []
