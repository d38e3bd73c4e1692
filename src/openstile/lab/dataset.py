"""A folder of photographs of people who agreed to be measured on, and what they say of themselves.

subjects.csv          subject,age,gender,ethnicity: one line a person; other columns are passed over
neutral/SUBJECT.jpg   one folder for each way of being photographed ("condition")
smiling/SUBJECT.jpg
"""

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

from openstile.terms.errors import BadInputError

ATTRIBUTES = ("ethnicity", "gender")
NOT_STATED = "not stated"
_SUBJECTS_MAX = 10_000
_SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Group:
    """People who gave the same answer: `attribute` is gender or ethnicity, `value` the answer as it was given.

    Who named two ethnicities ("east_asian/white") is in the group of that answer, not in the groups of its parts.
    """

    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One person: the data set's own id, which no report repeats, and the groups the person belongs to."""

    subject_id: str = field(repr=False)
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class DataSet:
    """The people, and the conditions each was photographed in."""

    folder: Path
    subjects: tuple[Subject, ...]
    conditions: tuple[str, ...]

    def photograph(self, subject: Subject, condition: str) -> Path:
        """Where the photograph of `subject` in `condition` lies."""
        return self.folder / condition / f"{subject.subject_id}.jpg"


def read_data_set(folder: Path, *, conditions: tuple[str, ...]) -> DataSet:
    """The data set in `folder`; everybody must have been photographed in each of `conditions`.

    Raises BadInputError when `subjects.csv` or a photograph is missing, or a person is listed twice.
    """
    path = folder / "subjects.csv"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"{path}: cannot be read ({error}); give the folder of a data set") from None
    if not lines or not {"subject", *ATTRIBUTES} <= set(lines[0]):
        raise BadInputError(f"{path}: needs a line of names with subject, gender and ethnicity, then the people")
    if len(lines) > _SUBJECTS_MAX:
        raise BadInputError(f"{path}: has {len(lines)} people, at most {_SUBJECTS_MAX} can be measured")
    subjects = tuple(_subject(path, line) for line in lines)
    if len({subject.subject_id for subject in subjects}) != len(subjects):
        raise BadInputError(f"{path}: lists a person twice; mated and non-mated pairs would be mixed up")
    data_set = DataSet(folder, subjects, conditions)
    for subject in subjects:
        for condition in conditions:
            if not data_set.photograph(subject, condition).is_file():
                raise BadInputError(f"{data_set.photograph(subject, condition)}: is missing")
    return data_set


def _subject(path: Path, line: dict[str, str | None]) -> Subject:
    subject_id = (line["subject"] or "").strip()
    if not _SUBJECT.fullmatch(subject_id):
        raise BadInputError(f"{path}: subject {subject_id[:50]!r} must be 1 to 40 letters, digits, - or _")
    answers = ((attribute, (line[attribute] or "").strip()) for attribute in ATTRIBUTES)
    stated = ((attribute, NOT_STATED if answer in ("", "NA") else answer) for attribute, answer in answers)
    return Subject(subject_id, tuple(Group(attribute, answer) for attribute, answer in stated))
