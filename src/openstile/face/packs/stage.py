"""A stage behind a network: (embedding - mean) times a fixed matrix.

Its file is nothing but float32, little-endian: the mean (inputs numbers), then the matrix (outputs x inputs, row after
row). How many inputs there are follows from its length. `openstile.lab.whitening` makes such files.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from openstile.face.packs.errors import PackError
from openstile.terms.limits import STAGE_INPUTS_MAX

_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """mean: (inputs,) float32. matrix: (outputs, inputs) float32."""

    mean: NDArray[np.float32] = field(repr=False)
    matrix: NDArray[np.float32] = field(repr=False)

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or self.mean.shape != self.matrix.shape[1:]:
            raise PackError(f"stage: the mean {self.mean.shape} does not fit the matrix {self.matrix.shape}")
        if not 1 <= self.mean.size <= STAGE_INPUTS_MAX:
            raise PackError(f"stage: has {self.mean.size} inputs, must have 1 to {STAGE_INPUTS_MAX}")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.matrix).all()):
            raise PackError("stage: has numbers that are not finite")

    def apply(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """The (outputs,) numbers that stand for `embedding` (inputs,). Raises PackError when it has another length."""
        if embedding.shape != self.mean.shape:
            raise PackError(f"stage: takes {self.mean.size} numbers, the embedder gave {embedding.size}")
        return np.asarray(self.matrix @ (embedding - self.mean), np.float32)


def write_stage(stage: Stage) -> bytes:
    """The file of `stage`."""
    return stage.mean.astype("<f4").tobytes() + stage.matrix.astype("<f4").tobytes()


def read_stage(data: bytes, *, outputs: int, name: str) -> Stage:
    """The stage in the file `data`, called `name` in errors, that gives `outputs` numbers. Raises PackError."""
    rows = outputs + 1
    if not data or len(data) % (_FLOAT_BYTES * rows) or len(data) > _FLOAT_BYTES * rows * STAGE_INPUTS_MAX:
        raise PackError(f"{name}: has {len(data)} bytes, which is not a mean and a matrix of {outputs} rows")
    values = np.frombuffer(data, "<f4").astype(np.float32).reshape(rows, -1)
    try:
        return Stage(values[0], values[1:])
    except PackError as error:
        raise PackError(f"{name}: {error}") from error
