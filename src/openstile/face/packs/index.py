"""The package index, through its ordinary client: pip, as a process of its own.

An archive is asked for by name, version and SHA-256. Pip prepares the metadata of an sdist that it downloads, which
would run the sdist's build code; it finds an inert build backend of ours in its place (`inert.py`), so no code of an
archive ever runs.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from openstile.face.packs import inert
from openstile.face.packs.archives import only_archive
from openstile.face.packs.errors import PackError
from openstile.terms.limits import ARCHIVE_BYTES_MAX

_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+!_-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_.]+")
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_TIMEOUT_S = "15"
_RETRIES = "1"
_OUTPUT_LINES_KEPT = 40

_REASONS = (
    ("File too large", "a file may not grow so large here; raise the limit of the file size and try again"),
    ("No space left on device", "the disk is full; free some space and try again"),
    ("DO NOT MATCH THE HASHES", "the archive has another SHA-256 than the manifest says; it was refused"),
    ("Read-only file system", "the folder cannot be written"),
    ("Permission denied", "the folder cannot be written"),
    ("NewConnectionError", "the package index cannot be reached; check the network and try again"),
    ("Failed to establish a new connection", "the package index cannot be reached; check the network and try again"),
    ("Name or service not known", "the package index cannot be reached; check the network and try again"),
    ("Temporary failure in name resolution", "the package index cannot be reached; check the network and try again"),
    ("ConnectTimeout", "the package index does not answer; check the network and try again"),
    ("timed out", "the package index does not answer; check the network and try again"),
    ("ConnectionError", "the connection to the package index broke; check the network and try again"),
    ("ProtocolError", "the connection to the package index broke; check the network and try again"),
    ("ProxyError", "the proxy to the package index refuses; check the network settings"),
    ("SSLError", "the package index shows a certificate that this machine does not trust"),
    ("No matching distribution found", "the package index does not have it (or cannot be reached)"),
    ("No module named pip", "pip is missing; install Openstile again with its dependencies"),
)


def fetch_archive(
    *,
    package: str,
    version: str,
    kind: str,
    sha256: str,
    dest: Path,
    size_max: int = ARCHIVE_BYTES_MAX,
    platform: str | None = None,
    python_version: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Download one archive into the folder `dest` (made when absent) and return its path.

    kind: "wheel" or "sdist". platform and python_version (wheels only): of the wheel, when they are not this machine's,
    such as "manylinux_2_28_x86_64" and "3.11". progress is called with bytes done and bytes in all.
    Raises PackError, and then leaves nothing of this archive in `dest`.
    """
    _check_arguments(package, version, kind, sha256, platform, python_version)
    what = f"{package} {version} ({kind})"
    try:
        dest.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".fetch-", dir=dest, ignore_cleanup_errors=True) as work_name:
            work = Path(work_name)
            command = _command(work, f"{package}=={version} --hash=sha256:{sha256}", kind, platform, python_version)
            _run(command, _environment(work), what, progress)
            archive = only_archive(work / "got", what, sha256, size_max, client="pip")
            target = dest / archive.name
            archive.replace(target)
            return target
    except OSError as error:
        raise PackError(f"{what}: cannot be stored in {dest} ({error.strerror or error})") from error


def _check_arguments(
    package: str, version: str, kind: str, sha256: str, platform: str | None, python_version: str | None
) -> None:
    """Each of these ends up on a command line or in a requirements file: nothing else may slip in."""
    checks = [(_PROJECT, package, "package"), (_VERSION, version, "version"), (_SHA256, sha256, "SHA-256")]
    checks += [
        (_TAG, tag, name) for tag, name in ((platform, "platform"), (python_version, "python")) if tag is not None
    ]
    for pattern, value, name in checks:
        if not pattern.fullmatch(value):
            raise PackError(f"archive: {name} {value!r} is not well formed")
    if kind not in ("wheel", "sdist") or (kind == "sdist" and (platform or python_version)):
        raise PackError(f"archive: kind {kind!r} must be wheel, or sdist without platform and python version")


def _command(work: Path, requirement: str, kind: str, platform: str | None, python_version: str | None) -> list[str]:
    (work / "got").mkdir()
    (work / "tmp").mkdir()
    inert.write_backend(work / "inert")
    requirements = work / "requirements.txt"
    requirements.write_text(requirement + "\n", encoding="utf-8")
    command = [
        sys.executable,
        "-P",
        "-m",
        "pip",
        "download",
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
    ]
    command += ["--no-deps", "--require-hashes", "--no-color", "--progress-bar", "raw"]
    command += ["--dest", str(work / "got"), "--requirement", str(requirements)]
    if kind == "wheel":
        command += ["--only-binary", ":all:"]
    else:
        command += ["--no-binary", ":all:", "--use-pep517", "--no-build-isolation"]
    if platform:
        command += ["--platform", platform]
    if python_version:
        command += ["--python-version", python_version, "--implementation", "cp"]
    return command


def _environment(work: Path) -> Mapping[str, str]:
    """This process's environment (the person's own index, proxy and certificates stay), with our backend first."""
    environment = dict(os.environ)
    environment.setdefault("PIP_DEFAULT_TIMEOUT", _TIMEOUT_S)
    environment.setdefault("PIP_RETRIES", _RETRIES)
    environment.pop("PIP_NO_BINARY", None)
    environment.pop("PIP_ONLY_BINARY", None)
    environment |= {"PYTHONPATH": str(work / "inert"), "TMPDIR": str(work / "tmp"), "PYTHONUNBUFFERED": "1"}
    return environment


def _run(
    command: list[str], environment: Mapping[str, str], what: str, progress: Callable[[int, int], None] | None
) -> None:
    output: list[str] = []
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                found = _PROGRESS.fullmatch(line.strip())
                if found is None:
                    output = [*output[-_OUTPUT_LINES_KEPT:], line.strip()]
                elif progress is not None:
                    progress(int(found[1]), int(found[2]))
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise PackError(f"{what}: {_explain(output)}")


def _explain(output: list[str]) -> str:
    text = "\n".join(output)
    for sign, reason in _REASONS:
        if sign in text:
            return reason
    errors = [line for line in output if line.startswith("ERROR")] or output[-1:]
    return f"pip could not download it: {' '.join(errors)[:400] or 'no output'}"
