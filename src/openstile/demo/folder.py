"""The demo's folder: made anew each time, and never in place of anything that is not a demo's."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from openstile.terms.errors import BadInputError
from openstile.terms.files import write_private

MARKER = "openstile-demo.txt"
_MARKER_TEXT = b"""This folder was made by `openstile demo`, which deletes it and makes it anew each time it runs.

home/      keys, settings and journal of the first gate; the office of the operator
gates/     the same of the city's other gates
other-home/  the same of another gate group, whose passes this gate refuses
passes/    what the riders take home; a template lies in each face pass, sealed, and nowhere else
temp/      where this run's temporary files went
pictures/  what the demo saw, drawn for you: the only place with faces
"""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Where the parts of one demo lie."""

    root: Path

    @property
    def home(self) -> Path:
        """The home of the installation."""
        return self.root / "home"

    @property
    def gates(self) -> Path:
        """The homes of the city's other gates, one folder a gate."""
        return self.root / "gates"

    @property
    def other_home(self) -> Path:
        """The home of another gate group."""
        return self.root / "other-home"

    @property
    def passes(self) -> Path:
        """One folder a pass."""
        return self.root / "passes"

    @property
    def temp(self) -> Path:
        """Temporary files of the run."""
        return self.root / "temp"

    @property
    def pictures(self) -> Path:
        """Drawings of what happened; not searched by the canary, since they show the portraits on purpose."""
        return self.root / "pictures"

    @property
    def searched(self) -> tuple[Path, ...]:
        """Everything that was written, except the pictures."""
        return (self.home, self.gates, self.other_home, self.passes, self.temp)


def make_folder(root: Path) -> DemoFolder:
    """An empty demo folder at `root`. Raises `BadInputError` when something else than a former demo lies there."""
    root = root.expanduser().absolute()
    folder = DemoFolder(root)
    try:
        if root.is_symlink() or (root.exists() and not root.is_dir()):
            raise BadInputError(f"--out {root}: is not a folder; give another")
        if root.is_dir() and any(root.iterdir()):
            _check_is_demo(folder)
            shutil.rmtree(root)
        root.mkdir(parents=True, exist_ok=True)
        write_private(root / MARKER, _MARKER_TEXT)
        for part in (*folder.searched, folder.pictures):
            part.mkdir(mode=0o700)
    except OSError as error:
        raise BadInputError(f"--out {root}: {error.strerror}; give a folder that you can write") from None
    return folder


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Let this process, the libraries in it and its children put temporary files into `folder`, and only there."""
    before_module, before = tempfile.tempdir, {name: os.environ.get(name) for name in _TEMP_VARIABLES}
    tempfile.tempdir = str(folder)
    os.environ.update(dict.fromkeys(_TEMP_VARIABLES, str(folder)))
    try:
        yield
    finally:
        tempfile.tempdir = before_module
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _check_is_demo(folder: DemoFolder) -> None:
    ours = {MARKER, *(part.name for part in (*folder.searched, folder.pictures))}
    foreign = sorted({path.name for path in folder.root.iterdir()} - ours)
    if foreign or not (folder.root / MARKER).is_file():
        what = f" ({foreign[0]})" if foreign else ""
        raise BadInputError(
            f"--out {folder.root}: holds something that no demo made{what}; give a new or an empty folder"
        )


_TEMP_VARIABLES = ("TMPDIR", "TMP", "TEMP", "SQLITE_TMPDIR")
