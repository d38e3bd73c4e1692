"""A rider's new files are on the disk before anything follows from them."""

import os
from pathlib import Path

import pytest

from openstile.desk.files import PassFiles, write_pass_files

FILES = PassFiles(png=b"png", svg="<svg/>", pdf=b"pdf", text="OS1:X")


def test_names_of_the_files_are_durable_before_an_old_pass_may_be_withdrawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut after the withdrawal could leave a rider with neither pass."""
    synced: list[tuple[Path, frozenset[str]]] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((path, frozenset(each.name for each in path.iterdir()) if path.is_dir() else frozenset()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    written = write_pass_files(FILES, tmp_path / "new", replace=False)
    last = dict(synced)
    assert {path.name for path in written} <= last[tmp_path / "new"]
    assert "new" in last[tmp_path]
