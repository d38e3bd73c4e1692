"""Layouts of others: Labeled Faces in the Wild with its file of pairs, and any folder with a CSV of pairs.

LFW (Huang et al., University of Massachusetts, Technical Report 07-49): NAME/NAME_0001.jpg, and a file whose first
line is the number of folds and pairs, then "NAME 1 4" (mated) or "NAME 1 OTHER 2" (non-mated), with tabs between.
CSV: first,second,first_subject,second_subject and, if known, first_condition,second_condition; a file is named by its
path below the folder. Who is mated follows from the subjects.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from openstile.lab.dataset import Capture, DataSet, Subject, check_name
from openstile.lab.dataset_subjects import SUBJECTS_FILE, read_rows, read_subjects
from openstile.terms.errors import BadInputError
from openstile.terms.limits import LAB_CONDITIONS_MAX, LAB_CSV_BYTES_MAX, LAB_CSV_ROWS_MAX

_PLAIN = "photograph"
_Shot = tuple[str, str, str]
"""Path below the folder, subject, condition."""


def read_pairs(folder: Path, pairs: Path) -> DataSet:
    """The pairs of the file `pairs` (a CSV when it ends in .csv, else LFW's form), with photographs below `folder`.

    Attributes come from `folder`/subjects.csv where there is one. Raises BadInputError.
    """
    listed = _csv_pairs(pairs) if pairs.suffix.lower() == ".csv" else _lfw_pairs(pairs)
    if not listed:
        raise BadInputError(f"{pairs}: lists no pair")
    return _data_set(folder, pairs, listed)


def _lfw_pairs(pairs: Path) -> list[tuple[_Shot, _Shot]]:
    try:
        if pairs.stat().st_size > LAB_CSV_BYTES_MAX:
            raise BadInputError(f"{pairs}: is larger than {LAB_CSV_BYTES_MAX // 2**20} MiB; split it")
        lines = pairs.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{pairs}: cannot be read ({error}); give a file of pairs") from None
    if len(lines) > LAB_CSV_ROWS_MAX:
        raise BadInputError(f"{pairs}: has {len(lines)} lines, at most {LAB_CSV_ROWS_MAX} can be read")
    found = []
    for number, line in enumerate(lines, 1):
        words = line.split("\t") if "\t" in line else line.split()
        if number == 1 and len(words) <= 2 and all(word.isdecimal() for word in words):
            continue  # folds and pairs
        where = f"{pairs}: line {number}"
        match words:
            case []:
                continue
            case [name, one, other]:
                found.append((_lfw_shot(name, one, where), _lfw_shot(name, other, where)))
            case [name, one, other_name, other]:
                found.append((_lfw_shot(name, one, where), _lfw_shot(other_name, other, where)))
            case _:
                raise BadInputError(f"{where}: must be NAME 1 2 or NAME 1 OTHER 2")
    return found


def _lfw_shot(name: str, number: str, where: str) -> _Shot:
    check_name(name, where=where, what="name")
    if not (number.isascii() and number.isdecimal() and len(number) <= 4):
        raise BadInputError(f"{where}: {number[:20]!r} is no number of a photograph")
    return f"{name}/{name}_{int(number):04d}.jpg", name, _PLAIN


def _csv_pairs(pairs: Path) -> list[tuple[_Shot, _Shot]]:
    _, rows = read_rows(pairs, needed=("first", "second", "first_subject", "second_subject"))
    found = []
    for number, row in enumerate(rows, 2):
        where = f"{pairs}: row {number}"
        sides = [
            (
                _below(row[side], where),
                check_name(row[f"{side}_subject"], where=where, what="subject"),
                check_name(row.get(f"{side}_condition") or _PLAIN, where=where, what="condition"),
            )
            for side in ("first", "second")
        ]
        found.append((sides[0], sides[1]))
    return found


def _below(name: str, where: str) -> str:
    """A path that stays below the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name:
        raise BadInputError(f"{where}: {name[:50]!r} must be a path below the folder")
    return str(path)


def _data_set(folder: Path, pairs: Path, listed: Sequence[tuple[_Shot, _Shot]]) -> DataSet:
    shots = list(dict.fromkeys(shot for pair in listed for shot in pair))
    subjects = _subjects(folder, (subject for _, subject, _ in shots))
    people = {subject.subject_id: number for number, subject in enumerate(subjects)}
    conditions = tuple(dict.fromkeys(condition for _, _, condition in shots))
    if len(conditions) > LAB_CONDITIONS_MAX:
        raise BadInputError(f"{pairs}: has {len(conditions)} conditions, at most {LAB_CONDITIONS_MAX} can be measured")
    captures = tuple(
        Capture(path, people[subject], conditions.index(condition), folder / path) for path, subject, condition in shots
    )
    for capture in captures:
        if not capture.path.is_file():
            raise BadInputError(f"{capture.path}: is missing, and {pairs} names it")
    numbers = {shot: number for number, shot in enumerate(shots)}
    once = dict.fromkeys(tuple(sorted((numbers[one], numbers[other]))) for one, other in listed)
    return DataSet(folder.name, subjects, conditions, captures, np.array(list(once), np.int32).reshape(-1, 2))


def _subjects(folder: Path, names: Iterable[str]) -> tuple[Subject, ...]:
    """The people named, with their attributes where the folder has a subjects.csv that lists all of them."""
    wanted = dict.fromkeys(names)
    if not (folder / SUBJECTS_FILE).is_file():
        return tuple(Subject(name, ()) for name in wanted)
    known = {subject.subject_id: subject for subject in read_subjects(folder)}
    for name in wanted:
        if name not in known:
            raise BadInputError(f"{folder / SUBJECTS_FILE}: does not list {name!r}, whose photograph is compared")
    return tuple(known[name] for name in wanted)
