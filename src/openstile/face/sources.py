"""Where frames come from: a picture, a folder of pictures, a video file, a camera, a network camera.

Nothing is opened or read before the first frame is asked for: a gate asks only after a valid pass was opened.
"""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from openstile.face.frame import Frame
from openstile.face.headers import looks_like_picture
from openstile.face.images import IMAGE_SUFFIXES, read_image
from openstile.face.quiet import quiet_decoders
from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import FRAMES_PER_FOLDER_MAX

_CAMERA = re.compile(r"(?:camera:)?([0-9]{1,2})")
_NETWORK_CAMERA = re.compile(r"rtsps?://\S+")
_TIMEOUTS = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 5000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 3000]
_BAD_FRAMES_IN_A_ROW_MAX = 30


class CameraLostError(OpenstileError):
    """A camera does not open or has stopped giving frames. Open it again after a while."""

    exit_code = 5


class FrameSource(Iterator[Frame]):
    """An iterator over frames that can be closed; also a context manager. `skipped` counts frames that were damaged."""

    def __init__(self, frames: Callable[["FrameSource"], Iterator[Frame]], name: str) -> None:
        self.name = name
        self.skipped = 0
        self._frames = frames(self)

    def __next__(self) -> Frame:
        return next(self._frames)

    def close(self) -> None:
        """Let go of the camera or file; asking for more frames then ends at once."""
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_frames(source: str, *, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> FrameSource:
    """The frames of `source`, lazily.

    source: the path of a picture, a folder of pictures (in the order of their names), a video file, a camera ("0" or
    "camera:0"; "./0" is the file of that name), or an rtsp:// address. Asking for a frame raises BadInputError when the
    file cannot be used, CameraLostError when the camera cannot be opened or stops.
    Damaged frames of cameras and videos, and damaged pictures of a folder, are counted in `skipped` and left out.
    """
    if _NETWORK_CAMERA.fullmatch(source):
        shown = re.sub(r"//.*@", "//", source)
        return FrameSource(lambda owner: _camera(owner, source, shown, monotonic_ns), shown)
    found = _CAMERA.fullmatch(source)
    if found is not None:
        index = int(found[1])
        return FrameSource(lambda owner: _camera(owner, index, f"camera {index}", monotonic_ns), f"camera {index}")
    return FrameSource(lambda owner: _from_path(owner, source), source)


def _from_path(owner: FrameSource, source: str) -> Iterator[Frame]:
    path = Path(source)
    if "\0" in source or not path.exists():
        raise BadInputError(
            f"{source!r}: does not exist; name a picture, a folder, a video, a camera or an rtsp address"
        )
    if path.is_dir():
        yield from _from_folder(owner, path)
    elif path.suffix.lower() in IMAGE_SUFFIXES or not path.is_file() or _is_picture(path):
        yield read_image(path)
    else:
        yield from _from_video(owner, path)


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return looks_like_picture(file.read(16))
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror})") from error


def _from_folder(owner: FrameSource, folder: Path) -> Iterator[Frame]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise BadInputError(f"{folder}: holds no picture (PNG, JPEG, WebP, BMP or TIFF)")
    if len(paths) > FRAMES_PER_FOLDER_MAX:
        raise BadInputError(f"{folder}: holds {len(paths)} pictures, more than {FRAMES_PER_FOLDER_MAX}")
    good = 0
    for path in paths:
        try:
            frame = read_image(path)
        except BadInputError:
            owner.skipped += 1
            continue
        good += 1
        yield frame
    if good == 0:
        raise BadInputError(f"{folder}: none of its {len(paths)} pictures can be read")


def _from_video(owner: FrameSource, path: Path) -> Iterator[Frame]:
    with quiet_decoders():
        capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise BadInputError(f"{path}: is neither a picture nor a video that can be read")
        good = 0
        bad = 0
        while bad <= _BAD_FRAMES_IN_A_ROW_MAX:
            frame = _grab(capture, 0)
            if frame is not None:
                good, bad = good + 1, 0
                yield frame
            elif _at_end(capture):
                break
            else:
                bad += 1
                owner.skipped += 1
        if good == 0:
            raise BadInputError(f"{path}: no frame of this video can be read; it is damaged")
    finally:
        capture.release()


def _at_end(capture: cv2.VideoCapture) -> bool:
    return capture.get(cv2.CAP_PROP_POS_FRAMES) >= capture.get(cv2.CAP_PROP_FRAME_COUNT)


def _camera(owner: FrameSource, address: str | int, name: str, monotonic_ns: Callable[[], int]) -> Iterator[Frame]:
    with quiet_decoders():
        if isinstance(address, int):
            capture = cv2.VideoCapture(address)
        else:
            capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, _TIMEOUTS)
    try:
        if not capture.isOpened():
            raise CameraLostError(
                f"{name}: does not open; check that it is connected and that no other program uses it"
            )
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        bad = 0
        while bad <= _BAD_FRAMES_IN_A_ROW_MAX:
            frame = _grab(capture, monotonic_ns())
            if frame is not None:
                bad = 0
                yield frame
            else:
                bad += 1
                owner.skipped += 1
        raise CameraLostError(f"{name}: has stopped giving frames; check its cable or network")
    finally:
        capture.release()


def _grab(capture: cv2.VideoCapture, taken_ns: int) -> Frame | None:
    """The next frame, or None when it is damaged or there is none."""
    try:
        with quiet_decoders():
            good, pixels = capture.read()
        return Frame(np.asarray(pixels, np.uint8), taken_ns) if good and pixels is not None else None
    except (cv2.error, BadInputError):
        return None
