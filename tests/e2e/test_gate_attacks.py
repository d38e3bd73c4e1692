"""A whole gate against simulated presentations: its own terminal shines on the scene that its camera then sees.

Keys, pass, settings, terminal, loop, lane, journal, crossing and detectors are real; the scene and its camera are the
simulator's (tests/attacks), and of the networks only where the face is and whose it is are told.
"""

import json
import os
import re
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.attacks.camera import Camera
from tests.attacks.light import Ambient, GateDisplay
from tests.attacks.motion import Motion, MotionKind
from tests.attacks.scene import Scene, Species
from tests.attacks.simulator import render
from tests.crossing.world import RANGE, SeenEngine, TurnedClock, person
from tests.gate.gates import Reports, camera_of, frame_showing

from openstile.assembly.home import open_home
from openstile.assembly.running import open_gate
from openstile.assembly.wire import Installation
from openstile.cli.app import run
from openstile.crossing import Reason
from openstile.face import Frame, LocatedFace
from openstile.face.attack.safety import linear_light
from openstile.face.attack.stimulus import Colour
from openstile.face.located import Box, Point
from openstile.face.template import quantise
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.reference import Reference, ReferenceKind
from openstile.terms import BadInputError

CALM = Scene(
    Species.LIVE,
    seed=4242,
    subject=3,
    tone=4,
    motion=Motion(MotionKind.NATURAL, distance=0.5),
    ambient=Ambient(lux=300),
    display=GateDisplay(share=0.2),
    camera=Camera(width=352, height=400, blur_px=0.6),
)
FRAMES = 60
DARK: Colour = (0, 0, 0)
_LOOKS = re.compile(rb"\x1b\[48;2;(\d+);(\d+);(\d+)m|\x1b\[0m\x1b\[2J")
SETTINGS = """
[gate]
display = "light"
display_light_ratio = {ratio}
display_opt_out = "console"
message_ms = 0
[policy]
attack_mode = "enforce"
attendance = "{attendance}"
[quality]
sharpness_min = 0.05
steadiness_min = 0.05
eyes_seen_min = 0
nose_seen_min = 0
mouth_seen_min = 0
dynamic_range_min = 1
noise_max = 1
"""


@dataclass
class Terminal:
    """The gate's terminal, seen from outside."""

    outside: int
    inside: int
    output: TextIO
    keys: TextIO
    said: bytes = b""

    def look(self) -> None:
        with suppress(BlockingIOError):
            self.said += os.read(self.outside, 2**16)

    @property
    def colours(self) -> list[Colour]:
        """Each that it showed, black for its texts."""
        self.look()
        found = [tuple(int(part or 0) for part in match.groups()) for match in _LOOKS.finditer(self.said)]
        return [(red, green, blue) for red, green, blue in found]


@pytest.fixture
def lane_terminal(terminal: tuple[int, int]) -> Iterator[Terminal]:
    outside, inside = terminal
    os.set_blocking(outside, False)
    with os.fdopen(os.dup(inside), "w") as out, os.fdopen(os.dup(inside), "r") as keys:
        yield Terminal(outside, inside, out, keys)


@dataclass
class ToldEngine(SeenEngine):
    """Told where the face is in the frame that was taken last, and that it is the owner's."""

    face: LocatedFace | None = None

    def detect(self, pixels: NDArray[np.uint8]) -> list[LocatedFace]:
        return [] if self.face is None else [self.face]

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        return person(1)


@dataclass
class Street:
    """A gate that enforces, and what stands before it."""

    home: Path
    terminal: Terminal
    patch: pytest.MonkeyPatch
    clock: TurnedClock = field(default_factory=lambda: TurnedClock(step_ns=0))
    engine: ToldEngine = field(default_factory=ToldEngine)
    reports: Reports = field(default_factory=Reports)

    def serve(
        self, scene: Scene, *, attendance: str = "unattended", keys: bytes = b"", breaks_at: int = FRAMES
    ) -> Installation:
        self.patch.setattr(sys, "stdout", self.terminal.output)
        self.patch.setattr(sys, "stdin", self.terminal.keys)
        self.prepare(scene, attendance=attendance)
        installation = Installation.open(open_home(self.home), clock=self.clock)
        installation.ensure_keys()
        installation.__dict__["_engine"] = self.engine
        template = Reference(ReferenceKind.FACE, self.engine.pack_id, quantise(person(1), RANGE))
        issued = installation.issue(
            entitlement=Entitlement("season"), reference=template, valid_for=timedelta(days=1),
            assurance=Assurance.SUPERVISED,
        )  # fmt: skip
        with open_gate(
            installation,
            open_camera=self._camera(issued.text, scene, keys, breaks_at),
            barrier=None,
            ask_pin=lambda: None,
            sleep=self.clock.pass_s,
            report=self.reports,
            announce=True,
        ) as loop:
            loop.run()
        return installation

    def prepare(self, scene: Scene, *, attendance: str = "unattended") -> None:
        self.home.mkdir()
        path = self.home / "settings.toml"
        path.write_text(SETTINGS.format(ratio=scene.display.share, attendance=attendance))
        path.chmod(0o600)

    def sheet(self, *, lag: int, ratio: float) -> Iterator[Frame]:
        """A camera before which a white sheet is held, and that sees the terminal `lag` frames late."""
        on, rng = [DARK] * (lag + 1), np.random.default_rng(1)
        while True:
            on = [*on[1:], (self.terminal.colours or [DARK])[-1]]
            light = 0.4 * (1 + ratio * linear_light(on[0])[::-1]) * (1 + rng.normal(0, 0.004, (120, 160, 3)))
            yield Frame(np.rint(255 * (1.055 * light ** (1 / 2.4) - 0.055)).astype(np.uint8), 1)

    def _camera(
        self, text: str, scene: Scene, keys: bytes, breaks_at: int
    ) -> Callable[[], AbstractContextManager[Iterator[Frame]]]:
        return camera_of(self._frames(text, scene, keys, breaks_at))

    def _frames(self, text: str, scene: Scene, keys: bytes, breaks_at: int) -> Iterator[Frame]:
        rng = np.random.default_rng(5)
        bias = rng.normal(0, 1.0, (5, 2))
        os.write(self.terminal.outside, keys)
        yield frame_showing(text)
        plan = np.full((FRAMES, 3), 180, np.uint8)  # exposure is found in a light like that of the colours
        shots = render(scene, plan)
        for at in range(FRAMES):
            if self.reports.crossings:
                return
            if at == breaks_at:
                raise KeyboardInterrupt
            plan[at] = (self.terminal.colours or [DARK])[-1]
            shot = next(shots)
            marks = shot.landmarks + bias + rng.normal(0, 0.6, (5, 2))
            self.engine.face = LocatedFace(Box(*shot.box), tuple(Point(float(x), float(y)) for x, y in marks), 0.9)
            self.clock.pass_s(0.04)
            yield Frame(shot.pixels, self.clock.ticks_ns)
            self.engine.face = None


@pytest.fixture
def street(tmp_path: Path, lane_terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Street:
    return Street(tmp_path / "home", lane_terminal, monkeypatch)


def counted(installation: Installation) -> dict[str, int]:
    return {count.reason: count.refusals for count in installation.read_journal(limit=9).refusals}


def test_living_face_in_five_random_colours_opens_an_unattended_gate(street: Street) -> None:
    installation = street.serve(CALM)
    assert street.reports.reasons == [None]
    colours = street.terminal.colours
    assert len(set(colours) - {DARK}) == 5
    assert colours[-1] == DARK, "the texts are back"
    said = street.terminal.said.decode()
    assert said.index("press X for none") < said.index("\x1b[48;2;") < said.index("Welcome")
    assert counted(installation)["pad_flash_response_live"] == 1
    assert len(installation.read_journal(limit=9).taps) == 1


def test_flat_print_of_the_owner_is_refused(street: Street) -> None:
    installation = street.serve(replace(CALM, species=Species.FLAT_PRINT))
    assert street.reports.reasons == [Reason.ATTACK_SUSPECTED]
    assert street.terminal.colours[-1] == DARK
    assert counted(installation)["attack_suspected"] == 1
    assert installation.read_journal(limit=9).taps == ()


def test_rider_who_presses_x_before_they_show_their_pass_sees_no_colour(street: Street) -> None:
    installation = street.serve(CALM, attendance="attended", keys=b"x")
    assert street.reports.reasons == [None]
    assert street.terminal.colours == []
    assert "No colours this time" in street.terminal.said.decode()
    assert not [name for name in counted(installation) if "flash" in name]
    kept = [path.read_bytes() for path in installation.home.folder.rglob("*") if path.is_file()]
    assert not any(b"declined" in data or b'opt_out = "x' in data for data in kept)


def test_gate_that_is_stopped_within_a_clip_leaves_no_colour_and_no_odd_terminal(street: Street) -> None:
    before = _modes(street.terminal)
    with pytest.raises(KeyboardInterrupt):
        street.serve(CALM, breaks_at=9)
    assert len(street.terminal.colours) >= 3
    assert street.terminal.colours[-1] == DARK
    assert "Out of service" in street.terminal.said.decode()
    assert _modes(street.terminal) == before


def _modes(terminal: Terminal) -> list[object]:
    return termios.tcgetattr(terminal.inside)


def test_display_in_colours_without_a_terminal_is_one_clear_line(street: Street, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as street.terminal.output, pytest.raises(BadInputError, match="no terminal"):
        street.serve(CALM)


def test_light_is_measured_with_the_gates_own_terminal_and_camera(
    street: Street, capsys: pytest.CaptureFixture[str]
) -> None:
    street.patch.setattr(sys, "stderr", street.terminal.output)
    street.prepare(CALM)
    street.patch.setattr(
        "openstile.assembly.devices.camera_of", lambda name: camera_of(street.sheet(lag=2, ratio=0.25))
    )
    assert run(["gate", "--measure-light", "--json", "--home", str(street.home)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["display_lag_frames"] == 2
    assert found["display_light_ratio"] == pytest.approx(0.25, rel=0.15)
    assert street.terminal.colours[-1] == DARK


def test_console_display_has_no_light_to_measure(street: Street, capsys: pytest.CaptureFixture[str]) -> None:
    street.home.mkdir()
    assert run(["gate", "--measure-light", "--home", str(street.home)]) == 2
    assert "has no light to measure" in capsys.readouterr().err
