"""Where frames come from, and what happens when they stop coming."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.face.pictures import corners, encoded

from openstile.face.sources import CameraLostError, open_frames
from openstile.terms import BadInputError


def write_video(path: Path, count: int) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (80, 64))
    assert writer.isOpened()
    for index in range(count):
        writer.write(np.full((64, 80, 3), 10 * index, np.uint8))
    writer.release()


def test_nothing_is_opened_before_the_first_frame_is_asked_for(tmp_path: Path) -> None:
    for source in (str(tmp_path / "none.png"), str(tmp_path), "camera:99", "rtsp://127.0.0.1:9/none"):
        open_frames(source).close()


def test_picture_gives_one_frame(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(corners(), ".png"))
    frames = list(open_frames(str(path)))
    assert len(frames) == 1
    assert np.array_equal(frames[0].pixels, corners())


def test_picture_without_a_suffix_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(encoded(corners(), ".png"))
    assert len(list(open_frames(str(path)))) == 1


def test_folder_gives_its_pictures_in_order_and_skips_a_damaged_one(tmp_path: Path) -> None:
    for index in (2, 0, 1):
        (tmp_path / f"{index}.png").write_bytes(encoded(np.full((20, 20, 3), index, np.uint8), ".png"))
    (tmp_path / "0b.jpg").write_bytes(b"\xff\xd8\xff damaged")
    (tmp_path / "notes.txt").write_text("no picture")
    with open_frames(str(tmp_path)) as source:
        assert [int(frame.pixels[0, 0, 0]) for frame in source] == [0, 1, 2]
        assert source.skipped == 1


def test_folder_without_a_usable_picture_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="holds no picture"):
        next(open_frames(str(tmp_path)))
    (tmp_path / "a.png").write_bytes(b"damaged")
    with pytest.raises(BadInputError, match="none of its 1"):
        next(open_frames(str(tmp_path)))


def test_video_gives_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    write_video(path, 5)
    frames = list(open_frames(str(path)))
    assert len(frames) == 5
    assert abs(int(frames[3].pixels[32, 40, 1]) - 30) < 6


def test_video_with_a_damaged_middle_does_not_crash(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    write_video(path, 20)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = b"\xa5" * 400
    path.write_bytes(bytes(data))
    assert 1 <= len(list(open_frames(str(path)))) <= 20


def test_truncated_video_gives_what_is_there_or_an_error(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    write_video(path, 20)
    whole = path.read_bytes()
    for part in (0.9, 0.5, 0.1, 0.01):
        path.write_bytes(whole[: int(len(whole) * part)])
        try:
            assert 0 < len(list(open_frames(str(path)))) <= 20
        except BadInputError:
            assert part < 0.9


@pytest.mark.parametrize("content", [b"", b"plain text", b"\0" * 5000])
def test_file_that_is_neither_picture_nor_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"neither a picture nor a video|no frame"):
        next(open_frames(str(path)))


@pytest.mark.parametrize("source", ["", "no/such/file", "a\0b", "rtsp:/wrong", "http://example.invalid/video"])
def test_source_that_does_not_exist_is_named(source: str) -> None:
    with pytest.raises(BadInputError):
        next(open_frames(source))


@pytest.mark.parametrize("source", ["camera:97", "97"])
def test_camera_that_does_not_open_is_lost(source: str) -> None:
    with pytest.raises(CameraLostError, match="camera 97"):
        next(open_frames(source))


@pytest.mark.parametrize("password", ["secret", "p@secret", "p/secret", "secret@secret/"])
def test_network_camera_that_does_not_answer_is_lost_and_its_password_not_shown(password: str) -> None:
    source = open_frames(f"rtsp://user:{password}@127.0.0.1:9/stream")
    with pytest.raises(CameraLostError) as caught:
        next(source)
    assert "secret" not in str(caught.value) + source.name


def test_closed_source_gives_no_more_frames(tmp_path: Path) -> None:
    for index in range(3):
        (tmp_path / f"{index}.png").write_bytes(encoded(corners(), ".png"))
    source = open_frames(str(tmp_path))
    next(source)
    source.close()
    assert next(source, None) is None


def test_closed_before_use_gives_no_frames(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(corners(), ".png"))
    source = open_frames(str(tmp_path))
    source.close()
    assert list(source) == []
