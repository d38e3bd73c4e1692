"""The simulator's camera: photon statistics, mosaic, white balance, exposure and projection."""

from dataclasses import replace

import numpy as np
import pytest
from tests.attacks.camera import Camera, Settings, develop, expose, eye_box, meter, mosaic
from tests.attacks.light import Floats, encode_srgb, planck_rgb

CAMERA = Camera(width=320, height=240, focal_px=280.0, blur_px=0.0, vignetting=0.0, jpeg=100)
UNIT = Settings(0.01, 1.0, (1.0, 1.0, 1.0))
BLACK, LEVEL = 1024.0, 32768.0 / 4096
CENTRE = (slice(100, 140), slice(140, 180))


def _grey(lux: float, colour: Floats | None = None) -> Floats:
    shade = np.ones(3, np.float32) if colour is None else colour
    return np.broadcast_to((shade * np.float32(lux))[:, None, None], (3, 240, 320)).copy()


def _electrons(lux: float, seed: int = 1) -> Floats:
    raw = expose(CAMERA, UNIT, _grey(lux), np.random.default_rng(seed))
    return (raw.astype(np.float32) - BLACK) / LEVEL * (CAMERA.full_well / 4096)


@pytest.mark.parametrize("lux", [5.0, 50.0, 300.0])
def test_noise_has_the_variance_of_shot_and_read_noise(lux: float) -> None:
    electrons = _electrons(lux)
    mean = lux * CAMERA.electrons * UNIT.exposure_s
    rounding = (CAMERA.full_well / 4096) ** 2 / 12
    assert electrons.mean() == pytest.approx(mean, rel=0.01)
    assert electrons.var() == pytest.approx(mean + CAMERA.read_noise**2 + rounding, rel=0.03)


def test_sensor_is_linear_in_light_until_its_well_is_full() -> None:
    assert _electrons(400).mean() == pytest.approx(4 * _electrons(100, seed=2).mean(), rel=0.005)
    assert _electrons(3000).max() <= CAMERA.full_well


def test_noise_of_two_frames_is_unrelated() -> None:
    first, second = (_electrons(100, seed).ravel() for seed in (1, 2))
    assert abs(float(np.corrcoef(first, second)[0, 1])) < 0.01


def test_each_pixel_of_the_mosaic_has_one_colour_in_the_order_rggb() -> None:
    red, green, blue = (mosaic(_grey(1, np.eye(3, dtype=np.float32)[i])) for i in range(3))
    assert red[0, 0] > red[0, 1] == red[1, 0] > red[1, 1]
    assert green[0, 1] == green[1, 0] > max(green[0, 0], green[1, 1])
    assert blue[1, 1] > blue[0, 1] > blue[0, 0]
    assert mosaic(_grey(1)) == pytest.approx(np.ones((240, 320)), abs=1e-6)


@pytest.mark.parametrize("kelvin", [2700.0, 4300.0, 6500.0])
def test_grey_under_the_light_taken_for_white_comes_out_grey(kelvin: float) -> None:
    camera = replace(CAMERA, white_kelvin=kelvin)
    light = _grey(200, planck_rgb(kelvin) * np.float32(0.5))
    settings = meter(camera, light, CENTRE, kelvin)
    frame = develop(camera, settings, expose(camera, settings, light, np.random.default_rng(3)))
    means = frame[50:190, 50:270].reshape(-1, 3).mean(axis=0)
    assert np.ptp(means) < 2
    assert means.mean() == pytest.approx(encode_srgb(np.array([0.2], np.float32))[0], rel=0.08)


def test_warm_light_taken_for_daylight_comes_out_orange() -> None:
    camera = replace(CAMERA, white_kelvin=5500.0)
    light = _grey(200, planck_rgb(2700))
    settings = meter(camera, light, CENTRE, 2700)
    blue, green, red = develop(camera, settings, expose(camera, settings, light, np.random.default_rng(3)))[120, 160]
    assert red > green > blue


def test_exposure_time_grows_first_and_then_the_gain() -> None:
    bright, dim, dark = (meter(CAMERA, _grey(lux), CENTRE, 5000) for lux in (2000, 20, 0.1))
    assert bright.exposure_s < CAMERA.exposure_max_s
    assert bright.gain == 1
    assert dim.exposure_s == CAMERA.exposure_max_s
    assert 1 < dim.gain < CAMERA.gain_max
    assert dark.gain == CAMERA.gain_max


def test_lens_darkens_the_corners_by_the_fourth_power_of_the_cosine() -> None:
    camera = replace(CAMERA, vignetting=1.0)
    raw = expose(camera, UNIT, _grey(300), np.random.default_rng(5)).astype(np.float32) - BLACK
    corner, middle = raw[:16, :16].mean(), raw[112:128, 152:168].mean()
    cosine = camera.focal_px / np.hypot(camera.focal_px, np.hypot(152, 112))
    assert corner / middle == pytest.approx(cosine**4, rel=0.02)


def test_blur_keeps_the_light_and_spreads_it_by_its_sigma() -> None:
    light = _grey(0.001)
    light[:, 120, 160] = 20000
    soft = replace(CAMERA, blur_px=2.0, read_noise=0.0)
    spot = expose(soft, UNIT, light, np.random.default_rng(6)).astype(float)[100:141, 140:181] - BLACK
    offsets = np.arange(-20, 21)
    assert (spot.sum(axis=0) * offsets**2).sum() / spot.sum() == pytest.approx(4.0, rel=0.1)


def test_point_twice_as_far_lies_half_as_far_from_the_axis() -> None:
    near, far = CAMERA.project(np.array([[0.1, -0.05, 0.5], [0.1, -0.05, 1.0]])) - CAMERA.centre
    assert near == pytest.approx(2 * far)
    assert near == pytest.approx([56, -28])


def test_window_of_the_exposure_lies_around_the_landmarks() -> None:
    marks = np.array([[140.0, 100], [180, 100], [160, 120], [145, 140], [175, 140]])
    rows, columns = eye_box(marks, CAMERA)
    assert rows.start < 100 < 140 < rows.stop
    assert columns.start < 140 < 180 < columns.stop


@pytest.mark.parametrize("wrong", [{"width": 641}, {"blur_px": -1.0}, {"jpeg": 0}, {"focal_px": 0.0}])
def test_camera_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="camera"):
        Camera(**wrong)  # type: ignore[arg-type]
