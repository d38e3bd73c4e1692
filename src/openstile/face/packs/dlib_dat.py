"""Read the layers of dlib's face recognition network out of its serialised form (`.dat`), without dlib.

The form (dlib/serialize.h and dlib/dnn/core.h, version 19.3 and later): an integer is one byte with its count of
bytes (the high bit is the sign) and those bytes, least significant first. A float is two such integers, mantissa and
exponent of two. A string is its length and its bytes; a bool one character, 0 or 1. A tensor is its version (2), four
dimensions (samples, channels, rows, columns) and raw little-endian float32. A network is written from its outermost
layer inwards as version numbers, then the input, then the details of each layer from the input outwards.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from openstile.face.packs.errors import PackError

_INTEGER_BYTES_MAX = 8
_STRING_BYTES_MAX = 64
_LAYERS_MAX = 1024
_TENSOR_NUMBERS_MAX = 64 * 2**20
_NUMBER_MAX = 2.0**60
"""Two of them multiplied, as when an affine layer is folded into a convolution, are still a float32."""
_MEAN_MAX = 255.0
_INNERMOST_LAYER_VERSION = 3

Tensor: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """`con_4`. weights (filters, channels, rows, columns), biases (filters,); stride and padding as (y, x) pixels."""

    weights: Tensor
    biases: Tensor
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """`affine_` over channels: gamma x + beta, both (channels,)."""

    gamma: Tensor
    beta: Tensor


@dataclass(frozen=True, slots=True)
class Pool:
    """`max_pool_2` or `avg_pool_2`; a window of (0, 0) takes the whole picture."""

    average: bool
    window: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rectifier:
    """`relu_`."""


@dataclass(frozen=True, slots=True)
class AddTagged:
    """`add_prev_`: add the tagged earlier output, the smaller of the two filled up with zeros in each dimension."""


@dataclass(frozen=True, slots=True, eq=False)
class FullyConnected:
    """`fc_2` without bias: weights (inputs, outputs)."""

    weights: Tensor


Layer: TypeAlias = Convolution | Affine | Pool | Rectifier | AddTagged | FullyConnected


@dataclass(frozen=True, slots=True, eq=False)
class DlibNetwork:
    """Input side in pixels, the mean of red, green and blue to subtract, and the layers from the input outwards."""

    side: int
    mean_rgb: tuple[float, float, float]
    layers: tuple[Layer, ...]


def read_dlib_network(data: bytes) -> DlibNetwork:
    """The network in `data`. Raises PackError when a byte is not what the form demands, or any is left over."""
    cursor = _Cursor(data)
    cursor.expect(cursor.integer() == 1, "version of the loss layer")
    cursor.expect(cursor.string() == "loss_metric_2", "loss layer")
    cursor.real(), cursor.real()
    count = _count_layers(cursor)
    cursor.expect(cursor.string() == "input_rgb_image_sized", "input layer")
    mean = (cursor.real(), cursor.real(), cursor.real())
    cursor.expect(all(0 <= colour <= _MEAN_MAX for colour in mean), "mean of the input")
    rows, columns = cursor.integer(), cursor.integer()
    cursor.expect(rows == columns and 16 <= rows <= 1024, "size of the input")
    layers = tuple(_read_layer(cursor, innermost=index == 0) for index in range(count))
    cursor.expect(cursor.at == len(data), "end of the file")
    return DlibNetwork(rows, mean, layers)


def _count_layers(cursor: "_Cursor") -> int:
    """Read the version numbers of the layers from the outermost in: 1 is a tag or a skip, 2 a layer, 3 the
    innermost.
    """
    count = 0
    for _ in range(_LAYERS_MAX):
        version = cursor.integer()
        cursor.expect(version in (1, 2, _INNERMOST_LAYER_VERSION), "version of a layer")
        count += version != 1
        if version == _INNERMOST_LAYER_VERSION:
            return count
    raise cursor.damaged("count of layers")


def _read_layer(cursor: "_Cursor", *, innermost: bool) -> Layer:
    name = cursor.string()
    cursor.expect(name in _READERS, "kind of a layer")
    layer = _READERS[name](cursor)
    cursor.flag(), cursor.flag(), cursor.flag()
    for _ in ("gradient of the input", "cached output", "gradient of the parameters"):
        cursor.tensor()
    if innermost:
        cursor.expect(cursor.integer() == 1, "sample expansion")
    return layer


def _read_convolution(cursor: "_Cursor") -> Convolution:
    parameters = cursor.tensor().reshape(-1)
    filters, rows, columns, stride_y, stride_x, padding_y, padding_x = (cursor.integer() for _ in range(7))
    shape, biases = cursor.alias(), cursor.alias()
    for _ in range(4):
        cursor.real()
    cursor.expect(shape[0] == filters and shape[2:] == (rows, columns), "filters of a convolution")
    cursor.expect(prod(shape) + filters == parameters.size and prod(biases) == filters, "size of a convolution")
    cut = prod(shape)
    return Convolution(parameters[:cut].reshape(shape), parameters[cut:], (stride_y, stride_x), (padding_y, padding_x))


def _read_affine(cursor: "_Cursor") -> Affine:
    parameters = cursor.tensor().reshape(-1)
    gamma, beta = cursor.alias(), cursor.alias()
    cursor.integer()
    channels = prod(gamma)
    cursor.expect(parameters.size == 2 * channels and prod(beta) == channels, "size of an affine layer")
    return Affine(parameters[:channels], parameters[channels:])


def _read_pool(cursor: "_Cursor", *, average: bool) -> Pool:
    rows, columns, stride_y, stride_x, padding_y, padding_x = (cursor.integer() for _ in range(6))
    return Pool(average, (rows, columns), (stride_y, stride_x), (padding_y, padding_x))


def _read_fully_connected(cursor: "_Cursor") -> FullyConnected:
    outputs, inputs = cursor.integer(), cursor.integer()
    parameters = cursor.tensor().reshape(-1)
    cursor.alias(), cursor.alias(), cursor.integer()
    for _ in range(4):
        cursor.real()
    cursor.expect(min(inputs, outputs) >= 0, "shape of the last layer")
    cursor.expect(parameters.size == inputs * outputs, "size of the last layer (one without bias)")
    return FullyConnected(parameters.reshape(inputs, outputs))


_READERS: dict[str, Callable[["_Cursor"], Layer]] = {
    "con_4": _read_convolution,
    "affine_": _read_affine,
    "max_pool_2": lambda cursor: _read_pool(cursor, average=False),
    "avg_pool_2": lambda cursor: _read_pool(cursor, average=True),
    "relu_": lambda cursor: Rectifier(),
    "add_prev_": lambda cursor: AddTagged(),
    "fc_2": _read_fully_connected,
}


class _Cursor:
    """Reads forward through bytes that nobody has vouched for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def damaged(self, what: str) -> PackError:
        return PackError(
            f"dlib network: byte {self.at}: {what} is not as expected; the file is damaged or of another kind"
        )

    def expect(self, condition: bool, what: str) -> None:
        if not condition:
            raise self.damaged(what)

    def take(self, count: int, what: str) -> bytes:
        self.expect(0 <= count <= len(self._data) - self.at, what)
        taken = self._data[self.at : self.at + count]
        self.at += count
        return taken

    def integer(self) -> int:
        head = self.take(1, "integer")[0]
        size = head & 0x7F
        self.expect(1 <= size <= _INTEGER_BYTES_MAX, "length of an integer")
        value = int.from_bytes(self.take(size, "integer"), "little")
        return -value if head & 0x80 else value

    def real(self) -> float:
        mantissa, exponent = self.integer(), self.integer()
        self.expect(abs(exponent) <= 1024, "exponent")
        return float(mantissa) * 2.0**exponent if exponent < 960 else self._refuse_real()

    def _refuse_real(self) -> float:
        raise self.damaged("finite number")

    def flag(self) -> bool:
        character = self.take(1, "flag")
        self.expect(character in (b"0", b"1"), "flag")
        return character == b"1"

    def string(self) -> str:
        length = self.integer()
        self.expect(0 <= length <= _STRING_BYTES_MAX, "length of a name")
        return self.take(length, "name").decode("ascii", errors="replace")

    def dimensions(self) -> tuple[int, int, int, int]:
        numbers = (self.integer(), self.integer(), self.integer(), self.integer())
        # Beside a dimension of nothing the others count too: numpy refuses their product where it is too big.
        self.expect(min(numbers) >= 0 and prod(max(1, n) for n in numbers) <= _TENSOR_NUMBERS_MAX, "dimensions")
        return numbers

    def alias(self) -> tuple[int, int, int, int]:
        self.expect(self.integer() == 1, "version of a shape")
        return self.dimensions()

    def tensor(self) -> Tensor:
        self.expect(self.integer() == 2, "version of a tensor")
        shape = self.dimensions()
        raw = self.take(4 * prod(shape), "numbers of a tensor")
        numbers = np.frombuffer(raw, dtype="<f4").astype(np.float32)
        self.expect(bool((np.abs(numbers) <= _NUMBER_MAX).all()), "size of the numbers of a tensor")  # not of NaN
        return numbers.reshape(shape)
