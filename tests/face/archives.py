"""Wheels and sdists that tests make themselves, some with traps in them, and tiny networks to put into them."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def make_wheel(folder: Path, name: str, members: Mapping[str, bytes], *, version: str = "1.0") -> Path:
    """`name`-`version`-py3-none-any.whl with these members and just enough metadata."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for member, data in members.items():
            opened.writestr(member, data)
        opened.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        opened.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        opened.writestr(f"{info}/RECORD", "")
    return path


def make_sdist(folder: Path, name: str, members: Mapping[str, bytes]) -> Path:
    """`name`-1.0.tar.gz with these members below `name`-1.0/ and a PKG-INFO."""
    path = folder / f"{name}-1.0.tar.gz"
    metadata = f"Metadata-Version: 1.1\nName: {name}\nVersion: 1.0\nSummary: test\n".encode()
    with tarfile.open(path, "w:gz") as opened:
        for member, data in {"PKG-INFO": metadata, **members}.items():
            info = tarfile.TarInfo(f"{name}-1.0/{member}")
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return path


def sha256(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def tiny_detector() -> bytes:
    """Answers any 64 x 64 picture with two overlapping faces and a weak one (decoder boxes-landmarks)."""
    boxes = np.array([[8, 8, 40, 48], [9, 9, 41, 49], [50, 50, 60, 60]], np.float32)
    marks = np.array([[16, 20, 32, 20, 24, 28, 18, 38, 30, 38]] * 3, np.float32)
    scores = np.array([0.9, 0.8, 0.1], np.float32)
    constants = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values, f"v_{name}"))
        for name, values in (("boxes0", boxes), ("marks0", marks), ("scores0", scores))
    ]
    zero = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Sub", ["mean", "mean"], ["zero"]),
    ]
    sums = [helper.make_node("Add", [f"{name}0", "zero"], [name]) for name in ("boxes", "marks", "scores")]
    outputs = [("boxes", [3, 4]), ("marks", [3, 10]), ("scores", [3])]
    return _model([*constants, *zero, *sums], ("image", [1, 3, 64, 64]), outputs)


def tiny_embedder() -> bytes:
    """The mean of each channel of a 32 x 32 chip: 3 numbers."""
    nodes = [helper.make_node("GlobalAveragePool", ["chip"], ["mean"]), helper.make_node("Flatten", ["mean"], ["out"])]
    return _model(nodes, ("chip", [1, 3, 32, 32]), [("out", [1, 3])])


def _model(nodes: list[onnx.NodeProto], source: tuple[str, list[int]], outputs: list[tuple[str, list[int]]]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(source[0], TensorProto.FLOAT, source[1])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


TINY_MANIFEST = """
[pack]
id = "tiny-1"
name = "tiny"
licence = "CC0-1.0"
origin = "made by a test"

[detector]
file = "detector.onnx"
decoder = "boxes-landmarks"
input = "image"
outputs = ["boxes", "marks", "scores"]
channels = "rgb"
mean = [0, 0, 0]
scale = 1.0
shape = "square"
side_max = 64
side_multiple = 1
confidence_min = 0.5
overlap_max = 0.3

[embedder]
file = "embedder.onnx"
input = "chip"
output = "out"
channels = "bgr"
mean = [127.5, 127.5, 127.5]
scale = 0.0078125
side = 32
landmarks = [[10, 10], [22, 10], [16, 16], [11, 23], [21, 23]]
dimensions = 3

[comparison]
quantisation_range = 1.0
distance_max = 0.5
meaning = "none: a test"
"""


def weights_table(file: str, kind: str, archive: Path, member: str, data: bytes) -> str:
    """A [[weights]] table of a manifest for `member` of `archive`."""
    content = archive.read_bytes()
    return f"""
[[weights]]
file = "{file}"
licence = "CC0-1.0"
origin = "made by a test"
package = "{archive.name.split("-")[0]}"
version = "1.0"
kind = "{kind}"
archive_sha256 = "{sha256(content)}"
archive_bytes = {len(content)}
member = "{member}"
member_sha256 = "{sha256(data)}"
member_bytes = {len(data)}
convert = "none"
"""
