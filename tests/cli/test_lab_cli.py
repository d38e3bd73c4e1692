"""`openstile lab accuracy`, `groups` and `speed` from the command line."""

import re
import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Openstile

from openstile.cli import lab_options as options
from openstile.cli import lab_words
from openstile.lab import discard_conditions

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def wild(tmp_path: Path, portraits: dict[str, Path]) -> Path:
    """Three people of the public-domain portraits as pairs of a CSV."""
    folder = tmp_path / "wild"
    folder.mkdir()
    for path in portraits.values():
        shutil.copy(path, folder)
    (folder / "pairs.csv").write_text(
        "first,second,first_subject,second_subject\n"
        "president-1.jpg,president-2.jpg,president,president\n"
        "president-1.jpg,vice-president.jpg,president,vice\n"
    )
    (folder / "subjects.csv").write_text("subject,office\npresident,first\nvice,second\n")
    return folder


def test_accuracy_of_listed_pairs_in_words_and_json(openstile: Openstile, wild: Path, tmp_path: Path) -> None:
    work = tmp_path / "lab.work"
    ran = openstile(
        "lab", "accuracy", wild, "--pairs", wild / "pairs.csv", "--workers", 1, "--work", work, "--worst", 1, "--json"
    )
    assert ran.exit_code == 0
    assert ran.json["rates"]["fnmr"]["trials"] == 1
    assert (ran.json["rates"]["fmr"]["events"], ran.json["rates"]["fmr"]["trials"]) == (0, 1)
    assert [pair["first"] for pair in ran.json["worst"]] == ["president-1.jpg"] * 2
    assert {claim["carried"] for claim in ran.json["claims"]} == {False}
    assert not work.exists()
    ran = openstile("lab", "accuracy", wild, "--pairs", wild / "pairs.csv", "--workers", 1)
    assert ran.exit_code == 0
    assert "at most" not in ran.out
    assert "not claimed" in ran.out
    assert "president-1.jpg" not in ran.out, "names are off by default"


def test_no_color_is_heeded(openstile: Openstile, wild: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = re.compile(r"\x1b\[(?:\d+;)*3[0-7]m")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    command = ("lab", "accuracy", wild, "--pairs", wild / "pairs.csv", "--workers", 1)
    assert coloured.search(openstile(*command).out)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured.search(openstile(*command).out)


@pytest.mark.parametrize("command", ["accuracy", "groups", "quality", "report", "speed", "unlinkability"])
def test_every_command_of_the_lab_says_what_is_wrong_as_json(
    openstile: Openstile, tmp_path: Path, command: str
) -> None:
    more = ("--out", tmp_path / "out") if command == "report" else ()
    ran = openstile("lab", command, tmp_path, *more, "--json")
    assert ran.exit_code == 2
    assert "subjects.csv" in ran.json["error"]


def test_groups_and_speed(openstile: Openstile, wild: Path) -> None:
    ran = openstile("lab", "groups", wild, "--pairs", wild / "pairs.csv", "--workers", 1, "--json")
    assert [(each["attribute"], each["value"]) for each in ran.json["groups"]] == [
        ("office", "first"),
        ("office", "second"),
    ]
    session = wild / "one"
    session.mkdir()
    (wild / "vice-president.jpg").rename(session / "vice.jpg")
    (wild / "president-1.jpg").rename(session / "president.jpg")
    ran = openstile("lab", "speed", wild, "--comparisons", 1000, "--json")
    assert ran.json["photographs"] == 2
    assert ran.json["steps"]["locate"]["samples"] == 2


def test_quality_takes_the_limits_of_the_homes_gate(
    openstile: Openstile, home: Path, tmp_path: Path, portraits: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = tuple(condition for condition in discard_conditions.CONDITIONS if condition.kind in ("clean", "blur"))[:3]
    monkeypatch.setattr(discard_conditions, "CONDITIONS", few)
    for session, portrait in (("first", 1), ("second", 2)):
        (tmp_path / "set" / session).mkdir(parents=True)
        shutil.copy(portraits[f"president-{portrait}.jpg"], tmp_path / "set" / session / "president.jpg")
    (tmp_path / "set" / "subjects.csv").write_text("subject\npresident\nabsent\n")
    assert openstile("keys", "create", "gate", "--home", home).exit_code == 0
    (home / "settings.toml").write_text("[quality]\nsharpness_min = 0.123\n")
    ran = openstile("lab", "quality", tmp_path / "set", "--allow-missing", "--home", home, "--json")
    assert ran.exit_code == 0, ran.err
    (sharpness,) = [each for each in ran.json["measures"] if each["measure"] == "sharpness"]
    assert sharpness["at_least"] == 0.123
    assert ran.json["subjects"] == 1
    assert len(ran.json["conditions"]) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        ("--workers", 0),
        ("--block", 1),
        ("--threshold", 9),
        ("--pack", "absent"),
        ("--replicates", 5),
        ("--claim-fmr", 2),
    ],
    ids=lambda wrong: str(wrong[0]),
)
def test_options_that_cannot_be_are_said_in_one_line(
    openstile: Openstile, wild: Path, wrong: tuple[object, ...]
) -> None:
    ran = openstile("lab", "accuracy", wild, "--pairs", wild / "pairs.csv", *wrong)
    assert ran.exit_code in (2, 3)
    assert len(ran.err.strip().splitlines()) == 1


def test_folder_that_is_no_data_set_is_said(openstile: Openstile, tmp_path: Path) -> None:
    ran = openstile("lab", "accuracy", tmp_path, "--json")
    assert ran.exit_code == 2
    assert "subjects.csv" in ran.json["error"]


@pytest.mark.parametrize(
    ("rate", "written"), [(None, "-"), (0.0, "0.00%"), (0.25, "25.00%"), (0.001, "0.10%"), (0.00012, "0.012%")]
)
def test_rates_are_all_written_in_percent(rate: float | None, written: str) -> None:
    assert lab_words.percent(rate) == written


def test_defaults_of_the_options_are_those_of_the_lab() -> None:
    """They are repeated on the command line, which must not load numpy to print a help text."""
    from openstile.lab import accuracy, bootstrap, trials

    assert (options.BLOCK, options.REPLICATES, options.SEED) == (
        trials.BLOCK_CAPTURES, bootstrap.REPLICATES, bootstrap.SEED,
    )  # fmt: skip
    assert (options.CLAIM_FMR, options.CLAIM_FNMR) == (accuracy.FMR_CLAIM, accuracy.FNMR_CLAIM)
