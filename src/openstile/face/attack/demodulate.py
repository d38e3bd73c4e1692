"""Taking the display's share out of a face's light: chromaticity against the colours shown.

The light of a square of skin in frame k is rho (A + D s_k): albedo rho, ambient light A, the display's light D at full
and the colour s_k, 0..1, by channel. Its logarithm by channel, less that of green, is free of brightness (flicker,
exposure, shading that moves) and to first order a constant plus (D / A) s_k: the response over the mean, free of the
skin's colour.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstile.face.attack.safety import linear_light
from openstile.face.attack.shape import Numbers
from openstile.face.attack.stimulus import Colour

_LIGHT_MIN, _LIGHT_MAX = 0.004, 0.9
"""Mean linear light of a square that is neither black nor clipped, in every frame and channel."""
_POWER_MIN = 1e-12
_DRIFT_ORDER = 2
"""Light and white balance may drift through a clip: a parabola in time is taken out of everything."""
_LAGS = (-1.0, 0.0, 1.0, 2.0, 3.0, 4.0)
"""Frames, tried as delays of the response."""
_ROUNDS = 3
"""Of weighing squares by their errors, the first with even weights; more change nothing."""


@dataclass(frozen=True, slots=True)
class Response:
    """How a face's light answered a stimulus.

    matched: variance in time of the face's chromaticity that the stimulus explains, 0..1, after drift. gain: response
    over the mean for full red, green, blue, the mean of the three, about D / (A + D / 2), of the middlemost square: a
    lens or a screen's glass that mirrors the display is a patch. error: standard error of one square's gain, the
    middlemost again, by what no other square does with it. lag: delay in frames with the best match. cells, strength,
    noise: for each usable square its index in the grid, its response over that of the whole face, and that number's
    standard error.
    """

    matched: float
    gain: float
    error: float
    lag: float
    cells: NDArray[np.int64]
    strength: Numbers
    noise: Numbers


def demodulate(light: NDArray[np.float32], shown: Sequence[Colour], on_face: NDArray[np.bool_]) -> Response | None:
    """`light`: (frames, cells, 3) mean linear light, blue green red; `shown`: a colour a frame. None where fewer than
    half of the face's cells can be used, or the colours never changed.
    """
    usable = on_face & (light.min(axis=(0, 2)) > _LIGHT_MIN) & (light.max(axis=(0, 2)) < _LIGHT_MAX)
    cells = np.flatnonzero(usable)
    drift = _drift_base(len(shown))
    if 2 * len(cells) < int(on_face.sum()) or len(set(shown)) < 2:
        return None
    chroma = _chromaticity(light[:, cells, :].astype(np.float64), drift)
    regressors = {lag: _regressors(shown, drift, lag) for lag in _LAGS}
    weights = np.full(len(cells), 1 / len(cells))
    for _ in range(_ROUNDS):
        whole = chroma @ weights
        matched, gains, template = _fit_gains(whole, regressors[0.0])
        strength, rest, noise = _by_square(chroma, template)
        weights = _weigh(noise)
    lag = _best_lag({lag: _fit_gains(whole, rows)[0] for lag, rows in regressors.items()})
    mean = float(gains.mean())
    error = _error_of_its_own(rest, whole - template) / math.sqrt(_power(template))
    return Response(matched, mean * float(np.median(strength)), mean * error, lag, cells, strength, noise)


def _chromaticity(light: Numbers, drift: Numbers) -> Numbers:
    """(2, frames, squares): logarithms of red and of blue over green, drift taken out."""
    logs = np.log(light)
    chroma = np.stack([logs[:, :, 2] - logs[:, :, 1], logs[:, :, 0] - logs[:, :, 1]])
    fitted = np.einsum("kd,pd...->pk...", drift, np.einsum("kd,pk...->pd...", drift, chroma))
    return np.asarray(chroma - fitted, np.float64)


def _by_square(chroma: Numbers, template: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Strength of each square's course over the `template`, what stays of the course, and the strength's standard
    error by that.
    """
    power = _power(template)
    strength = np.einsum("pkc,pk->c", chroma, template) / power
    rest = chroma - strength * template[:, :, None]
    return strength, rest, np.sqrt((rest**2).sum(axis=(0, 1)) / _degrees(rest) / power)


def _error_of_its_own(rest: Numbers, common: Numbers) -> float:
    """Root mean square of what stays of the middlemost square's course when the course that stays of the whole face,
    `common`, is taken out: noise of the camera. What all squares do together is no noise: it may be another light.
    """
    shares = np.einsum("pkc,pk->c", rest, common) / _power(common)
    own = rest - shares * common[:, :, None]
    return float(np.median(np.sqrt((own**2).sum(axis=(0, 1)) / _degrees(rest))))


def _power(course: Numbers) -> float:
    """Above 0: an answer that runs against what was shown has none."""
    return max(float((course**2).sum()), _POWER_MIN)


def _degrees(rest: Numbers) -> int:
    frames: int = rest.shape[1]
    return max(2 * (frames - _DRIFT_ORDER - 1) - 1, 1)


def _weigh(noise: Numbers) -> Numbers:
    """Squares by the inverse of their variance, none more than five times the middlemost: eyes, lips, beards, glints
    and dark hollows are less sure than cheeks.
    """
    weights = 1 / (noise**2 + float(np.median(noise**2)) / 4)
    return np.asarray(weights / weights.sum(), np.float64)


def _regressors(shown: Sequence[Colour], drift: Numbers, lag: float) -> Numbers:
    """(3 gains, 2 chromaticities, frames): what each channel's gain adds to red and blue over green."""
    colours = linear_light(np.asarray(shown, np.uint8))
    frames = np.arange(len(shown))
    red, green, blue = (np.interp(frames - lag, frames, colours[:, channel]) for channel in range(3))
    nil = np.zeros_like(red)
    rows = np.stack([np.stack([red, nil]), np.stack([-green, -green]), np.stack([nil, blue])])
    return np.asarray(rows - (rows @ drift) @ drift.T, np.float64)


def _fit_gains(whole: Numbers, regressors: Numbers) -> tuple[float, Numbers, Numbers]:
    """Part of the variance explained, the three gains (none below 0), and the fitted (2, frames) course."""
    columns = regressors.reshape(3, -1).T
    target = whole.reshape(-1)
    gains = np.zeros(3)
    active = [at for at in range(3) if float(columns[:, at] @ columns[:, at]) > 0]
    while active:
        solved, *_ = np.linalg.lstsq(columns[:, active], target, rcond=None)
        if (solved >= 0).all():
            gains[active] = solved
            break
        del active[int(np.argmin(solved))]
    fitted = columns @ gains
    total = float(target @ target)
    rest = float(((target - fitted) ** 2).sum())
    return (max(0.0, 1 - rest / total) if total > 0 else 0.0), gains, fitted.reshape(2, -1)


def _best_lag(matches: dict[float, float]) -> float:
    """The delay with the best match, between the tried ones by a parabola through the best and its neighbours."""
    lags = sorted(matches)
    best = max(range(len(lags)), key=lambda at: matches[lags[at]])
    if best in (0, len(lags) - 1):
        return lags[best]
    before, at, after = (matches[lags[best + step]] for step in (-1, 0, 1))
    curve = before - 2 * at + after
    return lags[best] + (0.5 * (before - after) / curve if curve < 0 else 0.0)


def _drift_base(frames: int) -> Numbers:
    """(frames, order + 1), orthonormal: constant, slope, curve."""
    time = np.linspace(-1, 1, frames)
    base, _ = np.linalg.qr(np.stack([time**order for order in range(_DRIFT_ORDER + 1)], axis=1))
    return np.asarray(base, np.float64)
