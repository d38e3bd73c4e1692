"""Scenes as they come: drawn from ranges of a station's circumstances, and with one nuisance at a time."""

import math
from dataclasses import replace
from enum import Enum

import numpy as np
from tests.attacks.camera import Camera
from tests.attacks.light import Ambient, GateDisplay
from tests.attacks.motion import Motion, MotionKind
from tests.attacks.scene import LAG_FRAMES_MAX, Scene, Screen, Species
from tests.attacks.skin import TONES

_SCREENS = (Screen.PHONE, Screen.TABLET, Screen.MONITOR)


class Nuisance(Enum):
    """What makes a presentation hard to judge and says nothing about life."""

    NONE = "none"
    DARK = "dark"
    BLUR = "blur"
    WARM = "warm white balance"
    FLICKER = "flicker"
    STILL = "stillness"
    GLASSES = "glasses"
    SUNLIGHT = "sunlight"


def draw_scene(
    species: Species,
    seed: int,
    *,
    share: float | None = None,
    motion: MotionKind | None = None,
    nuisance: Nuisance = Nuisance.NONE,
) -> Scene:
    """A scene of `species`; `seed` decides all that is not given.

    Ten seeds in a row have the ten skin tones. share: of the display; else 0.03..0.3, evenly in its logarithm.
    motion: of head, print or photograph; else natural, a turn of 8..14 degrees or an approach of 0.15..0.35 m, equally
    likely. A replay lags 0..3 frames and comes on any screen.
    """
    rng = np.random.default_rng([seed, 97])
    kind = motion or (MotionKind.NATURAL, MotionKind.TURN, MotionKind.APPROACH)[int(rng.integers(3))]
    amount = {MotionKind.TURN: rng.uniform(8, 14), MotionKind.APPROACH: rng.uniform(0.15, 0.35)}.get(kind, 0.0)
    side, height = (float(v) for v in rng.uniform(-0.03, 0.03, 2))
    distance = float(rng.uniform(0.42, 0.58))
    scene = Scene(
        species=species,
        seed=seed,
        subject=seed,
        tone=1 + seed % TONES,
        glasses=bool(rng.uniform() < 0.25),
        liveliness=float(rng.uniform(0.3, 1.5)),
        motion=Motion(kind, float(amount), distance, side, height),
        carrier_motion=Motion(MotionKind.NATURAL, 0.0, distance, side, height),
        ambient=_draw_ambient(rng),
        display=GateDisplay(
            share=_between(rng, 0.03, 0.3) if share is None else share,
            centre_y=float(rng.uniform(0.09, 0.13)),
            latency_s=float(rng.uniform(-0.002, 0.006)),
        ),
        camera=Camera(blur_px=float(rng.uniform(0.5, 0.8)), jpeg=int(rng.integers(85, 96))),
        curvature=float(rng.uniform(4, 9)),
        screen=_SCREENS[int(rng.integers(3))],
        lag_frames=int(rng.integers(LAG_FRAMES_MAX + 1)),
    )
    return disturb(scene, nuisance)


def disturb(scene: Scene, nuisance: Nuisance) -> Scene:
    """`scene` with `nuisance`. The display's share stays as it was, save in sunlight, where it is 0.003."""
    ambient, camera = scene.ambient, scene.camera
    daylight = replace(camera, white_kelvin=4800.0)
    changed: dict[Nuisance, Scene] = {
        Nuisance.NONE: scene,
        Nuisance.DARK: replace(scene, ambient=replace(ambient, lux=10.0)),
        Nuisance.BLUR: replace(scene, camera=replace(camera, blur_px=1.9)),
        Nuisance.WARM: replace(scene, ambient=replace(ambient, kelvin=2700.0), camera=daylight),
        Nuisance.FLICKER: replace(
            scene,
            ambient=replace(ambient, flicker_hz=120.3, flicker_depth=0.35),
            camera=replace(camera, exposure_max_s=0.005),
        ),
        Nuisance.STILL: replace(
            scene,
            liveliness=0.0,
            motion=replace(scene.motion, kind=MotionKind.STILL, amount=0.0),
            carrier_motion=replace(scene.carrier_motion, kind=MotionKind.STILL, amount=0.0),
        ),
        Nuisance.GLASSES: replace(scene, glasses=True),
        Nuisance.SUNLIGHT: replace(
            scene,
            ambient=replace(ambient, lux=20_000.0, kelvin=5500.0, diffuse=0.35),
            display=replace(scene.display, share=0.003),
        ),
    }
    return changed[nuisance]


def _draw_ambient(rng: np.random.Generator) -> Ambient:
    around = rng.uniform(-1.2, 1.2)
    return Ambient(
        lux=_between(rng, 80, 800),
        kelvin=float(rng.uniform(2900, 6500)),
        direction=(math.sin(around), float(rng.uniform(-1.2, -0.2)), -math.cos(around)),
        diffuse=float(rng.uniform(0.4, 0.85)),
        flicker_phase=float(rng.uniform()),
    )


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Evenly distributed in the logarithm."""
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))
