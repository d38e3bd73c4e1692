"""Light of a simulated gate: ambient light, the gate's display as an area light, and what one frame's rows receive.

Units. Every picture before the camera holds *lux equivalents*: pi times luminance, so that a white matt surface under
E lux has the value E, one of albedo rho has rho E, and a screen of L cd/m2 has pi L. Colours are linear sRGB with a
luminance of 1 for white (ITU-R BT.709 primaries, IEC 61966-2-1). Metres; the camera is at the origin and looks along
+z, x is right and y is down in the picture.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.floating]

FRAME_RATE = 25.0
REFERENCE_DISTANCE = 0.5
"""Metres before the camera at which `Ambient.lux` and `GateDisplay.share` are defined, on a surface facing it."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_XYZ_TO_RGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])


def decode_srgb(code: NDArray[np.uint8] | Floats) -> Floats:
    """Linear light 0..1 of sRGB codes 0..255 (IEC 61966-2-1)."""
    v = np.asarray(code, np.float32) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encode_srgb(linear: Floats) -> Floats:
    """sRGB codes 0..255, not rounded, of linear light; clipped to 0..1 first."""
    v = np.clip(linear, 0, 1)
    return (255 * np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)).astype(np.float32)


def through_codes(linear: Floats) -> Floats:
    """Linear light as it comes back from a picture of eight bit sRGB codes."""
    codes, light = _code_tables()
    return light[codes[np.clip(linear * 8191, 0, 8191).astype(np.uint16)]]


@lru_cache(maxsize=1)
def _code_tables() -> tuple[NDArray[np.uint8], Floats]:
    codes = np.rint(encode_srgb((np.arange(8192, dtype=np.float32) + np.float32(0.5)) / np.float32(8192)))
    return codes.astype(np.uint8), decode_srgb(np.arange(256, dtype=np.uint8))


def planck_rgb(kelvin: float) -> Floats:
    """Linear sRGB, luminance 1, of a black body of 1667..25000 kelvin (cubic fit of Kim et al., US patent 7024034)."""
    if not 1667 <= kelvin <= 25000:
        raise ValueError(f"colour temperature {kelvin} K is outside 1667..25000")
    k = 1e3 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * k**3 - 0.2343589 * k**2 + 0.8776956 * k + 0.179910
    else:
        x = -3.0258469 * k**3 + 2.1070379 * k**2 + 0.2226347 * k + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    rgb = np.maximum(_XYZ_TO_RGB @ np.array([x / y, 1.0, (1 - x - y) / y]), 1e-3)
    return np.asarray(rgb / (rgb @ LUMINANCE), np.float32)


@dataclass(frozen=True, slots=True)
class Ambient:
    """All light but the display's.

    lux: illuminance on a surface that faces the camera. direction: from the face towards the lamp, any length.
    diffuse: part of the light that comes from everywhere (a little more from above), 0.2..1; the rest is the lamp's.
    flicker_depth: amplitude of the lamp's change at `flicker_hz` over its mean, 0..1; `flicker_phase` in turns.
    """

    lux: float = 300.0
    kelvin: float = 4300.0
    direction: tuple[float, float, float] = (-0.3, -0.8, -0.7)
    diffuse: float = 0.55
    flicker_hz: float = 100.3
    flicker_depth: float = 0.0
    flicker_phase: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.lux <= 200_000 and 0.2 <= self.diffuse <= 1 and 0 <= self.flicker_depth <= 1):
            raise ValueError("ambient: needs 0 < lux <= 200000, 0.2 <= diffuse <= 1 and 0 <= flicker_depth <= 1")
        if not math.hypot(*self.direction) > 0:
            raise ValueError("ambient: direction has no length")

    @property
    def colour(self) -> Floats:
        """Linear RGB of luminance 1."""
        return planck_rgb(self.kelvin)

    @property
    def lamp(self) -> Floats:
        """Unit vector towards the lamp."""
        return (np.array(self.direction) / math.hypot(*self.direction)).astype(np.float32)

    def cosine(self, normals: Floats) -> Floats:
        """Of the angle between unit normals (3, ...) and the lamp; 0 where they look away."""
        x, y, z = self.lamp
        return np.asarray(np.maximum(normals[0] * x + normals[1] * y + normals[2] * z, 0), np.float32)

    def irradiance(self, normals: Floats, openness: Floats | float = 1.0) -> Floats:
        """Lux (scalar; times `colour` for RGB) on surfaces of unit `normals` (3, ...), which look at the camera.

        openness: part of the surroundings that a surface sees, 0..1; it takes from the diffuse part alone.
        """
        lamp = self.lamp
        around = _surround(normals[1]) * np.float32(self.diffuse) * openness
        direct = self.cosine(normals) * np.float32(1 - self.diffuse)
        towards_camera = self.diffuse * _surround(0.0) + (1 - self.diffuse) * max(-float(lamp[2]), 0.0)
        return np.asarray((around + direct) * np.float32(self.lux / towards_camera), np.float32)


def _surround(down: Floats | float) -> Floats | float:
    """Light from everywhere on a surface whose normal has the y part `down`: 1 towards the camera, 1.3 from above."""
    return 1 - 0.3 * down


@dataclass(frozen=True, slots=True)
class GateDisplay:
    """The gate's display: a matt emitting rectangle in the plane z = 0, facing the rider.

    share: illuminance by the display, all white, over that by the ambient light, at the reference distance on a
    surface facing the camera. The colours of a plan are usually darker than white, so they give less.
    latency_s: how long after a frame's exposure begins the display shows that frame's colour; 0 or less: before it.
    """

    share: float = 0.1
    width: float = 0.22
    height: float = 0.14
    centre_x: float = 0.0
    centre_y: float = 0.11
    latency_s: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.share <= 100 and self.width > 0 and self.height > 0):
            raise ValueError("display: needs 0 <= share <= 100 and sides above 0")

    def form_factor(self, points: Floats, normals: Floats) -> Floats:
        """Illuminance on points (3, ...) of unit normals over that at the reference point: 1 there, falling as 1/r^2.

        Four quarters of the rectangle, each a small Lambertian source at its middle: A cos cos / r^2.
        """
        result = sum(self._quarter(points, normals, i, j) for i in (-1, 1) for j in (-1, 1))
        return np.asarray(result, np.float32) / np.float32(self._reference())

    def luminance(self, ambient_lux: float) -> float:
        """Lux equivalents (pi cd/m2) of the display's white itself."""
        return self.share * ambient_lux * math.pi / self._reference()

    def _quarter(self, points: Floats, normals: Floats, i: int, j: int) -> Floats:
        x = np.float32(self.centre_x + i * self.width / 4) - points[0]
        y = np.float32(self.centre_y + j * self.height / 4) - points[1]
        z = points[2]
        square = x * x + y * y + z * z
        facing = np.maximum(normals[0] * x + normals[1] * y - normals[2] * z, 0)
        area = np.float32(self.width * self.height / 4)
        return np.asarray(facing * np.maximum(z, 0) * area / (square * square), np.float32)

    def _reference(self) -> float:
        point = np.array([[0], [0], [REFERENCE_DISTANCE]], np.float32)
        towards = np.array([[0], [0], [-1]], np.float32)
        return float(sum(self._quarter(point, towards, i, j)[0] for i in (-1, 1) for j in (-1, 1)))


@dataclass(frozen=True, slots=True, eq=False)
class RowLight:
    """Light while the rows of one frame are exposed (a rolling shutter exposes them one after the other).

    flicker: (rows, 1), the ambient light over its mean. display: (3, rows, 1), linear RGB of the display, 0..1.
    """

    flicker: Floats
    display: Floats


def light_rows(
    ambient: Ambient,
    display: GateDisplay,
    plan: NDArray[np.uint8],
    index: int,
    *,
    rows: int,
    readout_s: float,
    exposure_s: float,
) -> RowLight:
    """The light of frame `index`; `plan` is (frames, 3) sRGB. Flicker is averaged over the exposure (a sinc)."""
    start = np.arange(rows, dtype=np.float32) * np.float32(readout_s / rows)
    middle = index / FRAME_RATE + start + exposure_s / 2
    depth = ambient.flicker_depth * np.sinc(ambient.flicker_hz * exposure_s)
    flicker = 1 + depth * np.sin(2 * np.pi * (ambient.flicker_hz * middle + ambient.flicker_phase))
    linear = decode_srgb(plan[[max(index - 1, 0), index]])
    before = np.clip((display.latency_s - start) / exposure_s, 0, 1)[:, None]
    mixed = before * linear[0] + (1 - before) * linear[1]
    return RowLight(flicker.astype(np.float32)[:, None], np.ascontiguousarray(mixed.T, np.float32)[..., None])


def even_light(colour: Floats, rows: int) -> RowLight:
    """The same for all rows: mean ambient light and a display of linear RGB `colour`."""
    display = np.broadcast_to(np.asarray(colour, np.float32)[:, None, None], (3, rows, 1))
    return RowLight(np.ones((rows, 1), np.float32), display)
