"""Presentations drawn at random for measuring the detectors: each number names one, always the same."""

import math

import numpy as np
from tests.attacks.camera import Camera
from tests.attacks.light import Ambient, GateDisplay
from tests.attacks.motion import Motion, MotionKind
from tests.attacks.scene import Scene, Screen, Species

CYCLE = (
    Species.LIVE, Species.FLAT_PRINT, Species.LIVE, Species.BENT_PRINT, Species.PHONE, Species.LIVE, Species.TABLET,
    Species.MONITOR, Species.WRONG_SEQUENCE, Species.LIVE, Species.RELIT_REPLAY, Species.BORDERLESS_PRINT,
    Species.VIDEO_REPLAY, Species.LIVE,
)  # fmt: skip
_KINDS = (MotionKind.STILL, MotionKind.NATURAL, MotionKind.NATURAL, MotionKind.TURN, MotionKind.APPROACH)
_SCREENS = (Screen.PHONE, Screen.TABLET, Screen.MONITOR, Screen.INJECTED, Screen.INJECTED)


def presentation(number: int) -> Scene:
    """Presentation `number`: species in turn, everything else random. Display light 3 to 40 % of the ambient light,
    80 to 2000 lux, 2600 to 6500 K, lamps that flicker, blur up to sigma 1.8, JPEG 75 or 92, glasses one in four,
    ten skin tones, standing still, swaying, turning by 8 to 14 degrees or coming nearer by 10 to 25 cm.
    """
    rng = np.random.default_rng([77, number])
    motion = _motion(rng)
    ambient = Ambient(
        lux=float(np.exp(rng.uniform(math.log(80), math.log(2000)))),
        kelvin=float(rng.uniform(2600, 6500)),
        diffuse=float(rng.uniform(0.3, 0.9)),
        direction=(float(rng.uniform(-0.8, 0.8)), float(rng.uniform(-1, -0.3)), float(rng.uniform(-1, -0.2))),
        flicker_depth=float(rng.choice([0, 0, 0.2, 0.5])),
        flicker_phase=float(rng.uniform()),
    )
    display = GateDisplay(share=float(np.exp(rng.uniform(math.log(0.03), math.log(0.4)))))
    blur, jpeg = float(rng.choice([0.6, 0.6, 1.2, 1.8])), int(rng.choice([75, 92]))
    screen = _SCREENS[rng.integers(5)]
    person = int(rng.integers(20))
    return Scene(
        species=CYCLE[number % len(CYCLE)],
        seed=1000 + number,
        subject=person,
        tone=1 + person % 10,
        glasses=bool(rng.uniform() < 0.25),
        motion=motion,
        ambient=ambient,
        display=display,
        camera=Camera(width=352, height=400, blur_px=blur, jpeg=jpeg),
        curvature=float(rng.uniform(3, 9) * rng.choice([-1, 1])),
        screen=screen,
        lag_frames=int(rng.integers(0, 4)),
    )


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
