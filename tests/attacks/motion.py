"""How a head or a hand-held thing moves: rigid poses over time, and the face's own expression."""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class MotionKind(Enum):
    """What the presenter does during a clip."""

    STILL = "still"
    """Holds still as well as a person can: a tenth of the natural sway."""
    NATURAL = "natural"
    """Stands before the gate: a sway of millimetres and a degree or two."""
    TURN = "turn"
    """Turns by `amount` degrees from one side to the other, over the whole clip."""
    APPROACH = "approach"
    """Walks up by `amount` metres over the whole clip."""


@dataclass(frozen=True, slots=True)
class Motion:
    """amount: degrees of a TURN, metres of an APPROACH; distance: metres to the camera at the end of the clip."""

    kind: MotionKind = MotionKind.NATURAL
    amount: float = 0.0
    distance: float = 0.5
    side: float = 0.0
    height: float = 0.0

    def __post_init__(self) -> None:
        if not 0.15 <= self.distance <= 3:
            raise ValueError(f"motion: distance {self.distance} m is outside 0.15..3")
        if self.kind is MotionKind.TURN and not 0 < self.amount <= 60:
            raise ValueError("motion: a turn needs an amount of 0..60 degrees")
        if self.kind is MotionKind.APPROACH and not 0 < self.amount <= 2:
            raise ValueError("motion: an approach needs an amount of 0..2 metres")


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """rotation: (3, 3) from the thing's own axes to the camera's. place: (3,) metres, where its middle is."""

    rotation: NDArray[np.float64]
    place: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expression:
    """Weights, about 0..1: smile, open mouth, raised brows, shut eyes."""

    smile: float = 0.0
    jaw: float = 0.0
    brows: float = 0.0
    blink: float = 0.0


class Sway:
    """Smooth random wandering: sums of sinusoids of 0.2..1.2 Hz whose phases the random source draws."""

    def __init__(self, rng: np.random.Generator, channels: int, low_hz: float = 0.2, high_hz: float = 1.2) -> None:
        self._hz = rng.uniform(low_hz, high_hz, (channels, 3))
        self._phase = rng.uniform(0, 2 * np.pi, (channels, 3))

    def at(self, time_s: float) -> NDArray[np.float64]:
        """(channels,) values of root mean square 1."""
        waves = np.sin(2 * np.pi * self._hz * time_s + self._phase)
        return np.asarray(waves.sum(axis=1) * math.sqrt(2 / 3), np.float64)


class Mover:
    """Poses of a thing that moves as `motion` says; the same random source gives the same path."""

    def __init__(self, motion: Motion, rng: np.random.Generator, *, clip_s: float, hand_held: bool = False) -> None:
        self._motion = motion
        self._clip_s = max(clip_s, 1e-6)
        self._sway = Sway(rng, 6)
        self._tremor = Sway(rng, 6, 6.0, 11.0) if hand_held else None
        self._start = rng.normal(0, 1, 3) * (3.0, 3.0, 2.0)
        self._direction = 1.0 if rng.uniform() < 0.5 else -1.0

    def pose(self, time_s: float) -> Pose:
        """Where the thing is at `time_s` seconds of the clip."""
        motion, part = self._motion, min(time_s / self._clip_s, 1.0)
        natural = 0.1 if motion.kind is MotionKind.STILL else 1.0
        sway = self._sway.at(time_s) * natural
        if self._tremor is not None:
            sway = sway + 0.12 * self._tremor.at(time_s) * natural
        yaw, pitch, roll = self._start + sway[:3] * (1.4, 1.0, 0.7)
        place = np.array([motion.side, motion.height, motion.distance]) + sway[3:] * (0.003, 0.002, 0.003)
        if motion.kind is MotionKind.TURN:
            yaw += self._direction * motion.amount * (_ease(part) - 0.5)
        if motion.kind is MotionKind.APPROACH:
            place[2] += motion.amount * (1 - part)
            place[1] += 0.006 * math.sin(2 * math.pi * 1.8 * time_s + sway[3])
        return Pose(rotate(yaw, pitch, roll), place)


class Face:
    """Expression over time: slow changes of smile, jaw and brows about a mood, and perhaps one blink."""

    def __init__(self, rng: np.random.Generator, *, clip_s: float, liveliness: float = 1.0) -> None:
        self._mood = rng.uniform(0, 0.35, 3) * (1.0, 0.4, 0.6)
        self._sway = Sway(rng, 3)
        self._blink_at = rng.uniform(0.1, 4.0)
        self._liveliness = liveliness if clip_s > 0 else 0.0

    def expression(self, time_s: float) -> Expression:
        """The face at `time_s` seconds of the clip. Without liveliness it keeps its first expression."""
        smile, jaw, brows = self._mood + self._liveliness * self._sway.at(time_s) * (0.12, 0.06, 0.10)
        blink = math.exp(-(((time_s - self._blink_at) / 0.06) ** 4)) if self._liveliness else 0.0
        return Expression(smile, max(jaw, 0.0), brows, blink)


def rotate(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """(3, 3) rotation by degrees: first roll in the picture, then pitch about x, then yaw about y."""
    y, p, r = (math.radians(angle) for angle in (yaw, pitch, roll))
    about_y = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(p), -math.sin(p)], [0, math.sin(p), math.cos(p)]])
    about_z = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float64)


def _ease(part: float) -> float:
    """From 0 to 1, slow at both ends."""
    return part * part * (3 - 2 * part)
