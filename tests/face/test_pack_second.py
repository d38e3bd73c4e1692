"""The second network: read from TensorFlow.js, written as ONNX, held against a computation that shares nothing."""

import contextlib
import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.face.mobilenet import Graph, features, tiny_graph

from openstile.face.packs import PackError
from openstile.face.packs.session import Session
from openstile.face.packs.tfjs import read_graph_model
from openstile.face.packs.tfjs_onnx import mobilenet_to_onnx, principal_outputs
from openstile.terms.limits import STAGE_INPUTS_MAX

SIDE = 15


def convert(graph: Graph, weights: bytes, dimensions: int = 3) -> bytes:
    model = read_graph_model(json.dumps(graph).encode(), weights)
    return mobilenet_to_onnx(model, features="global_pooling/Mean", side=SIDE, dimensions=dimensions)


@pytest.mark.parametrize("seed", range(4))
def test_converted_network_gives_what_tensorflow_defines(seed: int) -> None:
    graph, weights = tiny_graph(seed)
    picture = np.random.default_rng(seed).normal(size=(SIDE, SIDE, 3)).astype(np.float32)
    session = Session(convert(graph, weights), name="tiny", source="chip", results=("embedding",))
    (found,) = session.run(picture.transpose(2, 0, 1)[None])
    last = read_graph_model(json.dumps(graph).encode(), weights).weights["three/w"][0, 0]
    wanted = features(json.dumps(graph).encode(), weights, picture) @ principal_outputs(last, 3)
    assert found.shape == (1, 3)
    assert found[0] == pytest.approx(wanted, abs=1e-5)


def test_principal_directions_are_orthonormal_and_the_same_for_a_turned_layer() -> None:
    rng = np.random.default_rng(5)
    layer = rng.normal(size=(40, 30)).astype(np.float32)
    found = principal_outputs(layer, 7)
    assert found.shape == (30, 7)
    assert np.allclose(found.T @ found, np.eye(7), atol=1e-6)
    turn, _ = np.linalg.qr(rng.normal(size=(40, 40)))
    assert np.allclose(principal_outputs((turn @ layer).astype(np.float32), 7), found, atol=1e-4)
    energy = np.linalg.norm(layer @ found, axis=0)
    assert list(energy) == sorted(energy, reverse=True)


def _node(graph: Graph, name: str) -> Graph:
    found: Graph = next(node for node in graph["modelTopology"]["node"] if node["name"] == name)
    return found


def _weight(graph: Graph, name: str) -> Graph:
    found: Graph = next(entry for entry in graph["weightsManifest"][0]["weights"] if entry["name"] == name)
    return found


DAMAGES: dict[str, Callable[[Graph], Any]] = {
    "other format": lambda g: g.update(format="layers-model"),
    "no topology": lambda g: g.pop("modelTopology"),
    "no nodes": lambda g: g["modelTopology"].update(node=None),
    "node is no table": lambda g: g["modelTopology"]["node"].append(3),
    "node without name": lambda g: _node(g, "one").pop("name"),
    "two nodes of a name": lambda g: g["modelTopology"]["node"].append(copy.deepcopy(_node(g, "one"))),
    "loop": lambda g: _node(g, "one").update(input=["three", "one/w"]),
    "input nobody has": lambda g: _node(g, "one").update(input=["nobody", "one/w"]),
    "no input": lambda g: _node(g, "one").update(input=[]),
    "unknown kind": lambda g: _node(g, "one/relu").update(op="Elu"),
    "valid padding": lambda g: _node(g, "one")["attr"].update(padding={"s": "VkFMSUQ="}),
    "padding that is no text": lambda g: _node(g, "one")["attr"].update(padding={"s": 7}),
    "channels first": lambda g: _node(g, "one")["attr"].update(data_format={"s": "TkNIVw=="}),
    "stride 3": lambda g: _node(g, "one")["attr"]["strides"]["list"].update(i=["1", "3", "3", "1"]),
    "dilated": lambda g: _node(g, "one")["attr"]["dilations"]["list"].update(i=["1", "2", "2", "1"]),
    "rectifier without limit": lambda g: _node(g, "two/min").update(op="Maximum"),
    "no batch normalisation": lambda g: _node(g, "three/add").update(op="Sub"),
    "weights nobody has": lambda g: _node(g, "one").update(input=["picture", "nobody"]),
    "kernel of another layer": lambda g: _node(g, "three").update(input=["two/max", "one/w"]),
    "two groups": lambda g: g["weightsManifest"].append({"weights": []}),
    "no weights": lambda g: g.update(weightsManifest=[]),
    "quantised weight": lambda g: _weight(g, "one/w").update(quantization={"dtype": "float16"}),
    "other dtype": lambda g: _weight(g, "one/w").update(dtype="float16"),
    "negative side": lambda g: _weight(g, "one/w").update(shape=[-3, -3, 3, 4]),
    "huge side": lambda g: _weight(g, "one/w").update(shape=[2**24, 2**24, 2**24, 2**24]),
    "rank 5": lambda g: _weight(g, "one/w").update(shape=[1, 3, 3, 3, 4]),
    "weight that comes twice": lambda g: _weight(g, "two/w").update(name="one/w"),
    "weights cut short in the list": lambda g: g["weightsManifest"][0]["weights"].pop(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_graph_that_is_not_the_expected_one_is_refused(damage: str) -> None:
    graph, weights = tiny_graph()
    DAMAGES[damage](graph)
    with pytest.raises(PackError):
        convert(graph, weights)


@pytest.mark.parametrize("topology", [b"", b"[", b"[]", b"\xff", b"[" * 100_000, b'{"format": "graph-model"}'])
def test_what_is_no_topology_is_refused(topology: bytes) -> None:
    with pytest.raises(PackError):
        read_graph_model(topology, b"")


def test_weights_must_fill_their_file_and_be_finite() -> None:
    graph, weights = tiny_graph()
    nan = np.array([np.nan], "<f4").tobytes()
    for wrong in (weights[:-1], weights + b"\0", nan + weights[4:], b""):
        with pytest.raises(PackError):
            convert(graph, wrong)


@pytest.mark.parametrize("dimensions", [0, 7])
def test_projection_to_more_numbers_than_there_are_is_refused(dimensions: int) -> None:
    with pytest.raises(PackError):
        convert(*tiny_graph(), dimensions=dimensions)


def test_layer_too_wide_to_be_projected_is_refused_before_it_takes_the_memory() -> None:
    """Its outputs squared would be held: 4 million of them, which a weights file can have, are 128 terabytes."""
    graph, weights = tiny_graph()
    last = _weight(graph, "three/w")
    wide = STAGE_INPUTS_MAX + 1
    added = np.zeros((1, 1, last["shape"][2], wide), "<f4").tobytes()
    last["shape"][3] = wide
    _weight(graph, "three/add/w")["shape"] = [wide]
    for name in ("three", "three/add"):
        assert _node(graph, name)["input"][1] == f"{name}/w"
    old = read_graph_model(json.dumps(tiny_graph()[0]).encode(), weights).weights
    data = b"".join(
        added if name == "three/w" else bytes(4 * wide) if name == "three/add/w" else array.tobytes()
        for name, array in old.items()
    )
    with pytest.raises(PackError, match=f"more than {STAGE_INPUTS_MAX} outputs"):
        convert(graph, data)


@given(st.data())
def test_any_damage_to_a_byte_is_a_refusal_or_a_network(data: st.DataObject) -> None:
    graph, weights = tiny_graph()
    topology = bytearray(json.dumps(graph).encode())
    topology[data.draw(st.integers(0, len(topology) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(PackError):
        read_graph_model(bytes(topology), weights)
