"""Write ONNX models from the weights of the default pack. The `onnx` library is loaded here and only when needed."""

from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from openstile.face.packs.dlib_dat import (
    AddTagged,
    Affine,
    Convolution,
    FullyConnected,
    Layer,
    Pool,
    Rectifier,
    read_dlib_network,
)
from openstile.face.packs.errors import PackError
from openstile.face.packs.onnx_graph import Graph, Shape

if TYPE_CHECKING:
    import onnx

_DIVISOR = 256.0
"""dlib's input layer subtracts its mean and divides by 256 (dlib/dnn/input.h)."""


def dlib_to_onnx(data: bytes) -> bytes:
    """ONNX of dlib's face network `data`: `chip` (1, 3, side, side) float32 RGB 0..255 in, `embedding` (1, n) out.

    Mean and divisor are part of the model; each affine layer is folded into the convolution before it. Raises
    PackError.
    """
    network = read_dlib_network(data)
    graph = Graph("chip")
    graph.node("Sub", graph.constant(np.array(network.mean_rgb, np.float32).reshape(1, 3, 1, 1)))
    graph.node("Mul", graph.constant(np.array(1 / _DIVISOR, np.float32)))
    writer = _DlibWriter(graph, (3, network.side, network.side))
    before: Layer | None = None
    for layer, following in zip_longest(network.layers, network.layers[1:]):
        writer.add(layer, before, following)
        before = layer
    return graph.serialise("dlib-face", "embedding", ("chip", [1, 3, network.side, network.side]), [1, writer.shape[0]])


def centerface_to_onnx(data: bytes) -> bytes:
    """`data` with its initializers taken out of the inputs (else nothing is folded) and any height and width allowed.

    The published file names 10 pictures of 32 x 32; the network itself takes any multiple of 32. Raises PackError.
    """
    import onnx

    try:
        model = onnx.load_from_string(data)
        weights = {weight.name for weight in model.graph.initializer}
        inputs = [value for value in model.graph.input if value.name not in weights]
        if len(inputs) != 1:
            raise PackError(f"centerface: has {len(inputs)} inputs, must have 1; the file is of another kind")
        del model.graph.input[:]
        model.graph.input.extend(inputs)
        used = {name for node in model.graph.node for name in node.input}
        initializers = [weight for weight in model.graph.initializer if weight.name in used]
        del model.graph.initializer[:]
        model.graph.initializer.extend(initializers)
        del model.graph.value_info[:]
        _free_size(model.graph.input[0], "height", "width")
        for output in model.graph.output:
            _free_size(output, "rows", "columns")
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())
    except (ValueError, TypeError, onnx.checker.ValidationError) as error:
        raise PackError("centerface: the file is damaged or not an ONNX model") from error
    except Exception as error:
        if type(error).__module__.startswith("google.protobuf"):
            raise PackError("centerface: the file is damaged or not an ONNX model") from error
        raise


def _free_size(value: "onnx.ValueInfoProto", rows: str, columns: str) -> None:
    dimensions = value.type.tensor_type.shape.dim
    if len(dimensions) != 4:
        raise PackError(f"centerface: {value.name} has {len(dimensions)} dimensions, must have 4")
    dimensions[0].dim_value = 1
    dimensions[2].dim_param = rows
    dimensions[3].dim_param = columns


def _slid(
    shape: tuple[int, int], window: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> tuple[int, int]:
    """Rows and columns after a window slid over them (dlib and ONNX both round down)."""
    if min(stride) < 1 or min(padding) < 0:
        raise PackError("dlib network: a stride or padding is not a size")
    rows, columns = ((n + 2 * p - w) // s + 1 for n, p, w, s in zip(shape, padding, window, stride, strict=True))
    if min(rows, columns) < 1:
        raise PackError("dlib network: a window is larger than its picture")
    return rows, columns


class _DlibWriter:
    """Adds one dlib layer after the other to a graph and keeps the shape (channels, rows, columns) of the latest
    output.

    A residual block tags its input; its last layer adds what was tagged, average-pooled if the block halves the
    picture.
    """

    def __init__(self, graph: Graph, shape: Shape) -> None:
        self.shape = shape
        self._graph = graph
        self._tagged = graph.top
        self._tagged_shape = shape

    def add(self, layer: Layer, before: Layer | None, following: Layer | None) -> None:
        match layer:
            case Convolution():
                if not isinstance(following, Affine):
                    raise PackError("dlib network: a convolution is not followed by its affine layer")
                self._add_convolution(layer, following)
            case Affine():
                pass
            case Rectifier():
                self._graph.node("Relu")
                if isinstance(before, AddTagged):
                    self._tag()
            case Pool():
                self._add_pool(layer, following)
            case AddTagged():
                self._add_tagged()
            case FullyConnected(weights=weights):
                self._graph.node("Flatten", axis=1)
                self._graph.node("MatMul", self._graph.constant(weights))
                self.shape = (int(weights.shape[1]), 1, 1)

    def _tag(self) -> None:
        self._tagged, self._tagged_shape = self._graph.top, self.shape

    def _add_convolution(self, layer: Convolution, affine: Affine) -> None:
        if self.shape[0] != layer.weights.shape[1] or affine.gamma.size != layer.biases.size:
            raise PackError("dlib network: the channels of two layers do not fit together")
        weights = layer.weights * affine.gamma.reshape(-1, 1, 1, 1)
        biases = layer.biases * affine.gamma + affine.beta
        window = (int(weights.shape[2]), int(weights.shape[3]))
        self._graph.node(
            "Conv",
            self._graph.constant(weights),
            self._graph.constant(biases),
            kernel_shape=window,
            strides=layer.stride,
            pads=layer.padding * 2,
        )
        self.shape = (int(weights.shape[0]), *_slid(self.shape[1:], window, layer.stride, layer.padding))

    def _add_pool(self, layer: Pool, following: Layer | None) -> None:
        if layer.window == (0, 0):
            self._graph.node("GlobalAveragePool")
            self.shape = (self.shape[0], 1, 1)
        elif layer.average and isinstance(following, AddTagged):
            top, self._graph.top = self._graph.top, self._tagged
            self._tagged_shape = self._slide("AveragePool", layer, self._tagged_shape)
            self._tagged, self._graph.top = self._graph.top, top
        else:
            self.shape = self._slide("AveragePool" if layer.average else "MaxPool", layer, self.shape)
            self._tag()

    def _slide(self, kind: str, layer: Pool, shape: Shape) -> Shape:
        self._graph.node(kind, kernel_shape=layer.window, strides=layer.stride, pads=layer.padding * 2)
        return (shape[0], *_slid(shape[1:], layer.window, layer.stride, layer.padding))

    def _add_tagged(self) -> None:
        full = (
            max(self.shape[0], self._tagged_shape[0]),
            max(self.shape[1], self._tagged_shape[1]),
            max(self.shape[2], self._tagged_shape[2]),
        )
        self._graph.top = self._graph.filled(self._graph.top, self.shape, full)
        self._graph.node("Add", self._graph.filled(self._tagged, self._tagged_shape, full))
        self.shape = full
