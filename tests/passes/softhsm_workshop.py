"""Tokens of SoftHSM2 for tests: real PKCS#11, made anew in a folder of this process."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openstile.passes.hardware import HardwareToken

if TYPE_CHECKING:
    from pkcs11 import Session

_numbers = count(1)
PIN = "right-pin-98765432"
_MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/opt/homebrew/lib/softhsm/libsofthsm2.so"),
)


def why_absent() -> str | None:
    """Why there can be no token on this machine; None when there can."""
    try:
        import pkcs11  # noqa: F401
    except ImportError:
        return "python-pkcs11 is absent: pip install 'openstile[hardware]'"
    if shutil.which("softhsm2-util") is None or not any(module.is_file() for module in _MODULES):
        return "SoftHSM2 is absent: apt install softhsm2"
    return None


def softhsm_module() -> Path:
    return next(module for module in _MODULES if module.is_file())


def new_token(folder: Path) -> HardwareToken:
    """A new, empty token of a label of its own, its pin file in `folder`; skips the test where SoftHSM2 is absent.

    SoftHSM2 reads its configuration and its tokens when it is initialised: once in a process for the one, and after
    each new token anew for the other. That closes every session of this process.
    """
    if (reason := why_absent()) is not None:
        pytest.skip(reason)
    _configuration()
    label = f"token {next(_numbers)}"
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True)
    import pkcs11

    pkcs11.lib(str(softhsm_module().resolve())).reinitialize()
    return HardwareToken(softhsm_module(), label, write_pin(folder / f"{label}.pin", PIN))


def write_pin(path: Path, pin: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(pin + "\n")
    return path


@contextmanager
def behind_its_back(token: HardwareToken, *, pin: str | None = None) -> Iterator["Session"]:
    """A session of our own, past openstile: logged in with `pin`, or by the login that this process already has."""
    import pkcs11

    library = pkcs11.lib(str(token.module.resolve()))
    session = library.get_token(token_label=token.token).open(rw=True, user_pin=pin)
    try:
        yield session
    finally:
        session.close()


@cache
def _configuration() -> Path:
    """One for this process: pytest-xdist gives each worker a process and so a store of its own."""
    folder = Path(tempfile.mkdtemp(prefix="openstile-softhsm-"))
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return configuration
