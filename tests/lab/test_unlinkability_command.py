"""`openstile lab unlinkability` and `openstile lab report` on the command line, as far as they go without a pack."""

import json
from pathlib import Path

import numpy as np
import pytest

from openstile.cli import lab_unlinkability
from openstile.cli.app import run
from openstile.face.packs import DEFAULT_PACK
from openstile.face.packs.shelf import shipped_manifests


def test_simulated_people_are_linked_with_the_gates_key_only(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["lab", "unlinkability", "--pairs", "64", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["simulated_people"] is True
    assert said["people"] == 64
    assert code == int(said["sealed_passes_link"])  # by chance once in a hundred runs
    (opened,) = [view for view in said["views"] if view["party"] == "gate-key"]
    assert opened["linked"] is True


def test_simulated_templates_are_as_long_as_those_of_the_default_pack() -> None:
    people, _ = lab_unlinkability._people(None, None, None, np.random.default_rng(1))
    (default,) = [each for each in shipped_manifests() if each.name == DEFAULT_PACK]
    assert {len(person.first) for person in people} == {sum(part.dimensions for part in default.parts)}


def test_too_few_pairs_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "unlinkability", "--pairs", "8"]) == 2
    assert "pairs: 8 given; use" in capsys.readouterr().err


def test_report_that_could_not_be_written_is_not_measured_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["lab", "report", str(tmp_path), "--out", str(tmp_path / "file")]) == 2
    assert "give another --out" in capsys.readouterr().err


def test_part_that_there_is_not_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "report", str(tmp_path), "--out", str(tmp_path / "out"), "--without", "all"]) == 2
    assert "--without all: give groups, quality, speed, unlinkability" in capsys.readouterr().err
