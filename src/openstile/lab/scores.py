"""What a lab run leaves: comparison scores by the numbers of captures, and why captures gave no template.

Every report of the lab stands on this value. It holds no template and no picture. Terms of ISO/IEC 2382-37 and 19795-1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from openstile.face.faults import FaceFault
from openstile.lab.dataset import DataSet, Group
from openstile.lab.intervals import Proportion
from openstile.terms.errors import BadInputError


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Distances of mated and non-mated comparisons, and of what.

    mated (m,), non_mated (n,): float32, in the pack's common unit of distance. mated_captures (m, 2) and
    non_mated_captures (n, 2): int32, the two captures of each comparison, as numbers into `data_set.captures`. faults:
    one a capture; None where it gave a template. distance_max: the threshold; a distance at or below it is a match.
    blocks: how many parts the design of the run had (see `trials`); comparisons are within a part.
    Raises BadInputError when shapes do not fit together.
    """

    data_set: DataSet
    pack_id: str
    distance_max: float
    faults: tuple[FaceFault | None, ...]
    mated: NDArray[np.float32] = field(repr=False)
    mated_captures: NDArray[np.int32] = field(repr=False)
    non_mated: NDArray[np.float32] = field(repr=False)
    non_mated_captures: NDArray[np.int32] = field(repr=False)
    blocks: int = 1

    def __post_init__(self) -> None:
        if len(self.faults) != len(self.data_set.captures):
            raise BadInputError(f"scores: {len(self.faults)} outcomes for {len(self.data_set.captures)} captures")
        for name, found, captures in (
            ("mated", self.mated, self.mated_captures),
            ("non-mated", self.non_mated, self.non_mated_captures),
        ):
            if found.ndim != 1 or captures.shape != (len(found), 2):
                raise BadInputError(f"scores: {name} distances and their captures do not have the same length")
            if not np.isfinite(found).all() or (found < 0).any():
                raise BadInputError(f"scores: a {name} distance is no finite number of 0 or more")
            if captures.size and not 0 <= captures.min() <= captures.max() < len(self.faults):
                raise BadInputError(f"scores: a {name} comparison names a capture that is not in the data set")

    @property
    def groups(self) -> tuple[tuple[Group, ...], ...]:
        """The groups of each subject, in the data set's order."""
        return tuple(subject.groups for subject in self.data_set.subjects)

    @property
    def capture_subjects(self) -> NDArray[np.int32]:
        """(captures,): whose capture each is, as a number into `data_set.subjects`."""
        return np.array([capture.subject for capture in self.data_set.captures], np.int32)

    @property
    def capture_conditions(self) -> NDArray[np.int32]:
        """(captures,): the condition of each capture, as a number into `data_set.conditions`."""
        return np.array([capture.condition for capture in self.data_set.captures], np.int32)

    @property
    def mated_subjects(self) -> NDArray[np.int32]:
        """(m,): whose two captures were compared."""
        return self.capture_subjects[self.mated_captures[:, 0]]

    @property
    def non_mated_subjects(self) -> NDArray[np.int32]:
        """(n, 2): the two people compared."""
        return self.capture_subjects[self.non_mated_captures]

    @property
    def fta(self) -> Proportion:
        """Failures to acquire: captures that gave no template, of all."""
        return Proportion(sum(fault is not None for fault in self.faults), len(self.faults))

    def matched(self, distances: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which of `distances` the gate would call the same person."""
        return matches(distances, self.distance_max)

    def only(self, mated: NDArray[np.bool_], non_mated: NDArray[np.bool_]) -> "Scores":
        """The same run, reduced to the comparisons that the two masks name."""
        return Scores(
            self.data_set,
            self.pack_id,
            self.distance_max,
            self.faults,
            self.mated[mated],
            self.mated_captures[mated],
            self.non_mated[non_mated],
            self.non_mated_captures[non_mated],
            self.blocks,
        )


def matches(distances: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """distances <= threshold, without rounding the threshold to float32 first: as `Comparison.mated` compares."""
    return np.asarray(distances <= np.float64(threshold), np.bool_)


def members(groups: Sequence[tuple[Group, ...]], group: Group) -> NDArray[np.bool_]:
    """(subjects,): who belongs to `group`."""
    return np.array([group in own for own in groups], np.bool_)
