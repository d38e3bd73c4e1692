"""Frames of 1280x720 in which a printed pass is held to a gate's camera, under distortions of named kinds.

The frame is computed in linear light: a pinhole camera, the card of openstile.desk.card before a background, a lamp,
lens blur, photon and read noise, gamma, JPEG. The ranges are what we hold a gate's camera to see; they were written
down first, and no range is changed for what a reader makes of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.qr_card import CARD_MM, CODE_MM, PIXELS_A_MM

WIDTH, HEIGHT = 1280, 720
FOCAL_PIXELS = 1005.0
"""A lens that sees 65 degrees across."""
GAMMA = 2.2
READ_NOISE_E = 3.0
PIXELS_A_MM_SEEN = (4.7, 8.6)
"""Held at 12 to 21 cm: 3 to 5.5 pixels a module of a version 18 code, 62 mm wide."""

Random = np.random.Generator
Pixels = NDArray[np.uint8]
Light = NDArray[np.float32]
"""(H, W, 3), 1.0 saturates the sensor."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How one frame is taken. Angles in degrees, lengths in pixels of the frame unless the name says mm."""

    pixels_a_mm: float
    roll: float
    tilt: float
    tilt_axis: float
    lens_blur: float
    paper_level: float
    """Of the paper in the frame, 0 to 255."""
    saturation_e: float
    """Electrons that saturate a pixel at this gain: few of them mean much noise."""
    defocus: float = 0.0
    """Radius of the disc that a point becomes."""
    streak_mm: float = 0.0
    streak_direction: float = 0.0
    glare: tuple[float, float, float, float, float] | None = None
    """Centre across and down (0 to 1 of the code), the two deviations (of the code's side), peak (1 saturates)."""
    jpeg: int | None = None


def _calm(random: Random) -> Conditions:
    """A pass held well: what every group starts from."""
    return Conditions(
        pixels_a_mm=random.uniform(*PIXELS_A_MM_SEEN),
        roll=random.uniform(-5, 5),
        tilt=random.uniform(0, 8),
        tilt_axis=random.uniform(0, 360),
        lens_blur=random.uniform(0.5, 0.8),
        paper_level=random.uniform(170, 230),
        saturation_e=random.uniform(2000, 6000),
    )


def _either(random: Random, low: float, high: float) -> float:
    return float(random.uniform(low, high) * random.choice((-1, 1)))


def _glare(random: Random) -> tuple[float, float, float, float, float]:
    centre, spread = random.uniform(0, 1, 2), random.uniform(0.04, 0.09, 2)
    return float(centre[0]), float(centre[1]), float(spread[0]), float(spread[1]), float(random.uniform(0.5, 3.0))


def _several(random: Random, calm: Conditions) -> Conditions:
    blurred = replace(calm, roll=random.uniform(-20, 20), tilt=random.uniform(8, 25))
    if random.random() < 0.5:
        blurred = replace(blurred, defocus=random.uniform(0.6, 1.2))
    else:
        blurred = replace(blurred, streak_mm=random.uniform(0.1, 0.4), streak_direction=random.uniform(0, 180))
    return replace(
        blurred,
        saturation_e=random.uniform(500, 1500),
        paper_level=random.uniform(130, 200),
        glare=_glare(random) if random.random() < 0.5 else None,
        jpeg=int(random.integers(40, 81)),
    )


Change = tuple[str, Callable[[Random, Conditions], Conditions]]

GROUPS: Mapping[str, Change] = MappingProxyType(
    {
        "tilt": ("15 to 35 degrees about any axis", lambda r, c: replace(c, tilt=r.uniform(15, 35))),
        "rotation": ("10 to 30 degrees, either way", lambda r, c: replace(c, roll=_either(r, 10, 30))),
        "defocus": (
            "a point becomes a disc of radius 0.8 to 2 pixels",
            lambda r, c: replace(c, defocus=r.uniform(0.8, 2)),
        ),
        "motion": (
            "0.2 to 0.8 mm during the exposure (20 to 80 mm/s at 1/100 s): 0.3 to 1.2 modules",
            lambda r, c: replace(c, streak_mm=r.uniform(0.2, 0.8), streak_direction=r.uniform(0, 180)),
        ),
        "noise": (
            "dark: 150 to 600 electrons saturate a pixel (read noise 3), paper at level 110 to 190",
            lambda r, c: replace(c, saturation_e=r.uniform(150, 600), paper_level=r.uniform(110, 190)),
        ),
        "glare": (
            "one lamp in the laminate anywhere on the code, deviations 4 to 9 % of its side, peak 0.5 to 3 times white",
            lambda r, c: replace(c, glare=_glare(r)),
        ),
        "JPEG": ("quality 20 to 60, colour halved", lambda r, c: replace(c, jpeg=int(r.integers(20, 61)))),
        "several": (
            "tilt 8 to 25 and roll to 20 degrees, defocus 0.6 to 1.2 pixels or motion 0.1 to 0.4 mm, 500 to 1500 "
            "electrons, quality 40 to 80, glare in half of them",
            _several,
        ),
    }
)
"""What a gate's camera is to cope with. By name: what it is, and how it changes calm conditions."""

BEYOND: Mapping[str, Change] = MappingProxyType(
    {
        "tilt": ("35 to 55 degrees", lambda r, c: replace(c, tilt=r.uniform(35, 55))),
        "rotation": ("30 to 180 degrees, either way", lambda r, c: replace(c, roll=_either(r, 30, 180))),
        "defocus": ("radius 2 to 3.5 pixels", lambda r, c: replace(c, defocus=r.uniform(2, 3.5))),
        "motion": (
            "0.8 to 1.6 mm",
            lambda r, c: replace(c, streak_mm=r.uniform(0.8, 1.6), streak_direction=r.uniform(0, 180)),
        ),
        "noise": (
            "40 to 150 electrons, paper at level 110 to 190",
            lambda r, c: replace(c, saturation_e=r.uniform(40, 150), paper_level=r.uniform(110, 190)),
        ),
        "glare": (
            "deviations 9 to 14 %",
            lambda r, c: replace(c, glare=(*r.uniform(0, 1, 2), *r.uniform(0.09, 0.14, 2), r.uniform(0.5, 3.0))),
        ),
        "JPEG": ("quality 5 to 20", lambda r, c: replace(c, jpeg=int(r.integers(5, 21)))),
        "far": ("1.6 to 3 pixels a module", lambda r, c: replace(c, pixels_a_mm=r.uniform(2.5, 4.7))),
    }
)
"""Where each kind goes on from there: to find out where reading ends."""


def draw_conditions(change: Change, random: Random) -> Conditions:
    """Conditions of one frame of a group."""
    return change[1](random, _calm(random))


def frame_with(card: Pixels, conditions: Conditions, random: Random) -> Pixels:
    """(720, 1280, 3) BGR: `card` in view, its code whole, under `conditions`."""
    conditions, matrix = _held(conditions, random)
    light = _compose(card, _background(random), matrix, random)
    if conditions.glare is not None:
        light += _lamp(conditions.glare, matrix)
    return _photograph(light, conditions, random)


def empty_frame(random: Random) -> Pixels:
    """(720, 1280, 3) BGR: the same place while nobody holds a card."""
    return _photograph(_background(random), _calm(random), random)


def _held(conditions: Conditions, random: Random) -> tuple[Conditions, NDArray[np.float64]]:
    """Where the card is, as a homography from its millimetres. A rider moves it until the code is whole in view."""
    margin = 6.0
    for _ in range(10_000):
        place = random.uniform((0, 0), (WIDTH, HEIGHT))
        matrix = _homography(conditions, place)
        corners = cv2.perspectiveTransform(_code_corners()[None], matrix)[0]
        if corners.min() >= margin and (corners <= (WIDTH - margin, HEIGHT - margin)).all():
            return conditions, matrix
        if random.random() < 0.05:
            conditions = replace(conditions, pixels_a_mm=random.uniform(*PIXELS_A_MM_SEEN))  # nearer or farther
    raise AssertionError("a place for the card is always found")


def _homography(conditions: Conditions, place: NDArray[np.float64]) -> NDArray[np.float64]:
    distance = FOCAL_PIXELS / conditions.pixels_a_mm
    axis, tilt = np.radians(conditions.tilt_axis), np.radians(conditions.tilt)
    tilted, _ = cv2.Rodrigues(np.array([np.cos(axis), np.sin(axis), 0.0]) * tilt)
    rolled, _ = cv2.Rodrigues(np.array([0.0, 0.0, np.radians(conditions.roll)]))
    turn = np.asarray(rolled @ tilted, np.float64)
    away = np.array([*((place - (WIDTH / 2, HEIGHT / 2)) / FOCAL_PIXELS), 1.0]) * distance
    camera = np.array([[FOCAL_PIXELS, 0, WIDTH / 2], [0, FOCAL_PIXELS, HEIGHT / 2], [0, 0, 1]])
    left, top, side = CODE_MM
    to_middle = np.array([[1, 0, -left - side / 2], [0, 1, -top - side / 2], [0, 0, 1.0]])
    return np.asarray(camera @ np.column_stack((turn[:, 0], turn[:, 1], away)) @ to_middle, np.float64)


def _code_corners() -> NDArray[np.float64]:
    left, top, side = CODE_MM
    return np.array([[left, top], [left + side, top], [left + side, top + side], [left, top + side]])


def _compose(card: Pixels, behind: Light, matrix: NDArray[np.float64], random: Random) -> Light:
    """The card before the background, sampled twice as fine as the frame; a thumb holds it away from the code."""
    fine = np.diag([2.0, 2.0, 1.0]) @ matrix @ np.diag([1 / PIXELS_A_MM, 1 / PIXELS_A_MM, 1.0])
    print_, paper = random.uniform(0.04, 0.07), random.uniform(0.8, 0.9)
    light = ((card / np.float32(255)) * np.float32(paper - print_) + np.float32(print_)).astype(np.float32)
    skin = random.uniform(0.25, 1.0) * np.array([0.25, 0.36, 0.6])
    thumb = (round(CARD_MM[0] * PIXELS_A_MM * random.uniform(0.88, 0.96)), round(CARD_MM[1] * PIXELS_A_MM))
    cv2.ellipse(light, thumb, (9 * PIXELS_A_MM, 15 * PIXELS_A_MM), random.uniform(-25, 25), 0, 360, skin.tolist(), -1)
    size = (2 * WIDTH, 2 * HEIGHT)
    sheet = _halve(cv2.warpPerspective(light, fine, size, flags=cv2.INTER_LINEAR))
    cover = _halve(cv2.warpPerspective(np.ones(card.shape[:2], np.float32), fine, size))[:, :, None]
    return np.asarray(sheet * _shade(random) + behind * (1 - cover), np.float32)


def _halve(fine: NDArray[np.float32] | cv2.typing.MatLike) -> Light:
    return np.asarray(cv2.resize(fine, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.float32)


def _shade(random: Random) -> Light:
    """Light from one side: up to a third darker at the other."""
    angle, fall = random.uniform(0, 2 * np.pi), random.uniform(0.05, 0.33)
    down, across = np.mgrid[-0.5 : 0.5 : HEIGHT * 1j, -0.5 : 0.5 : WIDTH * 1j]
    slope = (down * np.sin(angle) + across * np.cos(angle)) / (abs(np.sin(angle)) + abs(np.cos(angle)))
    return np.asarray(1 - fall * (slope + 0.5), np.float32)[:, :, None]


def _background(random: Random) -> Light:
    """A hall behind the card, out of focus: clutter at all scales, stripes as of clothes or tiles, shapes, lights."""
    height, width = HEIGHT // 2, WIDTH // 2
    light = np.full((height, width, 3), 0.35, np.float32)
    for octave in range(2, 7):
        rows, columns = 9 * 2**octave // 4, 16 * 2**octave // 4
        grain = random.uniform(-0.2, 0.2, (rows, columns, 1)) + random.uniform(-0.06, 0.06, (rows, columns, 3))
        light += cv2.resize(grain.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    down, across = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(random.integers(4, 10)):
        shape = np.zeros((height, width), np.float32)
        corners = random.uniform((-50, -50), (width + 50, height + 50), (1, 2)) + random.normal(0, 90, (5, 2))
        cv2.fillConvexPoly(shape, cv2.convexHull(corners.astype(np.int32)), (1.0,))
        angle, period = random.uniform(0, np.pi), random.uniform(3, 30)
        stripes = np.sin((across * np.cos(angle) + down * np.sin(angle)) * 2 * np.pi / period) * random.uniform(0, 0.3)
        colour = random.uniform(0.05, 0.9) * random.uniform(0.6, 1.2, 3)
        light += (shape * random.uniform(0.4, 1))[:, :, None] * (colour * (1 + stripes[:, :, None]) - light)
    for place in random.uniform((0, 0), (width, height), (random.integers(0, 4), 2)):
        cv2.circle(light, place.astype(int).tolist(), int(random.integers(4, 20)), (1.4, 1.5, 1.6), -1)
    soft = cv2.GaussianBlur(light, (0, 0), random.uniform(0.5, 2.0))
    large = cv2.resize(soft, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large, 0.01, 2.0) * np.float32(0.8), np.float32)


def _lamp(glare: tuple[float, float, float, float, float], matrix: NDArray[np.float64]) -> Light:
    """A lamp's reflection, fixed to the card, added to what the card shows."""
    across, down, wide, high, peak = glare
    left, top, side = CODE_MM
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    back = cv2.perspectiveTransform(np.stack((x, y), axis=2).reshape(1, -1, 2), np.linalg.inv(matrix))
    mm = back.reshape(HEIGHT, WIDTH, 2)
    squares = ((mm[:, :, 0] - left - across * side) / (wide * side)) ** 2
    squares += ((mm[:, :, 1] - top - down * side) / (high * side)) ** 2
    return np.asarray(peak * np.exp(-squares / 2), np.float32)[:, :, None]


def _photograph(light: Light, conditions: Conditions, random: Random) -> Pixels:
    """Lens, motion, sensor, gamma, JPEG."""
    exposure = (conditions.paper_level / 255) ** GAMMA / 0.85
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), conditions.lens_blur), np.float32) * np.float32(exposure)
    if conditions.defocus:
        light = np.asarray(cv2.filter2D(light, -1, _disc(conditions.defocus)), np.float32)
    if conditions.streak_mm:
        streak = _streak(conditions.streak_mm * conditions.pixels_a_mm, conditions.streak_direction)
        light = np.asarray(cv2.filter2D(light, -1, streak), np.float32)
    electrons = light * np.float32(conditions.saturation_e)
    noise = random.standard_normal(light.shape, np.float32) * np.sqrt(electrons + np.float32(READ_NOISE_E**2))
    seen = np.clip((electrons + noise) / np.float32(conditions.saturation_e), 0, 1)
    frame = np.asarray(np.rint(255 * seen ** np.float32(1 / GAMMA)), np.uint8)
    if conditions.jpeg is None:
        return frame
    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, conditions.jpeg])
    again = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert done, "a frame becomes a JPEG"
    assert again is not None, "our own JPEG decodes"
    return np.asarray(again, np.uint8)


def _disc(radius: float) -> Light:
    fine, reach = 8, int(np.ceil(radius)) + 1
    places = (np.arange((2 * reach + 1) * fine) + 0.5) / fine - reach - 0.5
    inside = (places[:, None] ** 2 + places[None, :] ** 2 <= radius**2).astype(np.float32)
    return _kernel(inside, 2 * reach + 1, fine)


def _streak(length: float, direction: float) -> Light:
    fine, reach = 8, int(np.ceil(length / 2)) + 1
    size = 2 * reach + 1
    line = np.zeros((size * fine, size * fine), np.float32)
    steps = np.linspace(-length / 2, length / 2, 400)
    angle = np.radians(direction)
    rows, columns = ((steps * part + reach + 0.5) * fine for part in (np.sin(angle), np.cos(angle)))
    np.add.at(line, (rows.astype(int), columns.astype(int)), 1.0)
    return _kernel(np.asarray(cv2.GaussianBlur(line, (0, 0), fine / 3), np.float32), size, fine)


def _kernel(fine_weights: Light, size: int, fine: int) -> Light:
    weights = fine_weights.reshape(size, fine, size, fine).sum(axis=(1, 3))
    return np.asarray(weights / weights.sum(), np.float32)
