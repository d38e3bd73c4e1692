"""`status apply`, `status fetch`, `bundle fetch`: what a gate takes into use, by hand."""

import json
from pathlib import Path

import pytest
from tests.gate.tls_server import serving

from openstile.cli.app import run


def openstile(*words: object) -> int:
    return run([str(word) for word in words])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for role in ("issuer", "gate-group", "operator"):
        assert openstile("keys", "create", role, "--home", home) == 0
    return home


def settings(home: Path, **changes: str) -> None:
    path = home / "settings.toml"
    for before, after in changes.items():
        line = next(line for line in path.read_text().splitlines() if line.startswith(f"{before} = "))
        path.write_text(path.read_text().replace(line, f"{before} = {after}"))


def built(home: Path, uri: str) -> Path:
    settings(home, status_list_uri=json.dumps(uri))
    assert openstile("status", "build", "--home", home) == 0
    return next((home / "issuer" / "status").glob("*.cwt"))


def test_list_is_applied_by_file_and_an_older_or_damaged_one_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tmp_path / "first.cwt"
    first.write_bytes(built(home, "https://passes.example/1").read_bytes())
    newer = built(home, "https://passes.example/1")
    assert openstile("status", "apply", newer, "--home", home) == 0
    capsys.readouterr()
    assert openstile("status", "apply", newer, "--home", home, "--json") == 0
    assert json.loads(capsys.readouterr().out)["uri"] == "https://passes.example/1"
    assert openstile("status", "apply", first, "--home", home) == 7
    assert "never goes back" in capsys.readouterr().err
    (tmp_path / "bad.cwt").write_bytes(newer.read_bytes()[:-1])
    assert openstile("status", "apply", tmp_path / "bad.cwt", "--home", home) == 7
    assert openstile("status", "apply", tmp_path / "none.cwt", "--home", home) == 2


def test_lists_and_bundle_are_fetched_and_what_fails_is_said(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert openstile("status", "fetch", "--home", home) == 2
    assert "names no list" in capsys.readouterr().err
    assert openstile("bundle", "fetch", "--home", home) == 2
    with serving(tmp_path) as served:
        uri = served.at("/1")
        served.files["/1"] = built(home, uri).read_bytes()
        assert openstile("bundle", "build", "--out", tmp_path / "b.cose", "--home", home) == 0
        served.files["/b"] = (tmp_path / "b.cose").read_bytes()
        settings(
            home,
            status_lists=json.dumps([uri, served.at("/none")]),
            bundle_url=json.dumps(served.at("/b")),
            ca_file=json.dumps(str(served.ca_file)),
        )
        capsys.readouterr()
        assert openstile("status", "fetch", "--home", home, "--json") == 1
        first, second = json.loads(capsys.readouterr().out)
        assert (first["new"], first["problem"]) == (False, None), "building it took it into use in the same home"
        assert "answered 404" in second["problem"]
        assert openstile("bundle", "fetch", "--home", home) == 0
        assert "new, and in use" in capsys.readouterr().out
        assert openstile("bundle", "fetch", "--home", home) == 0
        assert "unchanged" in capsys.readouterr().out
