"""What `openstile doctor` finds."""

from collections.abc import Iterator

import numpy as np
import pytest

from openstile.assembly.health import examine
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
