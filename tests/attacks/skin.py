"""Colours of a procedural head: skin from two pigments, eyes, brows, lips and hair, painted over its directions."""

from dataclasses import dataclass

import cv2
import numpy as np
from tests.attacks.anatomy import SEMI_AXES, Shape, directions, grid, sample
from tests.attacks.light import Floats, Numbers

TONES = 10
"""As many as the Monk scale has; evenly spaced in melanin from 1 (lightest) to 10 (darkest). The individual typology
angle runs from above 55 (very light) to below -30 degrees (dark), as a test shows."""
PAINT_SIZE = (512, 768)
_BARE = np.array([0.66, 0.45, 0.36])
"""Linear RGB reflectance of the lightest tone."""
_MELANIN = np.array([1.75, 2.05, 2.25])
"""Absorbance by which the darkest tone exceeds the lightest (Beer and Lambert: reflectance falls exponentially)."""
_BLOOD = np.array([0.12, 0.75, 0.55])


@dataclass(frozen=True, slots=True, eq=False)
class Paint:
    """Linear RGB albedo (768, 512, 3) with open and with shut eyes; gloss (360, 240) over that of skin; bare skin."""

    open_eyes: Floats
    shut_eyes: Floats
    gloss: Floats
    skin: Floats


def skin_colour(tone: int) -> Floats:
    """Linear RGB reflectance of bare skin of tone 1..TONES."""
    if not 1 <= tone <= TONES:
        raise ValueError(f"skin tone {tone} is outside 1..{TONES}")
    return (_BARE * np.exp(-_MELANIN * (tone - 1) / (TONES - 1))).astype(np.float32)


def paint(shape: Shape, tone: int, rng: np.random.Generator) -> Paint:
    """Colour a head. Places are metres of the frontal view, so that features keep their size on any shape."""
    u, v = grid(PAINT_SIZE)
    place = directions(u, v) * (1 + sample(shape.relief, u, v))[..., None] * SEMI_AXES
    x, y, z = (np.ascontiguousarray(place[..., i], dtype=np.float32) for i in range(3))
    y = y * np.float32(0.069 / max(_mouth_height(shape), 0.05))
    melanin, blood = _mottle(rng)
    blood += 0.35 * np.exp(-(((np.abs(x) - 0.04) / 0.016) ** 2) - ((y - 0.03) / 0.016) ** 2)
    lips = _lips(x, y)
    blood += 1.1 * lips
    melanin += 0.12 * lips
    melanin += 0.10 * _spots(rng, melanin.shape)
    base = skin_colour(tone) * np.exp(-melanin[..., None] * _MELANIN - blood[..., None] * _BLOOD)
    skin = base.astype(np.float32)
    skin *= (1 - 0.75 * _lines(x, y))[..., None]
    hair_colour = _hair_colour(tone, rng)
    _cover(skin, _brows(x, y, rng), hair_colour)
    strands = np.float32(1) + 0.5 * _streaks(rng, melanin.shape)
    _cover(skin, _hair(x, y, z, rng), hair_colour * np.maximum(strands, 0.2)[..., None])
    shut = skin.copy()
    _shut_eyes(shut, x, y)
    _open_eyes(skin, x, y, rng)
    gloss = cv2.resize(1 + 1.2 * lips + 0.8 * _eye_mask(x, y), (240, 360), interpolation=cv2.INTER_AREA)
    return Paint(skin, shut, np.asarray(gloss, np.float32), skin_colour(tone))


def _mouth_height(shape: Shape) -> float:
    u, v = (shape.landmarks[3:, i : i + 1].astype(np.float32) for i in range(2))
    place = directions(u, v) * (1 + sample(shape.relief, u, v))[..., None] * SEMI_AXES
    return float(place[..., 1].mean())


def _inside(distance: Numbers, soft: float = 0.0006) -> Floats:
    """1 where `distance` (metres) is below 0, 0 above, soft between."""
    return np.asarray(np.clip(0.5 - distance / np.float32(2 * soft), 0, 1), np.float32)


def _cover(picture: Floats, mask: Floats, colour: Floats) -> None:
    picture += mask[..., None] * (colour - picture)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], size: int) -> Floats:
    """Smooth noise of deviation about 1 whose features are `size` texels large."""
    small = rng.standard_normal((shape[0] // size + 3, shape[1] // size + 3), np.float32)
    return np.asarray(cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _mottle(rng: np.random.Generator) -> tuple[Floats, Floats]:
    shape = (PAINT_SIZE[1], PAINT_SIZE[0])
    melanin = sum(w * _noise(rng, shape, size) for w, size in ((0.018, 3), (0.022, 8), (0.025, 32)))
    blood = sum(w * _noise(rng, shape, size) for w, size in ((0.03, 6), (0.05, 40)))
    return np.asarray(melanin, np.float32), np.asarray(blood, np.float32)


def _spots(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Freckles and moles."""
    spots = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(15, 60))):
        x, y = rng.uniform(0.25, 0.75) * shape[1], rng.uniform(0.3, 0.8) * shape[0]
        cv2.circle(spots, (int(x), int(y)), int(rng.integers(1, 4)), float(rng.uniform(0.5, 3)), -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(spots, (0, 0), 0.8), np.float32)


def _streaks(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    fine = rng.standard_normal((shape[0] // 24 + 1, shape[1] // 2), np.float32)
    return np.asarray(cv2.resize(fine, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _lips(x: Floats, y: Floats) -> Floats:
    across = x / np.float32(0.026)
    bow = np.maximum(1 - across * across, 0)
    upper = 0.069 - 0.0075 * bow * (1 - 0.25 * np.exp(-((x / 0.004) ** 2)))
    lower = 0.069 + 0.0095 * bow
    return np.asarray(_inside(np.maximum(upper - y, y - lower)) * (np.abs(across) < 1), np.float32)


def _lines(x: Floats, y: Floats) -> Floats:
    """Dark lines and hollows: between the lips, nostrils, folds beside the nose, crease of the lids."""
    mouth = np.exp(-(((y - 0.069 - 0.001 * np.cos(x * 250)) / 0.0009) ** 2)) * (np.abs(x) < 0.025)
    nostrils = 1.2 * np.exp(-(((np.abs(x) - 0.0085) / 0.0036) ** 2) - ((y - 0.0485) / 0.0024) ** 2)
    wings = 0.45 * np.exp(-(((np.abs(x) - 0.0185) / 0.0013) ** 2) - ((y - 0.043) / 0.006) ** 2)
    fold_at = 0.020 + 0.35 * (y - 0.045)
    folds = 0.16 * np.exp(-(((np.abs(x) - fold_at) / 0.0016) ** 2)) * _inside(np.abs(y - 0.055) - 0.008, 0.004)
    out = np.abs(x) - 0.0315
    crease = 0.4 * np.exp(-(((y + 0.0095 - 10 * out * out) / 0.0009) ** 2)) * _inside(np.abs(out) - 0.013, 0.003)
    socket = 0.22 * np.exp(-(((np.abs(x) - 0.026) / 0.014) ** 2) - ((y + 0.004) / 0.011) ** 2)
    return np.asarray(np.clip(mouth + nostrils + wings + folds + crease + socket, 0, 1), np.float32)


def _brows(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    along = (np.abs(x) - 0.033) / 0.021
    middle = rng.uniform(-0.021, -0.018) - 0.004 * (1 - (along - 0.2) ** 2)
    thick = rng.uniform(0.0028, 0.0045) * np.sqrt(np.clip(1 - along * along, 0, 1)) * (1.1 - 0.35 * along)
    hairs = 0.85 + 0.3 * _noise(rng, x.shape, 3)
    mask = _inside(np.abs(y - middle) - thick, 0.0012) * (np.abs(along) < 1)
    return np.asarray(np.clip(mask * hairs, 0, 0.95), np.float32)


def _hair(x: Floats, y: Floats, z: Floats, rng: np.random.Generator) -> Floats:
    line = rng.uniform(-0.078, -0.066) + 6.0 * x * x + 0.002 * _noise(rng, x.shape, 12)
    sides = rng.uniform(-0.040, -0.030) + 0.004 * _noise(rng, x.shape, 10)
    low = rng.uniform(0.01, 0.05)
    top = _inside(y - line, 0.002)
    side = _inside(sides - z, 0.003) * _inside(y - low, 0.006)
    return np.asarray(np.maximum(top, side), np.float32)


def _hair_colour(tone: int, rng: np.random.Generator) -> Floats:
    dark = np.array([0.018, 0.014, 0.011])
    light = np.array([0.30, 0.20, 0.11])
    share = rng.uniform(0, 1) ** 2 * max(0.0, 1 - (tone - 1) / 4)
    grey = np.array([0.20, 0.20, 0.20]) if rng.uniform() < 0.15 else None
    return np.asarray(dark + share * (light - dark) if grey is None else grey, np.float32)


def _lids(x: Floats) -> tuple[Floats, Floats, Floats]:
    out = np.abs(x) - np.float32(0.0315)
    arch = np.maximum(1 - (out / 0.0150) ** 2, 0)
    return out, -0.0062 * arch, 0.0042 * arch


def _eye_mask(x: Floats, y: Floats) -> Floats:
    _, upper, lower = _lids(x)
    return _inside(np.maximum(upper - y, y - lower), 0.0005)


def _open_eyes(skin: Floats, x: Floats, y: Floats, rng: np.random.Generator) -> None:
    out, upper, lower = _lids(x)
    eye = np.asarray(_eye_mask(x, y) * (np.abs(out) < 0.0149), np.float32)
    shade = (0.62 + 0.38 * np.clip((y - upper) / 0.006, 0, 1))[..., None]
    _cover(skin, eye, np.array([0.55, 0.50, 0.47], np.float32) * shade.astype(np.float32))
    radius = np.hypot(out, y + 0.0008)
    light_iris = rng.uniform() < 0.4 * float(skin[..., 0].max() > 0.4)
    iris = np.array([0.10, 0.16, 0.18] if light_iris else [0.045, 0.025, 0.014], np.float32)
    _cover(skin, eye * _inside(radius - 0.0059, 0.0004), iris)
    _cover(skin, eye * _inside(radius - 0.0023, 0.0004), np.full(3, 0.004, np.float32))
    lashes = np.exp(-(((y - upper) / 0.0009) ** 2)) * _inside(np.abs(out) - 0.0148)
    _cover(skin, 0.85 * lashes.astype(np.float32), np.full(3, 0.012, np.float32))
    lower_rim = 0.35 * np.exp(-(((y - lower) / 0.0007) ** 2)) * _inside(np.abs(out) - 0.0145)
    _cover(skin, lower_rim.astype(np.float32), np.full(3, 0.05, np.float32))


def _shut_eyes(skin: Floats, x: Floats, y: Floats) -> None:
    out, _, lower = _lids(x)
    lashes = 0.8 * np.exp(-(((y - lower) / 0.0010) ** 2)) * _inside(np.abs(out) - 0.0148)
    _cover(skin, lashes.astype(np.float32), np.full(3, 0.015, np.float32))
