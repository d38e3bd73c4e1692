"""The rider's files: all four or none, private, and never in place of another pass unless told."""

import stat
from pathlib import Path

import pytest

from openstile.desk import PassFiles, write_pass_files
from openstile.terms import BadInputError

FILES = PassFiles(png=b"png", svg="<svg/>", pdf=b"pdf", text="OS1:A")


def test_all_four_are_written_privately(tmp_path: Path) -> None:
    paths = write_pass_files(FILES, tmp_path / "rider", replace=False)
    assert [path.name for path in paths] == ["pass.png", "pass.svg", "pass.pdf", "pass.txt"]
    assert paths[3].read_bytes() == b"OS1:A\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}


def test_pass_that_is_there_stays_unless_replaced(tmp_path: Path) -> None:
    (tmp_path / "pass.pdf").write_bytes(b"another rider's")
    with pytest.raises(BadInputError, match=r"pass\.pdf.*--replace"):
        write_pass_files(FILES, tmp_path, replace=False)
    assert [path.name for path in tmp_path.iterdir()] == ["pass.pdf"]
    write_pass_files(FILES, tmp_path, replace=True)
    assert (tmp_path / "pass.pdf").read_bytes() == b"pdf"


def test_failure_on_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "pass.svg").mkdir()
    (tmp_path / "pass.png").write_bytes(b"another rider's")
    with pytest.raises(BadInputError, match=r"pass\.svg is a folder"):
        write_pass_files(FILES, tmp_path, replace=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pass.png", "pass.svg"]
    assert (tmp_path / "pass.png").read_bytes() == b"another rider's"


def test_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInputError, match="is a file"):
        write_pass_files(FILES, tmp_path / "file", replace=False)
