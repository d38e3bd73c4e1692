"""A data set: people who agreed to be measured on, their photographs, and what they say of themselves.

`dataset_folder` reads the project's own layout, `dataset_pairs` the layouts of others; docs/lab.md describes them.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstile.terms.errors import BadInputError
from openstile.terms.limits import LAB_CAPTURES_MAX, LAB_COMPARISONS_MAX, LAB_ID_CHARS_MAX

_NAME = re.compile(r"[^\W.][\w .+-]*")


@dataclass(frozen=True, slots=True)
class Group:
    """People who gave the same answer: `attribute` is a column of subjects.csv, `value` the answer as it was given.

    Who named two ethnicities ("east_asian/white") is in the group of that answer, not in the groups of its parts.
    """

    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One person: the data set's own id, which no report repeats, and one group for each attribute."""

    subject_id: str = field(repr=False)
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """One photograph: whose (a number into the subjects), in which condition (a number into the conditions), and where.

    treatment: what is done to the picture before it is presented, by the name that the run knows it under; None:
    nothing.
    """

    capture_id: str = field(repr=False)
    subject: int
    condition: int
    path: Path = field(repr=False)
    treatment: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """The people, the conditions, the photographs, and which of them are to be compared.

    listed: (n, 2) int32, pairs of captures to compare and no others; None: every pair of captures. missing:
    photographs that the layout has a place for and that are not there. Raises BadInputError when it is not whole.
    """

    name: str
    subjects: tuple[Subject, ...] = field(repr=False)
    conditions: tuple[str, ...]
    captures: tuple[Capture, ...] = field(repr=False)
    listed: NDArray[np.int32] | None = field(default=None, repr=False)
    missing: int = 0

    def __post_init__(self) -> None:
        if not self.captures:
            raise BadInputError(f"{self.name}: has no photograph to measure on")
        if len(self.captures) > LAB_CAPTURES_MAX:
            raise BadInputError(
                f"{self.name}: has {len(self.captures)} photographs, at most {LAB_CAPTURES_MAX} can be measured"
            )
        for what, names in (
            ("person", [subject.subject_id for subject in self.subjects]),
            ("condition", list(self.conditions)),
            ("photograph", [capture.capture_id for capture in self.captures]),
        ):
            if len(set(names)) != len(names):
                raise BadInputError(f"{self.name}: lists a {what} twice; mated and non-mated pairs would be mixed up")
        for capture in self.captures:
            if not (0 <= capture.subject < len(self.subjects) and 0 <= capture.condition < len(self.conditions)):
                raise BadInputError(f"{self.name}: a photograph belongs to nobody or to no condition")
        if self.listed is not None:
            self._check_listed(self.listed)

    def _check_listed(self, listed: NDArray[np.int32]) -> None:
        if listed.ndim != 2 or listed.shape[1] != 2 or not len(listed):
            raise BadInputError(f"{self.name}: lists no pair of photographs; give a file with pairs")
        if len(listed) > LAB_COMPARISONS_MAX:
            raise BadInputError(
                f"{self.name}: lists {len(listed)} pairs, at most {LAB_COMPARISONS_MAX} can be compared"
            )
        if not 0 <= listed.min() <= listed.max() < len(self.captures) or (listed[:, 0] == listed[:, 1]).any():
            raise BadInputError(f"{self.name}: lists a pair of a photograph with itself, or with none")

    @property
    def attributes(self) -> tuple[str, ...]:
        """What people were asked, in the order of the columns."""
        return tuple(dict.fromkeys(group.attribute for subject in self.subjects for group in subject.groups))


def check_name(name: str, *, where: str, what: str) -> str:
    """`name`, when it may be part of a path below a folder: no separator, no leading dot. Raises BadInputError."""
    if len(name) > LAB_ID_CHARS_MAX or not _NAME.fullmatch(name):
        raise BadInputError(
            f"{where}: {what} {name[:50]!r} must be 1 to {LAB_ID_CHARS_MAX} letters, digits or any of _ - + . and "
            "space, and begin with a letter, a digit or _"
        )
    return name
