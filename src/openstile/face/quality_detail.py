"""Sharpness, steadiness and noise: how much fine detail a face has, in every direction, and how much of it is noise."""

import cv2
import numpy as np
from cv2.typing import MatLike

from openstile.face.quality_chip import CENTRE, CHIP, ELLIPSE, MASK, Luminance, Mask, Scales, gaussian

_COLUMNS_SHARE = 1.2
"""Eyes and mouth lie across, so a sharp face has more detail along the columns: smallest ratio 0.451, rows 0.369."""
_DIAGONALS_SHARE = 1.05
"""As above: 0.387."""
_ACROSS = gaussian(0.8)
_BANDS = tuple(gaussian(sigma) for sigma in (1.5, 2.5, 5.0))
_ALONG = np.s_[15:136, 11:138]
"""Rows and columns of the chip that the ellipse and the kernels along the rows reach."""
_DOWN = np.s_[2:149, 24:125]
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_EIGHTH_TURN = cv2.getRotationMatrix2D(CENTRE, 45, 1)


def measure_noise(luminance: Luminance, *, contrast: float) -> float:
    """Deviation of the noise over `contrast` (J. Immerkaer, Fast noise variance estimation, 1996, with the median
    instead of the mean, so that edges do not count).
    """
    response = cv2.filter2D(luminance, -1, _NOISE_KERNEL)[ELLIPSE]
    return float(np.median(np.abs(response))) / (6 * 0.6745) / max(contrast, 1.0)


def measure_sharpness(scales: Scales) -> float:
    """The smaller of two ratios of neighbouring bands: one fine (best without noise), one coarser (which noise hardly
    moves).
    """
    fine = _band_ratio(scales.s07, scales.s14, scales.s28)
    return min(fine, _band_ratio(scales.s15, scales.s25, scales.s50))


def measure_steadiness(luminance: Luminance) -> float:
    """The least of the band ratios along the rows, the columns and both diagonals: motion wipes out detail in one
    direction. Columns and diagonals are set off by the share of detail a sharp face has in them.
    """
    turned = cv2.warpAffine(luminance, _EIGHTH_TURN, (CHIP.side, CHIP.side), borderMode=cv2.BORDER_REPLICATE)
    diagonal = np.asarray(turned, np.float32)
    return min(
        _directed_ratio(luminance, down=False),
        _directed_ratio(luminance, down=True) / _COLUMNS_SHARE,
        _directed_ratio(diagonal, down=False) / _DIAGONALS_SHARE,
        _directed_ratio(diagonal, down=True) / _DIAGONALS_SHARE,
    )


def _directed_ratio(picture: Luminance, *, down: bool) -> float:
    """The band ratio of detail along the columns (down) or the rows, hardly smoothed the other way.

    One pass in each direction over no more of the chip than the ellipse sees: three times as fast as whole Gaussians.
    """
    part = _DOWN if down else _ALONG
    even = cv2.filter2D(picture[part], -1, _ACROSS if not down else _ACROSS.T)
    first, second, third = (cv2.filter2D(even, -1, kernel if down else kernel.T) for kernel in _BANDS)
    return _band_ratio(first, second, third, MASK[part])


def _band_ratio(first: MatLike, second: MatLike, third: MatLike, mask: Mask = MASK) -> float:
    """Energy between the first two scales over that between the last two, as amplitudes, inside the ellipse."""
    return cv2.norm(first, second, cv2.NORM_L2, mask) / max(cv2.norm(second, third, cv2.NORM_L2, mask), 1e-3)
