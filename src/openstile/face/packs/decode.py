"""From the numbers a detector gives to faces, in pixels of the detector's input."""

import numpy as np
from numpy.typing import NDArray

from openstile.terms.limits import FACE_CANDIDATES_MAX, FACES_PER_FRAME_MAX

_CELL_PIXELS = 4
_EXPONENT_MAX = 8.0
"""exp(8) x 4 is a side of about 12,000 pixels: no larger one is believed."""

Numbers = NDArray[np.float32]


def decode_centerface(outputs: list[Numbers], confidence_min: float) -> Numbers:
    """Candidates of CenterFace (Xu and others 2019, section 3): (n, 15) rows of left, top, right, bottom, score, 10 x
    and y.

    outputs: heat map (1, 1, h, w), log of height and width (1, 2, h, w), offset of the centre in y and x (1, 2, h, w),
    landmarks as fractions of the box in y and x (1, 10, h, w); a cell is 4 x 4 pixels.
    """
    heat, scale, offset, marks = (output[0] for output in outputs)
    rows, columns = np.nonzero(heat[0] > confidence_min)
    if rows.size > FACE_CANDIDATES_MAX:
        best = np.argpartition(-heat[0, rows, columns], FACE_CANDIDATES_MAX)[:FACE_CANDIDATES_MAX]
        rows, columns = rows[best], columns[best]
    size = np.exp(np.minimum(scale[:, rows, columns], _EXPONENT_MAX)) * _CELL_PIXELS
    height, width = size[0], size[1]
    top = (rows + offset[0, rows, columns] + 0.5) * _CELL_PIXELS - height / 2
    left = (columns + offset[1, rows, columns] + 0.5) * _CELL_PIXELS - width / 2
    candidates = np.empty((rows.size, 15), np.float32)
    candidates[:, 0], candidates[:, 1] = left, top
    candidates[:, 2], candidates[:, 3] = left + width, top + height
    candidates[:, 4] = heat[0, rows, columns]
    fractions = marks[:, rows, columns].T
    candidates[:, 5::2] = fractions[:, 1::2] * width[:, None] + left[:, None]
    candidates[:, 6::2] = fractions[:, 0::2] * height[:, None] + top[:, None]
    return candidates


def decode_boxes(outputs: list[Numbers], confidence_min: float) -> Numbers:
    """Candidates of a detector that gives boxes (n, 4: left, top, right, bottom), landmarks (n, 10 or 5, 2) and
    scores (n).

    All may have a leading dimension of 1. Raises ValueError when the shapes do not fit together.
    """
    scores = np.asarray(outputs[2], np.float32).reshape(-1)
    boxes = np.asarray(outputs[0], np.float32).reshape(scores.size, 4)
    marks = np.asarray(outputs[1], np.float32).reshape(scores.size, 10)
    candidates = np.concatenate([boxes, scores[:, None], marks], axis=1)[scores > confidence_min]
    return candidates[np.argsort(-candidates[:, 4])[:FACE_CANDIDATES_MAX]]


def merge(candidates: Numbers, overlap_max: float) -> Numbers:
    """The candidates that no better one overlaps by more than `overlap_max` (area of both / area of either), best
    first.

    Rows that are not finite or have no area are dropped; at most FACES_PER_FRAME_MAX come back.
    """
    finite = np.isfinite(candidates).all(axis=1)
    solid = (candidates[:, 2] > candidates[:, 0]) & (candidates[:, 3] > candidates[:, 1])
    left = candidates[finite & solid]
    left = left[np.argsort(-left[:, 4], kind="stable")]
    kept: list[Numbers] = []
    while len(left) and len(kept) < FACES_PER_FRAME_MAX:
        kept.append(left[0])
        left = left[1:][_overlap(left[0], left[1:]) <= overlap_max]
    return np.stack(kept) if kept else np.empty((0, 15), np.float32)


def _overlap(one: Numbers, others: Numbers) -> Numbers:
    corner_low = np.maximum(one[:2], others[:, :2])
    corner_high = np.minimum(one[2:4], others[:, 2:4])
    both = np.prod(np.maximum(corner_high - corner_low, 0), axis=1)
    areas = np.prod(others[:, 2:4] - others[:, :2], axis=1)
    union = np.prod(one[2:4] - one[:2]) + areas - both
    return np.asarray(both / np.maximum(union, np.float32(1e-9)), np.float32)
