"""Taking the display's share out of a face's light: chromaticity against the colours shown.

The light of a square of skin in frame k is rho (A + D s_k): albedo rho, ambient light A, the display's light D at full
and the colour s_k, 0..1, by channel. Its logarithm by channel, less that of green, is free of brightness (flicker,
exposure, shading that moves) and to first order a constant plus (D / A) s_k: the response over the mean, free of the
skin's colour.
"""

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


@dataclass(frozen=True, slots=True)
class Response:
    """How a face's light answered a stimulus.

    matched: variance of the mean chromaticity in time that the stimulus explains, 0..1, after drift. gain: response
    over the mean for full red, green, blue, the mean of the three; about D / (A + D / 2). lag: delay in frames with the
    best match. cells, strength, noise: for each usable square its index in the grid, its response over that of the
    whole face, and that number's standard error.
    """

    matched: float
    gain: float
    lag: float
    cells: NDArray[np.int64]
    strength: Numbers
    noise: Numbers
    brightness: Numbers


def demodulate(light: NDArray[np.float32], shown: Sequence[Colour], on_face: NDArray[np.bool_]) -> Response | None:
    """`light`: (frames, cells, 3) mean linear light, blue green red; `shown`: a colour a frame. None where fewer than
    half of the face's cells can be used, or the colours never changed.
    """
    usable = on_face & (light.min(axis=(0, 2)) > _LIGHT_MIN) & (light.max(axis=(0, 2)) < _LIGHT_MAX)
    cells = np.flatnonzero(usable)
    drift = _drift_base(len(shown))
    if 2 * len(cells) < int(on_face.sum()) or len(set(shown)) < 2:
        return None
    logs = np.log(light[:, cells, :].astype(np.float64))
    chroma = np.stack([logs[:, :, 2] - logs[:, :, 1], logs[:, :, 0] - logs[:, :, 1]])  # red, blue over green
    chroma = chroma - np.einsum("kd,pd...->pk...", drift, np.einsum("kd,pk...->pd...", drift, chroma))
    whole = chroma.mean(axis=2)
    fits = {lag: _fit_gains(whole, _regressors(shown, drift, lag)) for lag in _LAGS}
    matched, gains, template = fits[0.0]
    power = max(float((template**2).sum()), _POWER_MIN)  # an answer that runs against what was shown has none
    strength = np.einsum("pkc,pk->c", chroma, template) / power
    rest = chroma - strength * template[:, :, None]
    degrees = max(2 * (len(shown) - _DRIFT_ORDER - 1) - 1, 1)
    noise = np.sqrt((rest**2).sum(axis=(0, 1)) / degrees / power)
    lag = _best_lag({lag: fit[0] for lag, fit in fits.items()})
    return Response(matched, float(gains.mean()), lag, cells, strength, noise, logs.mean(axis=(0, 2)))


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
