"""One run of the demo for many tests; its model pack and portraits are in the user's cache."""

from pathlib import Path

import pytest

from openstile.demo.folder import make_folder, temporary_files_in
from openstile.demo.report import Report
from openstile.demo.run import perform
from openstile.face import FaceEngine


@pytest.fixture(scope="session")
def report(engine: FaceEngine, portraits: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One run of the demo, without its pictures."""
    folder = make_folder(tmp_path_factory.mktemp("demo") / "out")
    with temporary_files_in(folder.temp):
        return perform(folder, portraits, lambda words: None)
