"""Displays and switches from their settings, and a deployer's network: real terminals, real pins, one clear line."""

import hashlib
import io
import os
import sys
import termios
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.attacks.signals import face_at

from openstile.assembly.detectors import AddedDetectors, detectors_in_words
from openstile.assembly.devices import ConsolePinPad
from openstile.assembly.displays import ConsoleLightSwitch, check_display, display_of, light_switch_of
from openstile.assembly.health import examine
from openstile.assembly.settings import GateTable, Settings
from openstile.assembly.settings_attack import ContextTable
from openstile.crossing import Policy
from openstile.face import Frame
from openstile.face.attack import Verdict
from openstile.face.attack.kit import FlashLight
from openstile.face.packs import PackError
from openstile.gate.display_light import LightDisplay
from openstile.gate.light_switch import GpioLightSwitch, LightSwitchError, NoLightSwitch
from openstile.gate.messages import GateState
from openstile.terms import BadInputError

LIGHT = GateTable(display="light", display_lag_frames=3, display_light_ratio=0.2)


def test_display_of_the_settings_lights_with_their_measures() -> None:
    display = display_of(LIGHT, io.StringIO(), switch=NoLightSwitch(), policy=Policy)
    assert isinstance(display, LightDisplay)
    assert (display.lag_frames, display.light_ratio()) == (3, 0.2)
    unmeasured = display_of(GateTable(display="light"), io.StringIO(), switch=NoLightSwitch(), policy=Policy)
    assert isinstance(unmeasured, LightDisplay)
    assert unmeasured.light_ratio() is None
    assert not isinstance(display_of(GateTable(), io.StringIO(), switch=NoLightSwitch(), policy=Policy), FlashLight)


@pytest.mark.parametrize(
    ("opt_out", "policy", "says"),
    [
        ("none", Policy(), "The screen will change colours.\n"),
        ("console", Policy(), "press X for none."),
        ("gpio:4", Policy(), "press the button for none."),
        ("console", Policy(attack_flash="off"), "pass in front of the camera.\n"),
        ("console", Policy(attack_mode="off"), "pass in front of the camera.\n"),
    ],
)
def test_display_says_before_they_come_that_colours_come_and_how_to_decline_them(
    opt_out: str, policy: Policy, says: str
) -> None:
    stream, gate = io.StringIO(), LIGHT.model_copy(update={"display_opt_out": opt_out})
    display_of(gate, stream, switch=NoLightSwitch(), policy=lambda: policy).show_state(GateState.IDLE)
    assert says in stream.getvalue()


def test_console_display_needs_no_terminal_and_one_in_colours_does() -> None:
    check_display(GateTable(), io.StringIO())
    with pytest.raises(BadInputError, match=r"gate\.display light: its output is no terminal"):
        check_display(LIGHT, io.StringIO())


def test_key_x_holds_for_one_crossing_and_no_other_key_is_looked_at(terminal: tuple[int, int]) -> None:
    outside, inside = terminal
    before = termios.tcgetattr(inside)
    switch = ConsoleLightSwitch(inside)
    assert not switch.declined()
    os.write(outside, b"abc\r1")
    assert not switch.declined()
    os.write(outside, b"X")
    assert switch.declined()
    assert switch.declined(), "it holds for the whole crossing"
    os.write(outside, b"x")
    switch.forget()
    assert not switch.declined(), "what was typed before the end was of that crossing"
    switch.close()
    assert termios.tcgetattr(inside) == before


def test_key_is_not_shown_and_a_pin_is_a_line_all_the_same(terminal: tuple[int, int]) -> None:
    outside, inside = terminal
    switch = ConsoleLightSwitch(inside)
    os.write(outside, b"x")
    assert switch.declined()
    os.set_blocking(outside, False)
    with pytest.raises(BlockingIOError):
        os.read(outside, 10)
    modes: list[int] = []

    class Asked(ConsolePinPad):
        def _line(self) -> str | None:
            modes.append(termios.tcgetattr(inside)[3])
            os.write(outside, b"4711\n")
            return super()._line()

    assert Asked(inside, wait_s=10)() == "4711"
    assert modes[0] & termios.ICANON
    assert not termios.tcgetattr(inside)[3] & termios.ICANON, "keys are read one by one again"
    switch.close()


def test_terminal_that_has_gone_declines_nothing(terminal: tuple[int, int]) -> None:
    gone = os.dup(terminal[1])
    switch = ConsoleLightSwitch(gone)
    os.close(gone)
    assert not switch.declined()
    switch.forget()
    switch.close()


def test_switch_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("x"))
    assert isinstance(light_switch_of(LIGHT), NoLightSwitch)
    assert isinstance(light_switch_of(GateTable(display_opt_out="console")), NoLightSwitch), "there are no colours"
    with pytest.raises(BadInputError, match=r"gate\.display_opt_out console: standard input is no terminal"):
        light_switch_of(LIGHT.model_copy(update={"display_opt_out": "console"}))
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(LightSwitchError, match="extra gpio"):
        light_switch_of(LIGHT.model_copy(update={"display_opt_out": "gpio:4"}))


def test_button_holds_for_one_crossing(monkeypatch: pytest.MonkeyPatch) -> None:
    gpiozero = pytest.importorskip("gpiozero")
    factory = pytest.importorskip("gpiozero.pins.mock").MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    switch = GpioLightSwitch(4)
    assert not switch.declined()
    factory.pin(4).drive_low()
    factory.pin(4).drive_high()
    assert switch.declined()
    switch.forget()
    assert not switch.declined()
    with pytest.raises(LightSwitchError, match="cannot read the pin"):
        GpioLightSwitch(4)
    switch.close()


def reds_and_blues() -> bytes:
    """A tiny network whose second number grows with the first channel that it sees."""
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["means"], axes=[0, 2, 3], keepdims=0),
        helper.make_node("Mul", ["means", "weights"], ["answer"]),
    ]
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [3], [0.1, 0.0, 0.0])
    graph = helper.make_graph(
        nodes, "first", [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [3])], [weights],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


@pytest.fixture
def context(tmp_path: Path) -> ContextTable:
    model = reds_and_blues()
    (tmp_path / "own.onnx").write_bytes(model)
    return ContextTable(
        network="own.onnx", sha256=hashlib.sha256(model).hexdigest(), source="picture", result="answer", side=32,
        attack_index=0,
    )  # fmt: skip


@pytest.mark.parametrize(("channels", "verdict"), [("rgb", Verdict.ATTACK), ("bgr", Verdict.INCONCLUSIVE)])
def test_network_of_the_settings_sees_the_colours_in_its_order(
    tmp_path: Path, context: ContextTable, channels: str, verdict: Verdict
) -> None:
    table = context.model_copy(update={"channels": channels})
    (make,) = AddedDetectors(Settings(context=table), tmp_path).makers()
    detector = make()
    detector.begin(None, None)
    detector.see(Frame(np.full((480, 640, 3), (0, 0, 255), np.uint8)), face_at(), None)
    assert detector.evidence().verdict is verdict


def test_mean_is_taken_off_in_the_order_of_the_colours(tmp_path: Path, context: ContextTable) -> None:
    table = context.model_copy(update={"channels": "rgb", "mean": [255.0, 0.0, 0.0]})
    (make,) = AddedDetectors(Settings(context=table), tmp_path).makers()
    detector = make()
    detector.begin(None, None)
    detector.see(Frame(np.full((480, 640, 3), (0, 0, 255), np.uint8)), face_at(), None)
    assert detector.evidence().verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"network": "none.onnx"}, "No such file"),
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"result": "other"}, "outputs"),
        ({"side": 64}, "shape"),
    ],
)
def test_network_that_cannot_be_used_stops_the_gate_before_a_rider_comes(
    tmp_path: Path, context: ContextTable, change: dict[str, object], says: str
) -> None:
    settings = Settings(context=context.model_copy(update=change))
    with pytest.raises((BadInputError, PackError), match=says):
        AddedDetectors(settings, tmp_path).load()


def test_without_a_network_there_is_no_detector_to_add(tmp_path: Path) -> None:
    added = AddedDetectors(Settings(), tmp_path)
    added.load()
    assert added.makers() == ()


def test_doctor_says_which_detectors_run(tmp_path: Path, context: ContextTable) -> None:
    finding = next(one for one in examine(tmp_path, camera="camera:93") if one.what == "attack detectors")
    assert (finding.works, "parallax is the only detector of our own" in finding.detail) == (True, True)
    lit = Settings(gate=LIGHT, context=context)
    enforced = Policy(attack_mode="enforce", attack_monitored=("context",))
    assert detectors_in_words(lit, enforced) == (
        "enforce: parallax, flash_response, flash_shape, context; only counted: context"
    )
    assert "only detector" in detectors_in_words(lit, replace(enforced, attack_flash="off"))
    assert detectors_in_words(lit, Policy(attack_mode="off")).startswith("off: no detector runs")
    unmeasured = Settings(gate=GateTable(display="light"))
    assert "gate.display_light_ratio is not measured" in detectors_in_words(unmeasured, Policy())


def test_doctor_finds_a_network_that_is_another_file(tmp_path: Path, context: ContextTable) -> None:
    (tmp_path / "settings.toml").write_text(
        f'[context]\nnetwork = "own.onnx"\nsha256 = "{"0" * 64}"\nsource = "picture"\nresult = "answer"\nside = 32\n'
    )
    (tmp_path / "settings.toml").chmod(0o600)
    finding = next(one for one in examine(tmp_path, camera="camera:93") if one.what == "attack detectors")
    assert (finding.works, finding.needed, "SHA-256" in finding.detail) == (False, True, True)
