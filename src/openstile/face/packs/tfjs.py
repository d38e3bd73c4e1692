"""Read a TensorFlow.js graph model: its topology (JSON) and its one file of weights. Nothing of it is run.

Format: the `model.json` of tfjs-converter ("graph-model"): operations of TensorFlow's GraphDef in
`modelTopology.node`, and in `weightsManifest` the name, shape and dtype of each array, which follow one another in
the weights file, little-endian.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstile.face.packs.errors import PackError
from openstile.terms.limits import MODEL_OPERATIONS_MAX, MODEL_TOPOLOGY_BYTES_MAX

_DTYPES = {"float32": "<f4", "int32": "<i4"}
_RANK_MAX = 4
_SIDE_MAX = 2**24


@dataclass(frozen=True, slots=True)
class Operation:
    """One node of the graph. attributes: as in the JSON, still to be checked by who reads them."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class GraphModel:
    """operations by name; weights by the name of the operation that holds them, float32 or int32, finite."""

    operations: Mapping[str, Operation]
    weights: Mapping[str, NDArray[Any]] = field(repr=False)


def read_graph_model(topology: bytes, weights: bytes) -> GraphModel:
    """The model in a `model.json` and its weights file. Raises PackError that says what is wrong."""
    if len(topology) > MODEL_TOPOLOGY_BYTES_MAX:
        raise _wrong(f"the topology is larger than {MODEL_TOPOLOGY_BYTES_MAX} bytes")
    try:
        top = json.loads(topology)
    except (ValueError, RecursionError) as error:
        raise _wrong("the topology is not JSON") from error
    if not isinstance(top, dict) or top.get("format") != "graph-model":
        raise _wrong("the topology is not that of a graph model")
    nodes = _mapping(top.get("modelTopology"), "modelTopology").get("node")
    operations = [_read_operation(node) for node in _list(nodes, "modelTopology.node", MODEL_OPERATIONS_MAX)]
    by_name = {operation.name: operation for operation in operations}
    if len(by_name) != len(operations):
        raise _wrong("two operations have the same name")
    groups = _list(top.get("weightsManifest"), "weightsManifest", 1)
    if len(groups) != 1:
        raise _wrong("the weights must be one group")
    entries = _list(_mapping(groups[0], "weightsManifest").get("weights"), "weights", MODEL_OPERATIONS_MAX)
    return GraphModel(by_name, _read_weights(entries, weights))


def _wrong(what: str) -> PackError:
    return PackError(f"graph model: {what}; the file is damaged or of another kind")


def _mapping(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(f"{where} is not a table")
    return value


def _list(value: object, where: str, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise _wrong(f"{where} is not a list of at most {most}")
    return value


def _read_operation(value: object) -> Operation:
    node = _mapping(value, "an operation")
    name, kind = node.get("name"), node.get("op")
    inputs = _list(node.get("input", []), "input", MODEL_OPERATIONS_MAX)
    if not isinstance(name, str) or not isinstance(kind, str) or not all(isinstance(each, str) for each in inputs):
        raise _wrong("an operation has no name, no kind or an input without a name")
    return Operation(name, kind, tuple(inputs), _mapping(node.get("attr", {}), f"{name}: attr"))


def _read_weights(entries: list[Any], data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays that lie one after the other in `data`, which they must fill exactly."""
    found: dict[str, NDArray[Any]] = {}
    at = 0
    for entry in entries:
        name, shape, dtype = _read_entry(_mapping(entry, "a weight"))
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if name in found or count * 4 > len(data) - at:
            raise _wrong(f"the weight {name} comes twice or lies outside the weights file")
        values = np.frombuffer(data, dtype, count, at).reshape(shape)
        if not np.isfinite(values).all():
            raise _wrong(f"the weight {name} has numbers that are not finite")
        found[name] = values
        at += count * 4
    if at != len(data):
        raise _wrong(f"the weights file has {len(data)} bytes, its list tells of {at}")
    return found


def _read_entry(entry: dict[str, Any]) -> tuple[str, tuple[int, ...], str]:
    name, dtype = entry.get("name"), entry.get("dtype")
    shape = _list(entry.get("shape"), "shape", _RANK_MAX)
    if not isinstance(name, str) or not isinstance(dtype, str) or dtype not in _DTYPES:
        raise _wrong("a weight has no name, or a dtype other than float32 and int32")
    if set(entry) - {"name", "shape", "dtype"}:
        raise _wrong(f"the weight {name} is stored in a way that is not read here (such as quantised)")
    if not all(type(side) is int and 1 <= side <= _SIDE_MAX for side in shape):
        raise _wrong(f"the weight {name} has no shape")
    return name, tuple(shape), _DTYPES[dtype]
