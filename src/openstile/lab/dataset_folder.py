"""The project's layout of a data set: subjects.csv, and one folder a session with one photograph a person.

subjects.csv            subject and any attributes: one line a person
neutral/SUBJECT.jpg     a session ("condition"): one way of being photographed
smiling/SUBJECT.jpg     any number of sessions; the folder's name is the session's
"""

from collections.abc import Sequence
from pathlib import Path

from openstile.face.images import IMAGE_SUFFIXES
from openstile.lab.dataset import Capture, DataSet, check_name
from openstile.lab.dataset_subjects import read_subjects
from openstile.terms.errors import BadInputError
from openstile.terms.limits import LAB_CONDITIONS_MAX


def read_data_set(folder: Path, *, sessions: Sequence[str] | None = None, allow_missing: bool = False) -> DataSet:
    """The data set in `folder`, with all its sessions or those named.

    Raises BadInputError: no subjects.csv, no session, a photograph missing (unless `allow_missing`; it is counted), two
    files for one photograph, or a photograph of somebody who is not in subjects.csv.
    """
    subjects = read_subjects(folder)
    numbers = {subject.subject_id: number for number, subject in enumerate(subjects)}
    names = _sessions(folder, sessions)
    captures: list[Capture] = []
    for condition, name in enumerate(names):
        for subject_id, path in _photographs(folder / name).items():
            if subject_id not in numbers:
                raise BadInputError(f"{path}: belongs to nobody in subjects.csv; add the person or take it away")
            captures.append(Capture(f"{name}/{subject_id}", numbers[subject_id], condition, path))
    missing = len(subjects) * len(names) - len(captures)
    if missing and not allow_missing:
        present = {(capture.subject, capture.condition) for capture in captures}
        places = ((s, c) for c in range(len(names)) for s in range(len(subjects)) if (s, c) not in present)
        subject, condition = next(places)
        raise BadInputError(
            f"{folder / names[condition] / subjects[subject].subject_id}.jpg: is missing (and {missing - 1} more); add "
            "it, or allow missing photographs"
        )
    captures.sort(key=lambda capture: (capture.condition, capture.subject))
    return DataSet(folder.name, subjects, tuple(names), tuple(captures), missing=missing)


def _sessions(folder: Path, wanted: Sequence[str] | None) -> list[str]:
    if wanted is None:
        try:
            found = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
        except OSError as error:
            raise BadInputError(f"{folder}: cannot be read ({error.strerror}); give the folder of a data set") from None
        names = [name for name in found if _photographs(folder / name)]
    else:
        names = list(dict.fromkeys(wanted))
    for name in names:
        check_name(name, where=str(folder), what="session")
        if not (folder / name).is_dir():
            raise BadInputError(f"{folder / name}: is no folder; name the sessions that are there")
    if not names:
        raise BadInputError(f"{folder}: has no session; put each session's photographs into a folder of its own")
    if len(names) > LAB_CONDITIONS_MAX:
        raise BadInputError(f"{folder}: has {len(names)} sessions, at most {LAB_CONDITIONS_MAX} can be measured")
    return names


def _photographs(session: Path) -> dict[str, Path]:
    """Subject id to file, in the order of names."""
    found: dict[str, Path] = {}
    try:
        paths = sorted(session.iterdir())
    except OSError as error:
        raise BadInputError(f"{session}: cannot be read ({error.strerror})") from None
    for path in paths:
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise BadInputError(f"{path}: there is also {found[path.stem].name}; a session has one photograph a person")
        found[path.stem] = path
    return found
