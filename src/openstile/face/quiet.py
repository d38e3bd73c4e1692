"""Keep the chatter of picture and video decoders off the terminal: what matters comes back as an error of ours."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Send file descriptor 2 to nowhere: the C libraries inside OpenCV (libpng, libjpeg, libtiff) write there directly.

    For the whole process, so keep it around single calls that decode.
    """
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (OSError, ValueError, AttributeError):
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
