"""subjects.csv: a line a person, `subject` and then any columns; people are grouped by each of them.

A column of numbers with many different values, such as age, is cut into bands of ten.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from openstile.lab.dataset import Group, Subject, check_name
from openstile.terms.errors import BadInputError
from openstile.terms.limits import (
    LAB_ATTRIBUTES_MAX,
    LAB_CSV_BYTES_MAX,
    LAB_CSV_ROWS_MAX,
    LAB_ID_CHARS_MAX,
    LAB_SUBJECTS_MAX,
)

SUBJECTS_FILE = "subjects.csv"
NOT_STATED = "not stated"
_NO_ANSWER = frozenset({"", "na", "n/a", "none", "null", "nan"})
_DISTINCT_NUMBERS_MAX = 8
"""A column with more different whole numbers than this is a quantity, not a code."""
_BAND = 10


def read_subjects(folder: Path) -> tuple[Subject, ...]:
    """The people of `folder`/subjects.csv.

    Raises BadInputError: absent, no column `subject`, a person twice, too many.
    """
    path = folder / SUBJECTS_FILE
    names, rows = read_rows(path, needed=("subject",))
    attributes = [name for name in names if name != "subject"]
    if len(attributes) > LAB_ATTRIBUTES_MAX:
        raise BadInputError(f"{path}: has {len(attributes)} attributes, at most {LAB_ATTRIBUTES_MAX} can be grouped by")
    if not rows:
        raise BadInputError(f"{path}: lists nobody; it needs a line of names, then a line a person")
    if len(rows) > LAB_SUBJECTS_MAX:
        raise BadInputError(f"{path}: has {len(rows)} people, at most {LAB_SUBJECTS_MAX} can be measured")
    answers = {attribute: _answers(path, attribute, rows) for attribute in attributes}
    subjects = tuple(
        Subject(
            check_name(row["subject"], where=str(path), what="subject"),
            tuple(Group(attribute, answers[attribute][index]) for attribute in attributes),
        )
        for index, row in enumerate(rows)
    )
    if len({subject.subject_id for subject in subjects}) != len(subjects):
        raise BadInputError(f"{path}: lists a person twice; mated and non-mated pairs would be mixed up")
    return subjects


def read_rows(path: Path, *, needed: tuple[str, ...]) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and rows of a CSV file (UTF-8, a line of names first), cells stripped. Raises BadInputError."""
    try:
        if path.stat().st_size > LAB_CSV_BYTES_MAX:
            raise BadInputError(f"{path}: is larger than {LAB_CSV_BYTES_MAX // 2**20} MiB; split the data set")
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            names = [name.strip() for name in next(reader, [])]
            lines = [line for line in reader if line]
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise BadInputError(f"{path}: cannot be read ({error}); give the folder of a data set") from None
    if not set(needed) <= set(names) or len(set(names)) != len(names) or "" in names:
        raise BadInputError(f"{path}: needs a line of names, each once, with {', '.join(needed)}")
    if len(lines) > LAB_CSV_ROWS_MAX:
        raise BadInputError(f"{path}: has {len(lines)} lines, at most {LAB_CSV_ROWS_MAX} can be read")
    for number, line in enumerate(lines, 2):
        if len(line) != len(names):
            raise BadInputError(f"{path}: row {number} has {len(line)} cells, the line of names has {len(names)}")
    return names, [{name: cell.strip() for name, cell in zip(names, line, strict=True)} for line in lines]


def _answers(path: Path, attribute: str, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """One answer a person; quantities as bands ("20-29")."""
    check_name(attribute, where=str(path), what="column")
    answers = [NOT_STATED if row[attribute].casefold() in _NO_ANSWER else row[attribute] for row in rows]
    if any(len(answer) > LAB_ID_CHARS_MAX for answer in answers):
        raise BadInputError(f"{path}: {attribute} holds an answer of more than {LAB_ID_CHARS_MAX} characters")
    stated = {answer for answer in answers if answer != NOT_STATED}
    numbers = {answer: _number(answer) for answer in stated}
    if None in numbers.values() or len(stated) <= _DISTINCT_NUMBERS_MAX:
        return answers
    bands = {answer: _band(number) for answer, number in numbers.items() if number is not None}
    return [bands.get(answer, NOT_STATED) for answer in answers]


def _number(answer: str) -> float | None:
    try:
        number = float(answer)
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None


def _band(number: float) -> str:
    low = int(number // _BAND) * _BAND
    return f"{low}-{low + _BAND - 1}"
