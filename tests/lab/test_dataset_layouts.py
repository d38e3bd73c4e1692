"""The layouts of data sets that the lab reads, and what it refuses of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lab.grey import FOUR, write_people, write_picture

from openstile.lab.dataset import Group
from openstile.lab.dataset_folder import read_data_set
from openstile.lab.dataset_pairs import read_pairs
from openstile.terms.errors import BadInputError


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write_people(tmp_path, FOUR)


def test_any_number_of_sessions_is_read_in_the_order_of_names(people: Path) -> None:
    for name in "abcd":
        write_picture(people / "evening light" / f"{name}.png", 90)
    (people / "notes").mkdir()  # no picture, no session
    data_set = read_data_set(people)
    assert data_set.conditions == ("evening light", "neutral", "smiling")
    assert len(data_set.captures) == 12
    assert [c.capture_id for c in data_set.captures[:5]] == [*(f"evening light/{n}" for n in "abcd"), "neutral/a"]
    assert read_data_set(people, sessions=("smiling",)).conditions == ("smiling",)


def test_every_column_is_an_attribute_and_numbers_of_many_values_become_bands(people: Path) -> None:
    ages = [21, 29, 30, 39, 44, 58, 60, 61, 70]
    lines = ["subject,age,glasses,site"]
    for number, age in enumerate(ages):
        lines.append(f"s{number},{age},{'yes' if number % 2 else ''},{number % 3}")
        write_picture(people / "one" / f"s{number}.jpg", 90)
    (people / "subjects.csv").write_text("\n".join(lines) + "\n")
    data_set = read_data_set(people, sessions=("one",))
    assert data_set.attributes == ("age", "glasses", "site")
    bands = [subject.groups[0] for subject in data_set.subjects]
    assert bands[:4] == [Group("age", band) for band in ("20-29", "20-29", "30-39", "30-39")]
    assert data_set.subjects[0].groups[1:] == (Group("glasses", "not stated"), Group("site", "0"))


def test_few_numbers_stay_as_they_are(people: Path) -> None:
    (people / "subjects.csv").write_text("subject,skin\na,1\nb,6\nc,6\nd,NA\n")
    assert [s.groups[0].value for s in read_data_set(people).subjects] == ["1", "6", "6", "not stated"]


def test_missing_photographs_are_refused_or_counted(people: Path) -> None:
    (people / "smiling" / "a.jpg").unlink()
    with pytest.raises(BadInputError, match=r"smiling/a\.jpg: is missing"):
        read_data_set(people)
    data_set = read_data_set(people, allow_missing=True)
    assert (data_set.missing, len(data_set.captures)) == (1, 7)


def _append(line: str) -> Callable[[Path], object]:
    def append(folder: Path) -> None:
        path = folder / "subjects.csv"
        path.write_text(f"{path.read_text()}{line}\n")

    return append


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a person twice": _append("a,female,white"),
    "an id that climbs out": _append("../a,female,white"),
    "a row too long": _append("e,female,white,more"),
    "nobody's photograph": lambda folder: write_picture(folder / "neutral" / "nobody.jpg", 9),
    "two files for one photograph": lambda folder: write_picture(folder / "neutral" / "a.png", 9),
    "no list": lambda folder: (folder / "subjects.csv").unlink(),
    "a list without subjects": lambda folder: (folder / "subjects.csv").write_text("name,age\na,1\n"),
    "an empty list": lambda folder: (folder / "subjects.csv").write_text("subject,age\n"),
    "a list that is no text": lambda folder: (folder / "subjects.csv").write_bytes(b"\xff\xfe\x00subject"),
    "a column twice": lambda folder: (folder / "subjects.csv").write_text("subject,x,x\na,1,1\n"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_data_set_that_is_not_whole_is_refused(people: Path, damage: Callable[[Path], object]) -> None:
    damage(people)
    with pytest.raises(BadInputError):
        read_data_set(people)


@pytest.mark.parametrize("sessions", [("absent",), ("../neutral",), ()])
def test_sessions_that_are_not_there_are_refused(people: Path, sessions: tuple[str, ...]) -> None:
    with pytest.raises(BadInputError):
        read_data_set(people, sessions=sessions)


@pytest.fixture
def wild(tmp_path: Path) -> Path:
    """As Labeled Faces in the Wild lies on disk."""
    for name, count in (("Ada_Lovelace", 3), ("Emmy_Noether", 2), ("Grace_Hopper", 1)):
        for number in range(1, count + 1):
            write_picture(tmp_path / name / f"{name}_{number:04d}.jpg", 90)
    return tmp_path


def test_pairs_of_labeled_faces_in_the_wild_are_read(wild: Path) -> None:
    lines = ["1\t2", "Ada_Lovelace\t1\t3", "Emmy_Noether\t1\t2", "Ada_Lovelace\t3\tGrace_Hopper\t1"]
    (wild / "pairs.txt").write_text("\n".join(lines) + "\n")
    data_set = read_pairs(wild, wild / "pairs.txt")
    assert data_set.listed is not None
    named = [[data_set.captures[number].capture_id for number in pair] for pair in data_set.listed]
    assert named[2] == ["Ada_Lovelace/Ada_Lovelace_0003.jpg", "Grace_Hopper/Grace_Hopper_0001.jpg"]
    owners = [[data_set.captures[number].subject for number in pair] for pair in data_set.listed]
    assert [one == other for one, other in owners] == [True, True, False]
    assert len(data_set.captures) == 5


def test_pairs_of_a_csv_are_read_with_attributes(people: Path) -> None:
    rows = [
        "first,second,first_subject,second_subject,first_condition,second_condition",
        "neutral/a.jpg,smiling/a.jpg,a,a,day,night",
        "neutral/b.jpg,smiling/a.jpg,b,a,day,night",
        "smiling/a.jpg,neutral/b.jpg,a,b,night,day",  # the same comparison again
    ]
    (people / "pairs.csv").write_text("\n".join(rows) + "\n")
    data_set = read_pairs(people, people / "pairs.csv")
    assert data_set.listed is not None
    assert (len(data_set.listed), data_set.conditions) == (2, ("day", "night"))
    assert data_set.subjects[1].groups == (Group("gender", "female"), Group("ethnicity", "black"))


@pytest.mark.parametrize(
    "line", ["Ada_Lovelace\t1", "Ada_Lovelace\t1\tx", "../Ada\t1\t2", "Ada_Lovelace\t1\t9", "Ada_Lovelace\t1\t1", ""]
)
def test_pairs_that_cannot_be_are_refused(wild: Path, line: str) -> None:
    (wild / "pairs.txt").write_text(f"1\n{line}\n")
    with pytest.raises(BadInputError):
        read_pairs(wild, wild / "pairs.txt")


@pytest.mark.parametrize("path", ["/etc/passwd", "../a.jpg", "neutral/../../a.jpg", "", "neutral/none.jpg"])
def test_csv_cannot_name_files_outside_the_folder(people: Path, path: str) -> None:
    (people / "pairs.csv").write_text(f"first,second,first_subject,second_subject\n{path},neutral/a.jpg,b,a\n")
    with pytest.raises(BadInputError):
        read_pairs(people, people / "pairs.csv")


def test_one_photograph_cannot_be_of_two_people(people: Path) -> None:
    rows = (
        "first,second,first_subject,second_subject\nneutral/a.jpg,neutral/b.jpg,a,b\nneutral/a.jpg,neutral/b.jpg,c,b\n"
    )
    (people / "pairs.csv").write_text(rows)
    with pytest.raises(BadInputError, match="photograph twice"):
        read_pairs(people, people / "pairs.csv")
