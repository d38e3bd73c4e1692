"""The simulator's light obeys the laws it claims: linear, falling with the square of the distance, never created."""

import math

import numpy as np
import pytest
from tests.attacks.gloss import Sheen, mirror
from tests.attacks.light import (
    FRAME_RATE,
    LUMINANCE,
    REFERENCE_DISTANCE,
    Ambient,
    Floats,
    GateDisplay,
    decode_srgb,
    encode_srgb,
    even_light,
    light_rows,
    planck_rgb,
    through_codes,
)

TOWARDS_CAMERA = np.array([[0], [0], [-1]], np.float32)
PLAN = np.array([[255, 0, 0], [0, 255, 0]], np.uint8)


def _at(x: float, y: float, z: float) -> Floats:
    return np.array([[x], [y], [z]], np.float32)


def test_display_gives_its_share_of_the_ambient_light_at_the_reference_point() -> None:
    ambient, display = Ambient(lux=240), GateDisplay(share=0.07)
    by_display = display.share * ambient.lux * display.form_factor(_at(0, 0, REFERENCE_DISTANCE), TOWARDS_CAMERA)
    assert ambient.irradiance(TOWARDS_CAMERA) == pytest.approx(240, rel=1e-5)
    assert by_display / ambient.irradiance(TOWARDS_CAMERA) == pytest.approx(0.07, rel=1e-5)


@pytest.mark.parametrize(("near", "far"), [(1.0, 2.0), (1.5, 3.0)])
def test_display_light_falls_with_the_square_of_the_distance(near: float, far: float) -> None:
    display = GateDisplay(centre_y=0.0)
    ratio = display.form_factor(_at(0, 0, near), TOWARDS_CAMERA) / display.form_factor(_at(0, 0, far), TOWARDS_CAMERA)
    assert ratio == pytest.approx((far / near) ** 2, rel=0.02)


def test_four_quarters_of_the_display_are_near_enough_to_its_whole_area() -> None:
    display = GateDisplay(centre_y=0.0)
    x, y = (np.linspace(-0.5, 0.5, 81)[:-1] + 1 / 160) * 0.22, (np.linspace(-0.5, 0.5, 81)[:-1] + 1 / 160) * 0.14
    xx, yy = np.meshgrid(x, y)

    def whole(z: float) -> float:
        square = xx**2 + yy**2 + z**2
        return float((z * z / square**2).mean())

    for z in (0.2, 0.35, 1.0):
        expected = whole(z) / whole(REFERENCE_DISTANCE)
        assert display.form_factor(_at(0, 0, z), TOWARDS_CAMERA) == pytest.approx(expected, rel=0.04)


def test_surface_that_looks_away_gets_no_light_of_the_display() -> None:
    away = np.array([[0], [0], [1]], np.float32)
    assert GateDisplay().form_factor(_at(0, 0, 0.5), away) == 0
    assert GateDisplay().form_factor(_at(0, 0, -0.5), TOWARDS_CAMERA) == 0


@pytest.mark.parametrize("diffuse", [0.2, 0.6, 1.0])
def test_ambient_light_doubles_with_its_lux_and_is_brighter_from_above(diffuse: float) -> None:
    normals = np.array([[0, 0, 0], [0, -1, 1], [-1, 0, 0]], np.float32)
    once, twice = (Ambient(lux=lux, diffuse=diffuse).irradiance(normals) for lux in (100, 200))
    assert twice == pytest.approx(2 * once, rel=1e-6)
    assert once[1] > once[2]


@pytest.mark.parametrize("kelvin", [1700, 2222, 2700, 4000, 6500, 20000])
def test_colour_temperature_has_luminance_one_and_gets_bluer(kelvin: float) -> None:
    assert planck_rgb(kelvin) @ LUMINANCE == pytest.approx(1, rel=1e-5)
    assert planck_rgb(kelvin)[0] / planck_rgb(kelvin)[2] > planck_rgb(kelvin + 400)[0] / planck_rgb(kelvin + 400)[2]


def test_black_body_of_6500_kelvin_is_nearly_srgb_white() -> None:
    assert planck_rgb(6500) == pytest.approx(np.ones(3), abs=0.06)


def test_srgb_codes_survive_the_way_through_light() -> None:
    codes = np.arange(256, dtype=np.uint8)
    assert np.rint(encode_srgb(decode_srgb(codes))) == pytest.approx(codes)
    assert through_codes(decode_srgb(codes)) == pytest.approx(decode_srgb(codes), abs=0.004)


def test_sheen_returns_no_more_light_than_falls_on_it() -> None:
    sheen = Sheen(0.04, 10.0)
    polar, around = np.meshgrid(np.linspace(0, math.pi / 2, 120), np.linspace(0, 2 * math.pi, 120), indexing="ij")
    source = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), -np.cos(polar)])
    normals = np.zeros_like(source)
    normals[2] = -1
    view = np.zeros_like(source)
    view[2] = -1
    lobe = sheen._lobe(normals.astype(np.float32), source.astype(np.float32), view.astype(np.float32))
    weight = np.cos(polar) * np.sin(polar) * (math.pi / 2 / 120) * (2 * math.pi / 120) / math.pi
    returned = float((lobe * weight).sum())
    assert 0.02 < returned < 0.08


def test_mirror_facing_the_camera_shows_the_display_where_the_angles_are_equal() -> None:
    display = GateDisplay(centre_y=0.1)
    normals = np.repeat(TOWARDS_CAMERA, 3, axis=1)
    points = np.array([[0, 0, 0], [0.05, 0.0, -0.05], [0.5, 0.5, 0.5]], np.float32)
    part, down = mirror(display, points, normals)
    assert list(part) == [1, 0, 0]
    assert down[0] > 0


def test_row_exposed_before_the_display_changes_still_has_the_colour_before() -> None:
    late = light_rows(
        Ambient(), GateDisplay(latency_s=0.010), PLAN, 1, rows=480, readout_s=0.016, exposure_s=0.008
    ).display[..., 0]
    assert late[:, 0] == pytest.approx([1, 0, 0], abs=1e-6)
    assert late[:, 180] == pytest.approx([0.5, 0.5, 0], abs=1e-2)
    assert late[:, 479] == pytest.approx([0, 1, 0], abs=1e-6)
    in_time = light_rows(Ambient(), GateDisplay(), PLAN, 1, rows=480, readout_s=0.016, exposure_s=0.008).display
    assert in_time[0].max() == 0
    assert in_time[1].min() == 1


def test_flicker_vanishes_when_the_exposure_lasts_whole_periods() -> None:
    lamp = Ambient(flicker_hz=100, flicker_depth=0.4)
    whole, half = (
        light_rows(lamp, GateDisplay(), PLAN, 0, rows=480, readout_s=0.016, exposure_s=exposure_s).flicker
        for exposure_s in (0.02, 0.005)
    )
    assert whole == pytest.approx(np.ones((480, 1)), abs=1e-6)
    assert np.ptp(half) == pytest.approx(2 * 0.4 * np.sinc(0.5), rel=0.01)


def test_flicker_moves_from_frame_to_frame_when_it_is_no_multiple_of_the_frame_rate() -> None:
    plan = np.zeros((3, 3), np.uint8)

    def flicker(hz: float, frame: int) -> Floats:
        lamp = Ambient(flicker_hz=hz, flicker_depth=0.4)
        return light_rows(lamp, GateDisplay(), plan, frame, rows=48, readout_s=0.016, exposure_s=0.003).flicker

    moved = [float(np.abs(flicker(hz, 0) - flicker(hz, 2)).max()) for hz in (4 * FRAME_RATE, 4 * FRAME_RATE + 2)]
    assert moved[0] == pytest.approx(0, abs=1e-4)
    assert moved[1] > 0.1


def test_even_light_is_the_same_for_all_rows() -> None:
    rows = even_light(np.array([0.1, 0.2, 0.3], np.float32), 6)
    assert pytest.approx(np.tile([0.1, 0.2, 0.3], (6, 1))) == rows.display[:, :, 0].T
    assert rows.flicker == pytest.approx(np.ones((6, 1)))


@pytest.mark.parametrize(
    "wrong", [{"lux": 0}, {"diffuse": 0.1}, {"flicker_depth": 1.1}, {"direction": (0.0, 0.0, 0.0)}]
)
def test_light_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="ambient"):
        Ambient(**wrong)  # type: ignore[arg-type]
