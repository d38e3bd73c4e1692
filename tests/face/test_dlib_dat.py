"""dlib's serialised form, read from bytes nobody has vouched for, and the network made of it."""

import struct
from collections.abc import Callable
from math import frexp

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from openstile.face.packs import PackError
from openstile.face.packs.convert import centerface_to_onnx, dlib_to_onnx
from openstile.face.packs.dlib_dat import AddTagged, Convolution, read_dlib_network

Numbers = NDArray[np.float32]
RNG = np.random.default_rng(11)


def integer(value: int) -> bytes:
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def real(value: float) -> bytes:
    mantissa, exponent = frexp(value)
    return integer(int(mantissa * 2**24)) + integer(exponent - 24)


def text(value: str) -> bytes:
    return integer(len(value)) + value.encode()


def shape_of(*numbers: int) -> bytes:
    return b"".join(map(integer, numbers))


def tensor(values: Numbers, shape: tuple[int, int, int, int]) -> bytes:
    return integer(2) + shape_of(*shape) + struct.pack(f"<{values.size}f", *values.reshape(-1))


EMPTY = integer(2) + shape_of(0, 0, 0, 0)
TRAILER = b"110" + EMPTY * 3
RATES = real(1) + real(1) + real(1) + real(0)


def convolution(weights: Numbers, biases: Numbers, stride: int, padding: int) -> bytes:
    filters, channels, rows, columns = weights.shape
    parameters = np.concatenate([weights.reshape(-1), biases])
    data = text("con_4") + tensor(parameters, (parameters.size, 1, 1, 1))
    data += shape_of(filters, rows, columns, stride, stride, padding, padding)
    return (
        data + integer(1) + shape_of(filters, channels, rows, columns) + integer(1) + shape_of(1, filters, 1, 1) + RATES
    )


def affine(gamma: Numbers, beta: Numbers) -> bytes:
    data = text("affine_") + tensor(np.concatenate([gamma, beta]), (2 * gamma.size, 1, 1, 1))
    return data + (integer(1) + shape_of(1, gamma.size, 1, 1)) * 2 + integer(0)


def pool(name: str, window: int, stride: int) -> bytes:
    return text(name) + shape_of(window, window, stride, stride, 0, 0)


def small_network() -> tuple[bytes, Callable[[Numbers], Numbers]]:
    """A network of one halving block (2 channels to 3, so zeros are filled in), and what it computes, in numpy."""
    w1, b1, g1, h1 = (RNG.normal(size=s).astype(np.float32) for s in ((2, 3, 3, 3), (2,), (2,), (2,)))
    w2, b2, g2, h2 = (RNG.normal(size=s).astype(np.float32) for s in ((3, 2, 3, 3), (3,), (3,), (3,)))
    fc = RNG.normal(size=(3, 4)).astype(np.float32)
    layers = [
        convolution(w1, b1, 1, 1),
        affine(g1, h1),
        text("relu_"),
        pool("max_pool_2", 3, 2),
        convolution(w2, b2, 2, 0),
        affine(g2, h2),
        pool("avg_pool_2", 2, 2),
        text("add_prev_"),
        text("relu_"),
        pool("avg_pool_2", 0, 1),
        text("fc_2")
        + shape_of(4, 3)
        + tensor(fc, (3, 4, 1, 1))
        + (integer(1) + shape_of(3, 4, 1, 1)) * 2
        + integer(1)
        + RATES,
    ]
    data = integer(1) + text("loss_metric_2") + real(0.04) + real(0.6)
    data += b"".join(integer(version) for version in (2, 2, 2, 2, 1, 2, 1, 2, 2, 2, 2, 2, 3))
    data += text("input_rgb_image_sized") + real(122.5) + real(117.0) + real(104.25) + integer(18) + integer(18)
    for index, layer in enumerate(layers):
        data += layer + TRAILER + (integer(1) if index == 0 else b"")

    def compute(chip: Numbers) -> Numbers:
        x: Numbers = np.asarray((chip - np.array([[[122.5]], [[117.0]], [[104.25]]])) / 256, np.float32)
        x = convolve(np.pad(x, ((0, 0), (1, 1), (1, 1))), w1, b1, 1) * g1.reshape(-1, 1, 1) + h1.reshape(-1, 1, 1)
        x = np.asarray(np.maximum(x, 0), np.float32)
        x = np.asarray(windowed(x, 3, 2, 8).max(axis=(3, 4)), np.float32)
        short = windowed(x, 2, 2, 4).mean(axis=(3, 4))
        full = np.zeros((3, 4, 4), np.float32)
        full[:, :3, :3] += convolve(x, w2, b2, 2) * g2.reshape(-1, 1, 1) + h2.reshape(-1, 1, 1)
        full[:2] += short
        return np.asarray(np.maximum(full, 0).mean(axis=(1, 2)) @ fc, np.float32)

    return data, compute


def windowed(x: Numbers, size: int, stride: int, count: int) -> Numbers:
    """(channels, count, count, size, size): the windows that slide over `x`."""
    starts = range(0, stride * count, stride)
    rows = [[x[:, s : s + size, t : t + size] for t in starts] for s in starts]
    return np.asarray(np.array(rows, np.float32).transpose(2, 0, 1, 3, 4), np.float32)


def convolve(x: Numbers, weights: Numbers, biases: Numbers, stride: int) -> Numbers:
    windows = windowed(x, 3, stride, (x.shape[1] - 3) // stride + 1)
    return np.asarray(np.einsum("cijyx,fcyx->fij", windows, weights) + biases.reshape(-1, 1, 1), np.float32)


DATA, COMPUTE = small_network()


def test_layers_are_read_from_the_input_outwards() -> None:
    network = read_dlib_network(DATA)
    assert network.side == 18
    assert network.mean_rgb == (122.5, 117.0, 104.25)
    assert len(network.layers) == 11
    assert isinstance(network.layers[0], Convolution)
    assert isinstance(network.layers[7], AddTagged)


def test_network_computes_what_its_layers_mean() -> None:
    session = onnxruntime.InferenceSession(dlib_to_onnx(DATA), providers=["CPUExecutionProvider"])
    for _ in range(5):
        chip = RNG.integers(0, 256, (3, 18, 18)).astype(np.float32)
        (found,) = session.run(None, {"chip": chip[None]})
        assert np.abs(found[0] - COMPUTE(chip)).max() < 1e-4


def test_conversion_gives_the_same_bytes_each_time() -> None:
    assert dlib_to_onnx(DATA) == dlib_to_onnx(DATA)


@pytest.mark.parametrize("end", [*range(60), len(DATA) // 2, len(DATA) - 1])
def test_truncated_network_is_refused(end: int) -> None:
    with pytest.raises(PackError, match="dlib network"):
        read_dlib_network(DATA[:end])


def test_shape_that_is_huge_beside_a_dimension_of_nothing_is_refused() -> None:
    huge = integer(2) + shape_of(0, 2**62, 2**62, 1)
    with pytest.raises(PackError, match="dimensions"):
        read_dlib_network(DATA.replace(EMPTY, huge))


def test_byte_left_over_is_refused() -> None:
    with pytest.raises(PackError, match="end of the file"):
        read_dlib_network(DATA + b"\0")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.integers(0, 255))
def test_mutated_network_is_converted_or_refused_and_never_crashes(at: int, value: int) -> None:
    data = bytearray(DATA)
    data[at] = value
    try:
        dlib_to_onnx(bytes(data))
    except PackError:
        return


@given(st.binary(max_size=100))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(PackError):
        read_dlib_network(data)


@pytest.mark.parametrize("data", [b"", b"no network", b"\x08\x07", bytes(100)])
def test_what_is_no_onnx_file_is_refused(data: bytes) -> None:
    with pytest.raises(PackError, match="centerface"):
        centerface_to_onnx(data)
