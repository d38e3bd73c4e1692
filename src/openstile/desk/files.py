"""The files a rider takes home: the same pass as text, pictures and a printable card. All, or none."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from openstile.terms.errors import BadInputError
from openstile.terms.files import sync_folder, write_private

PASS_FILE_NAMES = ("pass.png", "pass.svg", "pass.pdf", "pass.txt")
WALLET_FILE_NAME = "pass.wallet"
"""For the rider's phone, of a pass that may be shown live."""


@dataclass(frozen=True, slots=True)
class PassFiles:
    """One pass in its four forms, and with `wallet` what goes to the rider's phone."""

    png: bytes
    svg: str
    pdf: bytes
    text: str
    wallet: bytes | None = None

    def by_name(self) -> dict[str, bytes]:
        """File name to content, in the order of `PASS_FILE_NAMES`, the wallet last."""
        contents = (self.png, self.svg.encode(), self.pdf, self.text.encode() + b"\n")
        by_name = dict(zip(PASS_FILE_NAMES, contents, strict=True))
        return by_name if self.wallet is None else {**by_name, WALLET_FILE_NAME: self.wallet}


def check_pass_folder(folder: Path, *, replace: bool) -> None:
    """Raises `BadInputError` when `folder` is a file, or holds a pass and `replace` is false. Writes nothing."""
    paths = [folder / name for name in (*PASS_FILE_NAMES, WALLET_FILE_NAME)]
    try:
        is_file = folder.exists() and not folder.is_dir()
        there, folders = [each.name for each in paths if each.exists()], [each.name for each in paths if each.is_dir()]
    except OSError as error:
        raise BadInputError(f"{folder}: {error.strerror}; give a folder that you can write with --out") from None
    if is_file:
        raise BadInputError(f"{folder}: is a file, not a folder; give another --out")
    if folders:
        raise BadInputError(f"{folder}: {folders[0]} is a folder there; give another --out")
    if there and not replace:
        raise BadInputError(f"{folder}: holds a pass already ({', '.join(there)}); give another --out, or --replace")


def write_pass_files(files: PassFiles, folder: Path, *, replace: bool) -> tuple[Path, ...]:
    """Write the files into `folder`, readable by their owner only; returns their paths.

    Raises `BadInputError` when `folder` is unusable, or holds a pass already and `replace` is false. On any error no
    file of this pass is left behind, and a pass that lay there before is untouched.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise BadInputError(f"{folder}: is a file, not a folder; give another --out") from None
    except OSError as error:
        raise BadInputError(f"{folder}: {error.strerror}; give a folder that you can write with --out") from None
    check_pass_folder(folder, replace=replace)
    targets = tuple(folder / name for name in files.by_name())
    old_wallet = folder / WALLET_FILE_NAME
    try:
        staging = Path(tempfile.mkdtemp(prefix=".pass-", dir=folder))
    except OSError as error:
        raise BadInputError(f"{folder}: {error.strerror}; give a folder that you can write with --out") from None
    try:
        for name, content in files.by_name().items():
            write_private(staging / name, content)
        for target in targets:
            (staging / target.name).replace(target)
        if old_wallet not in targets:
            old_wallet.unlink(missing_ok=True)  # of the pass that was replaced
        sync_folder(folder)  # before anybody withdraws the pass that this one follows
        sync_folder(folder.parent)
    except OSError as error:
        raise BadInputError(f"{folder}: cannot be written: {error.strerror}; give another --out") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return targets
