"""What `openstile doctor` finds."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from openstile.assembly.health import examine
from openstile.cli.app import run
from openstile.face import Frame
from openstile.face.sources import FrameSource, open_frames


@pytest.mark.parametrize("frames", [0, 1])
def test_password_of_a_network_camera_is_not_shown(monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    def camera_that_answers(address: str) -> FrameSource:
        def given(_: FrameSource) -> Iterator[Frame]:
            yield from [Frame(np.zeros((48, 64, 3), np.uint8))] * frames

        return FrameSource(given, open_frames(address).name)

    monkeypatch.setattr("openstile.assembly.health.open_frames", camera_that_answers)
    camera = next(f for f in examine(None, camera="rtsp://gate:secret@cam.example/1") if f.what == "camera")
    assert camera.works == bool(frames)
    assert "rtsp://cam.example/1" in camera.detail
    assert "secret" not in camera.detail


def test_certificates_that_are_missing_and_a_token_that_is_away_are_found_before_a_rider_finds_them(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    assert run(["keys", "create", "gate-group", "--home", str(home)]) == 0
    settings = home / "settings.toml"
    settings.write_text(settings.read_text().replace('ca_file = ""', 'ca_file = "none.pem"'))
    (key_file,) = (home / "keys").glob("*.json")
    content = json.loads(key_file.read_text())
    del content["private"]
    module, pin_file = str(tmp_path / "none.so"), str(tmp_path / "pin")
    content["pkcs11"] = {"module": module, "token": "gates", "id": "0102030405060708", "pin_file": pin_file}
    key_file.write_text(json.dumps(content))
    found = {finding.what: finding for finding in examine(home, camera=None)}
    assert (found["servers"].works, "none.pem" in found["servers"].detail) == (False, True)
    assert (found["tokens"].works, "none.so" in found["tokens"].detail) == (False, True)
