"""Text in pictures: one typeface, sizes in pixels, colours in blue green red."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

REGULAR, BOLD = 400, 700

_FACE: Any = cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None
"""OpenCV 5 brings a real typeface (Rubik); earlier ones only have plotter strokes."""


def write(picture: Pixels, text: str, at: tuple[int, int], *, size: int, colour: Colour, weight: int = REGULAR) -> None:
    """Draw `text` into `picture`, its baseline beginning at `at` (x, y)."""
    if _FACE is not None:
        cv2.putText(picture, text, at, colour, _FACE, size, weight)
        return
    plain, thickness = text.encode("ascii", "replace").decode(), 2 if weight > REGULAR else 1
    cv2.putText(picture, plain, at, cv2.FONT_HERSHEY_DUPLEX, size / 34, colour, thickness, cv2.LINE_AA)


def width_of(text: str, *, size: int, weight: int = REGULAR) -> int:
    """How many pixels `text` is wide."""
    if _FACE is not None:
        return int(cv2.getTextSize((10_000, 100), text, (0, 50), _FACE, size, weight)[2])
    plain, thickness = text.encode("ascii", "replace").decode(), 2 if weight > REGULAR else 1
    return int(cv2.getTextSize(plain, cv2.FONT_HERSHEY_DUPLEX, size / 34, thickness)[0][0])


def lines_of(text: str, *, size: int, weight: int = REGULAR, width: int) -> list[str]:
    """`text` in lines of at most `width` pixels, broken between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size=size, weight=weight) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def write_lines(
    picture: Pixels, text: str, at: tuple[int, int], *, size: int, colour: Colour, width: int, weight: int = REGULAR
) -> int:
    """Draw `text` in lines of at most `width` pixels; returns the baseline of the line that would follow."""
    x, y = at
    for line in lines_of(text, size=size, weight=weight, width=width):
        write(picture, line, (x, y), size=size, colour=colour, weight=weight)
        y += round(size * 1.4)
    return y
