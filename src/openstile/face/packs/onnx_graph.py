"""Write an ONNX model, one node after the other. The `onnx` library is loaded here and only when needed."""

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

Shape: TypeAlias = tuple[int, int, int]
"""Channels, rows, columns."""

_OPSET = 13
_IR_VERSION = 8


class Graph:
    """Builds a chain of nodes; `top` is the name of the latest output. Its input is the picture `source`."""

    def __init__(self, source: str) -> None:
        self.top = source
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, values: "NDArray[np.float32] | NDArray[np.int64]") -> str:
        """Add `values` to the model and give the name by which a node takes them."""
        from onnx import numpy_helper

        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: "int | tuple[int, ...]") -> None:
        """Add a node of `kind` on the latest output; its own output is the latest then."""
        from onnx import helper

        output = f"t{len(self._nodes)}"
        node = helper.make_node(kind, [self.top, *inputs], [output])
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._nodes.append(node)
        self.top = output

    def filled(self, source: str, shape: Shape, full: Shape) -> str:
        """`source` filled up with zeros at the end of each dimension; itself when nothing is missing."""
        if shape == full:
            return source
        missing = np.array([0, 0, 0, 0, 0, *(f - s for f, s in zip(full, shape, strict=True))], np.int64)
        top, self.top = self.top, source
        self.node("Pad", self.constant(missing))
        padded, self.top = self.top, top
        return padded

    def serialise(self, name: str, output: str, source: tuple[str, list[int]], result_shape: list[int]) -> bytes:
        """The model `name`, with the latest output called `output`. source: name and shape of the picture."""
        import onnx
        from onnx import helper

        self._nodes[-1].output[0] = output
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(source[0], onnx.TensorProto.FLOAT, source[1])],
            [helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, result_shape)],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="openstile")
        model.ir_version = _IR_VERSION
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())
