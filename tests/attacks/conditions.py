"""Presentations drawn at random for measuring the detectors: a species and a number name one, always the same.

Numbers from TEST_FROM on are the test set, on which the detectors are reported; the thresholds were chosen on lower
ones. No person, plan or noise is in both. The skin tones go round, so that twenty numbers in a row have each twice.
"""

import math

import numpy as np
from tests.attacks.camera import Camera
from tests.attacks.light import Ambient, GateDisplay
from tests.attacks.motion import Motion, MotionKind
from tests.attacks.scene import Scene, Screen, Species
from tests.attacks.skin import TONES

_KINDS = (MotionKind.STILL, MotionKind.NATURAL, MotionKind.NATURAL, MotionKind.TURN, MotionKind.APPROACH)
_SCREENS = (Screen.PHONE, Screen.TABLET, Screen.MONITOR, Screen.INJECTED, Screen.INJECTED)
TEST_FROM = 20_000
SHARES = (0.03, 0.4)
"""Display light over ambient light, at which the detectors are measured."""


def presentation(species: Species, number: int, shares: tuple[float, float] = SHARES) -> Scene:
    """Presentation `number` of `species`: every number another person, everything but the skin tone random.

    Display light `shares` of the ambient light (even in the logarithm), 80 to 2000 lux and in one of eight 10 to 80,
    2600 to 6500 K and in one of six warm light that the camera takes for daylight, lamps that flicker in half of all
    (one in four of those with a short exposure), blur up to sigma 1.8, JPEG 75 or 92, glasses one in four, standing
    still, swaying, turning by 8 to 14 degrees or coming nearer by 10 to 25 cm.
    """
    rng = np.random.default_rng([77, list(Species).index(species), number])
    warm, flickers = rng.uniform() < 1 / 6, rng.uniform() < 1 / 2
    lux = (10, 80) if rng.uniform() < 1 / 8 else (80, 2000)
    ambient = Ambient(
        lux=_between(rng, lux),
        kelvin=float(rng.uniform(2600, 3200) if warm else rng.uniform(2600, 6500)),
        diffuse=float(rng.uniform(0.3, 0.9)),
        direction=(float(rng.uniform(-0.8, 0.8)), float(rng.uniform(-1, -0.3)), float(rng.uniform(-1, -0.2))),
        flicker_depth=float(rng.uniform(0.1, 0.5)) if flickers else 0.0,
        flicker_phase=float(rng.uniform()),
    )
    camera = Camera(
        width=352,
        height=400,
        blur_px=float(rng.choice([0.6, 0.6, 1.2, 1.8])),
        jpeg=int(rng.choice([75, 92])),
        white_kelvin=4800.0 if warm else None,
        exposure_max_s=0.005 if flickers and rng.uniform() < 1 / 4 else 0.02,
    )
    return Scene(
        species=species,
        seed=int(rng.integers(1 << 31)),
        subject=1000 + number,
        tone=1 + number // 2 % TONES,
        glasses=bool(rng.uniform() < 0.25),
        liveliness=float(rng.uniform(0.3, 1.5)),
        motion=_motion(rng),
        ambient=ambient,
        display=GateDisplay(share=_between(rng, shares)),
        camera=camera,
        curvature=float(rng.uniform(3, 9) * rng.choice([-1, 1])),
        screen=_SCREENS[rng.integers(5)],
        lag_frames=number // 2 % 4,
    )


def _between(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """Even in the logarithm."""
    return float(np.exp(rng.uniform(math.log(limits[0]), math.log(limits[1]))))


def _motion(rng: np.random.Generator) -> Motion:
    kind = _KINDS[rng.integers(5)]
    degrees, metres = float(rng.uniform(8, 14)), float(rng.uniform(0.1, 0.25))
    amount = {MotionKind.TURN: degrees, MotionKind.APPROACH: metres}.get(kind, 0.0)
    return Motion(
        kind,
        amount=amount,
        distance=float(rng.uniform(0.42, 0.65)),
        side=float(rng.uniform(-0.03, 0.03)),
        height=float(rng.uniform(-0.03, 0.03)),
    )
