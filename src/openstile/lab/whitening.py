"""A fixed, group-balanced whitening of an embedding: made from a data set once, then a stage of a model pack.

Of each group the mean and the covariance are taken, and the groups count alike, however many people each has. The
covariance is shrunk towards a multiple of the identity (Ledoit and Wolf 2004, with a given weight instead of the
estimated one), and the stage multiplies by its inverse square root ("ZCA" whitening), scaled so that the mean
variance stays what it was. A stage must never be judged on people it was made from: see `split_by_subject`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from openstile.face.packs.stage import Stage
from openstile.terms.errors import BadInputError

GROUP_PEOPLE_MIN = 2


def fit_whitening(embeddings: NDArray[np.float32], groups: Sequence[str], *, shrinkage: float) -> Stage:
    """The stage that whitens `embeddings` (n, dimensions); groups: of each row.

    shrinkage: 0 for the covariance as it is, 1 for a multiple of the identity. Groups of fewer than GROUP_PEOPLE_MIN
    rows are left out. Raises BadInputError when none is left or `shrinkage` is outside 0..1.
    """
    if not 0 < shrinkage <= 1:
        raise BadInputError(f"whitening: shrinkage {shrinkage} is outside 0..1 (0 itself cannot be inverted)")
    means, covariances = [], []
    for group in sorted(set(groups)):
        rows = embeddings[[name == group for name in groups]].astype(np.float64)
        if len(rows) >= GROUP_PEOPLE_MIN:
            means.append(rows.mean(0))
            covariances.append(np.cov(rows, rowvar=False, bias=True))
    if not means:
        raise BadInputError(f"whitening: no group has {GROUP_PEOPLE_MIN} photographs; give a larger data set")
    covariance = np.mean(covariances, axis=0)
    size = len(covariance)
    spread = float(np.trace(covariance)) / size
    shrunk = (1 - shrinkage) * covariance + shrinkage * spread * np.eye(size)
    values, vectors = np.linalg.eigh(shrunk)
    matrix = (vectors * (spread / values) ** 0.5) @ vectors.T
    return Stage(np.mean(means, axis=0).astype(np.float32), matrix.astype(np.float32))


def split_by_subject(groups: Sequence[str], *, parts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The part (0 .. parts - 1) that each subject falls into; every group is spread over the parts.

    groups: of each subject. Who is in one part is in no other, so a stage made without a part may be judged on it.
    """
    split = np.zeros(len(groups), np.int64)
    offset = 0
    for group in sorted(set(groups)):
        members = rng.permutation([number for number, name in enumerate(groups) if name == group])
        split[members] = (np.arange(len(members)) + offset) % parts
        offset += len(members)
    return split
